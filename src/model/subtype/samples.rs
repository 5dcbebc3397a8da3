//! Values to try a type with: those at the edges of what it and another say.

use super::Stands;
use crate::model::check::{Aliases, Verdict, check};
use crate::model::puppet_code::data_type::{Key, Range, Size, Type};
use crate::model::puppet_code::definition::Stated;
use crate::model::ruby_regex::Patterns;
use crate::model::value::Value;

/// So many values of one type are tried.
const MOST: usize = 60;

/// So many kinds of items a list or a map is tried with.
const ITEMS: usize = 8;

/// So deep are values built.
const DEEPEST: usize = 5;

/// Texts that patterns of real classes know.
const TEXTS: [&str; 14] = [
    "",
    "x",
    "X",
    "1",
    "80",
    "/x",
    "/etc/x.conf",
    "c:/x",
    "1.2.3.4",
    "a.example.com",
    "http://a.b/c",
    "10m",
    "0644",
    "a b\nc",
];

/// What two types say of texts and numbers.
#[derive(Debug, Default)]
pub struct Seeds {
    texts: Vec<String>,
    integers: Vec<i64>,
    floats: Vec<f64>,
}

impl Seeds {
    /// Gathers what is told in types, and in what their aliases stand for.
    pub fn of(types: &[Stands]) -> Self {
        let mut seeds =
            Seeds { integers: vec![0, 1, -1, 80], floats: vec![0.5], ..Seeds::default() };
        seeds.texts.extend(TEXTS.map(str::to_owned));
        for Stands { of, aliases } in types {
            seeds.gather(of, aliases, 0);
        }
        seeds.texts.truncate(MOST);
        seeds
    }

    fn gather(&mut self, of: &Type, aliases: &Aliases, depth: usize) {
        if depth > 2 * DEEPEST || self.texts.len() > MOST || self.integers.len() > MOST {
            return;
        }
        let mut inside = |of: &Type| self.gather(of, aliases, depth + 1);
        match of {
            Type::Variant(types) | Type::Tuple { types, .. } => types.iter().for_each(inside),
            Type::Optional(Some(of)) | Type::NotUndef(Some(of)) | Type::Sensitive(of) => inside(of),
            Type::Array { element, .. } => inside(element),
            Type::Hash { key, value, .. } => [key, value].into_iter().for_each(|of| inside(of)),
            Type::Struct(members) => members.iter().for_each(|member| inside(&member.value)),
            Type::Reference(name) => {
                if let Some(Stated::Known(of)) = aliases.get(&name.to_ascii_lowercase()) {
                    inside(of);
                }
            }
            Type::Literal(text) => self.texts.insert(0, text.clone()),
            Type::Enum { values, .. } => values.iter().for_each(|value| {
                self.texts.insert(0, value.clone());
                self.texts.insert(0, value.to_uppercase());
            }),
            Type::Pattern(patterns) => {
                self.texts.splice(0..0, patterns.iter().filter_map(|one| plain(one)));
            }
            Type::String(Some(size)) => {
                let ends = [size.from, size.to].into_iter().flatten();
                let lengths = ends.flat_map(|end| [end - 1, end, end + 1]);
                let lengths = lengths.filter(|length| (0..500).contains(length));
                self.texts.splice(0..0, lengths.map(|length| "x".repeat(length as usize)));
            }
            Type::Integer(range) => {
                let ends = [range.from, range.to].into_iter().flatten();
                self.integers.extend(
                    ends.flat_map(|end| [end.saturating_sub(1), end, end.saturating_add(1)]),
                );
            }
            Type::Float(range) => {
                let ends = [range.from, range.to].into_iter().flatten();
                self.floats.extend(ends.flat_map(|end| [end - 1.0, end, end + 1.0]));
            }
            _ => {}
        }
    }
}

/// What a pattern of nothing but a text matches.
fn plain(pattern: &str) -> Option<String> {
    let inside = pattern.trim_start_matches("\\A").trim_start_matches('^');
    let inside = inside.trim_end_matches('$').trim_end_matches("\\z").trim_end_matches("\\Z");
    let special = |c: char| "\\[](){}.*+?|^$".contains(c);
    (!inside.contains(special)).then(|| inside.to_owned())
}

/// Values of a type, more or less: who uses them checks.
pub fn samples(of: &Type, aliases: &Aliases, seeds: &Seeds) -> Vec<Value> {
    Sampler { aliases, seeds, patterns: Patterns::default() }.of(of, 0)
}

struct Sampler<'a> {
    aliases: &'a Aliases,
    seeds: &'a Seeds,
    patterns: Patterns,
}

impl Sampler<'_> {
    fn of(&mut self, of: &Type, depth: usize) -> Vec<Value> {
        if depth > DEEPEST {
            return Vec::new();
        }
        let mut values = match of {
            Type::Undef => vec![Value::Null],
            Type::Boolean(_) => vec![Value::Boolean(true), Value::Boolean(false)],
            Type::Integer(_) => self.integers(),
            Type::Float(_) => self.seeds.floats.iter().map(|value| Value::Float(*value)).collect(),
            Type::String(_) | Type::Literal(_) | Type::Enum { .. } | Type::Pattern(_) => {
                self.texts()
            }
            Type::Optional(Some(inside)) => {
                [vec![Value::Null], self.of(inside, depth + 1)].concat()
            }
            Type::NotUndef(Some(inside)) => self.of(inside, depth + 1),
            Type::Variant(types) => types.iter().flat_map(|one| self.of(one, depth + 1)).collect(),
            Type::Reference(name) => match self.aliases.get(&name.to_ascii_lowercase()) {
                Some(Stated::Known(of)) => self.of(of, depth + 1),
                _ => self.anything(),
            },
            Type::Array { element, size } => self.lists(std::slice::from_ref(element), size, depth),
            Type::Tuple { types, size } => {
                let exact = types.len() as i64;
                let exact = Range { from: Some(exact), to: Some(exact) };
                self.lists(types, &Some(size.unwrap_or(exact)), depth)
            }
            Type::Hash { key, value, size } => self.maps(key, value, size, depth),
            Type::Struct(_) => self.structs(of, depth),
            _ => self.anything(),
        };
        values.retain(|value| check(value, of, self.aliases, &mut self.patterns) == Verdict::Ok);
        values.truncate(MOST);
        values
    }

    fn integers(&self) -> Vec<Value> {
        self.seeds.integers.iter().map(|value| Value::Integer(value.to_string())).collect()
    }

    fn texts(&self) -> Vec<Value> {
        self.seeds.texts.iter().map(|text| Value::String(text.clone())).collect()
    }

    fn anything(&self) -> Vec<Value> {
        let plain = [
            Value::Null,
            Value::Boolean(true),
            Value::Integer("1".to_owned()),
            Value::Float(1.5),
            Value::String("x".to_owned()),
            Value::String(String::new()),
            Value::Array(Vec::new()),
            Value::Hash(Vec::new()),
        ];
        plain.into_iter().chain(self.integers()).chain(self.texts()).collect()
    }

    /// Lists as short as may be, a little longer, and as long as may be.
    fn lists(
        &mut self,
        types: &[impl std::borrow::Borrow<Type>],
        size: &Size,
        depth: usize,
    ) -> Vec<Value> {
        let items: Vec<Vec<Value>> =
            types.iter().map(|one| self.of(one.borrow(), depth + 1)).collect();
        let mut lists = Vec::new();
        for length in lengths(size) {
            for pick in 0..ITEMS {
                let item = |at: usize| {
                    let of = items.get(at).or(items.last())?;
                    of.get(pick.min(of.len().saturating_sub(1))).cloned()
                };
                lists.extend((0..length).map(item).collect::<Option<Vec<_>>>().map(Value::Array));
            }
        }
        lists
    }

    fn maps(&mut self, key: &Type, value: &Type, size: &Size, depth: usize) -> Vec<Value> {
        let (keys, values) = (self.of(key, depth + 1), self.of(value, depth + 1));
        let mut maps = Vec::new();
        for length in lengths(size).into_iter().filter(|length| *length <= keys.len()) {
            for first in 0..ITEMS.min(keys.len().max(1)) {
                let keys = keys.iter().cycle().skip(first).take(length);
                let value = values.get(first % values.len().max(1));
                let value = |key: &Value| Some((key.clone(), value.cloned()?));
                maps.extend(keys.map(value).collect::<Option<Vec<_>>>().map(Value::Hash));
            }
        }
        maps
    }

    /// Structs with all members, and with those alone that must be there.
    fn structs(&mut self, of: &Type, depth: usize) -> Vec<Value> {
        let Type::Struct(members) = of else { return Vec::new() };
        let values: Vec<Vec<Value>> =
            members.iter().map(|member| self.of(&member.value, depth + 1)).collect();
        let mut structs = Vec::new();
        for pick in 0..ITEMS {
            let pairs = members.iter().zip(&values).filter_map(|(member, values)| {
                let value = values.get(pick.min(values.len().saturating_sub(1)))?;
                Some((member, (Value::String(member.name.clone()), value.clone())))
            });
            let pairs: Vec<_> = pairs.collect();
            let all = pairs.iter().map(|(_, pair)| pair.clone());
            structs.push(Value::Hash(all.collect()));
            let needed = pairs.into_iter().filter(|(member, (_, value))| {
                member.key != Key::Optional && *value != Value::Null
            });
            structs.push(Value::Hash(needed.map(|(_, pair)| pair).collect()));
        }
        structs
    }
}

fn lengths(size: &Size) -> Vec<usize> {
    let (from, to) = size.map_or((0, None), |size| (size.from.unwrap_or(0).max(0), size.to));
    let mut lengths: Vec<i64> = vec![from, from + 1, from + 2];
    lengths.extend(to);
    lengths.retain(|length| to.is_none_or(|to| *length <= to) && *length < 50);
    lengths.dedup();
    lengths.into_iter().map(|length| length as usize).collect()
}
