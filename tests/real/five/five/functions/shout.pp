# A function in Puppet's own language.
function five::shout(String $text) >> String {
  "${upcase($text)}!"
}
