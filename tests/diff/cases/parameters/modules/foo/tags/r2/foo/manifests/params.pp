class foo::params { }
