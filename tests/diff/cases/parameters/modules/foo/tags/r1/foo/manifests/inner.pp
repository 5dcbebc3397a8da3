# For others.
class foo::inner (String $x = 'a') { }
