class foo (
  Integer[1, 65535] $port = 80,
  String $label = 'b',
) { }
