# For nobody.
# @api private
class foo::inner { }
