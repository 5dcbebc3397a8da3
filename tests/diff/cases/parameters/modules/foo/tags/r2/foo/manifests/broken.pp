class foo::broken { $x = 'open }
