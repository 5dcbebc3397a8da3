class foo (
  String $gone = 'x',
  String $stays,
  String $default_gone = 'x',
  String $default_comes,
  Array[String] $blanks = ['a','b'],
  String $default_changes = "${facts['os']['name']}",
  String $data_gone,
) inherits foo::params { }
