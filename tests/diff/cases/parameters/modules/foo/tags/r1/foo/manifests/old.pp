class foo::old { }
