//! Data types read as Puppet does (`lib/puppet/pops/types/type_parser.rb`).

use super::{Key, Member, Range, Size, Type, is_empty, takes_undef};
use crate::model::puppet_code::lexer::{Kind, Token};
use crate::model::ruby_regex::may_be_taken;
use std::collections::HashSet;

/// Types without arguments that need none to be told apart.
const FOREIGN: [&str; 16] = [
    "Binary",
    "Callable",
    "CatalogEntry",
    "Class",
    "Init",
    "Iterable",
    "Iterator",
    "Object",
    "Resource",
    "Runtime",
    "SemVer",
    "SemVerRange",
    "Timespan",
    "Timestamp",
    "Type",
    "TypeSet",
];

/// What may stand between the brackets of a type.
#[derive(Clone, Debug, PartialEq)]
enum Argument {
    Type(Type),
    Integer(i64),
    Float(f64),
    Text(String),
    Regex(String),
    Boolean(bool),
    Default,
    Hash(Vec<(Argument, Argument)>),
    /// Of `Callable` alone.
    Other,
}

/// So deep may types be in each other.
const DEEPEST: usize = 100;

/// Reads a type from tokens; none where they are more, or no type that can be
/// told without running code.
pub fn read(text: &str, tokens: &[Token]) -> Option<Type> {
    let mut reader = Reader { text, tokens, at: 0, depth: 0 };
    let read = reader.read_type()?;
    (reader.at == tokens.len()).then_some(read)
}

struct Reader<'t> {
    text: &'t str,
    tokens: &'t [Token],
    at: usize,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn next(&mut self) -> Option<&'t Token> {
        let token = self.tokens.get(self.at)?;
        self.at += 1;
        Some(token)
    }

    fn mark(&mut self, mark: char) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|token| token.kind == Kind::Mark(mark));
        self.at += usize::from(found);
        found
    }

    fn source(&self, token: &Token) -> &'t str {
        &self.text[token.start..token.end]
    }

    fn read_type(&mut self) -> Option<Type> {
        let first = self.next()?;
        if first.kind != Kind::Reference || self.depth == DEEPEST {
            return None;
        }
        self.depth += 1;
        let name = self.source(first).trim_start_matches("::");
        let arguments = if self.mark('[') { self.arguments(']')? } else { Vec::new() };
        let end = self.tokens[self.at - 1].end;
        let found = typed(name, &arguments, &self.text[first.start..end]);
        self.depth -= 1;
        found
    }

    fn arguments(&mut self, close: char) -> Option<Vec<Argument>> {
        let mut arguments = Vec::new();
        while !self.mark(close) {
            arguments.push(self.argument()?);
            if !self.mark(',')
                && !self.tokens.get(self.at).is_some_and(|t| t.kind == Kind::Mark(close))
            {
                return None;
            }
        }
        Some(arguments)
    }

    fn argument(&mut self) -> Option<Argument> {
        if self.tokens.get(self.at)?.kind == Kind::Reference {
            return self.read_type().map(Argument::Type);
        }
        let token = self.next()?;
        match &token.kind {
            Kind::Number => number(self.source(token), 1),
            Kind::Mark('-') => {
                let token = self.next().filter(|token| token.kind == Kind::Number)?;
                number(self.source(token), -1)
            }
            Kind::Text(Some(text)) => Some(Argument::Text(text.clone())),
            Kind::Regex(regex) => Some(Argument::Regex(regex.clone())),
            Kind::Name => Some(match self.source(token) {
                "default" => Argument::Default,
                "true" => Argument::Boolean(true),
                "false" => Argument::Boolean(false),
                "undef" => return None,
                word => Argument::Text(word.to_owned()),
            }),
            Kind::Mark('{') => self.hash(),
            Kind::Mark('[') => {
                self.depth += 1;
                let inside = if self.depth < DEEPEST { self.arguments(']') } else { None };
                self.depth -= 1;
                inside.map(|_| Argument::Other)
            }
            _ => None,
        }
    }

    fn hash(&mut self) -> Option<Argument> {
        let mut pairs = Vec::new();
        while !self.mark('}') {
            let key = self.argument()?;
            if self.next()?.kind != Kind::Arrow {
                return None;
            }
            pairs.push((key, self.argument()?));
            if !self.mark(',')
                && !self.tokens.get(self.at).is_some_and(|t| t.kind == Kind::Mark('}'))
            {
                return None;
            }
        }
        Some(Argument::Hash(pairs))
    }
}

fn number(text: &str, sign: i64) -> Option<Argument> {
    let radix = |digits: &str, radix| i64::from_str_radix(digits, radix).ok();
    let lower = text.to_ascii_lowercase();
    let integer = match lower.strip_prefix("0x") {
        Some(digits) => radix(digits, 16),
        None if lower.len() > 1 && lower.starts_with('0') => radix(&lower[1..], 8),
        None => lower.parse().ok(),
    };
    if let Some(integer) = integer {
        return Some(Argument::Integer(integer.checked_mul(sign)?));
    }
    let float: f64 = lower.parse().ok().filter(|float: &f64| float.is_finite())?;
    Some(Argument::Float(if sign < 0 { -float } else { float }))
}

/// Puppet looks a type's name up in lower case.
fn typed(name: &str, arguments: &[Argument], source: &str) -> Option<Type> {
    let lower = name.to_ascii_lowercase();
    if !takes(&lower, arguments) {
        return None;
    }
    let found = match lower.as_str() {
        "any" => Type::Any,
        "undef" => Type::Undef,
        "default" => Type::Default,
        "scalar" => Type::Scalar,
        "scalardata" => Type::ScalarData,
        "numeric" => Type::Numeric,
        "boolean" => match arguments {
            [] => Type::Boolean(None),
            [Argument::Boolean(value)] => Type::Boolean(Some(*value)),
            _ => return None,
        },
        "integer" => Type::Integer(range(arguments, integer)?),
        "float" => Type::Float(range(arguments, float)?),
        "string" => Type::String(size(arguments)?),
        "collection" => Type::Collection(size(arguments)?),
        "enum" => enumeration(arguments)?,
        "pattern" => Type::Pattern(arguments.iter().map(regex).collect::<Option<_>>()?),
        "regexp" => match arguments {
            [] => Type::Regexp(None),
            [one] => Type::Regexp(Some(regex(one)?)),
            _ => return None,
        },
        "variant" => variant(types(arguments)?),
        "optional" => Type::Optional(inside(arguments)?),
        "notundef" => Type::NotUndef(inside(arguments)?.filter(|inside| **inside != Type::Any)),
        "array" => array(arguments)?,
        "hash" => hash(arguments)?,
        "tuple" => {
            let at = arguments.iter().position(|argument| !matches!(argument, Argument::Type(_)));
            let (elements, sizes) = arguments.split_at(at.unwrap_or(arguments.len()));
            Type::Tuple { types: types(elements)?, size: size(sizes)? }
        }
        "struct" => match arguments {
            [] => Type::Struct(Vec::new()),
            [Argument::Hash(pairs)] => Type::Struct(members(pairs)?),
            _ => return None,
        },
        "sensitive" => match arguments {
            [] => Type::Sensitive(Box::new(Type::Any)),
            [Argument::Type(inside)] => Type::Sensitive(Box::new(inside.clone())),
            _ => return None,
        },
        lower => match FOREIGN.into_iter().find(|name| name.eq_ignore_ascii_case(lower)) {
            Some(name) => {
                let arguments = source.split_once('[').map_or("", |(_, rest)| rest);
                let arguments = arguments.strip_suffix(']').unwrap_or(arguments);
                Type::Foreign { name, arguments: arguments.to_owned() }
            }
            // A title is a text.
            None if arguments.iter().any(|one| matches!(one, Argument::Integer(_))) => return None,
            None if lower == "uri" => Type::Foreign { name: "URI", arguments: String::new() },
            None => Type::Reference(source.trim_start_matches("::").to_owned()),
        },
    };
    Some(found)
}

/// False where Puppet refuses what is in the brackets of a type of its own.
fn takes(lower: &str, arguments: &[Argument]) -> bool {
    let is_type = |one: &Argument| matches!(one, Argument::Type(_));
    let is_text = |one: &Argument| matches!(one, Argument::Text(_));
    match lower {
        "any" | "undef" | "default" | "scalar" | "scalardata" | "numeric" | "data" | "richdata"
        | "deferred" | "binary" | "catalogentry" | "semverrange" => arguments.is_empty(),
        "iterable" | "iterator" | "type" => arguments.len() < 2 && arguments.iter().all(is_type),
        "init" => arguments.first().is_none_or(is_type),
        "class" => arguments.iter().all(is_text),
        "resource" => arguments.first().is_none_or(|one| is_type(one) || is_text(one)),
        // Any other text is no time.
        "timestamp" => arguments.iter().all(|one| match one {
            Argument::Text(text) => text.starts_with(|c: char| c.is_ascii_digit()),
            other => !is_type(other),
        }),
        "uri" => matches!(arguments, [] | [Argument::Text(_) | Argument::Hash(_)]),
        "object" => matches!(arguments, [] | [Argument::Hash(_)]),
        _ => true,
    }
}

fn integer(argument: &Argument) -> Option<i64> {
    match argument {
        Argument::Integer(value) => Some(*value),
        _ => None,
    }
}

fn float(argument: &Argument) -> Option<f64> {
    match argument {
        Argument::Integer(value) => Some(*value as f64),
        Argument::Float(value) => Some(*value),
        _ => None,
    }
}

fn range<T: PartialOrd>(
    arguments: &[Argument],
    value: fn(&Argument) -> Option<T>,
) -> Option<Range<T>> {
    let bound = |argument: &Argument| match argument {
        Argument::Default => Some(None),
        other => value(other).map(Some),
    };
    match arguments {
        [] => Some(Range { from: None, to: None }),
        [from] => Some(Range { from: bound(from)?, to: None }),
        [from, to] => {
            let range = Range { from: bound(from)?, to: bound(to)? };
            let is_one = !matches!((&range.from, &range.to), (Some(from), Some(to)) if from > to);
            is_one.then_some(range)
        }
        _ => None,
    }
}

/// A length: from, or from and to, or an `Integer` type.
fn size(arguments: &[Argument]) -> Option<Size> {
    match arguments {
        [] => Some(None),
        [Argument::Type(Type::Integer(range))] => Some(Some(length_of(*range))),
        other => Some(Some(length_of(range(other, integer)?))),
    }
}

/// A length has no other lowest.
fn length_of(range: Range<i64>) -> Range<i64> {
    Range { from: Some(range.from.unwrap_or(0).max(0)), to: range.to }
}

fn types(arguments: &[Argument]) -> Option<Vec<Type>> {
    let inside = arguments.iter().map(|argument| match argument {
        Argument::Type(inside) => Some(inside.clone()),
        _ => None,
    });
    inside.collect()
}

fn regex(argument: &Argument) -> Option<String> {
    match argument {
        Argument::Regex(regex) => Some(regex.clone()),
        Argument::Text(text) => unslashed(text).filter(|regex| may_be_taken(regex)),
        Argument::Type(Type::Regexp(Some(regex))) => Some(regex.clone()),
        _ => None,
    }
}

/// A text as a regular expression without needless `\/`; none where it ends inside an escape.
fn unslashed(text: &str) -> Option<String> {
    let mut regex = String::new();
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => match characters.next()? {
                '/' => regex.push('/'),
                escaped => regex.extend(['\\', escaped]),
            },
            c => regex.push(c),
        }
    }
    Some(regex)
}

fn inside(arguments: &[Argument]) -> Option<Option<Box<Type>>> {
    match arguments {
        [] => Some(None),
        [Argument::Type(inside)] => Some(Some(Box::new(inside.clone()))),
        [Argument::Text(text)] => Some(Some(Box::new(Type::Literal(text.clone())))),
        _ => None,
    }
}

fn enumeration(arguments: &[Argument]) -> Option<Type> {
    let (values, any_case) = match arguments {
        [values @ .., Argument::Boolean(any_case)] => (values, *any_case),
        values => (values, false),
    };
    let values = values.iter().map(|value| match value {
        Argument::Text(text) => Some(text.clone()),
        _ => None,
    });
    let mut values: Vec<String> = values.collect::<Option<_>>()?;
    values.sort();
    values.dedup();
    Some(Type::Enum { values, any_case })
}

/// Variants in variants are one, each type once, and one type alone is itself.
fn variant(types: Vec<Type>) -> Type {
    let inner = types.into_iter().flat_map(|inside| match inside {
        Type::Variant(types) => types,
        other => vec![other],
    });
    let mut known = HashSet::new();
    let flat: Vec<Type> = inner.filter(|one| known.insert(one.to_string())).collect();
    match <[Type; 1]>::try_from(flat) {
        Ok([one]) => one,
        Err(many) => Type::Variant(many),
    }
}

fn array(arguments: &[Argument]) -> Option<Type> {
    let (element, sizes) = match arguments {
        [Argument::Type(element), sizes @ ..] => (element.clone(), sizes),
        // No size alone.
        [_] => return None,
        sizes => (Type::Any, sizes),
    };
    let size = size(sizes)?;
    let element = if is_empty(&size) { Type::Any } else { element };
    Some(Type::Array { element: Box::new(element), size })
}

fn hash(arguments: &[Argument]) -> Option<Type> {
    let (key, value, sizes) = match arguments {
        [Argument::Type(key), Argument::Type(value), sizes @ ..] => {
            (key.clone(), value.clone(), sizes)
        }
        [] => (Type::Any, Type::Any, arguments),
        [Argument::Integer(_), Argument::Integer(_)] => (Type::Any, Type::Any, arguments),
        _ => return None,
    };
    let size = size(sizes)?;
    let (key, value) = if is_empty(&size) { (Type::Any, Type::Any) } else { (key, value) };
    Some(Type::Hash { key: Box::new(key), value: Box::new(value), size })
}

fn members(pairs: &[(Argument, Argument)]) -> Option<Vec<Member>> {
    let members: Vec<Member> = pairs.iter().map(member).collect::<Option<_>>()?;
    let mut known = HashSet::from([""]);
    let is_new = members.iter().all(|member| known.insert(member.name.as_str()));
    is_new.then_some(members)
}

fn member((key, value): &(Argument, Argument)) -> Option<Member> {
    let Argument::Type(value) = value else { return None };
    let literal = |inside: &Option<Box<Type>>| match inside.as_deref() {
        Some(Type::Literal(name)) => Some(name.clone()),
        _ => None,
    };
    let (name, key) = match key {
        Argument::Text(name) => (name.clone(), Key::Plain),
        Argument::Type(Type::Optional(inside)) => (literal(inside)?, Key::Optional),
        Argument::Type(Type::NotUndef(inside)) => (literal(inside)?, Key::NotUndef),
        _ => return None,
    };
    // What the value says already needs no adjective.
    let key = match (key, takes_undef(value) || value.has_reference()) {
        (Key::Optional, _) if !takes_undef(value) => key,
        (Key::Optional, true) | (Key::NotUndef, false) => Key::Plain,
        (key, _) => key,
    };
    Some(Member { name, key, value: value.clone() })
}

/// True for a name that Puppet has a type for, without any module.
pub fn is_core(name: &str) -> bool {
    !matches!(typed(name, &[], name), Some(Type::Reference(_)))
}
