# Every way in which a type can change.
class foo (
  String[1] $narrowed = 'x',
  String $widened = 'x',
  Boolean $disjoint = true,
  Enum['b', 'c'] $incomparable = 'b',
  Pattern[/\Aa(b|c)?\z/] $undecided = 'a',
  String $not_optional = 'x',
  Sensitive[String] $secret = Sensitive('x'),
  Variant[Integer, String] $reordered = 1,
  Foo::Port $behind_an_alias = 80,
  Scalar $any = 1,
  Hash[String, Struct[{ path => String, Optional[size] => Integer }]] $nested = {},
) { }
