# @api private
class foo::own (String $x = 'a') { }
