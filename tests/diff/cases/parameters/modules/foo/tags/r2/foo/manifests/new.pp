class foo::new { }
