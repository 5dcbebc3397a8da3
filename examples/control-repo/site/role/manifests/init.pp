class role {
  include platform
}
