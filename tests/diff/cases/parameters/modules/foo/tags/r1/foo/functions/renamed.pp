function foo::renamed(Integer $a) { }
