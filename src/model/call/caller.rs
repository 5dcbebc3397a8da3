//! One ENC, class by class.

use super::finding::finding;
use super::quotes;
use super::{Checker, Finding, Rule, Severity, Values};
use crate::model::check::{Mismatch, Step, Verdict, check, stranger};
use crate::model::enc::{Class, written};
use crate::model::interface::{Interface, Lookup, Supply, shown};
use crate::model::puppet_code::Unreadable;
use crate::model::puppet_code::definition::{Definition, Parameter, Stated};
use crate::model::suggest::nearest;
use crate::model::value::{Value, key_text};
use crate::model::yaml::Places;
use std::collections::{BTreeMap, BTreeSet};

/// What is told of one ENC.
pub(super) struct Caller<'c, 'i> {
    pub(super) checker: &'c mut Checker<'i>,
    pub(super) places: &'c Places,
    pub(super) interface: &'i Interface,
    /// The classes of the ENC.
    pub(super) called: &'c [Class],
    pub(super) findings: Vec<Finding>,
}

/// A class, and how it is called.
pub(super) struct Called<'a> {
    pub call: &'a Class,
    pub class: &'a Definition,
    pub module: &'a str,
}

impl Called<'_> {
    pub(super) fn given(&self, name: &str) -> Option<&Value> {
        self.call.given(name)
    }
}

impl Caller<'_, '_> {
    pub(super) fn tell(&mut self, found: Finding) {
        // What is not there is told where its class stands.
        let class = || self.places.get(found.path.rsplit_once('.')?.0);
        let mark = self.places.get(&found.path).or_else(class).map(|place| place.mark);
        let (line, column) = (mark.map(|mark| mark.line), mark.map(|mark| mark.column));
        self.findings.push(Finding { line, column, ..found });
    }

    /// The hint for a name that is not there, which many nodes may have.
    fn meant<'n>(
        &mut self,
        class: &str,
        name: &str,
        names: impl Fn() -> Vec<&'n str>,
    ) -> Option<String> {
        let key = (class.to_owned(), name.to_owned());
        let find = || {
            let names: Vec<String> = names().into_iter().map(str::to_owned).collect();
            nearest(name, &names).map(|meant| format!("did you mean `{meant}`?"))
        };
        self.checker.meant.entry(key).or_insert_with(find).clone()
    }

    /// Checks the call of one class.
    pub(super) fn class(&mut self, call: &Class) {
        let path = format!("classes.{}", call.name);
        let interface = self.interface;
        match interface.class(&call.name) {
            Lookup::Found { class, module, .. } => {
                self.parameters(call, class, module, &path);
                self.ancestors(class, &path);
            }
            Lookup::Unknown { file, why } => self.unreadable(&file, why, &path),
            // Puppet's own, of its settings.
            Lookup::Absent { .. } if call.name == "settings" && call.parameters.is_empty() => {}
            Lookup::Absent { has_module } => {
                let top = call.name.split("::").next().unwrap_or_default();
                let found = match has_module {
                    true => format!("no class `{}` in module `{top}`", call.name),
                    false => format!("no module `{top}`"),
                };
                let names = || interface.classes().into_iter().map(|c| c.name.as_str()).collect();
                let hint = self.meant("", &call.name, names);
                let expected = "a class of the release".to_owned();
                self.tell(
                    finding(Severity::Violation, Rule::UnknownClass, &path, expected, found)
                        .hint(hint),
                );
            }
        }
    }

    fn unreadable(&mut self, file: &str, why: &Unreadable, path: &str) {
        let found = format!("`{file}` cannot be read here: {why}");
        let expected = "a class of the release".to_owned();
        self.tell(finding(Severity::Undecided, Rule::UnknownClass, path, expected, found));
    }

    /// The classes that a class inherits from are declared with it, without parameters; one that
    /// the ENC calls is checked as that.
    fn ancestors(&mut self, class: &Definition, path: &str) {
        let interface = self.interface;
        for name in interface.ancestors(class).into_iter().skip(1) {
            if name == class.name {
                let expected = "a class that does not inherit from itself";
                let found = format!("`{name}` above `{name}`");
                let rule = Rule::UnknownClass;
                return self.tell(finding(Severity::Violation, rule, path, expected, found));
            }
            if self.called.iter().any(|called| called.name == name) {
                self.is_first(&name, &class.name);
                continue;
            }
            match interface.class(&name) {
                Lookup::Found { class, module, .. } => {
                    let call = Class { name, parameters: Vec::new() };
                    self.parameters(&call, class, module, path);
                }
                Lookup::Unknown { file, why } => self.unreadable(&file, why, path),
                Lookup::Absent { .. } => {
                    let expected = "a class of the release to inherit from".to_owned();
                    let found = format!("no class `{name}`");
                    let rule = Rule::UnknownClass;
                    self.tell(finding(Severity::Violation, rule, path, expected, found));
                }
            }
        }
    }

    /// Puppet declares classes with parameters one after the other, each with those that it
    /// inherits from; and none twice.
    fn is_first(&mut self, parent: &str, child: &str) {
        let with_parameters = |name: &str| {
            self.called.iter().position(|class| class.name == name && !class.parameters.is_empty())
        };
        let places = (with_parameters(parent), with_parameters(child));
        if let (Some(parent_at), Some(child_at)) = places
            && parent_at > child_at
        {
            let path = format!("classes.{parent}");
            let expected =
                format!("it before `{child}`, which inherits from it and has parameters too");
            let found = format!("it behind `{child}`");
            self.tell(finding(Severity::Violation, Rule::Document, &path, expected, found));
        }
    }

    /// The parameters of a class whose types have a name in them of which nothing is known.
    fn strangers(&mut self, class: &Definition) -> BTreeMap<usize, String> {
        let checker = &mut *self.checker;
        let (aliases, defined) = (&checker.aliases, &checker.defined_types);
        let find = || {
            let parameters = class.parameters.iter().enumerate();
            let of_one = |(at, parameter): (usize, &Parameter)| match &parameter.of {
                Stated::Known(of) => Some((at, stranger(of, aliases, defined)?.to_owned())),
                _ => None,
            };
            parameters.filter_map(of_one).collect()
        };
        checker.strangers.entry(class.name.clone()).or_insert_with(find).clone()
    }

    /// Types that Puppet may not know, and parameters that are Puppet's own: it refuses a class
    /// for some of them, whatever it is called with. True for a parameter that was told of.
    fn is_odd(&mut self, parameter: &Parameter, stranger: Option<&String>, path: &str) -> bool {
        let why = match (&parameter.of, stranger) {
            _ if METAPARAMETERS.contains(&parameter.name.as_str()) => {
                "a parameter with the name of a metaparameter".to_owned()
            }
            (Stated::Unknown(_), _) => "its type is stated by code".to_owned(),
            (_, Some(name)) => format!("type `{name}`, of which nothing is known here"),
            _ => return false,
        };
        let path = format!("{path}.{}", parameter.name);
        self.tell(finding(Severity::Undecided, Rule::Type, &path, shown(&parameter.of), why));
        true
    }

    fn parameters(&mut self, call: &Class, class: &Definition, module: &str, path: &str) {
        let strangers = self.strangers(class);
        let mut odd = BTreeSet::new();
        for (at, parameter) in class.parameters.iter().enumerate() {
            if self.is_odd(parameter, strangers.get(&at), path) {
                odd.insert(parameter.name.as_str());
            }
        }
        for (name, value) in &call.parameters {
            let path = format!("{path}.{name}");
            match class.parameters.iter().find(|parameter| parameter.name == *name) {
                Some(_) if odd.contains(name.as_str()) => {}
                // Data or a default is in its place.
                Some(parameter)
                    if *value == Value::Null
                        && (parameter.default.is_some()
                            || self.interface.supply(module, &class.name, name)
                                != Supply::Never) => {}
                Some(parameter) => self.value(value, parameter, &path),
                None => self.unknown_parameter(name, value, class, &path),
            }
        }
        self.defaults(&Called { call, class, module }, path);
        self.data(call, class, module, path);
        let missing = class.parameters.iter().filter(|p| p.default.is_none());
        let is_null = |name: &str| call.parameters.iter().any(|(given, _)| given == name);
        for parameter in missing.filter(|p| call.given(&p.name).is_none()) {
            let path = format!("{path}.{}", parameter.name);
            let expected = format!("`{}` of type {}", parameter.name, shown(&parameter.of));
            let (severity, found) =
                match self.interface.supply(module, &class.name, &parameter.name) {
                    Supply::Always => continue,
                    Supply::Sometimes => (Severity::Undecided, "data may give it a value"),
                    // It was checked as null.
                    Supply::Never if is_null(&parameter.name) => continue,
                    Supply::Never => (Severity::Violation, "nothing, and no default"),
                };
            self.tell(finding(severity, Rule::MissingParameter, &path, expected, found.to_owned()));
        }
    }

    /// Data comes before a default, and may be of another type.
    fn data(&mut self, call: &Class, class: &Definition, module: &str, path: &str) {
        for parameter in class.parameters.iter().filter(|p| call.given(&p.name).is_none()) {
            let supply = self.interface.supply(module, &class.name, &parameter.name);
            // A missing parameter that has data only sometimes is told as that.
            let is_told = parameter.default.is_none() && supply != Supply::Always;
            let fits = self.interface.fits(module, &class.name, &parameter.name);
            if parameter.of == Stated::No || is_told || fits {
                continue;
            }
            let (path, of) = (format!("{path}.{}", parameter.name), shown(&parameter.of));
            let found = "data, whose value is not checked here";
            self.tell(finding(Severity::Undecided, Rule::Type, &path, of, found));
        }
    }

    /// Metaparameters are parameters of every class; what most of them name, Puppet looks for.
    fn unknown_parameter(&mut self, name: &str, value: &Value, class: &Definition, path: &str) {
        let is_tag = |value: &Value| match value {
            Value::String(text) => is_tag(text),
            Value::Boolean(_) | Value::Integer(_) | Value::Null => true,
            _ => false,
        };
        let is_plain = match (name, value) {
            ("tag", Value::Array(tags)) => tags.iter().all(is_tag),
            ("tag", tag) => is_tag(tag),
            // The class of all that is in no other.
            ("name", name) => *name != Value::String("main".to_owned()),
            _ => false,
        };
        if is_plain {
            return;
        }
        if name == "name" || METAPARAMETERS.contains(&name) {
            let expected = "what Puppet takes for a metaparameter".to_owned();
            let found = format!("`{name}`");
            let (severity, rule) = (Severity::Undecided, Rule::Type);
            return self.tell(finding(severity, rule, path, expected, found));
        }
        let names = || class.parameters.iter().map(|p| p.name.as_str()).collect();
        let hint = self.meant(&class.name, name, names);
        let expected = format!("a parameter of class `{}`", class.name);
        let found = format!("`{name}`");
        let told = finding(Severity::Violation, Rule::UnknownParameter, path, expected, found);
        self.tell(Finding { value: self.shown(value, &[]), ..told.hint(hint) });
    }

    /// A value, or what a path leads to in it, where values are shown.
    fn shown(&self, value: &Value, path: &[Step]) -> Option<String> {
        if self.checker.values == Values::Hidden {
            return None;
        }
        at(value, path).map(written)
    }

    /// The way to what is wrong in a value; its keys are shown where values are.
    fn steps(&self, path: &[Step]) -> String {
        let step = |step: &Step| match step {
            Step::Place(at) => at.to_string(),
            Step::Member(name) => name.clone(),
            Step::Key(key) if self.checker.values == Values::Shown => key_text(key),
            Step::Key(_) => "*".to_owned(),
        };
        path.iter().map(step).collect::<Vec<_>>().join(".")
    }

    fn value(&mut self, value: &Value, parameter: &Parameter, path: &str) {
        let of = match &parameter.of {
            Stated::Known(of) => of,
            _ => return,
        };
        match check(value, of, &self.checker.aliases, &mut self.checker.patterns) {
            Verdict::Ok => {}
            Verdict::Undecided(why) => {
                let value = self.shown(value, &[]);
                let told = finding(Severity::Undecided, Rule::Type, path, of.to_string(), why);
                self.tell(Finding { value, ..told });
            }
            Verdict::Violation(Mismatch { path: below, expected, found }) => {
                let node = self.places.get(path).map(|place| &*place.node);
                let hint = node.and_then(|node| {
                    let checker = &mut *self.checker;
                    let takes = |value: &Value| match check(
                        value,
                        of,
                        &checker.aliases,
                        &mut checker.patterns,
                    ) {
                        Verdict::Ok => true,
                        Verdict::Violation(other) => other.path != below,
                        Verdict::Undecided(_) => false,
                    };
                    quotes::hint(node, value, &below, checker.values, takes)
                });
                let value = self.shown(value, &below);
                let found = match below.as_slice() {
                    [] => found,
                    below => format!("{found}, at `{}`", self.steps(below)),
                };
                let told = finding(Severity::Violation, Rule::Type, path, expected, found);
                self.tell(Finding { value, ..told.hint(hint) });
            }
        }
    }
}

/// `ValidTagRegex` of `lib/puppet/util/tagging.rb`.
fn is_tag(text: &str) -> bool {
    let is_one = |c: char| c.is_alphanumeric() || "_:.-".contains(c);
    text.starts_with(|c: char| c.is_alphanumeric() || c == '_') && text.chars().all(is_one)
}

/// What keys and places lead to in a value.
fn at<'v>(value: &'v Value, path: &[Step]) -> Option<&'v Value> {
    let named = |pairs: &'v [(Value, Value)], is_it: &dyn Fn(&Value) -> bool| {
        pairs.iter().find(|(key, _)| is_it(key)).map(|(_, value)| value)
    };
    path.iter().try_fold(value, |value, step| match (value, step) {
        (Value::Array(items), Step::Place(at)) => items.get(*at),
        (Value::Hash(pairs), Step::Key(wanted)) => named(pairs, &|key| key == wanted),
        (Value::Hash(pairs), Step::Member(name)) => {
            named(pairs, &|key| matches!(key, Value::String(text) if text == name))
        }
        _ => None,
    })
}

/// <https://www.puppet.com/docs/puppet/latest/metaparameter.html>
const METAPARAMETERS: [&str; 13] = [
    "alias",
    "audit",
    "before",
    "consume",
    "export",
    "loglevel",
    "noop",
    "notify",
    "require",
    "schedule",
    "stage",
    "subscribe",
    "tag",
];
