//! Whether a value is one of a data type, as Puppet would decide it
//! (`lib/puppet/pops/types/types.rb`, `instance?`), or that it cannot be told here.

use super::puppet_code::data_type::{Key, Member, Range, Size, Type, takes_undef};
use super::puppet_code::definition::Stated;
use super::ruby_regex::Patterns;
use super::value::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What was found of a value and a type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Ok,
    Violation(Mismatch),
    /// It cannot be told without Puppet; why.
    Undecided(String),
}

/// Where a value is not what a type wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// What leads from the value to what is wrong in it.
    pub path: Vec<Step>,
    pub expected: String,
    /// The kind of what was found, never the value.
    pub found: String,
}

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    Place(usize),
    /// A key that the type names.
    Member(String),
    /// A key that the value alone has, which may be a secret.
    Key(Value),
}

/// Type aliases by their name in lower case, as Puppet looks them up.
pub type Aliases = BTreeMap<String, Stated>;

/// So many types may be in each other for one value; more is a circle.
const DEEPEST: usize = 200;

/// So many types may be tried for one value: `type A = Variant[A, A]` would take for ever.
const MOST: usize = 1_000_000;

/// Decides whether a value is of a type.
pub fn check(value: &Value, of: &Type, aliases: &Aliases, patterns: &mut Patterns) -> Verdict {
    Checker { aliases, patterns, depth: 0, tried: 0 }.check(value, of)
}

struct Checker<'a> {
    aliases: &'a Aliases,
    patterns: &'a mut Patterns,
    depth: usize,
    tried: usize,
}

impl Checker<'_> {
    fn check(&mut self, value: &Value, of: &Type) -> Verdict {
        if self.depth == DEEPEST {
            return Verdict::Undecided(format!("`{of}` leads to itself"));
        }
        self.tried += 1;
        if self.tried > MOST {
            return Verdict::Undecided("it takes too long to tell here".to_owned());
        }
        self.depth += 1;
        let verdict = self.decide(value, of);
        self.depth -= 1;
        verdict
    }

    fn decide(&mut self, value: &Value, of: &Type) -> Verdict {
        match of {
            Type::Any => Verdict::Ok,
            Type::Optional(None) => Verdict::Ok,
            Type::Optional(Some(inside)) => match value {
                Value::Null => Verdict::Ok,
                value => self.check(value, inside),
            },
            Type::NotUndef(inside) => match (value, inside) {
                (Value::Null, _) => mismatch(value, of),
                (_, None) => Verdict::Ok,
                (value, Some(inside)) => self.check(value, inside),
            },
            // Of nothing: Puppet takes it at one place and not at another.
            Type::Variant(types) if types.is_empty() => puppet_alone(of),
            Type::Enum { values, .. } if values.is_empty() => puppet_alone(of),
            Type::Variant(types) => self.any(value, types, of),
            Type::Reference(name) => self.reference(value, name),
            Type::Array { element, size } => match value {
                Value::Array(items) => self.items(items, |_| Some(&**element), size, of),
                value => mismatch(value, of),
            },
            Type::Tuple { types, size } => match value {
                Value::Array(items) => {
                    let exact = Some(types.len() as i64).filter(|length| *length > 0);
                    let exact = exact.map(|length| Range { from: Some(length), to: Some(length) });
                    let size = size.or(exact);
                    self.items(items, |at| types.get(at).or(types.last()), &size, of)
                }
                value => mismatch(value, of),
            },
            Type::Hash { key, value: inside, size } => match value {
                Value::Hash(pairs) => self.pairs(pairs, key, inside, size, of),
                value => mismatch(value, of),
            },
            Type::Struct(members) => match value {
                Value::Hash(pairs) => self.members(pairs, members, of),
                value => mismatch(value, of),
            },
            Type::Collection(size) => match value {
                // Puppet takes some of another size.
                Value::Array(items) if !fits(items.len(), size) => puppet_alone(of),
                Value::Hash(pairs) if !fits(pairs.len(), size) => puppet_alone(of),
                Value::Array(_) | Value::Hash(_) => Verdict::Ok,
                value => mismatch(value, of),
            },
            Type::Foreign { name: "Iterable", arguments } if arguments.is_empty() => match value {
                Value::Array(_) | Value::Hash(_) | Value::String(_) => Verdict::Ok,
                Value::Integer(_) => puppet_alone(of),
                value => mismatch(value, of),
            },
            Type::Foreign { name: "Iterable" | "Init", .. } => puppet_alone(of),
            Type::Pattern(patterns) => match value {
                Value::String(_) if patterns.is_empty() => Verdict::Ok,
                Value::String(text) => self.matched(text, patterns, of),
                value => mismatch(value, of),
            },
            of => plain(value, of),
        }
    }

    fn matched(&mut self, text: &str, patterns: &[String], of: &Type) -> Verdict {
        let mut open = None;
        for pattern in patterns {
            match self.patterns.is_match(pattern, text) {
                Some(true) => return Verdict::Ok,
                Some(false) => {}
                None => open = Some(pattern),
            }
        }
        match open {
            Some(pattern) => Verdict::Undecided(format!("only Ruby can match `/{pattern}/`")),
            None => mismatch(&Value::String(String::new()), of),
        }
    }

    /// One type that takes it is enough; else one that cannot be told leaves it open.
    fn any(&mut self, value: &Value, types: &[Type], of: &Type) -> Verdict {
        let mut open = None;
        for one in types {
            match self.check(value, one) {
                Verdict::Ok => return Verdict::Ok,
                Verdict::Undecided(why) => open = Some(why),
                Verdict::Violation(_) => {}
            }
        }
        open.map_or_else(|| mismatch(value, of), Verdict::Undecided)
    }

    /// An alias that is itself or others is the others.
    fn alias(&mut self, value: &Value, name: &str, of: &Type) -> Verdict {
        let is_itself =
            |one: &&Type| matches!(one, Type::Reference(of) if of.eq_ignore_ascii_case(name));
        match of {
            Type::Variant(types) if types.iter().any(|one| is_itself(&one)) => {
                let others = types.iter().filter(|one| !is_itself(one)).cloned().collect();
                self.check(value, &Type::Variant(others))
            }
            of => self.check(value, of),
        }
    }

    fn reference(&mut self, value: &Value, name: &str) -> Verdict {
        match self.aliases.get(&name.to_ascii_lowercase()) {
            Some(Stated::Known(of)) => match self.alias(value, name, of) {
                // The name says more than what it stands for.
                Verdict::Violation(found) if found.path.is_empty() => {
                    Verdict::Violation(Mismatch {
                        expected: format!("{name}, which is {}", found.expected),
                        ..found
                    })
                }
                verdict => verdict,
            },
            Some(_) => Verdict::Undecided(format!("type `{name}` is stated by code")),
            None if name.eq_ignore_ascii_case("Data") => self.data(value, Keys::Strings),
            None if name.eq_ignore_ascii_case("RichData") => self.data(value, Keys::Numbers),
            None => match of_puppet(name) {
                Some(name) => mismatch(value, &Type::Foreign { name, arguments: String::new() }),
                None => Verdict::Undecided(format!("type `{name}` is not on the modulepath")),
            },
        }
    }

    /// `Variant[ScalarData, Undef, Hash[String, Data], Array[Data]]`
    fn data(&mut self, value: &Value, keys: Keys) -> Verdict {
        match value {
            Value::Array(items) => worst(items.iter().map(|item| self.data(item, keys))),
            Value::Hash(pairs) => worst(pairs.iter().map(|(key, value)| match key {
                Value::String(_) => self.data(value, keys),
                Value::Integer(_) | Value::Float(_) if keys == Keys::Numbers => {
                    self.data(value, keys)
                }
                key => mismatch(key, &Type::String(None)),
            })),
            _ => Verdict::Ok,
        }
    }

    fn items<'t>(
        &mut self,
        items: &[Value],
        of_item: impl Fn(usize) -> Option<&'t Type>,
        size: &Size,
        of: &Type,
    ) -> Verdict {
        if let Some(wrong) = wrong_size(items.len(), size, "items", of) {
            return wrong;
        }
        let items = items.iter().enumerate().map(|(at, item)| match of_item(at) {
            Some(of) => below(Step::Place(at), self.check(item, of)),
            None => Verdict::Ok,
        });
        worst(items)
    }

    fn pairs(
        &mut self,
        pairs: &[(Value, Value)],
        key: &Type,
        inside: &Type,
        size: &Size,
        of: &Type,
    ) -> Verdict {
        if let Some(wrong) = wrong_size(pairs.len(), size, "entries", of) {
            return wrong;
        }
        worst(pairs.iter().map(|(name, value)| match self.check(name, key) {
            Verdict::Ok => below(Step::Key(name.clone()), self.check(value, inside)),
            other => below(Step::Key(name.clone()), other),
        }))
    }

    fn members(&mut self, pairs: &[(Value, Value)], members: &[Member], of: &Type) -> Verdict {
        if let Some(member) = members.iter().find(|member| asks_itself(member, self.aliases)) {
            return Verdict::Undecided(format!("`{}` leads to itself", member.value));
        }
        let mut verdicts = Vec::new();
        self.tried += pairs.len().saturating_mul(members.len()) / 16;
        for (key, value) in pairs {
            let member = match key {
                Value::String(name) => members.iter().find(|member| member.name == *name),
                _ => None,
            };
            verdicts.push(match member {
                // Undef is as good as nothing where the key may be left out.
                Some(member) if *value == Value::Null && may_be_left_out(member) => {
                    match takes_undef(&member.value) {
                        true => Verdict::Ok,
                        false => below(
                            Step::Member(member.name.clone()),
                            self.check(value, &member.value),
                        ),
                    }
                }
                Some(member) => {
                    below(Step::Member(member.name.clone()), self.check(value, &member.value))
                }
                None => {
                    let names: Vec<String> =
                        members.iter().map(|member| format!("`{}`", member.name)).collect();
                    let expected = format!("no key but {}", names.join(", "));
                    let found = "another key".to_owned();
                    Verdict::Violation(Mismatch { path: Vec::new(), expected, found })
                }
            });
        }
        for member in members.iter().filter(|member| !may_be_left_out(member)) {
            let is_it = |(key, _): &(Value, Value)| matches!(key, Value::String(name) if *name == member.name);
            if !pairs.iter().any(is_it) {
                // A plain key may be left out where its value may be undef, which an alias may say.
                let without = match member.key {
                    Key::NotUndef => mismatch(&Value::Null, of),
                    _ => self.check(&Value::Null, &member.value),
                };
                verdicts.push(match without {
                    Verdict::Ok => Verdict::Ok,
                    Verdict::Undecided(why) => Verdict::Undecided(why),
                    Verdict::Violation(_) => Verdict::Violation(Mismatch {
                        path: Vec::new(),
                        expected: format!("key `{}` of `{of}`", member.name),
                        found: "no such key".to_owned(),
                    }),
                });
            }
        }
        worst(verdicts.into_iter())
    }
}

/// What keys data may have.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Keys {
    Strings,
    /// And strings.
    Numbers,
}

/// Types that Puppet has without any module, of which no value can come from an ENC.
const OF_PUPPET: [&str; 15] = [
    "Deferred",
    "Error",
    "Exec",
    "File",
    "Filebucket",
    "Group",
    "Notify",
    "Package",
    "Resources",
    "Schedule",
    "Service",
    "Stage",
    "Tidy",
    "User",
    "Whit",
];

fn of_puppet(source: &str) -> Option<&'static str> {
    let name = source.split_once('[').map_or(source, |(name, _)| name);
    OF_PUPPET.into_iter().find(|known| known.eq_ignore_ascii_case(name))
}

/// A name in a type, or in what its aliases stand for, of which nothing is known: Puppet refuses
/// a class that has one, whatever it is called with.
pub fn stranger<'t>(
    of: &'t Type,
    aliases: &'t Aliases,
    defined: &BTreeSet<String>,
) -> Option<&'t str> {
    let (mut left, mut known) = (of.references(), BTreeSet::new());
    while let Some(name) = left.pop() {
        let lower = name.to_ascii_lowercase();
        if !known.insert(lower.clone()) {
            continue;
        }
        match aliases.get(&lower) {
            Some(Stated::Known(of)) => left.extend(of.references()),
            // An object is a type, if none of a value of an ENC.
            Some(Stated::Unknown(source)) if !source.starts_with('{') => return Some(name),
            Some(_) => {}
            None => {
                let is_known = of_puppet(name).is_some()
                    || defined.contains(&lower)
                    || ["data", "richdata", "puppet::lookupkey", "puppet::lookupvalue"]
                        .contains(&lower.as_str());
                if !is_known {
                    return Some(name);
                }
            }
        }
    }
    None
}

/// True where what a key may be is stated by way of itself: whether it may be left out then hangs
/// on which alias Puppet meets first.
pub fn asks_itself(member: &Member, aliases: &Aliases) -> bool {
    member.key == Key::Plain
        && !takes_undef(&member.value)
        && member.value.has_reference()
        && leads_to_itself(&member.value, aliases)
}

/// True where a type stands in what its own aliases stand for.
fn leads_to_itself(of: &Type, aliases: &Aliases) -> bool {
    let (mut left, mut known) = (of.references(), BTreeSet::new());
    let starts: BTreeSet<String> = left.iter().map(|name| name.to_ascii_lowercase()).collect();
    while let Some(name) = left.pop() {
        let lower = name.to_ascii_lowercase();
        if let Some(Stated::Known(of)) = aliases.get(&lower).filter(|_| known.insert(lower.clone()))
        {
            let inside = of.references();
            if inside.iter().any(|name| starts.contains(&name.to_ascii_lowercase())) {
                return true;
            }
            left.extend(inside);
        }
    }
    false
}

fn may_be_left_out(member: &Member) -> bool {
    match member.key {
        Key::Optional => true,
        Key::Plain => takes_undef(&member.value),
        Key::NotUndef => false,
    }
}

/// A type without others in it.
fn plain(value: &Value, of: &Type) -> Verdict {
    let is = match (of, value) {
        (Type::Undef, Value::Null) => true,
        (
            Type::Scalar | Type::ScalarData,
            Value::Boolean(_) | Value::Integer(_) | Value::Float(_) | Value::String(_),
        ) => true,
        // Not a number is neither above nor below any.
        (Type::Numeric | Type::Float(_), Value::Float(found)) if found.is_nan() => false,
        (Type::Numeric, Value::Integer(_) | Value::Float(_)) => true,
        (Type::Boolean(wanted), Value::Boolean(found)) => wanted.is_none_or(|w| w == *found),
        (Type::Integer(range), Value::Integer(digits)) => match digits.parse::<i128>() {
            Ok(found) => within(found, range),
            Err(_) => match digits.starts_with('-') {
                true => range.from.is_none(),
                false => range.to.is_none(),
            },
        },
        (Type::Float(range), Value::Float(found)) => {
            range.from.is_none_or(|from| *found >= from) && range.to.is_none_or(|to| *found <= to)
        }
        (Type::String(size), Value::String(text)) => fits(text.chars().count(), size),
        (Type::Literal(wanted), Value::String(text)) => wanted == text,
        (Type::Enum { values, any_case }, Value::String(text)) => match any_case {
            false => values.binary_search(text).is_ok(),
            // Of letters beyond ASCII Puppet takes no other case.
            true => values.iter().any(|value| value.eq_ignore_ascii_case(text)),
        },
        _ => false,
    };
    if is { Verdict::Ok } else { mismatch(value, of) }
}

fn within(found: i128, range: &Range<i64>) -> bool {
    range.from.is_none_or(|from| found >= i128::from(from))
        && range.to.is_none_or(|to| found <= i128::from(to))
}

fn puppet_alone(of: &Type) -> Verdict {
    Verdict::Undecided(format!("`{of}` is decided by Puppet alone"))
}

fn fits(length: usize, size: &Size) -> bool {
    size.is_none_or(|size| within(length as i128, &size))
}

fn wrong_size(length: usize, size: &Size, what: &str, of: &Type) -> Option<Verdict> {
    (!fits(length, size)).then(|| {
        let (expected, found) = (of.to_string(), format!("{length} {what}"));
        Verdict::Violation(Mismatch { path: Vec::new(), expected, found })
    })
}

/// The first violation, else the first that is open.
fn worst(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    let mut open = None;
    for verdict in verdicts {
        match verdict {
            Verdict::Violation(_) => return verdict,
            Verdict::Undecided(_) => open = open.or(Some(verdict)),
            Verdict::Ok => {}
        }
    }
    open.unwrap_or(Verdict::Ok)
}

fn below(step: Step, verdict: Verdict) -> Verdict {
    match verdict {
        Verdict::Violation(mut found) => {
            found.path.insert(0, step);
            Verdict::Violation(found)
        }
        other => other,
    }
}

fn mismatch(value: &Value, of: &Type) -> Verdict {
    let expected = match of {
        Type::Sensitive(_) => format!("{of}, which no ENC can give"),
        Type::Foreign { .. } | Type::Regexp(_) | Type::Default => {
            format!("{of}, which no value of an ENC is")
        }
        of => of.to_string(),
    };
    let found = value.kind().to_owned();
    Verdict::Violation(Mismatch { path: Vec::new(), expected, found })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::enc::Enc;
    use crate::model::puppet_code::data_type::read;
    use crate::model::puppet_code::lexer::lex;
    use crate::model::value::key_text;

    fn of(text: &str) -> Type {
        read(text, &lex(text).unwrap().tokens).unwrap()
    }

    /// `ok`, `?`, or where and what is wrong; the value is YAML.
    fn verdict(value: &str, stated: &str) -> String {
        let enc = Enc::parse(format!("parameters: {{p: {value}}}").as_bytes()).unwrap();
        let aliases = [
            ("a::port", "Integer[0, 65535]"),
            ("a::tree", "Hash[String, Variant[String, A::Tree]]"),
            ("a::a", "A::A"),
            ("a::maybe", "Optional[Integer]"),
            ("a::self", "Variant[A::Self, Integer]"),
            ("a::bomb", "Variant[A::Bomb, A::Bomb]"),
            ("a::even", "Variant[A::Odd, Undef]"),
            ("a::odd", "Struct[{next => A::Even}]"),
            ("a::node", "Struct[{next => Optional[A::Node]}]"),
        ];
        let aliases = aliases.map(|(name, text)| (name.to_owned(), Stated::Known(of(text)))).into();
        match check(&enc.parameters[0].1, &of(stated), &aliases, &mut Patterns::default()) {
            Verdict::Ok => "ok".to_owned(),
            Verdict::Undecided(_) => "?".to_owned(),
            Verdict::Violation(Mismatch { path, found, .. }) => {
                let step = |step: &Step| match step {
                    Step::Place(at) => at.to_string(),
                    Step::Member(name) => name.clone(),
                    Step::Key(key) => format!("[{}]", key_text(key)),
                };
                let path: Vec<String> = path.iter().map(step).collect();
                format!("{} {found}", path.join(".")).trim().to_owned()
            }
        }
    }

    #[test]
    fn values_are_judged_as_puppet_judges_them() {
        for (value, stated, expected) in [
            ("1", "Float", "an integer"),
            ("1.0", "Integer", "a float"),
            ("99999999999999999999", "Integer[1]", "ok"),
            ("99999999999999999999", "Integer[1, 5]", "an integer"),
            ("'3'", "Integer", "a string"),
            ("''", "String[1]", "a string"),
            ("éé", "String[2, 2]", "ok"),
            ("null", "Optional[String]", "ok"),
            ("null", "String", "null"),
            ("B", "Enum['a', 'b', true]", "ok"),
            ("B", "Enum['a', 'b']", "a string"),
            ("[1, x]", "Array[Integer]", "1 a string"),
            ("[]", "Array[Integer, 1]", "0 items"),
            ("[1, x, y]", "Tuple[Integer, String, 1, 5]", "ok"),
            ("[1]", "Tuple[Integer, String]", "1 items"),
            ("[1, 2]", "Tuple", "ok"),
            ("x", "Pattern", "ok"),
            ("1", "Pattern", "an integer"),
            ("x", "Variant", "?"),
            ("[x]", "Array[Enum]", "?"),
            ("[]", "Collection[1]", "?"),
            ("[1]", "Collection[1]", "ok"),
            ("x", "Collection[1]", "a string"),
            ("x", "Iterable", "ok"),
            ("{a: [1]}", "RichData", "ok"),
            ("{1: x}", "RichData", "ok"),
            ("{true: x}", "RichData", "a boolean"),
            ("x", "File['/x']", "a string"),
            ("x", "Variant[Package, Deferred]", "a string"),
            ("1.5", "Iterable", "a float"),
            ("é", "Enum['É', 'b', true]", "a string"),
            ("{}", "A::Even", "?"),
            ("{next: {next: null}}", "A::Node", "ok"),
            ("{next: {next: 1}}", "A::Node", "next.next an integer"),
            ("x", "Error", "a string"),
            ("1", "A::Self", "ok"),
            ("x", "A::Self", "a string"),
            (".nan", "Float", "a float"),
            (".inf", "Float", "ok"),
            ("{}", "Struct[{NotUndef[a] => A::Maybe}]", "no such key"),
            ("{}", "Struct[{a => A::Maybe}]", "ok"),
            ("{}", "Struct[{NotUndef[a] => Optional[Integer]}]", "no such key"),
            ("{a: 1}", "Hash[String, Integer]", "ok"),
            ("{1: 1}", "Hash[String, Integer]", "[1] an integer"),
            ("{a: {b: 1}}", "A::Tree", "[a] a map"),
            ("{a: {b: x}}", "A::Tree", "ok"),
            ("{a: 1}", "Struct[{a => Integer, b => Optional[String]}]", "ok"),
            ("{b: x}", "Struct[{a => Integer, b => Optional[String]}]", "no such key"),
            ("{a: 1, c: 1}", "Struct[{a => Integer}]", "another key"),
            ("80", "A::Port", "ok"),
            ("x", "Optional[A::Port]", "a string"),
            ("x", "A::A", "?"),
            ("x", "A::Bomb", "?"),
            ("x", "Variant[A::Bomb, String]", "ok"),
            ("x", "No::Such", "?"),
            ("x", "Variant[Integer, No::Such]", "?"),
            ("x", "Variant[No::Such, String]", "ok"),
            ("abc", "Pattern[/^b/, /c$/]", "ok"),
            ("abc", "Pattern[/(?=x)/]", "?"),
            ("x", "Sensitive[String]", "a string"),
            ("{a: [1, null]}", "Data", "ok"),
            ("{1: x}", "Data", "an integer"),
            ("x", "NotUndef", "ok"),
        ] {
            assert_eq!(verdict(value, stated), expected, "{value} as {stated}");
        }
    }
}
