//! Words of others, without the values that they may repeat, and without what a terminal obeys.

use super::enc::Enc;
use super::value::Value;

/// What stands for a value.
const VALUE: &str = "[value]";

/// A shorter text is a value only between quotes: else every `the` would be one.
const WORD: usize = 4;

/// A message of Puppet's with no parameter of the ENC in it. Where Puppet says
/// which file it read, that stays.
pub fn redacted(message: &str, enc: &Enc) -> String {
    let mut values = Vec::new();
    let of_classes = enc.classes.iter().flat_map(|class| &class.parameters);
    for (_, value) in of_classes.chain(&enc.parameters) {
        gather(value, &mut values);
    }
    // The longest first: one may be part of another.
    values.sort_by_key(|value| std::cmp::Reverse(value.len()));
    values.dedup();
    let mut parts = message.split(" (file: ");
    let mut out = without(parts.next().unwrap_or_default(), &values);
    for part in parts {
        let (place, rest) = part.split_at(part.find(')').unwrap_or(0));
        out.push_str(" (file: ");
        out.push_str(place);
        out.push_str(&without(rest, &values));
    }
    out
}

/// A line without colours (ECMA-48, 5.4) and all else that a terminal obeys.
pub fn unstyled(line: &str) -> String {
    let mut out = String::new();
    let mut characters = line.chars().peekable();
    while let Some(c) = characters.next() {
        if c == '\u{1b}' && characters.next_if_eq(&'[').is_some() {
            while characters.next_if(|c| matches!(c, '\u{20}'..='\u{3f}')).is_some() {}
            let _ = characters.next_if(|c| matches!(c, '\u{40}'..='\u{7e}'));
        } else if c == '\t' || !c.is_control() {
            out.push(c);
        }
    }
    out
}

fn gather(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Null | Value::Boolean(_) => {}
        Value::Float(value) => into.push(value.to_string()),
        // A message of several lines is told in one.
        Value::String(text) | Value::Integer(text) => {
            into.extend(text.lines().map(|line| line.trim().to_owned()));
        }
        Value::Array(items) => items.iter().for_each(|item| gather(item, into)),
        Value::Hash(pairs) => pairs.iter().for_each(|(key, value)| {
            gather(key, into);
            gather(value, into);
        }),
    }
    into.retain(|value| !value.is_empty());
}

fn without(text: &str, values: &[String]) -> String {
    let mut text = text.to_owned();
    for value in values {
        if value.chars().count() >= WORD {
            text = text.replace(value, VALUE);
        }
        for quote in ['\'', '"', '`'] {
            let quoted = format!("{quote}{value}{quote}");
            text = text.replace(&quoted, &format!("{quote}{VALUE}{quote}"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_nothing_to_obey() {
        assert_eq!(unstyled("\u{1b}[1;31mError: no\tway\u{1b}[0m\u{7}\r"), "Error: no\tway");
        assert_eq!(unstyled("a\u{1b}[\u{1b}]0;x\u{9b}2Jb\u{1b}[1"), "a]0;x2Jb");
        assert_eq!(unstyled("[1;31m café"), "[1;31m café");
    }

    #[test]
    fn no_value_stays_however_deep_it_was() {
        let enc = "classes: {s: {mode: S3CRET-mode, list: [{k3yname: abc}, 12345]}}\nparameters: {p: \"two\\nlines here\"}\n";
        let enc = Enc::parse(enc.as_bytes()).unwrap();
        let told = |message: &str| redacted(message, &enc);
        assert_eq!(
            told(
                "Parameter mode failed: invalid: \"S3CRET-mode\" (file: /x/lines here.pp, line: 12345)"
            ),
            "Parameter mode failed: invalid: \"[value]\" (file: /x/lines here.pp, line: 12345)"
        );
        assert_eq!(told("k3yname is 12345 or lines here"), "[value] is [value] or [value]");
        assert_eq!(told("it is abc, not 'abc'"), "it is abc, not '[value]'");
    }
}
