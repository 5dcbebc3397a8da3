function foo::renamed(Integer $b) { }
