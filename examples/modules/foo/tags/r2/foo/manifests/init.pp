# Tells the operator something.
#
# @param message What to tell.
# @param signature Who tells it; nobody signs where it is not given.
class foo (
  String[1]           $message,
  Optional[String[1]] $signature = undef,
) {
  include platform

  $signed = $signature ? {
    undef   => $message,
    default => "${message} (${signature})",
  }

  notify { $signed: }
}
