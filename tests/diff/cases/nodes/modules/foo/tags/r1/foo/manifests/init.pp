class foo (
  String $gone = 'x',
  Integer $port = 80,
  String $label = 'a',
) { }
