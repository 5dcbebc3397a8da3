# Every way in which a type can change.
class foo (
  String $narrowed = 'x',
  String[1] $widened = 'x',
  Integer $disjoint = 1,
  Enum['a', 'b'] $incomparable = 'b',
  Pattern[/\Aa.*\z/] $undecided = 'a',
  Optional[String] $not_optional = 'x',
  String $secret = 'x',
  Variant[String, Integer] $reordered = 1,
  Foo::Port $behind_an_alias = 80,
  $any = 1,
  Hash[String, Struct[{ path => String }]] $nested = {},
) { }
