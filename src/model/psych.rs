//! What a YAML node means to Puppet: the values that Ruby's Psych makes of it.
//!
//! Puppet reads an ENC by `Psych.safe_load(text, permitted_classes: [Symbol],
//! aliases: true)` (`lib/puppet/util/yaml.rb`, `lib/puppet/indirector/node/exec.rb`).
//! This file follows Psych 4's `visitors/to_ruby.rb`, and [`super::scalar`] its
//! `scalar_scanner.rb`, word by word where they surprise: `0644` is 420, `12:30`
//! is 45000, `1e3` is a string, `1,000` is 1000, a merged key wins over one
//! before it, and a tag that Psych does not know takes the quotes off a scalar.
//!
//! What Psych refuses is refused. Refused too, although Psych takes them:
//!
//! 1. symbols (`:a`, `!ruby/symbol a`), which satisfy no data type of Puppet;
//! 2. a key that stands twice in a mapping, of which Psych keeps the last;
//! 3. tags of Ruby objects and of kinds that Psych ignores or half knows:
//!    `!ruby/…`, `!!set`, `!!omap`, `!!timestamp`, `!str:…`, or a tag of YAML
//!    itself on a value that is not of its kind: `!!int abc`, `!!map [a]`;
//! 4. `!!binary` that is not ASCII once decoded, which no JSON-like text can
//!    carry, and `!!float` of what is no plain decimal number;
//! 5. `!foo "1"` and `! "1"`, a quoted scalar that a tag turns into a number;
//! 6. a number of more than 60 characters that is not a plain decimal integer,
//!    or of more than 1000 digits if it is one;
//! 7. what [`super::yaml::compose`] refuses.
//!
//! Taken as it is meant, where Psych goes astray: a byte order mark. Psych counts
//! it as a column, so a block mapping ends after its first key, without an error.

use super::scalar::{CORE, DATA, Refused, is_special, scalar, tagged, untagged};
use super::value::{Value, key_text};
use super::yaml::{self, Finding, Mark, Node, Place, Places};
use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

/// Reads nodes as Psych does, and gathers what is wrong with them.
#[derive(Debug, Default)]
pub struct Reader {
    findings: Vec<Finding>,
    places: Places,
}

/// One key of a mapping, with what stands there.
#[derive(Clone, Debug)]
pub struct Entry<'n> {
    pub key: Value,
    /// Where the key stands.
    pub mark: Mark,
    pub node: &'n Rc<Node>,
    /// In the mapping itself, and not merged from another.
    written: bool,
}

impl Reader {
    /// Notes one more thing that is wrong; the first at each place, and no more than anyone reads.
    pub fn report(&mut self, finding: Finding) {
        const ENOUGH: usize = 100;
        let known = self.findings.iter().any(|other| other.mark == finding.mark);
        if self.findings.len() < ENOUGH && !known {
            self.findings.push(finding);
        }
    }

    /// Notes where something stands, and what is written for it.
    pub fn place(&mut self, path: &Path<'_>, mark: Mark, node: &Rc<Node>) {
        self.places.insert(path.to_string(), Place { mark, node: node.clone() });
    }

    /// Where what was noted stands.
    pub fn take_places(&mut self) -> Places {
        std::mem::take(&mut self.places)
    }

    /// All that is wrong, in the order of the document.
    pub fn into_findings(mut self) -> Vec<Finding> {
        self.findings.sort_by_key(|finding| finding.mark);
        self.findings
    }

    /// The value of a node; null where something was found to be wrong, and noted.
    pub fn value(&mut self, node: &Node, path: &Path<'_>) -> Value {
        let node = node.target();
        match &node.value {
            yaml::Value::Scalar { text, plain } => scalar(text, *plain, node.tag.as_deref())
                .unwrap_or_else(|refused| {
                    self.report(refused.at(node.mark, path));
                    Value::Null
                }),
            yaml::Value::Sequence(items) => {
                self.check_tag(node, path, "seq", "a list");
                let item = |(at, item): (usize, &Rc<Node>)| self.value(item, &Path::Item(path, at));
                Value::Array(items.iter().enumerate().map(item).collect())
            }
            yaml::Value::Mapping(_) => {
                let entries = self.entries(node, path);
                let pair = |entry: Entry<'_>| {
                    let value = self.value(entry.node, &Path::Key(path, &entry.key));
                    (entry.key, value)
                };
                Value::Hash(entries.into_iter().map(pair).collect())
            }
            // `target` never gives an alias: an alias is made to what is no alias.
            yaml::Value::Alias(_) => Value::Null,
        }
    }

    /// The keys of a mapping, after merging (`revive_hash` of `to_ruby.rb`); none of another node.
    pub fn entries<'n>(&mut self, node: &'n Node, path: &Path<'_>) -> Vec<Entry<'n>> {
        let node = node.target();
        let yaml::Value::Mapping(pairs) = &node.value else {
            return Vec::new();
        };
        self.check_tag(node, path, "map", "a map");
        let mut entries = Entries::default();
        for (key_node, value) in pairs {
            let key = self.key(key_node, path);
            let merges = matches!(&key, Value::String(text) if text == "<<")
                && key_node.tag.as_deref() != Some("tag:yaml.org,2002:str");
            if merges && self.merge(value, path, &mut entries) {
                continue;
            }
            let entry = Entry { key, mark: key_node.mark, node: value, written: true };
            if let Some((first, place)) = entries.set(entry) {
                let key = entries.list.get(place).map(|entry| key_text(&entry.key));
                let found = format!("`{}` again, after line {first}", key.unwrap_or_default());
                let finding = Finding::new(key_node.mark, "each key once", found);
                self.report(finding.at(path.to_string()).hint("take one of them out"));
            }
        }
        entries.list
    }

    /// What a key means; one that Ruby takes for a symbol has a colon too many.
    fn key(&mut self, node: &Node, path: &Path<'_>) -> Value {
        if let yaml::Value::Scalar { text, plain: true } = &node.target().value
            && node.target().tag.is_none()
            && untagged(text) == Err(Refused::Symbol)
        {
            let name = text.trim_start_matches(':');
            let [shown, name] = [text, name].map(|text| key_text(&Value::String(text.to_owned())));
            let finding =
                Finding::new(node.mark, "a string as key", format!("the symbol `{shown}`"));
            let hint = format!("take the first colon off: `{name}:`");
            self.report(finding.at(path.to_string()).hint(hint));
            return Value::Null;
        }
        self.value(node, &Path::Name(path, "(key)"))
    }

    /// False where Psych keeps the key `<<`: there is no mapping to merge.
    ///
    /// An alias to a list is not merged, while a list of aliases is. The first
    /// of a list wins within it, but the list wins over keys before it.
    fn merge<'n>(&mut self, value: &'n Node, path: &Path<'_>, into: &mut Entries<'n>) -> bool {
        let is_map = |node: &Node| matches!(node.target().value, yaml::Value::Mapping(_));
        let mut merged = Entries::default();
        match &value.value {
            yaml::Value::Sequence(items) if items.iter().all(|item| is_map(item)) => {
                self.check_tag(value, path, "seq", "a list");
                for item in items.iter().rev() {
                    self.entries(item, path).into_iter().for_each(|entry| merged.merge(entry));
                }
            }
            _ if is_map(value) => merged.list = self.entries(value, path),
            _ => return false,
        }
        merged.list.into_iter().for_each(|entry| into.merge(entry));
        true
    }

    /// Psych ignores most tags of collections; those that it does not ignore make no data.
    fn check_tag(&mut self, node: &Node, path: &Path<'_>, core: &str, kind: &str) {
        let Some(tag) = node.tag.as_deref() else {
            return;
        };
        let known = match tag.strip_prefix(CORE) {
            Some(name) => name == core,
            None => !is_special(tag),
        };
        if !known {
            let finding = Finding::new(node.mark, DATA, tagged(kind, tag));
            self.report(finding.at(path.to_string()).hint("remove the tag"));
        }
    }
}

/// The keys of a Ruby hash: a key that is set again keeps its place.
#[derive(Default)]
struct Entries<'n> {
    list: Vec<Entry<'n>>,
    /// Where each key is in a list too long to look through.
    places: HashMap<Value, usize>,
}

impl<'n> Entries<'n> {
    fn merge(&mut self, entry: Entry<'n>) {
        self.set(Entry { written: false, ..entry });
    }

    /// The line and the place of the same key, where this mapping has it written before.
    fn set(&mut self, entry: Entry<'n>) -> Option<(u64, usize)> {
        let place = self.place(&entry.key);
        match self.list.get_mut(place) {
            Some(old) => {
                let first = (old.written && entry.written).then_some((old.mark.line, place));
                *old = Entry { written: old.written || entry.written, ..entry };
                first
            }
            None => {
                self.list.push(entry);
                None
            }
        }
    }

    fn place(&mut self, key: &Value) -> usize {
        const LONG: usize = 16;
        if self.list.len() < LONG {
            let same = self.list.iter().position(|entry| entry.key == *key);
            return same.unwrap_or(self.list.len());
        }
        if self.places.is_empty() {
            let keys = self.list.iter().enumerate();
            self.places = keys.map(|(at, entry)| (entry.key.clone(), at)).collect();
        }
        *self.places.entry(key.clone()).or_insert(self.list.len())
    }
}

/// The keys that lead to a node: `classes.apache.aliases.0`. Spelled out only
/// where something is wrong.
#[derive(Clone, Copy, Debug)]
pub enum Path<'p> {
    Top,
    Name(&'p Path<'p>, &'p str),
    Key(&'p Path<'p>, &'p Value),
    Item(&'p Path<'p>, usize),
}

impl<'p> Path<'p> {
    fn above(self) -> Option<&'p Path<'p>> {
        match self {
            Path::Top => None,
            Path::Name(above, _) | Path::Key(above, _) | Path::Item(above, _) => Some(above),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.above() {
            None | Some(Path::Top) => {}
            Some(above) => write!(f, "{above}.")?,
        }
        match self {
            Path::Top => Ok(()),
            Path::Name(_, name) => f.write_str(name),
            Path::Key(_, key) => f.write_str(&key_text(key)),
            Path::Item(_, at) => write!(f, "{at}"),
        }
    }
}
