# Tells the operator something.
#
# @param message What to tell.
class foo (
  String[1] $message,
) {
  include platform

  notify { $message: }
}
