//! Data types written as Puppet does (`lib/puppet/pops/types/type_formatter.rb`).

use super::{Key, Member, Range, Size, Type, is_empty};
use std::fmt;

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = |f: &mut fmt::Formatter<'_>, name: &str, arguments: Vec<String>| {
            f.write_str(name)?;
            if arguments.is_empty() { Ok(()) } else { write!(f, "[{}]", arguments.join(", ")) }
        };
        match self {
            Type::Any => f.write_str("Any"),
            Type::Undef => f.write_str("Undef"),
            Type::Default => f.write_str("Default"),
            Type::Scalar => f.write_str("Scalar"),
            Type::ScalarData => f.write_str("ScalarData"),
            Type::Numeric => f.write_str("Numeric"),
            Type::Boolean(value) => name(f, "Boolean", value.iter().map(bool::to_string).collect()),
            Type::Integer(range) => name(f, "Integer", bounds(range)),
            Type::Float(range) => name(f, "Float", float_bounds(range)),
            Type::String(size) => name(f, "String", length(size)),
            Type::Literal(text) => f.write_str(&quote(text)),
            Type::Enum { values, any_case } => {
                let case = any_case.then(|| "true".to_owned());
                name(f, "Enum", values.iter().map(|value| quote(value)).chain(case).collect())
            }
            Type::Pattern(list) => {
                name(f, "Pattern", list.iter().map(|one| slashed(one)).collect())
            }
            Type::Regexp(one) => name(f, "Regexp", one.iter().map(|one| slashed(one)).collect()),
            Type::Variant(types) => name(f, "Variant", types.iter().map(Type::to_string).collect()),
            Type::Optional(inside) => {
                name(f, "Optional", inside.iter().map(|inside| inside.to_string()).collect())
            }
            Type::NotUndef(inside) => {
                name(f, "NotUndef", inside.iter().map(|inside| inside.to_string()).collect())
            }
            Type::Array { element, size } => name(f, "Array", elements(&[element], size)),
            Type::Hash { key, value, size } => name(f, "Hash", elements(&[key, value], size)),
            Type::Collection(size) => name(f, "Collection", length(size)),
            Type::Tuple { types, size } => {
                let types = types.iter().map(Type::to_string);
                name(f, "Tuple", types.chain(length(size)).collect())
            }
            Type::Struct(members) if members.is_empty() => f.write_str("Struct"),
            Type::Struct(members) => {
                let members: Vec<String> = members.iter().map(ToString::to_string).collect();
                write!(f, "Struct[{{{}}}]", members.join(", "))
            }
            Type::Sensitive(inside) => {
                let inside = (**inside != Type::Any).then(|| inside.to_string());
                name(f, "Sensitive", inside.into_iter().collect())
            }
            Type::Foreign { name: of, arguments } => {
                let arguments = (!arguments.is_empty()).then(|| arguments.clone());
                name(f, of, arguments.into_iter().collect())
            }
            Type::Reference(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Member {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = quote(&self.name);
        match self.key {
            Key::Optional => write!(f, "Optional[{name}] => {}", self.value),
            Key::NotUndef => write!(f, "NotUndef[{name}] => {}", self.value),
            Key::Plain => write!(f, "{name} => {}", self.value),
        }
    }
}

fn bounds(range: &Range<i64>) -> Vec<String> {
    ends(range.from.map(|from| from.to_string()), range.to.map(|to| to.to_string()))
}

fn float_bounds(range: &Range<f64>) -> Vec<String> {
    ends(range.from.map(|from| format!("{from:?}")), range.to.map(|to| format!("{to:?}")))
}

fn ends(from: Option<String>, to: Option<String>) -> Vec<String> {
    match (from, to) {
        (None, None) => Vec::new(),
        (from, to) => from.or_else(|| Some("default".to_owned())).into_iter().chain(to).collect(),
    }
}

fn length(size: &Size) -> Vec<String> {
    size.as_ref().map(bounds).unwrap_or_default()
}

fn elements(types: &[&Type], size: &Size) -> Vec<String> {
    if is_empty(size) {
        return vec!["0".to_owned(), "0".to_owned()];
    }
    let plain = size.is_none() && types.iter().all(|inside| **inside == Type::Any);
    let types = types.iter().filter(|_| !plain).map(ToString::to_string);
    types.chain(length(size)).collect()
}

/// Single quotes where they will do: a backslash stands for itself before most characters.
fn quote(text: &str) -> String {
    let ends = |(at, _)| matches!(text.as_bytes().get(at + 1), None | Some(b'\'' | b'\\'));
    let plain = !text.match_indices('\\').any(ends) && !text.chars().any(char::is_control);
    if plain {
        return format!("'{}'", text.replace('\'', "\\'"));
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' | '$' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            c if c.is_control() => quoted.push_str(&format!("\\u{{{:X}}}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted + "\""
}

fn slashed(regex: &str) -> String {
    format!("/{}/", regex.replace('/', "\\/"))
}
