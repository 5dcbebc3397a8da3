//! The class interface of a release: which classes can be called, and how.

pub mod document;
pub mod hiera;

use super::app::AppPath;
use super::check::{Aliases, Verdict, check};
use super::puppet_code::definition::{Definition, Stated};
use super::puppet_code::{Unreadable, What};
use super::ruby_regex::Patterns;
use super::value::Value;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

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
    Keys {
        always: BTreeSet<String>,
        sometimes: BTreeSet<String>,
        /// Those whose every value is of the type that its parameter states.
        #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
        fits: BTreeSet<String>,
    },
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

    /// False where it may give a key a value of another type.
    fn fits(&self, key: &str) -> bool {
        match self {
            Data::Keys { fits, .. } if fits.contains(key) => true,
            data => data.has(key) == Supply::Never,
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

/// Why a class is not known that two files define: Puppet reads both, and refuses the second.
static TWICE: LazyLock<Unreadable> = LazyLock::new(|| {
    let what = "it defines a class that another file has already".to_owned();
    Unreadable { line: 1, what }
});

/// Why nothing of a file is known that Puppet refuses for what it defines.
static MISPLACED: LazyLock<Unreadable> = LazyLock::new(|| {
    let what = "it defines something that is not below its own name".to_owned();
    Unreadable { line: 1, what }
});

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
        let (mut unknown, mut known): (Option<(String, &Unreadable)>, _) = (None, None);
        for path in candidates {
            match module.files.get_key_value(&path) {
                Some((_, Ok(found))) if !is_in_its_place(module_name, &path, found) => {
                    unknown = unknown.or(Some((format!("{module_name}/{path}"), &MISPLACED)));
                }
                Some((file, Ok(found))) => {
                    let is_it = |d: &&Definition| d.kind == What::Class && d.name == name;
                    match (found.iter().find(is_it), &known) {
                        (None, _) => {}
                        (Some(_), Some(_)) => {
                            let file = format!("{module_name}/{path}");
                            return Lookup::Unknown { file, why: &TWICE };
                        }
                        (Some(class), None) => {
                            known = Some(Lookup::Found { class, module: module_name, file });
                        }
                    }
                }
                Some((_, Err(why))) => {
                    unknown = unknown.or(Some((format!("{module_name}/{path}"), why)));
                }
                None => {}
            }
        }
        match (known, unknown) {
            (_, Some((file, why))) => Lookup::Unknown { file, why },
            (Some(found), None) => found,
            (None, None) => Lookup::Absent { has_module: true },
        }
    }

    /// A class and those that it inherits from, whose variables it has.
    /// A class that is its own ancestor comes twice.
    pub fn ancestors(&self, class: &Definition) -> Vec<String> {
        let mut names = vec![class.name.clone()];
        let mut next = class.inherits.clone();
        while let Some(name) = next {
            let is_circle = names.contains(&name);
            next = match self.class(&name) {
                Lookup::Found { class, .. } if !is_circle => class.inherits.clone(),
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

    /// False where data may give a parameter a value of another type.
    pub fn fits(&self, module: &str, class: &str, parameter: &str) -> bool {
        let key = format!("{class}::{parameter}");
        let of_module = self.modules.get(module).is_none_or(|module| module.data.fits(&key));
        of_module && self.own_data.fits(&key)
    }

    /// Holds values of data against the types of their parameters; those of
    /// no module are the release's own.
    pub fn hold(&mut self, found: Vec<(Option<String>, hiera::Values)>) {
        let (aliases, mut patterns) = (self.aliases(), Patterns::default());
        for (of, values) in found {
            let of_its_type = values.into_iter().filter_map(|(key, values)| {
                let (class, parameter) = key.rsplit_once("::")?;
                let Lookup::Found { class, .. } = self.class(class) else { return None };
                let parameter = class.parameters.iter().find(|p| p.name == parameter)?;
                let mut is_of = |value: &Value| match &parameter.of {
                    Stated::No => true,
                    Stated::Known(of) => check(value, of, &aliases, &mut patterns) == Verdict::Ok,
                    Stated::Unknown(_) => false,
                };
                values?.iter().all(&mut is_of).then_some(key)
            });
            let of_its_type: BTreeSet<String> = of_its_type.collect();
            let data = match of {
                Some(name) => self.modules.get_mut(&name).map(|module| &mut module.data),
                None => Some(&mut self.own_data),
            };
            if let Some(Data::Keys { fits, .. }) = data {
                *fits = of_its_type;
            }
        }
    }

    /// The type aliases of all modules. What one stands for that is not where Puppet looks for it
    /// (`types/port.pp` of `Foo::Port`, with nothing else), other code decides.
    pub fn aliases(&self) -> Aliases {
        let mut aliases = Aliases::new();
        for (module, inside) in &self.modules {
            for (file, found) in &inside.files {
                let is_alone = matches!(found, Ok(found) if found.len() == 1);
                for alias in found.iter().flatten().filter(|d| d.kind == What::TypeAlias) {
                    let name = alias.name.to_ascii_lowercase();
                    let is_there = file
                        .strip_prefix("types/")
                        .and_then(|f| f.strip_suffix(".pp"))
                        .is_some_and(|path| {
                            name == format!("{module}::{}", path.replace('/', "::"))
                        });
                    let stands_for = match &alias.stands_for {
                        Stated::Known(of) if !is_there || !is_alone => {
                            Stated::Unknown(of.to_string())
                        }
                        stated => stated.clone(),
                    };
                    aliases.insert(name, stands_for);
                }
            }
        }
        aliases
    }

    /// The names of defined types in lower case.
    pub fn defined_types(&self) -> BTreeSet<String> {
        let definitions = self.definitions().filter(|d| d.kind == What::DefinedType);
        definitions.map(|d| d.name.to_ascii_lowercase()).collect()
    }

    /// False for a class in a file where Puppet never looks for it.
    pub fn is_found(&self, definition: &Definition) -> bool {
        let found = |name| match self.class(name) {
            Lookup::Found { class, .. } => std::ptr::eq(class, definition),
            _ => false,
        };
        definition.kind != What::Class || found(&definition.name)
    }

    /// Every class that Puppet finds, in the order of its name.
    pub fn classes(&self) -> Vec<&Definition> {
        let is_class = |d: &&Definition| d.kind == What::Class && self.is_found(d);
        let mut classes: Vec<_> = self.definitions().filter(is_class).collect();
        classes.sort_by(|a, b| a.name.cmp(&b.name));
        classes
    }

    /// The files that could not be read, each with its path below the module root and why.
    pub fn unreadable(&self) -> impl Iterator<Item = (String, &Unreadable)> {
        self.modules.iter().flat_map(|(name, module)| {
            let app = &module.app;
            let wrong =
                module.files.iter().filter_map(|(path, read)| Some((path, read.as_ref().err()?)));
            wrong.map(move |(path, why)| (format!("{app}/{name}/{path}"), why))
        })
    }

    fn definitions(&self) -> impl Iterator<Item = &Definition> {
        self.modules.values().flat_map(|module| module.files.values()).flatten().flatten()
    }
}

/// False for a file that Puppet refuses: it defines what is not below its own name
/// (`lib/puppet/pops/validation/checker4_0.rb`, `internal_check_file_namespace`).
fn is_in_its_place(module: &str, path: &str, found: &[Definition]) -> bool {
    let below = path.split_once('/').map_or(path, |(_, below)| below);
    let space = match below.strip_suffix(".pp").unwrap_or(below) {
        "init" => module.to_owned(),
        below => format!("{module}::{}", below.replace('/', "::")),
    };
    let space = space.to_lowercase();
    let mut named = found.iter().filter(|d| d.kind != What::TypeAlias);
    named.all(|d| d.name.to_lowercase().starts_with(&space))
}

/// A type as it is stated, in words.
pub fn shown(of: &Stated) -> String {
    match of {
        Stated::No => "Any".to_owned(),
        Stated::Known(of) => of.to_string(),
        Stated::Unknown(source) => source.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::puppet_code::definition::definitions;

    #[test]
    fn data_fits_where_all_that_it_may_give_is_of_the_type() {
        let mut found = hiera::Found::default();
        let text = b"m::good: 1\nm::bad: x\nm::null: ~\nm::any: x\n";
        let at = hiera::Files::At(String::new());
        found.add(text, hiera::Format::Yaml, &at).unwrap();
        let (data, values) = found.finish();
        let mut module = Module::new("m".parse().unwrap(), data);
        let code = "class m(Integer $good, Integer $bad, Integer $null, $any, Integer $none) {}";
        module.add("manifests/init.pp".to_owned(), definitions(code));
        let mut interface = Interface::default();
        interface.insert("m".to_owned(), module);
        interface.hold(vec![(Some("m".to_owned()), values)]);
        let fits = |name| interface.fits("m", "m", name);
        let told = ["good", "bad", "null", "any", "none"].map(fits);
        assert_eq!(told, [true, false, false, true, true]);
        assert_eq!(interface.supply("m", "m", "bad"), Supply::Always);
    }

    #[test]
    fn what_puppet_reads_on_its_way_to_a_class_can_be_read() {
        let mut module = Module::new("m".parse().unwrap(), Data::None);
        module.add("manifests/init.pp".to_owned(), definitions("class m { file { } }"));
        module.add("manifests/a.pp".to_owned(), definitions("class m::a { }"));
        let mut interface = Interface::default();
        interface.insert("m".to_owned(), module);
        assert!(matches!(interface.class("m::a"), Lookup::Unknown { .. }));
    }

    #[test]
    fn a_file_defines_what_is_below_its_name_alone() {
        let is_right =
            |path: &str, code: &str| is_in_its_place("m", path, &definitions(code).unwrap());
        for (path, code) in [
            ("manifests/init.pp", "class m { }\nclass m::a { }\ndefine m::b::c { }"),
            ("manifests/a.pp", "class m::a { }\nclass m::a::b { }\nclass m::ab { }"),
            ("manifests/a/init.pp", "class m::a::init { }"),
            ("types/a.pp", "type M::B = String"),
        ] {
            assert!(is_right(path, code), "{path}: {code}");
        }
        for (path, code) in [
            ("manifests/init.pp", "class m { }\nclass other { }"),
            ("manifests/a.pp", "class m::b { }"),
            ("manifests/a/b.pp", "class m::a { }"),
        ] {
            assert!(!is_right(path, code), "{path}: {code}");
        }
        let mut module = Module::new("m".parse().unwrap(), Data::None);
        module.add("manifests/init.pp".to_owned(), definitions("class m { }\nclass other { }"));
        let mut interface = Interface::default();
        interface.insert("m".to_owned(), module);
        assert!(matches!(interface.class("m"), Lookup::Unknown { .. }));
    }

    #[test]
    fn a_class_of_two_files_is_not_known() {
        let mut module = Module::new("m".parse().unwrap(), Data::None);
        module.add("manifests/init.pp".to_owned(), definitions("class m::a { }\nclass m { }"));
        module.add("manifests/a.pp".to_owned(), definitions("class m::a { }"));
        let mut interface = Interface::default();
        interface.insert("m".to_owned(), module);
        let found = |name| matches!(interface.class(name), Lookup::Found { .. });
        let unknown = |name| matches!(interface.class(name), Lookup::Unknown { .. });
        assert_eq!((found("m"), unknown("m::a")), (true, true));
    }

    #[test]
    fn a_class_where_puppet_never_looks_is_none() {
        let mut module = Module::new("foo/tags/r1".parse().unwrap(), Data::None);
        module.add("manifests/init.pp".to_owned(), definitions("class t { }\nclass t::z { }"));
        module.add("manifests/y.pp".to_owned(), definitions("class t::y { }"));
        module.add("manifests/w.pp".to_owned(), definitions("class t::x { }"));
        let mut interface = Interface::default();
        interface.insert("t".to_owned(), module);
        let names: Vec<&str> = interface.classes().iter().map(|c| c.name.as_str()).collect();
        assert_eq!(names, ["t", "t::y", "t::z"]);
    }
}
