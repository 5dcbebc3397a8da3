define foo::thing (String[1] $path, Integer $size) { }
