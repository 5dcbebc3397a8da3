//! The class interface of a release: which classes can be called, and how.

pub mod document;

use super::app::AppPath;
use super::check::Aliases;
use super::puppet_code::Unreadable;
use super::puppet_code::definition::{Definition, Stated, What};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// What the modules of a modulepath define, each module once: Puppet takes the first whole.
#[derive(Debug, Default, PartialEq)]
pub struct Interface {
    modules: BTreeMap<String, Module>,
    /// Data of the release itself, which comes before that of its modules.
    pub own_data: Data,
}

/// One module.
#[derive(Debug, PartialEq)]
pub struct Module {
    /// The directory of the modulepath that it is in.
    pub app: AppPath,
    /// By path in the module: `manifests/init.pp`. Those that define nothing are not here.
    files: BTreeMap<String, Result<Vec<Definition>, Unreadable>>,
    pub data: Data,
}

impl Module {
    /// A module without any files yet.
    pub fn new(app: AppPath, data: Data) -> Self {
        Module { app, files: BTreeMap::new(), data }
    }

    /// Adds what a file of the module defines, or why that is not known.
    pub fn add(&mut self, path: String, found: Result<Vec<Definition>, Unreadable>) {
        if !matches!(&found, Ok(none) if none.is_empty()) {
            self.files.insert(path, found);
        }
    }

    /// Its files that define something or could not be read, in the order of their paths.
    pub fn files(&self) -> &BTreeMap<String, Result<Vec<Definition>, Unreadable>> {
        &self.files
    }
}

/// What may give a parameter its value without being said: Hiera.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Data {
    #[default]
    None,
    /// Only files: the keys of those that every node has, and those of the others.
    Keys { always: BTreeSet<String>, sometimes: BTreeSet<String> },
    /// By code, or by what could not be read.
    Unknown,
}

impl Data {
    /// Whether a key is in it.
    fn has(&self, key: &str) -> Supply {
        match self {
            Data::None => Supply::Never,
            Data::Unknown => Supply::Sometimes,
            Data::Keys { always, .. } if always.contains(key) => Supply::Always,
            Data::Keys { sometimes, .. } if sometimes.contains(key) => Supply::Sometimes,
            Data::Keys { .. } => Supply::Never,
        }
    }
}

/// Whether data gives a parameter its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Supply {
    Never,
    /// On some nodes, or it cannot be told.
    Sometimes,
    Always,
}

/// A class that was looked for.
pub enum Lookup<'i> {
    Found {
        class: &'i Definition,
        module: &'i str,
        file: &'i str,
    },
    /// A file that may define it could not be read.
    Unknown {
        file: String,
        why: &'i Unreadable,
    },
    Absent {
        has_module: bool,
    },
}

impl Interface {
    /// Adds a module; the first of a name is the one that Puppet takes.
    pub fn insert(&mut self, name: String, module: Module) {
        self.modules.entry(name).or_insert(module);
    }

    /// Its modules by name.
    pub fn modules(&self) -> &BTreeMap<String, Module> {
        &self.modules
    }

    /// A class, where Puppet looks for it: in the file of its name and in those
    /// of the names above it (`lib/puppet/parser/type_loader.rb`).
    pub fn class(&self, name: &str) -> Lookup<'_> {
        let mut segments = name.split("::");
        let top = segments.next().unwrap_or_default();
        let Some((module_name, module)) = self.modules.get_key_value(top) else {
            return Lookup::Absent { has_module: false };
        };
        let mut below = String::new();
        let mut candidates = vec!["manifests/init.pp".to_owned()];
        for segment in segments {
            below =
                if below.is_empty() { segment.to_owned() } else { format!("{below}/{segment}") };
            candidates.push(format!("manifests/{below}.pp"));
        }
        let mut unknown = None;
        for path in candidates {
            match module.files.get_key_value(&path) {
                Some((file, Ok(found))) => {
                    let is_it = |d: &&Definition| d.kind == What::Class && d.name == name;
                    if let Some(class) = found.iter().find(is_it) {
                        return Lookup::Found { class, module: module_name, file };
                    }
                }
                Some((_, Err(why))) => {
                    unknown = unknown.or(Some((format!("{module_name}/{path}"), why)));
                }
                None => {}
            }
        }
        match unknown {
            Some((file, why)) => Lookup::Unknown { file, why },
            None => Lookup::Absent { has_module: true },
        }
    }

    /// A class and those that it inherits from, whose variables it has.
    pub fn ancestors(&self, class: &Definition) -> Vec<String> {
        let mut names = vec![class.name.clone()];
        let mut next = class.inherits.clone();
        while let Some(name) = next.filter(|name| !names.contains(name)) {
            next = match self.class(&name) {
                Lookup::Found { class, .. } => class.inherits.clone(),
                _ => None,
            };
            names.push(name);
        }
        names
    }

    /// Whether data gives a class's parameter a value.
    pub fn supply(&self, module: &str, class: &str, parameter: &str) -> Supply {
        let key = format!("{class}::{parameter}");
        let of_module = self.modules.get(module).map(|module| module.data.has(&key));
        self.own_data.has(&key).max(of_module.unwrap_or(Supply::Never))
    }

    /// The type aliases of all modules.
    pub fn aliases(&self) -> Aliases {
        let definitions = self.definitions().filter(|d| d.kind == What::TypeAlias);
        definitions.map(|d| (d.name.to_ascii_lowercase(), d.stands_for.clone())).collect()
    }

    /// Every class, in the order of its name.
    pub fn classes(&self) -> Vec<&Definition> {
        let mut classes: Vec<_> = self.definitions().filter(|d| d.kind == What::Class).collect();
        classes.sort_by(|a, b| a.name.cmp(&b.name));
        classes
    }

    fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.modules.values().flat_map(|module| module.files.values()).flatten().flatten()
    }
}

/// A type as it is stated, in words.
pub fn shown(of: &Stated) -> String {
    match of {
        Stated::No => "Any".to_owned(),
        Stated::Known(of) => of.to_string(),
        Stated::Unknown(source) => source.clone(),
    }
}
