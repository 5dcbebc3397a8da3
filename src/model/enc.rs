//! The document that says what a node is: its app, its classes, its parameters.
//!
//! Read as Puppet would read it ([`super::psych`]), checked where Puppet would
//! be silent, and written so that every Puppet reads the same.

use super::app::AppPath;
use super::enc_source::Below;
use super::psych::{Entry, Path, Reader};
use super::scalar::QUOTE;
use super::suggest::nearest;
use super::value::{Value, key_text, printable};
use super::yaml::{self, Finding, Limits, Node, Places, compose};
use std::fmt;

/// A node's classification.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Enc {
    /// The release that the node asks for, where the document says so.
    pub app: Option<AppPath>,
    pub classes: Vec<Class>,
    /// Top-scope variables, by name.
    pub parameters: Vec<(String, Value)>,
}

/// A class that the node gets. Without parameters it is included, with some it is declared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Class {
    pub name: String,
    /// Puppet gives a class its default for those that are null, and null where it has none.
    pub parameters: Vec<(String, Value)>,
}

impl Class {
    /// What is given to a parameter; null is nothing.
    pub fn given(&self, name: &str) -> Option<&Value> {
        let mut given = self.parameters.iter();
        given
            .find(|(given, _)| given == name)
            .map(|(_, value)| value)
            .filter(|v| **v != Value::Null)
    }
}

/// All that is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct EncError {
    findings: Vec<Finding>,
}

impl EncError {
    /// Each thing that is wrong, in the order of the document; at least one.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }
}

/// The one finding, or a list with a line for each.
impl fmt::Display for EncError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [finding] = self.findings.as_slice() {
            return finding.fmt(f);
        }
        write!(f, "{} things are wrong", self.findings.len())?;
        self.findings.iter().try_for_each(|finding| write!(f, "\n    {finding}"))
    }
}

impl std::error::Error for EncError {}

impl From<Finding> for EncError {
    fn from(finding: Finding) -> Self {
        EncError { findings: vec![finding] }
    }
}

/// A document of more than this is not read.
pub const LARGEST: u64 = Limits::DEFAULT.bytes as u64;

/// What a document may hold at its top.
const KEYS: [&str; 3] = ["app", "classes", "parameters"];
const MAP: &str = "a map with `app`, `classes` and `parameters`";

impl Enc {
    /// Reads a document; what is wrong with it is said all at once.
    pub fn parse(text: &[u8]) -> Result<Enc, EncError> {
        Enc::parse_with_places(text).map(|(enc, _)| enc)
    }

    /// Reads a document, and where its classes and their parameters stand in it.
    pub fn parse_with_places(text: &[u8]) -> Result<(Enc, Places), EncError> {
        let Some(root) = compose(text, Limits::DEFAULT)? else {
            let finding = Finding::new(None, MAP, "an empty document");
            return Err(finding.hint("write `app: foo/tags/r1` into it").into());
        };
        let mut reader = Reader::default();
        let enc = Enc::of(&mut reader, &root, &Path::Top);
        let places = reader.take_places();
        finished(reader, enc).map(|enc| (enc, places))
    }

    /// Reads the ENC that stands below a key of a document at the top. Of the
    /// document's other keys, only the names are read.
    pub fn parse_below(text: &[u8], below: &Below) -> Result<Enc, EncError> {
        let key = below.key();
        let expected = format!("a map with the key `{key}`");
        let Some(root) = compose(text, Limits::DEFAULT)? else {
            return Err(Finding::new(None, expected, "an empty document").into());
        };
        let mut reader = Reader::default();
        let entries = reader.entries(&root, &Path::Top);
        let is_key = |entry: &&Entry<'_>| matches!(&entry.key, Value::String(name) if name == key);
        let enc = match (entries.iter().find(is_key), below) {
            (Some(entry), _) => Enc::of(&mut reader, entry.node, &Path::Name(&Path::Top, key)),
            // Findings among its keys are found again, by a reader that has none.
            (None, Below::Usual(_)) => return Enc::parse(text),
            (None, Below::Key(_)) => {
                reader.report(Finding::new(root.mark, expected, "none"));
                Enc::default()
            }
        };
        finished(reader, enc)
    }

    fn of(reader: &mut Reader, node: &Node, at: &Path<'_>) -> Enc {
        let mut enc = Enc::default();
        match map(reader, node, at, MAP) {
            None => {
                let found = if matches!(at, Path::Top) { "an empty document" } else { "null" };
                reader.report(Finding::new(node.mark, MAP, found).at(at.to_string()));
            }
            Some(entries) => {
                for entry in entries {
                    enc.read(reader, &entry, at);
                }
            }
        }
        enc
    }

    fn read(&mut self, reader: &mut Reader, entry: &Entry<'_>, at: &Path<'_>) {
        let Value::String(key) = &entry.key else {
            let found = entry.key.kind();
            let finding = Finding::new(entry.mark, "a string as key", found);
            return reader.report(finding.at(at.to_string()));
        };
        let path = &Path::Name(at, key);
        match key.as_str() {
            "app" => self.app = app(reader, entry.node, path),
            "classes" => self.classes = classes(reader, entry.node, path),
            "parameters" => self.parameters = parameters(reader, entry.node, path),
            key => reader.report(unknown_key(key, entry).at(at.to_string())),
        }
    }

    /// The document that Puppet gets from its `exec` node terminus.
    ///
    /// YAML in the style of JSON: ASCII, every string in double quotes, every
    /// float with a dot and a signed exponent, so that no version of Psych and
    /// no locale reads anything else in it.
    pub fn to_yaml(&self) -> String {
        let mut out = "{\"classes\": {".to_owned();
        for (at, class) in self.classes.iter().enumerate() {
            out.push_str(if at == 0 { "\n  " } else { ",\n  " });
            write_key(&mut out, &Value::String(class.name.clone()));
            write_pairs(&mut out, class.parameters.iter().map(named));
        }
        out.push_str(if self.classes.is_empty() { "},\n" } else { "\n},\n" });
        out.push_str("\"parameters\": {");
        for (at, (name, value)) in self.parameters.iter().enumerate() {
            out.push_str(if at == 0 { "\n  " } else { ",\n  " });
            write_key(&mut out, &Value::String(name.clone()));
            write_value(&mut out, value);
        }
        out.push_str(if self.parameters.is_empty() { "}}\n" } else { "\n}}\n" });
        out
    }
}

/// The document, unless something is wrong with it.
fn finished(reader: Reader, enc: Enc) -> Result<Enc, EncError> {
    let findings = reader.into_findings();
    if findings.is_empty() { Ok(enc) } else { Err(EncError { findings }) }
}

/// A value in that style.
pub fn written(value: &Value) -> String {
    let mut out = String::new();
    write_value(&mut out, value);
    out
}

fn named((name, value): &(String, Value)) -> (Value, &Value) {
    (Value::String(name.clone()), value)
}

/// The entries of a map, none for null; what is neither is reported.
fn map<'n>(
    reader: &mut Reader,
    node: &'n Node,
    path: &Path<'_>,
    expected: &str,
) -> Option<Vec<Entry<'n>>> {
    match &node.target().value {
        yaml::Value::Mapping(_) => return Some(reader.entries(node, path)),
        yaml::Value::Sequence(_) => {
            reader.report(Finding::new(node.mark, expected, "a list").at(path.to_string()));
        }
        _ => match reader.value(node, path) {
            Value::Null => return None,
            other => {
                let finding = Finding::new(node.mark, expected, other.kind()).at(path.to_string());
                reader.report(match (path, &other) {
                    (Path::Top, Value::String(_)) => {
                        finding.hint("write a space after the colon: `app: foo/tags/r1`")
                    }
                    (_, Value::String(text)) if text.contains(':') => {
                        finding.hint("write a space after the colon of each key")
                    }
                    _ => finding,
                });
            }
        },
    }
    Some(Vec::new())
}

fn app(reader: &mut Reader, node: &Node, path: &Path<'_>) -> Option<AppPath> {
    let expected = "an app path, such as `foo/tags/r1`";
    let finding = match reader.value(node, path) {
        Value::String(text) => match text.parse::<AppPath>() {
            Ok(app) => return Some(app),
            Err(error) => {
                let reason = printable(&error.to_string());
                match reason.strip_prefix("expected ").and_then(|said| said.split_once(", found "))
                {
                    Some((expected, found)) => Finding::new(node.mark, expected, found),
                    None => Finding::new(node.mark, expected, "another string").hint(reason),
                }
            }
        },
        other => Finding::new(node.mark, expected, other.kind()),
    };
    reader.report(finding.at(path.to_string()));
    None
}

fn unknown_key(key: &str, entry: &Entry<'_>) -> Finding {
    let found = format!("`{}`", key_text(&entry.key));
    let finding = Finding::new(entry.mark, "`app`, `classes` and `parameters` only", found);
    if key == "environment" {
        return finding.hint(
            "a release brings its own modulepath and runs in no environment: \
             remove the key, or give a class what it needs as a parameter",
        );
    }
    if key.starts_with(char::is_whitespace) {
        return finding.hint("indent with spaces: to YAML, those before it are a part of the key");
    }
    match nearest(&key.to_lowercase(), &KEYS.map(str::to_owned)) {
        Some(known) => finding.hint(format!("did you mean `{known}`?")),
        None => finding.hint("remove it: Puppet would ignore it in silence"),
    }
}

const CLASSES: &str = "a map of classes, or a list of their names";

fn classes(reader: &mut Reader, node: &Node, path: &Path<'_>) -> Vec<Class> {
    match &node.target().value {
        yaml::Value::Sequence(_) => return class_list(reader, node, path),
        yaml::Value::Scalar { .. } => match reader.value(node, path) {
            Value::String(name) if is_class_name(&name) => {
                let finding = Finding::new(node.mark, CLASSES, "a string").at(path.to_string());
                reader.report(finding.hint(format!("write a list: `[{name}]`")));
                return Vec::new();
            }
            _ => {}
        },
        _ => {}
    }
    let mut classes = Vec::new();
    for entry in map(reader, node, path, CLASSES).unwrap_or_default() {
        let Some(name) = class_name(reader, &entry.key, entry.mark, path) else {
            continue;
        };
        let path = &Path::Name(path, &name);
        reader.place(path, entry.mark, entry.node);
        let expected = "a map of parameters, or nothing";
        let mut parameters = Vec::new();
        for entry in map(reader, entry.node, path, expected).unwrap_or_default() {
            let Some(name) = variable_name(reader, &entry, path, "the name of a parameter") else {
                continue;
            };
            let path = &Path::Name(path, &name);
            reader.place(path, entry.mark, entry.node);
            let value = reader.value(entry.node, path);
            parameters.push((name, value));
        }
        classes.push(Class { name, parameters });
    }
    classes
}

fn class_list(reader: &mut Reader, node: &Node, list: &Path<'_>) -> Vec<Class> {
    // Checks the list's own tag, which an item by item reading would pass over.
    let _ = reader.value(node, list);
    let yaml::Value::Sequence(items) = &node.target().value else {
        return Vec::new();
    };
    let mut classes: Vec<Class> = Vec::new();
    let mut names = std::collections::HashMap::new();
    for (at, item) in items.iter().enumerate() {
        let path = &Path::Item(list, at);
        let name = reader.value(item, path);
        let Some(name) = class_name(reader, &name, item.mark, path) else {
            continue;
        };
        if let Some(first) = names.insert(name.clone(), item.mark.line) {
            let found = format!("`{name}` again, after line {first}");
            reader.report(Finding::new(item.mark, "each class once", found).at(path.to_string()));
            continue;
        }
        reader.place(&Path::Name(list, &name), item.mark, item);
        classes.push(Class { name, parameters: Vec::new() });
    }
    classes
}

/// Puppet folds the case of a class's name, and then drops its parameters in
/// silence (`ensure_classes_with_parameters` of `compiler.rb`).
fn class_name(
    reader: &mut Reader,
    key: &Value,
    mark: yaml::Mark,
    path: &Path<'_>,
) -> Option<String> {
    let expected = "the name of a class, such as `apache::mod`";
    let Value::String(name) = key else {
        let finding = Finding::new(mark, expected, key.kind()).at(path.to_string());
        reader.report(match key {
            Value::Hash(_) => finding
                .hint("classes with parameters are a map: take each `-` off, and write `NAME:`"),
            key => meant_as_string(finding, key),
        });
        return None;
    };
    if is_class_name(name) {
        return Some(name.clone());
    }
    let finding = Finding::new(mark, expected, format!("`{}`", key_text(key))).at(path.to_string());
    let folded = name.to_ascii_lowercase();
    let folded = folded.strip_prefix("::").unwrap_or(&folded);
    reader.report(match is_class_name(folded) {
        true => finding.hint(format!("did you mean `{folded}`?", folded = printable(folded))),
        false => finding,
    });
    None
}

fn is_class_name(name: &str) -> bool {
    let is_segment = |segment: &str| {
        segment.starts_with(|c: char| c.is_ascii_lowercase())
            && segment.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    name.split("::").all(is_segment)
}

/// A name that YAML reads as `yes` and `no` are.
fn meant_as_string(finding: Finding, key: &Value) -> Finding {
    if let Value::Boolean(_) = key { finding.hint(QUOTE) } else { finding }
}

/// `PARAM_NAME` of Puppet's `pops/patterns.rb`: `\A[a-z_]\w*\z`.
fn variable_name(
    reader: &mut Reader,
    entry: &Entry<'_>,
    path: &Path<'_>,
    what: &str,
) -> Option<String> {
    let Value::String(name) = &entry.key else {
        let finding = Finding::new(entry.mark, what, entry.key.kind()).at(path.to_string());
        reader.report(meant_as_string(finding, &entry.key));
        return None;
    };
    let good = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if good {
        return Some(name.clone());
    }
    let finding =
        Finding::new(entry.mark, what, format!("`{}`", key_text(&entry.key))).at(path.to_string());
    reader.report(finding.hint("a small letter first, then letters, digits and `_`"));
    None
}

/// Names that Puppet sets itself: it fails for them, or drops them in silence
/// (`RESERVED_VARIABLE_NAMES` of `scope.rb`, `set_node_parameters` of `compiler.rb`,
/// `set_resource_parameters` of `resource/type.rb`).
const RESERVED: [&str; 7] =
    ["facts", "trusted", "server_facts", "title", "name", "environment", "module_name"];

fn parameters(reader: &mut Reader, node: &Node, path: &Path<'_>) -> Vec<(String, Value)> {
    let mut parameters = Vec::new();
    for entry in map(reader, node, path, "a map of variables").unwrap_or_default() {
        let Some(name) = variable_name(reader, &entry, path, "the name of a variable") else {
            continue;
        };
        if RESERVED.contains(&name.as_str()) {
            let found = format!("`{name}`, which Puppet sets itself");
            let finding =
                Finding::new(entry.mark, "the name of a variable", found).at(path.to_string());
            reader.report(finding.hint("give it another name"));
            continue;
        }
        let value = reader.value(entry.node, &Path::Name(path, &name));
        parameters.push((name, value));
    }
    parameters
}

fn write_value(out: &mut String, value: &Value) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Boolean(value) => out.push_str(if *value { "true" } else { "false" }),
        Value::Integer(digits) => out.push_str(digits),
        Value::Float(value) => out.push_str(&float(*value)),
        Value::String(text) => write_string(out, text),
        Value::Hash(pairs) => {
            write_pairs(out, pairs.iter().map(|(key, value)| (key.clone(), value)));
        }
        Value::Array(items) => {
            out.push('[');
            for (at, item) in items.iter().enumerate() {
                out.push_str(if at == 0 { "" } else { ", " });
                write_value(out, item);
            }
            out.push(']');
        }
    }
}

fn write_pairs<'v>(out: &mut String, pairs: impl Iterator<Item = (Value, &'v Value)>) {
    out.push('{');
    for (at, (key, value)) in pairs.enumerate() {
        out.push_str(if at == 0 { "" } else { ", " });
        write_key(out, &key);
        write_value(out, value);
    }
    out.push('}');
}

/// A key, and the colon after it.
///
/// libyaml looks for the colon of a key within one line and 1024 characters,
/// unless a `?` announces the key (`scanner.c`, `yaml_parser_stale_simple_keys`).
fn write_key(out: &mut String, key: &Value) {
    const LONGEST: usize = 1000;
    let mut text = String::new();
    // Without a tag, Psych would merge the value (`revive_hash` of `to_ruby.rb`).
    if matches!(key, Value::String(text) if text == "<<") {
        text.push_str("!!str ");
    }
    write_value(&mut text, key);
    let plain = text.len() <= LONGEST && !matches!(key, Value::Array(_) | Value::Hash(_));
    match plain {
        true => out.extend([text.as_str(), ": "]),
        false => out.extend(["? ", text.as_str(), " : "]),
    }
}

/// Psych takes a float without a dot, or with an exponent without a sign, for a string.
fn float(value: f64) -> String {
    if value.is_nan() {
        return ".nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let text = format!("{value:?}");
    let Some((mantissa, exponent)) = text.split_once('e') else {
        return text;
    };
    let dot = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with('-') { "" } else { "+" };
    format!("{mantissa}{dot}e{sign}{exponent}")
}

/// `\U` beyond the basic plane: to Psych a surrogate is a syntax error.
fn write_string(out: &mut String, text: &str) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            ' '..='~' => out.push(c),
            '\0'..='\u{ffff}' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => out.push_str(&format!("\\U{:08x}", u32::from(c))),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_as_psych_reads_floats() {
        let texts = [1.0, 1e300, 1.5e-7, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN];
        let written = ["1.0", "1.0e+300", "1.5e-7", "-0.0", ".inf", "-.inf", ".nan"];
        assert_eq!(texts.map(float), written);
    }

    #[test]
    fn an_enc_below_a_key_is_read_where_it_stands() {
        let usual = &Below::Usual("localpuppet");
        let key = &Below::Key("node".into());
        let text = b"#cloud-config\nusers: [!odd x]\nlocalpuppet: &enc\n  app: foo/tags/r1\n  classes: {a: {p: 0644}}\nnode: *enc\n";
        let enc = Enc::parse_below(text, usual).unwrap();
        assert_eq!(enc.classes[0].parameters, [("p".into(), Value::Integer("420".into()))]);
        assert_eq!(Enc::parse_below(text, key).unwrap(), enc);

        // Without the usual key, it is the whole document; without another, there is none.
        let whole = b"app: foo/tags/r1\nclasses: {a: {p: 0644}}\n";
        assert_eq!(Enc::parse_below(whole, usual).unwrap(), enc);
        let told = |text: &[u8], below| Enc::parse_below(text, below).unwrap_err().to_string();
        let none = "line 1, column 1: expected a map with the key `node`, found none";
        assert_eq!(told(whole, key), none);

        let wrong = b"a: 1\nlocalpuppet:\n  classes: {A: }\n  odd: 1\n";
        let places = told(wrong, usual);
        assert!(places.contains("line 3, column 13: `localpuppet.classes`: expected"), "{places}");
        assert!(places.contains("line 4, column 3: `localpuppet`: expected"), "{places}");
        let null = "line 2, column 13: `localpuppet`: expected a map with `app`, `classes` and `parameters`, found null";
        assert_eq!(told(b"a: 1\nlocalpuppet:\n", usual), null);
        assert_eq!(told(b"", key), "expected a map with the key `node`, found an empty document");
        assert!(told(b"#cloud-config\nusers: []\n", usual).contains("found `users`"));
    }

    #[test]
    fn values_are_in_no_text_of_this_program() {
        let enc = Enc::parse(b"classes: {a: {password: hunter2}}").unwrap();
        assert!(!format!("{enc:?}").contains("hunter2"));
        let text = "app: {x: hunter2}\nclasses: {a: hunter2, b: [hunter2], c: {p: !ruby/sym hunter2}}\nparameters: hunter2\nx: hunter2";
        let error = Enc::parse(text.as_bytes()).unwrap_err();
        assert_eq!(error.findings().len(), 6);
        assert!(!format!("{error} {error:?}").contains("hunter2"));
    }
}
