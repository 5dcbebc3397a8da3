# What every node has, whichever app it runs.
class platform {
  notify { 'platform class': }
}
