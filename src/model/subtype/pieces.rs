//! A type as the pieces that it is made of, any of which takes a value.

use crate::model::check::{Aliases, asks_itself};
use crate::model::puppet_code::data_type::{Range, Type};
use crate::model::puppet_code::definition::Stated;

/// More pieces than this are not compared.
const MOST: usize = 1000;

/// Kinds of pieces: a value is of one of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Undef,
    Default,
    Boolean,
    Integer,
    Float,
    String,
    Regexp,
    Array,
    Hash,
    Sensitive,
    Foreign,
    /// All of them.
    Any,
    /// It is not known which.
    Open,
}

/// The kind of a piece.
pub fn kind(part: &Type) -> Kind {
    match part {
        Type::Any | Type::NotUndef(None) => Kind::Any,
        Type::Undef => Kind::Undef,
        Type::Default => Kind::Default,
        Type::Boolean(_) => Kind::Boolean,
        Type::Integer(range) if !is_inverted(range) => Kind::Integer,
        Type::Float(range) if !is_inverted(range) => Kind::Float,
        Type::String(size) if !size.is_some_and(|size| is_inverted(&size)) => Kind::String,
        Type::Literal(_) | Type::Enum { .. } | Type::Pattern(_) => Kind::String,
        Type::Regexp(_) => Kind::Regexp,
        Type::Array { .. } | Type::Tuple { .. } => Kind::Array,
        Type::Hash { .. } | Type::Struct(_) => Kind::Hash,
        Type::Sensitive(_) => Kind::Sensitive,
        Type::Foreign { name: "Iterable" | "Init" | "Object" | "Runtime", .. } => Kind::Open,
        Type::Foreign { .. } => Kind::Foreign,
        _ => Kind::Open,
    }
}

fn is_inverted<T: PartialOrd>(range: &Range<T>) -> bool {
    matches!((&range.from, &range.to), (Some(from), Some(to)) if from > to)
}

/// Takes a type apart; none where it is in too many pieces, or an alias of itself alone.
pub fn pieces(of: &Type, aliases: &Aliases) -> Option<Vec<Type>> {
    let mut parts = Parts { aliases, seen: Vec::new(), list: Vec::new() };
    parts.add(of);
    let circle = parts.list.is_empty() && !parts.seen.is_empty();
    (!circle && parts.list.len() <= MOST).then_some(parts.list)
}

struct Parts<'a> {
    aliases: &'a Aliases,
    /// The aliases that were taken for what they stand for.
    seen: Vec<String>,
    list: Vec<Type>,
}

impl Parts<'_> {
    fn push(&mut self, part: Type) {
        if self.list.len() <= MOST && !self.list.contains(&part) {
            self.list.push(part);
        }
    }

    fn add(&mut self, of: &Type) {
        match of {
            Type::Any | Type::Optional(None) => self.push(Type::Any),
            Type::Optional(Some(inside)) => {
                self.push(Type::Undef);
                self.add(inside);
            }
            Type::NotUndef(Some(inside)) => self.add_not_undef(inside),
            Type::Variant(types) => types.iter().for_each(|one| self.add(one)),
            Type::Boolean(None) => {
                [true, false].into_iter().for_each(|it| self.push(Type::Boolean(Some(it))));
            }
            Type::Numeric => self.add_numbers(),
            Type::ScalarData => self.add_scalar_data(),
            Type::Scalar => {
                self.add_scalar_data();
                self.push(Type::Regexp(None));
                for name in ["SemVer", "Timespan", "Timestamp"] {
                    self.push(Type::Foreign { name, arguments: String::new() });
                }
            }
            Type::Enum { values, any_case } if !values.is_empty() => {
                for value in values {
                    self.push(match any_case {
                        true => Type::Enum { values: vec![value.clone()], any_case: true },
                        false => Type::Literal(value.clone()),
                    });
                }
            }
            // Puppet itself does not agree on what it takes.
            Type::Enum { .. } => self.push(Type::Reference("Enum".to_owned())),
            // Puppet takes some of another size.
            Type::Collection(Some(_)) => self.push(of.clone()),
            Type::Collection(size) => {
                let any = || Box::new(Type::Any);
                self.push(Type::Array { element: any(), size: *size });
                self.push(Type::Hash { key: any(), value: any(), size: *size });
            }
            Type::Reference(name) => self.add_reference(name),
            Type::Struct(members) if members.iter().any(|one| asks_itself(one, self.aliases)) => {
                self.push(Type::NotUndef(Some(Box::new(of.clone()))));
            }
            other => self.push(other.clone()),
        }
    }

    fn add_numbers(&mut self) {
        self.push(Type::Integer(Range { from: None, to: None }));
        self.push(Type::Float(Range { from: None, to: None }));
    }

    fn add_scalar_data(&mut self) {
        self.add_numbers();
        self.push(Type::String(None));
        self.add(&Type::Boolean(None));
    }

    fn add_not_undef(&mut self, inside: &Type) {
        let Some(parts) = pieces(inside, self.aliases) else {
            return self.push(Type::NotUndef(Some(Box::new(inside.clone()))));
        };
        for part in parts {
            match part {
                Type::Undef => {}
                Type::Any => self.push(Type::NotUndef(None)),
                Type::Reference(_) => self.push(Type::NotUndef(Some(Box::new(part)))),
                part => self.push(part),
            }
        }
    }

    /// An alias is what it stands for; one of itself adds nothing to what is there.
    fn add_reference(&mut self, name: &str) {
        let key = name.to_ascii_lowercase();
        if self.seen.contains(&key) {
            return;
        }
        match self.aliases.get(&key) {
            Some(Stated::Known(of)) => {
                self.seen.push(key);
                self.add(of);
            }
            None if key == "data" => {
                let data = || Box::new(Type::Reference(name.to_owned()));
                self.add_scalar_data();
                self.push(Type::Undef);
                self.push(Type::Array { element: data(), size: None });
                let key = Box::new(Type::String(None));
                self.push(Type::Hash { key, value: data(), size: None });
            }
            _ => self.push(Type::Reference(name.to_owned())),
        }
    }
}
