//! How the values that one data type takes lie to those of another: all of them, none, or that
//! it cannot be told here.
//!
//! "Yes" is proved from the types, "no" has a value that shows it; what is left is open.

mod pieces;
mod samples;

use super::check::{Aliases, Verdict, check};
use super::puppet_code::data_type::{Key, Member, Range, Size, Type};
use super::ruby_regex::Patterns;
use super::value::Value;
use pieces::{Kind, kind, pieces};
use samples::{Seeds, samples};
use serde::Serialize;

/// What became of a type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    Same,
    /// It takes all that it took, and more.
    Widened,
    /// It takes all that it took; whether more, cannot be told.
    SameOrWidened,
    /// It takes less, and nothing else.
    Narrowed,
    /// It takes nothing else; whether less, cannot be told.
    SameOrNarrowed,
    /// Nothing but undef is of both.
    Disjoint,
    /// Some values are of one type alone, some of the other alone.
    Incomparable,
    Undecided,
}

/// A type, and what the aliases in it stand for.
#[derive(Clone, Copy, Debug)]
pub struct Stands<'a> {
    pub of: &'a Type,
    pub aliases: &'a Aliases,
}

/// Tells what became of a type.
pub fn change(from: Stands, to: Stands) -> Change {
    match (is_within(from, to), is_within(to, from)) {
        (Holds::Yes, Holds::Yes) => Change::Same,
        (Holds::Yes, Holds::No) => Change::Widened,
        (Holds::Yes, Holds::Open) => Change::SameOrWidened,
        (Holds::No, Holds::Yes) => Change::Narrowed,
        (Holds::Open, Holds::Yes) => Change::SameOrNarrowed,
        (Holds::No, Holds::No) if Relation::of(from, to).apart(from.of, to.of) => Change::Disjoint,
        (Holds::No, Holds::No) => Change::Incomparable,
        _ => Change::Undecided,
    }
}

/// Whether every value of a type is one of the other.
pub fn is_within(inner: Stands, outer: Stands) -> Holds {
    Relation::of(inner, outer).within(inner.of, outer.of)
}

/// What is known of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    Yes,
    No,
    Open,
}

impl Holds {
    fn when(is: bool) -> Self {
        if is { Holds::Yes } else { Holds::No }
    }

    /// Of all statements together: one that does not hold is enough, then one that is open.
    fn all(of: impl IntoIterator<Item = Self>) -> Self {
        let mut all = Holds::Yes;
        for one in of {
            match one {
                Holds::No => return Holds::No,
                Holds::Open => all = Holds::Open,
                Holds::Yes => {}
            }
        }
        all
    }
}

/// So deep may types be in each other, aliases taken for what they stand for.
const DEEPEST: usize = 60;

/// So many pairs of types are looked at; nested variants could ask for any number.
const MOST_STEPS: usize = 20_000;

struct Relation<'a> {
    inner: &'a Aliases,
    outer: &'a Aliases,
    patterns: Patterns,
    seeds: Seeds,
    /// The pairs that are being decided: what leads back to one of them holds unless it fails elsewhere.
    around: Vec<(Type, Type)>,
    steps: usize,
}

impl<'a> Relation<'a> {
    fn of(inner: Stands<'a>, outer: Stands<'a>) -> Self {
        let seeds = Seeds::of(&[inner, outer]);
        let (inner, outer) = (inner.aliases, outer.aliases);
        Relation { inner, outer, patterns: Patterns::default(), seeds, around: vec![], steps: 0 }
    }

    fn within(&mut self, inner: &Type, outer: &Type) -> Holds {
        self.steps += 1;
        if self.around.iter().any(|(a, b)| a == inner && b == outer) {
            return Holds::Yes;
        }
        if self.around.len() == DEEPEST || self.steps > MOST_STEPS {
            return Holds::Open;
        }
        let (Some(parts), Some(others)) = (pieces(inner, self.inner), pieces(outer, self.outer))
        else {
            return Holds::Open;
        };
        self.around.push((inner.clone(), outer.clone()));
        let all = Holds::all(parts.iter().map(|part| self.covered(part, &others, outer)));
        self.around.pop();
        all
    }

    /// Whether pieces of a type take all of one piece of another.
    fn covered(&mut self, part: &Type, others: &[Type], outer: &Type) -> Holds {
        let has = |of: &Type| others.contains(of);
        let anything = has(&Type::Any) || (has(&Type::NotUndef(None)) && has(&Type::Undef));
        let not_undef = has(&Type::NotUndef(None));
        match part {
            _ if anything => return Holds::Yes,
            Type::Any => return Holds::No,
            Type::NotUndef(None) => return Holds::when(not_undef),
            Type::Undef => {}
            part if not_undef && kind(part) != Kind::Open => return Holds::Yes,
            _ => {}
        }
        let mut open = false;
        for other in others {
            match self.piece_within(part, other) {
                Holds::Yes => return Holds::Yes,
                Holds::Open => open = true,
                Holds::No => {}
            }
        }
        if let (Type::Integer(range), Kind::Integer) = (part, kind(part))
            && is_covered(*range, others)
        {
            return Holds::Yes;
        }
        let alike = others.iter().filter(|other| kind(other) == kind(part)).count();
        // Several may take together what none takes alone.
        match open || alike > 1 {
            false => Holds::No,
            true => self.shown_outside(part, outer),
        }
    }

    /// A value of one type that is none of the other, where one is found.
    fn shown_outside(&mut self, inner: &Type, outer: &Type) -> Holds {
        let tried = samples(inner, self.inner, &self.seeds);
        let outside = tried.iter().any(|value| {
            check(value, inner, self.inner, &mut self.patterns) == Verdict::Ok
                && is_refused(check(value, outer, self.outer, &mut self.patterns))
        });
        if outside { Holds::No } else { Holds::Open }
    }

    fn piece_within(&mut self, part: &Type, other: &Type) -> Holds {
        match (kind(part), kind(other)) {
            (Kind::Open, Kind::Open) => self.open_within(part, other),
            (Kind::Open, _) | (_, Kind::Open) => Holds::Open,
            (a, b) if a != b => Holds::No,
            (Kind::Undef | Kind::Default, _) => Holds::Yes,
            (Kind::Boolean, _) => Holds::when(part == other),
            (Kind::String, _) => self.string_within(part, other),
            (Kind::Array, _) => self.list_within(&List::of(part), &List::of(other)),
            (Kind::Hash, _) => self.map_within(part, other),
            _ => match (part, other) {
                (Type::Integer(a), Type::Integer(b)) => Holds::when(includes(b, a)),
                (Type::Float(a), Type::Float(b)) => Holds::when(includes(b, a)),
                (_, Type::Regexp(None)) => Holds::Yes,
                (Type::Regexp(a), Type::Regexp(b)) => Holds::when(a == b),
                (Type::Sensitive(a), Type::Sensitive(b)) => self.secret_within(a, b),
                (
                    Type::Foreign { name: a, arguments: of_a },
                    Type::Foreign { name: b, arguments: of_b },
                ) => match (a == b, of_a == of_b) {
                    (true, true) => Holds::Yes,
                    (true, false) if of_b.is_empty() => Holds::Yes,
                    (true, false) if of_a.is_empty() => Holds::No,
                    _ => Holds::Open,
                },
                _ => Holds::Open,
            },
        }
    }

    /// Puppet forgets sizes and values of what is inside (`p_sensitive_type.rb`): only a kind that
    /// is not there at all is refused.
    fn secret_within(&mut self, inner: &Type, outer: &Type) -> Holds {
        let kinds = |parts: Option<Vec<Type>>| parts.map(|list| list.iter().map(kind).collect());
        let known: (Option<Vec<Kind>>, Option<Vec<Kind>>) =
            (kinds(pieces(inner, self.inner)), kinds(pieces(outer, self.outer)));
        match (self.within(inner, outer), known) {
            (Holds::No, (Some(of_inner), Some(of_outer))) => {
                let there = of_inner.iter().all(|kind| of_outer.contains(kind));
                if there { Holds::Open } else { Holds::No }
            }
            (holds, _) => holds,
        }
    }

    /// What is not known on either side is the same where both say the same of it.
    fn open_within(&self, part: &Type, other: &Type) -> Holds {
        let same = match (part, other) {
            (Type::Reference(a), Type::Reference(b)) => {
                let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
                a == b && self.inner.get(&a) == self.outer.get(&b)
            }
            (Type::Collection(_), Type::Collection(_)) => part == other,
            _ => false,
        };
        if same { Holds::Yes } else { Holds::Open }
    }

    fn string_within(&mut self, part: &Type, other: &Type) -> Holds {
        match (part, other) {
            (Type::Literal(text), other) => self.takes(text, other),
            (Type::String(a), Type::String(b)) => Holds::when(includes(&length(b), &length(a))),
            (_, Type::String(b)) if length(b).from == Some(0) && length(b).to.is_none() => {
                Holds::Yes
            }
            (Type::String(Some(Range { to: Some(0), .. })), other) => self.takes("", other),
            (Type::String(_), Type::Literal(_) | Type::Enum { .. }) => Holds::No,
            (Type::Enum { values, .. }, Type::Literal(text)) => {
                let fixed =
                    values.iter().all(|value| !value.contains(|c: char| c.is_ascii_alphabetic()));
                Holds::when(fixed && values.contains(text))
            }
            (Type::Enum { values, .. }, other @ Type::Enum { .. }) => {
                Holds::all(values.iter().map(|value| self.takes(value, other)))
            }
            (Type::Enum { values, .. }, Type::String(_)) if values.iter().all(|v| v.is_ascii()) => {
                Holds::all(values.iter().map(|value| self.takes(value, other)))
            }
            (Type::Pattern(a), Type::Pattern(b)) if a.iter().all(|one| b.contains(one)) => {
                Holds::Yes
            }
            // It takes no empty string, and all others are long enough.
            (Type::Pattern(_), Type::String(Some(Range { from: Some(..=1), to: None })))
                if self.takes_inside("", part) == Holds::No =>
            {
                Holds::Yes
            }
            _ => self.shown_outside(part, other),
        }
    }

    fn takes(&mut self, text: &str, of: &Type) -> Holds {
        holds(check(&Value::String(text.to_owned()), of, self.outer, &mut self.patterns))
    }

    fn takes_inside(&mut self, text: &str, of: &Type) -> Holds {
        holds(check(&Value::String(text.to_owned()), of, self.inner, &mut self.patterns))
    }

    fn list_within(&mut self, part: &List, other: &List) -> Holds {
        let (Some(part), Some(other)) = (part.known(), other.known()) else { return Holds::Open };
        if !includes(&other.size, &part.size) {
            return Holds::No;
        }
        // Beyond the types that are told one by one, all are the last.
        let told = part.types.len().max(other.types.len());
        let longest = part.size.to.map_or(told, |to| told.min(usize::try_from(to).unwrap_or(0)));
        Holds::all((0..longest).map(|at| self.within(part.at(at), other.at(at))))
    }

    fn map_within(&mut self, part: &Type, other: &Type) -> Holds {
        match (part, other) {
            (Type::Struct(a), Type::Struct(b)) => self.struct_within(a, b),
            (Type::Struct(members), Type::Hash { key, value, size }) => {
                let least = members.iter().filter(|one| is_needed(one, self.inner)).count();
                let all = Range { from: Some(least as i64), to: Some(members.len() as i64) };
                let fits = Holds::when(includes(&length(size), &all));
                let inside = members.iter().map(|member| {
                    let name = self.takes(&member.name, key);
                    Holds::all([name, self.within(&member.value, value)])
                });
                Holds::all(inside.chain([fits]).collect::<Vec<_>>())
            }
            (
                Type::Hash { key: of_key, value: of_value, size: of_size },
                Type::Hash { key, value, size },
            ) => {
                let fits = includes(&length(size), &length(of_size));
                match length(of_size).to {
                    // A map of few keys has few entries, whatever it says.
                    _ if !fits && !is_endless(of_key, self.inner) => Holds::Open,
                    _ if !fits => Holds::No,
                    Some(0) => Holds::Yes,
                    _ => Holds::all([self.within(of_key, key), self.within(of_value, value)]),
                }
            }
            (Type::Hash { size, .. }, Type::Struct(members)) => {
                let needed = members.iter().any(|member| is_needed(member, self.outer));
                match length(size).to {
                    Some(0) => Holds::when(!needed),
                    _ => self.shown_outside(part, other),
                }
            }
            _ => Holds::Open,
        }
    }

    fn struct_within(&mut self, part: &[Member], other: &[Member]) -> Holds {
        let find =
            |name: &str, among: &'_ [Member]| among.iter().position(|member| member.name == name);
        let needed = other.iter().map(|member| match find(&member.name, part) {
            _ if !is_needed(member, self.outer) => Holds::Yes,
            Some(at) => Holds::when(is_needed(&part[at], self.inner)),
            None => Holds::No,
        });
        let needed = Holds::all(needed.collect::<Vec<_>>());
        let inside = part.iter().map(|member| match find(&member.name, other) {
            Some(at) => self.within(&member.value, &other[at].value),
            None => Holds::No,
        });
        Holds::all(inside.chain([needed]).collect::<Vec<_>>())
    }
}

/// Whether nothing is of both types; true is proved.
impl Relation<'_> {
    fn apart(&mut self, a: &Type, b: &Type) -> bool {
        self.steps += 1;
        if self.steps > MOST_STEPS || self.around.len() == DEEPEST {
            return false;
        }
        let (Some(a_parts), Some(b_parts)) = (pieces(a, self.inner), pieces(b, self.outer)) else {
            return false;
        };
        self.around.push((a.clone(), b.clone()));
        let top = self.around.len() == 1;
        // An ENC that gives undef gives nothing.
        let counts = |part: &&Type| !top || **part != Type::Undef;
        let apart = a_parts
            .iter()
            .filter(counts)
            .all(|a| b_parts.iter().filter(counts).all(|b| self.pieces_apart(a, b)));
        self.around.pop();
        apart
    }

    fn pieces_apart(&mut self, a: &Type, b: &Type) -> bool {
        match (kind(a), kind(b)) {
            (Kind::Open | Kind::Any, _) | (_, Kind::Open | Kind::Any) => false,
            (of_a, of_b) if of_a != of_b => true,
            _ => match (a, b) {
                (Type::Boolean(a), Type::Boolean(b)) => a != b,
                (Type::Integer(a), Type::Integer(b)) => are_apart(a, b),
                (Type::Float(a), Type::Float(b)) => are_apart(a, b),
                (Type::Literal(text), other) => self.takes(text, other) == Holds::No,
                (other, Type::Literal(text)) => self.takes_inside(text, other) == Holds::No,
                (Type::String(a), Type::String(b)) => are_apart(&length(a), &length(b)),
                (Type::Array { .. } | Type::Tuple { .. }, _) => self.lists_apart(a, b),
                (Type::Struct(a), Type::Struct(b)) => self.structs_apart(a, b),
                (
                    Type::Hash { key: a_key, value: a, size: a_size },
                    Type::Hash { key: b_key, value: b, size: b_size },
                ) => {
                    let (a_size, b_size) = (length(a_size), length(b_size));
                    let filled = a_size.from.max(b_size.from) > Some(0);
                    are_apart(&a_size, &b_size)
                        || (filled && (self.apart(a_key, b_key) || self.apart(a, b)))
                }
                _ => false,
            },
        }
    }

    fn lists_apart(&mut self, a: &Type, b: &Type) -> bool {
        let (a, b) = (List::of(a), List::of(b));
        let (Some(a), Some(b)) = (a.known(), b.known()) else { return false };
        // So many items both have at least.
        let least = usize::try_from(a.size.from.max(b.size.from).unwrap_or(0)).unwrap_or(0);
        let told = a.types.len().max(b.types.len()).min(least);
        are_apart(&a.size, &b.size) || (0..told).any(|at| self.apart(a.at(at), b.at(at)))
    }

    fn structs_apart(&mut self, a: &[Member], b: &[Member]) -> bool {
        let lacks = |needed: &Member, among: &[Member]| {
            !among.iter().any(|member| member.name == needed.name)
        };
        let a_lacks = b.iter().any(|member| is_needed(member, self.outer) && lacks(member, a));
        let b_lacks = a.iter().any(|member| is_needed(member, self.inner) && lacks(member, b));
        a_lacks
            || b_lacks
            || a.iter().any(|one| {
                let other = b.iter().find(|other| other.name == one.name);
                other.is_some_and(|other| {
                    (is_needed(one, self.inner) || is_needed(other, self.outer))
                        && self.apart(&one.value, &other.value)
                })
            })
    }
}

/// A list whose first items may have types of their own.
struct List<'t> {
    types: Vec<&'t Type>,
    size: Range<i64>,
}

impl<'t> List<'t> {
    fn of(list: &'t Type) -> Self {
        let (types, size) = match list {
            Type::Array { element, size } => (vec![&**element], length(size)),
            Type::Tuple { types, size } => {
                let exact = Some(types.len() as i64);
                let exact = Range { from: exact, to: exact };
                (types.iter().collect(), size.as_ref().map_or(exact, |_| length(size)))
            }
            _ => (Vec::new(), length(&None)),
        };
        List { types, size }
    }

    /// None for a tuple of no types, of which Puppet says different things in different places.
    fn known(&self) -> Option<&Self> {
        let ends = self.size.to.is_none_or(|to| Some(to) >= self.size.from);
        (!self.types.is_empty() && ends).then_some(self)
    }

    fn at(&self, at: usize) -> &'t Type {
        self.types[at.min(self.types.len() - 1)]
    }
}

fn holds(verdict: Verdict) -> Holds {
    match verdict {
        Verdict::Ok => Holds::Yes,
        Verdict::Violation(_) => Holds::No,
        Verdict::Undecided(_) => Holds::Open,
    }
}

fn is_refused(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Violation(_))
}

/// True where a struct without this member is none.
fn is_needed(member: &Member, aliases: &Aliases) -> bool {
    match member.key {
        Key::Optional => false,
        Key::NotUndef => true,
        Key::Plain => {
            check(&Value::Null, &member.value, aliases, &mut Patterns::default()) != Verdict::Ok
        }
    }
}

/// True where there is no end to the values of a type of keys.
fn is_endless(of: &Type, aliases: &Aliases) -> bool {
    let endless = |part: &Type| match part {
        Type::Any | Type::NotUndef(None) | Type::Float(_) => true,
        Type::String(size) => length(size).to.is_none(),
        Type::Integer(range) => range.from.is_none() || range.to.is_none(),
        _ => false,
    };
    pieces(of, aliases).is_some_and(|parts| parts.iter().any(endless))
}

/// A length as a range, which has no other lowest than 0.
fn length(size: &Size) -> Range<i64> {
    let range = size.unwrap_or(Range { from: None, to: None });
    Range { from: Some(range.from.unwrap_or(0).max(0)), to: range.to }
}

fn includes<T: PartialOrd + Copy>(outer: &Range<T>, inner: &Range<T>) -> bool {
    let from = outer.from.is_none_or(|outer| inner.from.is_some_and(|inner| inner >= outer));
    let to = outer.to.is_none_or(|outer| inner.to.is_some_and(|inner| inner <= outer));
    from && to
}

fn are_apart<T: PartialOrd + Copy>(a: &Range<T>, b: &Range<T>) -> bool {
    let below = |a: &Range<T>, b: &Range<T>| a.to.zip(b.from).is_some_and(|(to, from)| to < from);
    below(a, b) || below(b, a)
}

/// True where ranges of integers leave no gap in another.
fn is_covered(range: Range<i64>, others: &[Type]) -> bool {
    let mut ranges: Vec<Range<i64>> = others
        .iter()
        .filter_map(|other| match other {
            Type::Integer(range) => Some(*range),
            _ => None,
        })
        .collect();
    ranges.sort_by_key(|range| range.from);
    // The first integer that nothing has taken yet; none is below all.
    let mut next = range.from;
    for one in ranges {
        let begins = one.from.is_none() || one.from <= next;
        let Some(to) = one.to else { return begins };
        if begins && next.is_none_or(|next| to >= next) {
            match to.checked_add(1) {
                Some(after) => next = Some(after),
                None => return true,
            }
        }
        if range.to.is_some_and(|end| next.is_some_and(|next| next > end)) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::puppet_code::data_type::read;
    use crate::model::puppet_code::definition::Stated;
    use crate::model::puppet_code::lexer::lex;

    fn of(text: &str) -> Type {
        read(text, &lex(text).unwrap().tokens).unwrap()
    }

    fn aliases(port: &str) -> Aliases {
        let aliases = [
            ("a::port", port),
            ("a::tree", "Hash[String, Variant[String, A::Tree]]"),
            ("a::bush", "Hash[String, Variant[String, Integer, A::Bush]]"),
            ("a::a", "A::A"),
        ];
        aliases.map(|(name, text)| (name.to_owned(), Stated::Known(of(text)))).into()
    }

    #[test]
    fn what_became_of_a_type_is_told_and_the_other_way_round() {
        use Change::*;
        for (from, to, expected) in [
            ("Collection[2]", "Collection[0, 0]", Undecided),
            ("Hash[1, 1]", "Collection[2]", Undecided),
            ("Collection[1]", "Collection[1]", Same),
            ("String", "String[1]", Narrowed),
            ("String[1, 3]", "String[4]", Disjoint),
            ("String[1, 3]", "String[2, 4]", Incomparable),
            ("Integer", "Numeric", Widened),
            ("Integer", "Float", Disjoint),
            ("Integer[1, 9]", "Variant[Integer[1, 4], Integer[5, 10]]", Widened),
            ("Integer[1, 9]", "Variant[Integer[1, 4], Integer[6, 10]]", Incomparable),
            ("Enum[a, b]", "Enum[b, a]", Same),
            ("Enum[a, b]", "Enum[b, c]", Incomparable),
            ("Enum[a, b]", "Enum[c]", Disjoint),
            ("Enum[a]", "Enum['A', true]", Widened),
            ("Enum[a, b]", "Pattern[/^[ab]$/]", SameOrWidened),
            ("Enum[a, b]", "Pattern[/^[a-z]$/]", Widened),
            ("Optional[String]", "String", Narrowed),
            // An ENC that gives undef gives nothing.
            ("Optional[String]", "Optional[Integer]", Disjoint),
            ("Boolean", "Variant[Boolean[true], Boolean[false]]", Same),
            ("Any", "String", Narrowed),
            ("Any", "Variant[Undef, NotUndef]", Same),
            ("Pattern[/a/, /b/]", "Pattern[/a/]", Narrowed),
            ("Pattern[/\\A.+\\z/]", "String[1]", Widened),
            ("Array[String]", "Array[String, 1]", Narrowed),
            ("Array[String]", "Array[Integer]", Incomparable),
            ("Array[String, 1]", "Array[Integer, 1]", Disjoint),
            ("Array[String]", "Variant[String, Array[String]]", Widened),
            (
                "Variant[Array[String], Array[Integer]]",
                "Variant[Array[String[1]], Array[Integer]]",
                Narrowed,
            ),
            ("Tuple[String, Integer]", "Array[Variant[String, Integer]]", Widened),
            ("Hash[String, Integer]", "Hash[String, Integer, 1]", Narrowed),
            ("Hash", "Hash[String, Data]", Narrowed),
            ("Struct[{a => String}]", "Struct[{a => String, Optional[b] => Integer}]", Widened),
            ("Struct[{a => String}]", "Struct[{a => String, b => Integer}]", Disjoint),
            ("Struct[{a => String}]", "Hash[String, String]", Widened),
            ("Struct[{a => String}]", "Struct[{a => Optional[String]}]", Widened),
            ("Sensitive[String]", "Variant[String, Sensitive[String]]", Widened),
            ("String", "Sensitive[String]", Disjoint),
            ("Callable", "Callable[String]", Narrowed),
            ("Data", "Variant[ScalarData, Undef, Array[Data], Hash[String, Data]]", Same),
            ("A::Tree", "A::Tree", Same),
            ("A::Tree", "A::Bush", Widened),
            ("A::Missing", "A::Missing", Same),
            ("A::Missing", "String", Undecided),
            ("A::Port", "Integer[1, 100]", Narrowed),
        ] {
            let known = aliases("Integer[1, 65535]");
            let (a, b) = (of(from), of(to));
            let (a, b) = (Stands { of: &a, aliases: &known }, Stands { of: &b, aliases: &known });
            assert_eq!(change(a, b), expected, "{from} -> {to}");
            let back = match expected {
                Widened => Narrowed,
                Narrowed => Widened,
                SameOrWidened => SameOrNarrowed,
                other => other,
            };
            assert_eq!(change(b, a), back, "{to} -> {from}");
        }
    }

    #[test]
    fn an_alias_is_what_it_stands_for_on_its_side() {
        let (old, new) = (aliases("Integer[1, 65535]"), aliases("Integer[0, 65535]"));
        let port = of("Optional[A::Port]");
        let side = |aliases| Stands { of: &port, aliases };
        assert_eq!(change(side(&old), side(&new)), Change::Widened);
        assert_eq!(change(side(&old), side(&old)), Change::Same);
    }
}
