//! What quotes would do for a value of the wrong type: YAML makes a boolean of `yes`, a number of
//! `012` and of `12:30:45`, and a string of `'80'`.

use super::Values;
use crate::model::check::Step;
use crate::model::scalar::{QUOTE, scalar, untagged};
use crate::model::value::{Value, printable};
use crate::model::yaml::{self, Node};

/// What to do about the quotes of a scalar in a value, or of its key, so that its type takes it;
/// `takes` is asked what becomes of the whole value.
pub fn hint(
    node: &Node,
    value: &Value,
    path: &[Step],
    values: Values,
    mut takes: impl FnMut(&Value) -> bool,
) -> Option<String> {
    let (key_node, node) = written(node, path)?;
    if let Some((other, text)) = otherwise(node)
        && takes(&with(value, path, &mut |value| *value = other.clone())?)
    {
        let hidden = match other {
            Value::String(_) => QUOTE,
            _ => "write it without its quotes",
        };
        return Some(match (values, &other) {
            (Values::Hidden, _) => hidden.to_owned(),
            (Values::Shown, Value::String(_)) => format!("quote it: `{}`", quoted(text)),
            (Values::Shown, _) => format!("{hidden}: `{}`", printable(text)),
        });
    }
    let (Some((last, above)), Some(key)) = (path.split_last(), key_node) else { return None };
    let (Some((other @ Value::String(_), text)), Step::Key(wrong)) = (otherwise(key), last) else {
        return None;
    };
    let rename = &mut |value: &mut Value| {
        if let Value::Hash(pairs) = value {
            let keys = pairs.iter_mut().map(|(key, _)| key);
            keys.filter(|key| *key == wrong).for_each(|key| *key = other.clone());
        }
    };
    takes(&with(value, above, rename)?).then(|| match values {
        Values::Hidden => "quote the key to give Puppet a string".to_owned(),
        Values::Shown => format!("quote the key: `{}`", quoted(text)),
    })
}

fn quoted(text: &str) -> String {
    format!("'{}'", printable(text).replace('\'', "''"))
}

/// The node that a way leads to, and that of its key; what a map has from another is not found.
fn written<'n>(node: &'n Node, path: &[Step]) -> Option<(Option<&'n Node>, &'n Node)> {
    path.iter().try_fold((None, node.target()), |(_, node), step| {
        let (key, value) = match (&node.value, step) {
            (yaml::Value::Sequence(items), Step::Place(at)) => (None, items.get(*at)?),
            (yaml::Value::Mapping(pairs), step) => {
                let is_it = |key: &Node| match (step, meaning(key)) {
                    (Step::Member(name), Some(Value::String(text))) => *name == text,
                    (Step::Key(wanted), Some(key)) => *wanted == key,
                    _ => false,
                };
                let (key, value) = pairs.iter().find(|(key, _)| is_it(key))?;
                (Some(key.target()), value)
            }
            _ => return None,
        };
        Some((key, value.target()))
    })
}

fn meaning(node: &Node) -> Option<Value> {
    match &node.target().value {
        yaml::Value::Scalar { text, plain } => scalar(text, *plain, node.tag.as_deref()).ok(),
        _ => None,
    }
}

/// What a scalar would mean with quotes where it has none, or without those that it has.
fn otherwise(node: &Node) -> Option<(Value, &str)> {
    let (None, yaml::Value::Scalar { text, plain }) = (&node.tag, &node.value) else { return None };
    let (is, other) = match (untagged(text).ok()?, Value::String(text.clone())) {
        (unquoted, quoted) if *plain => (unquoted, quoted),
        (unquoted, quoted) => (quoted, unquoted),
    };
    (is != other && !text.is_empty()).then_some((other, text))
}

/// A value in which something else stands where a way leads.
fn with(value: &Value, path: &[Step], change: &mut dyn FnMut(&mut Value)) -> Option<Value> {
    let mut whole = value.clone();
    let place = path.iter().try_fold(&mut whole, |value, step| match (value, step) {
        (Value::Array(items), Step::Place(at)) => items.get_mut(*at),
        (Value::Hash(pairs), step) => {
            let is_it = |key: &Value| match (step, key) {
                (Step::Member(name), Value::String(text)) => name == text,
                (Step::Key(wanted), key) => wanted == key,
                _ => false,
            };
            pairs.iter_mut().find(|(key, _)| is_it(key)).map(|(_, value)| value)
        }
        _ => None,
    })?;
    change(place);
    Some(whole)
}

#[cfg(test)]
mod tests {
    use crate::model::call::{Checker, Values};
    use crate::model::enc::Enc;
    use crate::model::interface::{Data, Interface, Module};
    use crate::model::puppet_code::definition::definitions;

    /// What is hinted at for a value of a type, hidden and shown.
    fn hints(value: &str, of: &str) -> [String; 2] {
        let mut module = Module::new("m".parse().unwrap(), Data::None);
        let code = format!("class m({of} $x) {{}}");
        module.add("manifests/init.pp".to_owned(), definitions(&code));
        let mut interface = Interface::default();
        interface.insert("m".to_owned(), module);
        let text = format!("classes:\n  m:\n    x: {value}\n");
        let (enc, places) = Enc::parse_with_places(text.as_bytes()).unwrap();
        [Values::Hidden, Values::Shown].map(|values| {
            let found = Checker::new(&interface, values).check(&enc, &places);
            found.first().and_then(|found| found.hint.clone()).unwrap_or_default()
        })
    }

    #[test]
    fn quotes_are_hinted_at_where_they_help() {
        let quote = "quote it to give Puppet a string";
        let key = "quote the key to give Puppet a string";
        let bare = "write it without its quotes";
        for (value, of, hidden, shown) in [
            ("yes", "String", quote, "quote it: `'yes'`"),
            ("012", "Pattern[/^012$/]", quote, "quote it: `'012'`"),
            ("12:30:45", "String", quote, "quote it: `'12:30:45'`"),
            ("0x1F", "Optional[String[1]]", quote, "quote it: `'0x1F'`"),
            ("1.10", "Enum['1.10']", quote, "quote it: `'1.10'`"),
            ("[a, off, on]", "Array[String]", quote, "quote it: `'off'`"),
            ("{a: {b: no}}", "Hash[String, Struct[{b => String}]]", quote, "quote it: `'no'`"),
            ("{on: x}", "Hash[String, String]", key, "quote the key: `'on'`"),
            ("'80'", "Integer", bare, "write it without its quotes: `80`"),
            ("\"true\"", "Boolean", bare, "write it without its quotes: `true`"),
            // Where quotes change nothing, nothing is said of them.
            ("yes", "Integer", "", ""),
            ("yes", "Pattern[/^no$/]", "", ""),
            ("x", "Integer", "", ""),
            ("[1]", "String", "", ""),
            ("!!str 1", "Integer", "", ""),
            ("{<<: {a: 1}}", "Hash[String, String]", "", ""),
        ] {
            assert_eq!(hints(value, of), [hidden, shown], "{value} as {of}");
        }
    }
}
