//! An ENC as a call of classes: what of it fits their interface, what does not,
//! and what only Puppet can tell.

pub mod fleet;

use super::check::{Aliases, Mismatch, Verdict, check};
use super::enc::{Class, Enc, EncError, written};
use super::interface::{Interface, Lookup, Supply, shown};
use super::puppet_code::data_type::takes_undef;
use super::puppet_code::definition::{Definition, Parameter, Stated};
use super::ruby_regex::Patterns;
use super::suggest::nearest;
use super::value::{Value, key_text};
use super::yaml::Places;
use serde::Serialize;
use std::collections::HashMap;
use std::fmt;

/// One thing that was found of a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    pub severity: Severity,
    /// `classes.apache.mpm_module`
    pub path: String,
    pub line: Option<u64>,
    pub column: Option<u64>,
    pub rule: Rule,
    pub expected: String,
    /// The kind of what was found, or why it cannot be told.
    pub found: String,
    pub hint: Option<String>,
    /// The value itself, as JSON; only where the operator asks to see values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Findings as an error's cause: the one, or a list of them.
#[derive(Debug)]
pub struct Wrong(pub Vec<Finding>);

/// More findings than this are counted, not named.
const NAMED: usize = 20;

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let placed = |f: &mut fmt::Formatter<'_>, finding: &Finding| {
            if let (Some(line), Some(column)) = (finding.line, finding.column) {
                write!(f, "line {line}, column {column}: ")?;
            }
            finding.fmt(f)
        };
        if let [finding] = self.0.as_slice() {
            return placed(f, finding);
        }
        write!(f, "{} things are wrong", self.0.len())?;
        for finding in self.0.iter().take(NAMED) {
            f.write_str("\n    ")?;
            placed(f, finding)?;
        }
        match self.0.len().checked_sub(NAMED) {
            Some(more @ 1..) => write!(f, "\n    and {more} more"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Wrong {}

/// Whether findings repeat the values that they are of, which may be secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    Hidden,
    Shown,
}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Puppet would refuse it.
    Violation,
    /// Only Puppet can tell.
    Undecided,
}

/// What a call was held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The document itself: it cannot be read, or is refused.
    Document,
    UnknownClass,
    UnknownParameter,
    MissingParameter,
    Default,
    Type,
}

fn finding(
    severity: Severity,
    rule: Rule,
    path: &str,
    expected: impl Into<String>,
    found: impl Into<String>,
) -> Finding {
    let (path, expected, found) = (path.to_owned(), expected.into(), found.into());
    let (line, column, hint, value) = (None, None, None, None);
    Finding { severity, path, line, column, rule, expected, found, hint, value }
}

impl Finding {
    fn hint(self, hint: Option<String>) -> Self {
        Finding { hint, ..self }
    }

    /// What is wrong with a document that was refused.
    pub fn of_refused(error: &EncError) -> Vec<Finding> {
        let of_one = |found: &super::yaml::Finding| {
            let (expected, what) = (found.expected.clone(), found.found.clone());
            let (line, column) =
                (found.mark.map(|mark| mark.line), found.mark.map(|mark| mark.column));
            let told = finding(Severity::Violation, Rule::Document, &found.path, expected, what);
            Finding { line, column, ..told.hint(found.hint.clone()) }
        };
        error.findings().iter().map(of_one).collect()
    }

    /// A document that cannot be read at all, and why.
    pub fn of_unreadable(why: String) -> Finding {
        finding(Severity::Violation, Rule::Document, "", "a document that can be read", why)
    }
}

/// Without its place: `` `classes.foo.port`: type: expected Integer, found a string ``.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "`{}`: ", self.path)?;
        }
        write!(f, "{}: expected {}, found {}", self.rule.words(), self.expected, self.found)?;
        if let Some(value) = &self.value {
            write!(f, ": {value}")?;
        }
        self.hint.iter().try_for_each(|hint| write!(f, "; {hint}"))
    }
}

impl Rule {
    /// The rule in words.
    pub fn words(self) -> &'static str {
        match self {
            Rule::Document => "document",
            Rule::UnknownClass => "unknown class",
            Rule::UnknownParameter => "unknown parameter",
            Rule::MissingParameter => "missing parameter",
            Rule::Default => "default",
            Rule::Type => "type",
        }
    }
}

/// Checks calls of one interface.
pub struct Checker<'i> {
    interface: &'i Interface,
    values: Values,
    aliases: Aliases,
    patterns: Patterns,
    /// What was meant by a name that is not there: of a class's parameter, or of a class itself.
    meant: HashMap<(String, String), Option<String>>,
}

impl<'i> Checker<'i> {
    /// A checker that has checked nothing yet.
    pub fn new(interface: &'i Interface, values: Values) -> Self {
        Checker {
            interface,
            values,
            aliases: interface.aliases(),
            patterns: Patterns::default(),
            meant: HashMap::new(),
        }
    }

    /// Checks the classes of an ENC, all of them; what is in order is not told.
    pub fn check(&mut self, enc: &Enc, places: &Places) -> Vec<Finding> {
        let interface = self.interface;
        let mut caller = Caller { checker: self, places, interface, findings: Vec::new() };
        for class in &enc.classes {
            caller.class(class);
        }
        caller.findings
    }
}

struct Caller<'c, 'i> {
    checker: &'c mut Checker<'i>,
    places: &'c Places,
    interface: &'i Interface,
    findings: Vec<Finding>,
}

impl Caller<'_, '_> {
    fn tell(&mut self, found: Finding) {
        // What is not there is told where its class stands.
        let class = || self.places.get(found.path.rsplit_once('.')?.0);
        let mark = self.places.get(&found.path).or_else(class);
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

    fn class(&mut self, call: &Class) {
        let path = format!("classes.{}", call.name);
        let interface = self.interface;
        match interface.class(&call.name) {
            Lookup::Found { class, module, .. } => self.parameters(call, class, module, &path),
            Lookup::Unknown { file, why } => {
                let found = format!("`{file}` cannot be read here: {why}");
                let expected = "a class of the release".to_owned();
                self.tell(finding(Severity::Undecided, Rule::UnknownClass, &path, expected, found));
            }
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

    fn parameters(&mut self, call: &Class, class: &Definition, module: &str, path: &str) {
        for (name, value) in &call.parameters {
            let path = format!("{path}.{name}");
            match class.parameters.iter().find(|parameter| parameter.name == *name) {
                Some(parameter) => self.value(value, parameter, &path),
                None => self.unknown_parameter(name, value, class, &path),
            }
        }
        self.defaults(call, class, path);
        self.data(call, class, module, path);
        let given = |name: &str| call.parameters.iter().any(|(given, _)| given == name);
        let missing = class.parameters.iter().filter(|p| p.default.is_none() && !given(&p.name));
        for parameter in missing {
            let path = format!("{path}.{}", parameter.name);
            let expected = format!("`{}` of type {}", parameter.name, shown(&parameter.of));
            let (severity, found) =
                match self.interface.supply(module, &class.name, &parameter.name) {
                    Supply::Always => continue,
                    Supply::Sometimes => (Severity::Undecided, "data may give it a value"),
                    Supply::Never => (Severity::Violation, "nothing, and no default"),
                };
            self.tell(finding(severity, Rule::MissingParameter, &path, expected, found.to_owned()));
        }
    }

    /// Data comes before a default, and may be of another type.
    fn data(&mut self, call: &Class, class: &Definition, module: &str, path: &str) {
        let given = |name: &str| call.parameters.iter().any(|(given, _)| given == name);
        for parameter in class.parameters.iter().filter(|parameter| !given(&parameter.name)) {
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

    /// A default that takes a variable of another class has a value only where
    /// that class is there already, which the code of others decides.
    fn defaults(&mut self, call: &Class, class: &Definition, path: &str) {
        let given = |name: &str| call.parameters.iter().any(|(given, _)| given == name);
        let ancestors = self.interface.ancestors(class);
        for parameter in class.parameters.iter().filter(|parameter| !given(&parameter.name)) {
            let (Some(default), Stated::Known(of)) = (&parameter.default, &parameter.of) else {
                continue;
            };
            let foreign = variables(default).find(|variable| {
                let of_class = variable.trim_start_matches("::").rsplit_once("::");
                of_class.is_some_and(|(class, _)| !ancestors.iter().any(|known| known == class))
            });
            if let Some(variable) = foreign.filter(|_| !takes_undef(of)) {
                let path = format!("{path}.{}", parameter.name);
                let found =
                    format!("a default from `${variable}`, of a class that may not be there");
                self.tell(finding(
                    Severity::Undecided,
                    Rule::Default,
                    &path,
                    of.to_string(),
                    found,
                ));
            }
        }
    }

    /// Metaparameters are parameters of every class.
    fn unknown_parameter(&mut self, name: &str, value: &Value, class: &Definition, path: &str) {
        if METAPARAMETERS.contains(&name) {
            return;
        }
        let names = || class.parameters.iter().map(|p| p.name.as_str()).collect();
        let hint = self.meant(&class.name, name, names);
        let expected = format!("a parameter of class `{}`", class.name);
        let found = format!("`{name}`");
        let told = finding(Severity::Violation, Rule::UnknownParameter, path, expected, found);
        self.tell(Finding { value: self.shown(value, &[]), ..told.hint(hint) });
    }

    /// A value, or what a path leads to in it, where values are shown.
    fn shown(&self, value: &Value, path: &[String]) -> Option<String> {
        if self.checker.values == Values::Hidden {
            return None;
        }
        at(value, path).map(written)
    }

    fn value(&mut self, value: &Value, parameter: &Parameter, path: &str) {
        let of = match &parameter.of {
            Stated::No => return,
            Stated::Known(of) => of,
            Stated::Unknown(source) => {
                let found = "its type is stated by code".to_owned();
                let expected = source.clone();
                return self.tell(finding(Severity::Undecided, Rule::Type, path, expected, found));
            }
        };
        match check(value, of, &self.checker.aliases, &mut self.checker.patterns) {
            Verdict::Ok => {}
            Verdict::Undecided(why) => {
                let value = self.shown(value, &[]);
                let told = finding(Severity::Undecided, Rule::Type, path, of.to_string(), why);
                self.tell(Finding { value, ..told });
            }
            Verdict::Violation(Mismatch { path: below, expected, found }) => {
                let value = self.shown(value, &below);
                let found = match below.as_slice() {
                    [] => found,
                    below => format!("{found}, at `{}`", below.join(".")),
                };
                let told = finding(Severity::Violation, Rule::Type, path, expected, found);
                self.tell(Finding { value, ..told });
            }
        }
    }
}

/// What keys and places lead to in a value.
fn at<'v>(value: &'v Value, path: &[String]) -> Option<&'v Value> {
    path.iter().try_fold(value, |value, step| match value {
        Value::Array(items) => items.get(step.parse::<usize>().ok()?),
        Value::Hash(pairs) => {
            pairs.iter().find(|(key, _)| key_text(key) == *step).map(|(_, value)| value)
        }
        _ => None,
    })
}

/// The variables in the source of a default; `$::x` is of no class.
fn variables(source: &str) -> impl Iterator<Item = &str> {
    source.split('$').skip(1).map(|rest| {
        let rest = rest.strip_prefix('{').unwrap_or(rest);
        let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        rest[..end].trim_end_matches(':')
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
