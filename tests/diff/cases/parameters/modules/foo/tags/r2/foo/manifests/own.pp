# @api private
class foo::own { }
