class foo::broken { }
