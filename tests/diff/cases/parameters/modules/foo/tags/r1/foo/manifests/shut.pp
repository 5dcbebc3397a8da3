class foo::shut { }
