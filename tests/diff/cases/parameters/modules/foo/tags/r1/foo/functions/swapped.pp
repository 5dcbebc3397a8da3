function foo::swapped(Integer $a, String $b) { }
