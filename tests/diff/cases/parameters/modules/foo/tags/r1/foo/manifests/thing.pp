define foo::thing (String $path) { }
