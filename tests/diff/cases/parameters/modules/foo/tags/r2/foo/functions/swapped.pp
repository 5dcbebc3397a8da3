function foo::swapped(String $b, Integer $a) { }
