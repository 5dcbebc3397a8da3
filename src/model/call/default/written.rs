//! What the source of a default says by itself.

use crate::model::puppet_code::lexer::{Kind, Token, lex};
use crate::model::value::Value;

/// A default as it is written.
pub enum Written<'t> {
    Value(Value),
    /// A string with code in it, of so many characters at least.
    Text {
        least: i64,
    },
    Variable(&'t str),
    /// `Sensitive(…)` of what is in it.
    Secret(&'t str),
    /// Anything else, and the first variable in it.
    Code(Option<&'t str>),
}

/// Reads a default.
pub fn read(source: &str) -> Written<'_> {
    let source = source.trim();
    let Ok(lexed) = lex(source) else { return Written::Code(None) };
    let mut reader = Reader { source, tokens: &lexed.tokens, at: 0 };
    if let Some(value) = reader.value(0).filter(|_| reader.at == lexed.tokens.len()) {
        return Written::Value(value);
    }
    let variable = |token: &Token| source[token.start..token.end].trim_start_matches(['$', ':']);
    match lexed.tokens.as_slice() {
        [name, open, inside @ .., close]
            if &source[name.start..name.end] == "Sensitive"
                && open.kind == Kind::Mark('(')
                && close.kind == Kind::Mark(')')
                && inside.iter().all(|token| !matches!(token.kind, Kind::Mark('(' | ')'))) =>
        {
            Written::Secret(&source[open.end..close.start])
        }
        [one] if one.kind == Kind::Variable => Written::Variable(variable(one)),
        [one] if one.kind == Kind::Text(None) => Written::Text { least: least(source) },
        all => {
            let first = all.iter().find(|token| token.kind == Kind::Variable);
            Written::Code(first.map(variable))
        }
    }
}

/// A string has what stands before its first code, or behind its last.
fn least(source: &str) -> i64 {
    let inside = source.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
    let behind = |text: &str| {
        text.rsplit_once('}').is_some_and(|(_, rest)| !rest.is_empty() && !rest.contains('$'))
    };
    i64::from(inside.is_some_and(|text| !text.starts_with('$') || behind(text)))
}

/// So deep may lists and maps be in each other.
const DEEPEST: usize = 50;

struct Reader<'t> {
    source: &'t str,
    tokens: &'t [Token],
    at: usize,
}

impl Reader<'_> {
    fn mark(&mut self, mark: char) -> bool {
        let found = self.tokens.get(self.at).is_some_and(|token| token.kind == Kind::Mark(mark));
        self.at += usize::from(found);
        found
    }

    /// A value that is written out, whole.
    fn value(&mut self, depth: usize) -> Option<Value> {
        let token = self.tokens.get(self.at).filter(|_| depth < DEEPEST)?;
        self.at += 1;
        let text = &self.source[token.start..token.end];
        match &token.kind {
            Kind::Text(text) => text.clone().map(Value::String),
            Kind::Number => number(text, ""),
            Kind::Mark('-') => {
                let token = self.tokens.get(self.at).filter(|token| token.kind == Kind::Number)?;
                self.at += 1;
                number(&self.source[token.start..token.end], "-")
            }
            Kind::Name => match text {
                "undef" => Some(Value::Null),
                "true" | "false" => Some(Value::Boolean(text == "true")),
                "default" => None,
                word => {
                    let calls =
                        matches!(self.tokens.get(self.at), Some(t) if t.kind == Kind::Mark('('));
                    (!calls).then(|| Value::String(word.to_owned()))
                }
            },
            Kind::Mark('[') => self.list(depth),
            Kind::Mark('{') => self.map(depth),
            _ => None,
        }
    }

    fn list(&mut self, depth: usize) -> Option<Value> {
        let mut items = Vec::new();
        while !self.mark(']') {
            items.push(self.value(depth + 1)?);
            let goes_on = self.mark(',');
            if !goes_on && self.tokens.get(self.at)?.kind != Kind::Mark(']') {
                return None;
            }
        }
        Some(Value::Array(items))
    }

    fn map(&mut self, depth: usize) -> Option<Value> {
        let mut pairs: Vec<(Value, Value)> = Vec::new();
        while !self.mark('}') {
            let key = self.value(depth + 1)?;
            if self.tokens.get(self.at)?.kind != Kind::Arrow {
                return None;
            }
            self.at += 1;
            let value = self.value(depth + 1)?;
            pairs.retain(|(known, _)| *known != key);
            pairs.push((key, value));
            let goes_on = self.mark(',');
            if !goes_on && self.tokens.get(self.at)?.kind != Kind::Mark('}') {
                return None;
            }
        }
        Some(Value::Hash(pairs))
    }
}

/// Decimal, or with the radix of its prefix.
fn number(text: &str, sign: &str) -> Option<Value> {
    let lower = text.to_ascii_lowercase();
    let integer = match lower.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None if lower.len() > 1
            && lower.bytes().all(|byte| byte.is_ascii_digit())
            && lower.starts_with('0') =>
        {
            i64::from_str_radix(&lower, 8).ok()
        }
        None => lower.parse().ok(),
    };
    if let Some(integer) = integer {
        return Some(Value::Integer(if integer == 0 {
            "0".to_owned()
        } else {
            format!("{sign}{integer}")
        }));
    }
    let float: f64 = lower.parse().ok().filter(|_| lower.contains(['.', 'e']))?;
    Some(Value::Float(if sign == "-" { -float } else { float }))
}
