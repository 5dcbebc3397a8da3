//! Values as Puppet sees them, and what an error may show of them.

use std::fmt;
use std::hash::{Hash, Hasher};

/// A value as Puppet sees it.
#[derive(Clone)]
pub enum Value {
    Null,
    Boolean(bool),
    /// Decimal digits, after a `-` if negative; of any size.
    Integer(String),
    Float(f64),
    String(String),
    Array(Vec<Value>),
    /// In the order of the document; no key twice.
    Hash(Vec<(Value, Value)>),
}

impl Value {
    /// The type's name, with its article: what an error says in place of a value.
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Boolean(_) => "a boolean",
            Value::Integer(_) => "an integer",
            Value::Float(_) => "a float",
            Value::String(_) => "a string",
            Value::Array(_) => "a list",
            Value::Hash(_) => "a map",
        }
    }
}

/// The type alone: a value may be a secret.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind())
    }
}

/// Equal as keys of a Ruby hash: `1` and `1.0` are not, `.nan` and `.nan` are.
impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Boolean(a), Value::Boolean(b)) => a == b,
            (Value::Integer(a), Value::Integer(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a == b || (a.is_nan() && b.is_nan()),
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Array(a), Value::Array(b)) => a == b,
            (Value::Hash(a), Value::Hash(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Value {}

impl Hash for Value {
    fn hash<H: Hasher>(&self, state: &mut H) {
        std::mem::discriminant(self).hash(state);
        match self {
            Value::Null => {}
            Value::Boolean(value) => value.hash(state),
            // Zeros and NaNs have many bits each.
            Value::Float(value) if *value == 0.0 || value.is_nan() => {}
            Value::Float(value) => value.to_bits().hash(state),
            Value::Integer(text) | Value::String(text) => text.hash(state),
            Value::Array(items) => items.hash(state),
            Value::Hash(pairs) => pairs.hash(state),
        }
    }
}

/// A key as an error shows it: short, and without what a terminal would obey.
pub fn key_text(key: &Value) -> String {
    let text = match key {
        Value::String(text) | Value::Integer(text) => text,
        other => return format!("({})", other.kind()),
    };
    let shown: String = text.chars().take(80).collect();
    let rest = if text.chars().nth(80).is_some() { "…" } else { "" };
    printable(&shown) + rest
}

/// A text without what a terminal would obey.
pub fn printable(text: &str) -> String {
    let escape = |c: char| match c {
        '\'' | '"' | '\\' => vec![c],
        other => other.escape_debug().collect(),
    };
    text.chars().flat_map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_in_errors_are_short_and_obey_nobody() {
        assert_eq!(key_text(&Value::String("a\u{1b}[2J'".into())), "a\\u{1b}[2J'");
        assert_eq!(key_text(&Value::String("é".repeat(81))), "é".repeat(80) + "…");
        assert_eq!(key_text(&Value::Null), "(null)");
    }
}
