class foo (
  String $stays,
  String $default_gone,
  String $default_comes = 'x',
  Array[String] $blanks = [ 'a', 'b' ], # as before
  String $default_changes = 'x',
  String $data_gone,
  String $required,
  String $from_data,
  String $optional = 'x',
) { }
