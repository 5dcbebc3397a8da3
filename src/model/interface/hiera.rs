//! A hiera.yaml of version 5, as far as it reads files that a release has
//! (`lib/puppet/pops/lookup/hiera_config.rb`), and what stands in those.
//!
//! What is not understood is no hierarchy at all: then only Puppet can tell.

use super::Data;
use crate::model::litter;
use crate::model::psych::{Path, Reader};
use crate::model::value::Value;
use crate::model::yaml::{Limits, compose};
use std::collections::{BTreeMap, BTreeSet};

/// What each key may be, on whatever node; none where that cannot be told.
pub type Values = BTreeMap<String, Option<Vec<Value>>>;

/// A level of a hierarchy.
#[derive(Debug, PartialEq, Eq)]
pub struct Level {
    pub datadir: String,
    pub format: Format,
    pub files: Files,
}

/// How a level's files are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Yaml,
    Json,
}

/// The files of a level, below its datadir.
#[derive(Debug, PartialEq, Eq)]
pub enum Files {
    /// One that every node reads.
    At(String),
    /// Those of which a node reads some: by what they begin with, and end with.
    Like(String, String),
}

/// The levels of a hierarchy.
pub fn levels(hiera: &[u8]) -> Option<Vec<Level>> {
    let top = pairs(hiera, Format::Yaml)?;
    let (mut version, mut defaults, mut hierarchy) = (None, None, None);
    for (key, value) in top {
        match (key.as_str(), value) {
            ("version", Value::Integer(number)) => version = Some(number),
            ("defaults", Value::Hash(pairs)) => defaults = Some(pairs),
            ("hierarchy", Value::Array(items)) => hierarchy = Some(items),
            _ => return None,
        }
    }
    if version.as_deref() != Some("5") {
        return None;
    }
    // Those of Puppet hold only where there are none.
    let of_puppet = Keys { format: Some(Format::Yaml), ..Keys::default() };
    let defaults = defaults.map_or(Some(of_puppet), Keys::of)?;
    if defaults.files.is_some() {
        return None;
    }
    let Some(hierarchy) = hierarchy else {
        let files = Some(vec![Files::At("common.yaml".to_owned())]);
        return Keys { files, ..Keys::default() }.levels(&defaults);
    };
    let mut levels = Vec::new();
    for level in hierarchy {
        let Value::Hash(pairs) = level else { return None };
        levels.extend(Keys::of(pairs)?.levels(&defaults)?);
    }
    Some(levels)
}

/// What a level says, or the defaults of all.
#[derive(Default)]
struct Keys {
    datadir: Option<String>,
    format: Option<Format>,
    files: Option<Vec<Files>>,
}

impl Keys {
    /// None where a key is not one of these, or not of its kind.
    fn of(pairs: Vec<(Value, Value)>) -> Option<Keys> {
        let mut keys = Keys::default();
        for (key, value) in pairs {
            let Value::String(key) = key else { return None };
            match (key.as_str(), value) {
                ("name", Value::String(_)) => {}
                ("datadir", Value::String(path)) => keys.datadir = Some(within(path)?),
                ("data_hash", Value::String(name)) => keys.format = Some(format(&name)?),
                ("path", Value::String(path)) => keys.add([Value::String(path)], path_files)?,
                ("paths", Value::Array(paths)) => keys.add(paths, path_files)?,
                ("glob", Value::String(glob)) => keys.add([Value::String(glob)], glob_files)?,
                ("globs", Value::Array(globs)) => keys.add(globs, glob_files)?,
                _ => return None,
            }
        }
        Some(keys)
    }

    /// A level has one of `path`, `paths`, `glob` and `globs`.
    fn add(
        &mut self,
        paths: impl IntoIterator<Item = Value>,
        files: fn(String) -> Option<Files>,
    ) -> Option<()> {
        let of_one = |path| match path {
            Value::String(path) => files(path),
            _ => None,
        };
        let files = paths.into_iter().map(of_one).collect::<Option<Vec<_>>>()?;
        self.files.replace(files).is_none().then_some(())
    }

    fn levels(self, defaults: &Keys) -> Option<Vec<Level>> {
        let datadir = self.datadir.or_else(|| defaults.datadir.clone());
        let datadir = datadir.unwrap_or_else(|| "data".to_owned());
        let format = self.format.or(defaults.format)?;
        let level = |files| Level { datadir: datadir.clone(), format, files };
        Some(self.files?.into_iter().map(level).collect())
    }
}

fn format(name: &str) -> Option<Format> {
    match name {
        "yaml_data" => Some(Format::Yaml),
        "json_data" => Some(Format::Json),
        _ => None,
    }
}

/// A path that stays in the module, and that a release has.
fn within(path: String) -> Option<String> {
    let leaves = path.starts_with('/')
        || path.contains("%{")
        || path.split('/').any(|part| part == ".." || litter::reason(part).is_some());
    (!leaves && !path.is_empty()).then_some(path)
}

fn path_files(path: String) -> Option<Files> {
    match path.contains("%{") {
        true => like(&path, &['%'], '}'),
        false => within(path).map(Files::At),
    }
}

fn glob_files(glob: String) -> Option<Files> {
    // The last character of a pattern may be any of these.
    let end = glob.rfind(['*', '?', ']', '}']).map(|at| glob[at..].chars().next());
    match end.flatten() {
        Some(last) => like(&glob, &['%', '*', '?', '[', '{', '\\'], last),
        None => None,
    }
}

/// The directory before the first character that is not as it stands, and what is behind the last.
fn like(path: &str, first: &[char], last: char) -> Option<Files> {
    let begin = &path[..path.find(first)?];
    let begin = begin.rsplit_once('/').map_or("", |(directory, _)| directory);
    let end = path.rsplit_once(last)?.1.trim_start_matches('/');
    let leaves = path.starts_with('/') || path.split('/').any(|part| part == "..");
    (!leaves).then(|| Files::Like(begin.to_owned(), end.to_owned()))
}

/// The keys of a document in order; none where it is no map of them.
fn pairs(text: &[u8], format: Format) -> Option<Vec<(String, Value)>> {
    let value = match format {
        Format::Json => of_json(serde_json::from_slice(text).ok()?),
        // Behind a byte order mark Psych reads but the first key.
        Format::Yaml if text.starts_with(b"\xef\xbb\xbf") => return None,
        Format::Yaml => {
            let Some(root) = compose(text, Limits::DEFAULT).ok()? else { return Some(Vec::new()) };
            let mut reader = Reader::default();
            let value = reader.value(&root, &Path::Top);
            reader.into_findings().is_empty().then_some(value)?
        }
    };
    let Value::Hash(pairs) = value else { return None };
    let pair = |(key, value)| match key {
        Value::String(key) => Some((key, value)),
        _ => None,
    };
    pairs.into_iter().map(pair).collect()
}

fn of_json(value: serde_json::Value) -> Value {
    use serde_json::Value as Json;
    match value {
        Json::Null => Value::Null,
        Json::Bool(value) => Value::Boolean(value),
        Json::Number(number) => match number.as_f64().filter(|_| number.is_f64()) {
            Some(float) => Value::Float(float),
            None => Value::Integer(number.to_string()),
        },
        Json::String(text) => Value::String(text),
        Json::Array(items) => Value::Array(items.into_iter().map(of_json).collect()),
        Json::Object(pairs) => {
            let pair = |(key, value)| (Value::String(key), of_json(value));
            Value::Hash(pairs.into_iter().map(pair).collect())
        }
    }
}

/// What the files of a hierarchy have.
#[derive(Debug, Default)]
pub struct Found {
    always: BTreeSet<String>,
    sometimes: BTreeSet<String>,
    values: Values,
}

impl Found {
    /// Adds a file that every node reads, or some; none where it is not understood.
    pub fn add(&mut self, text: &[u8], format: Format, files: &Files) -> Option<()> {
        for (key, value) in pairs(text, format)? {
            if key == "lookup_options" {
                self.options(value)?;
                continue;
            }
            // Every value is one that a node may get.
            let value = Some(value).filter(is_plain);
            let values = self.values.entry(key.clone()).or_insert_with(|| Some(Vec::new()));
            match (values.as_mut(), value) {
                (Some(values), Some(value)) => values.push(value),
                _ => *values = None,
            }
            match files {
                Files::At(_) => self.always.insert(key),
                Files::Like(..) => self.sometimes.insert(key),
            };
        }
        Some(())
    }

    /// A key with options is merged or converted, which is not done here.
    fn options(&mut self, options: Value) -> Option<()> {
        let Value::Hash(pairs) = options else { return None };
        for (key, _) in pairs {
            match key {
                Value::String(key) if !key.starts_with('^') => {
                    self.values.insert(key.clone(), None);
                    self.sometimes.insert(key);
                }
                _ => return None,
            }
        }
        Some(())
    }

    /// The keys, and the values of those that are told whole.
    pub fn finish(self) -> (Data, Values) {
        let sometimes = self.sometimes.difference(&self.always).cloned().collect();
        let fits = BTreeSet::new();
        (Data::Keys { always: self.always, sometimes, fits }, self.values)
    }
}

/// False for what Puppet fills in, and for no value at all. A float of JSON may have been an integer.
fn is_plain(value: &Value) -> bool {
    let is_inside = |value: &Value| *value == Value::Null || is_plain(value);
    match value {
        Value::Null => false,
        Value::Float(number) => number.abs() < 1e15,
        Value::Boolean(_) | Value::Integer(_) => true,
        Value::String(text) => !text.contains("%{"),
        Value::Array(items) => items.iter().all(is_inside),
        Value::Hash(pairs) => pairs.iter().all(|(key, value)| is_inside(key) && is_inside(value)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(hiera: &str) -> String {
        let level = |level: &Level| {
            let files = match &level.files {
                Files::At(path) => path.clone(),
                Files::Like(below, end) => format!("{below}/*{end}"),
            };
            format!("{:?} {}/{files}", level.format, level.datadir)
        };
        let text = format!("version: 5\n{hiera}");
        levels(text.as_bytes()).map_or("unknown".into(), |levels| {
            levels.iter().map(level).collect::<Vec<_>>().join(", ")
        })
    }

    #[test]
    fn a_hierarchy_of_files_is_read() {
        assert_eq!(told(""), "Yaml data/common.yaml");
        assert_eq!(
            told(
                "defaults: {datadir: d, data_hash: yaml_data}\nhierarchy:\n- {name: b.yaml, path: 'os/%{x}.yaml'}\n\
                 - {name: a, paths: [a.txt], datadir: e, data_hash: json_data}\n\
                 - {name: c, globs: ['x/*/y?.yaml']}\n"
            ),
            "Yaml d/os/*.yaml, Json e/a.txt, Yaml d/x/*.yaml"
        );
    }

    #[test]
    fn what_is_not_understood_is_unknown() {
        for level in [
            "data_hash: d::f, path: a",
            "lookup_key: eyaml_lookup_key, path: a",
            "path: a, datadir: '../x'",
            "path: a, datadir: /x",
            "path: a, datadir: .hg",
            "path: a, datadir: '%{x}'",
            "path: a, options: {a: b}",
            "path: ../a",
            "mapped_paths: [a, b, c]",
        ] {
            assert_eq!(told(&format!("hierarchy: [{{name: n, {level}}}]")), "unknown", "{level}");
        }
        assert_eq!(told("default_hierarchy: []"), "unknown");
        assert_eq!(told("defaults: {datadir: d}"), "unknown");
        assert_eq!(told("hierarchy: ["), "unknown");
        assert_eq!(levels(b"version: 3"), None);
    }

    fn found(text: &str, format: Format) -> Option<(String, Values)> {
        let mut found = Found::default();
        found.add(text.as_bytes(), format, &Files::At("a".into()))?;
        let (data, values) = found.finish();
        Some((serde_json::to_string(&data).unwrap(), values))
    }

    #[test]
    fn keys_are_found_however_they_are_written() {
        let keys = r#"{"keys":{"always":["d::x"],"sometimes":[]}}"#;
        for text in
            ["{d::x: a}", "? d::x\n: a", "\"d::\\x78\": a", "&a d::x: a", "--- {\"d::x\": a}"]
        {
            let (told, values) = found(text, Format::Yaml).unwrap();
            assert_eq!(told, keys, "{text}");
            assert_eq!(values["d::x"], Some(vec![Value::String("a".into())]), "{text}");
        }
        assert_eq!(found("{\"d::x\":1}", Format::Json).unwrap().0, keys);
        assert_eq!(found("[d::x]", Format::Yaml), None);
        assert_eq!(found("d::x: [", Format::Yaml), None);
    }

    #[test]
    fn what_puppet_makes_of_a_value_is_not_told() {
        for value in ["~", "'%{facts.x}'", "['%{x}']"] {
            let text = format!("d::x: {value}");
            assert_eq!(found(&text, Format::Yaml).unwrap().1["d::x"], None, "{value}");
        }
        let (told, values) =
            found("d::x: a\nlookup_options: {d::x: {}, d::y: {}}", Format::Yaml).unwrap();
        assert_eq!(told, r#"{"keys":{"always":["d::x"],"sometimes":["d::y"]}}"#);
        assert_eq!(values["d::x"], None);
        assert_eq!(found("lookup_options: {^d: {}}", Format::Yaml), None);
    }
}
