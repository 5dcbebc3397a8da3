//! An ENC as a call of classes: what of it fits their interface, what does not,
//! and what only Puppet can tell.

use super::check::{Aliases, Mismatch, Verdict, check};
use super::enc::{Class, Enc};
use super::interface::{Interface, Lookup, Supply, shown};
use super::puppet_code::data_type::takes_undef;
use super::puppet_code::definition::{Definition, Parameter, Stated};
use super::ruby_regex::Patterns;
use super::suggest::nearest;
use super::value::Value;
use super::yaml::Places;
use serde::Serialize;

/// One thing that was found of a call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
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
    Finding { severity, path, line: None, column: None, rule, expected, found, hint: None }
}

impl Finding {
    fn hint(self, hint: Option<String>) -> Self {
        Finding { hint, ..self }
    }
}

impl Rule {
    /// The rule in words.
    pub fn words(self) -> &'static str {
        match self {
            Rule::UnknownClass => "unknown class",
            Rule::UnknownParameter => "unknown parameter",
            Rule::MissingParameter => "missing parameter",
            Rule::Default => "default",
            Rule::Type => "type",
        }
    }
}

/// Checks the classes of an ENC, all of them; what is in order is not told.
pub fn of(enc: &Enc, places: &Places, interface: &Interface) -> Vec<Finding> {
    let mut caller = Caller {
        places,
        interface,
        aliases: interface.aliases(),
        patterns: Patterns::default(),
        findings: Vec::new(),
    };
    for class in &enc.classes {
        caller.class(class);
    }
    caller.findings
}

struct Caller<'c> {
    places: &'c Places,
    interface: &'c Interface,
    aliases: Aliases,
    patterns: Patterns,
    findings: Vec<Finding>,
}

impl Caller<'_> {
    fn tell(&mut self, found: Finding) {
        // What is not there is told where its class stands.
        let class = || self.places.get(found.path.rsplit_once('.')?.0);
        let mark = self.places.get(&found.path).or_else(class);
        let (line, column) = (mark.map(|mark| mark.line), mark.map(|mark| mark.column));
        self.findings.push(Finding { line, column, ..found });
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
            Lookup::Absent { meant, has_module } => {
                let top = call.name.split("::").next().unwrap_or_default();
                let found = match has_module {
                    true => format!("no class `{}` in module `{top}`", call.name),
                    false => format!("no module `{top}`"),
                };
                let hint = meant.map(|meant| format!("did you mean `{meant}`?"));
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
                None => self.unknown_parameter(name, class, &path),
            }
        }
        self.defaults(call, class, path);
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

    /// A default that takes a variable of another class has a value only where
    /// that class is there already, which the code of others decides.
    fn defaults(&mut self, call: &Class, class: &Definition, path: &str) {
        let given = |name: &str| call.parameters.iter().any(|(given, _)| given == name);
        let ancestors = self.interface.ancestors(class);
        for parameter in class.parameters.iter().filter(|parameter| !given(&parameter.name)) {
            let (Some(default), Stated::Known(of)) = (&parameter.default, &parameter.of) else {
                continue;
            };
            let foreign = variables(default).find(|variable| match variable.rsplit_once("::") {
                Some((of_class, _)) => {
                    !of_class.is_empty() && !ancestors.iter().any(|known| known == of_class)
                }
                None => false,
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
    fn unknown_parameter(&mut self, name: &str, class: &Definition, path: &str) {
        if METAPARAMETERS.contains(&name) {
            return;
        }
        let names: Vec<String> = class.parameters.iter().map(|p| p.name.clone()).collect();
        let hint = nearest(name, &names).map(|meant| format!("did you mean `{meant}`?"));
        let expected = format!("a parameter of class `{}`", class.name);
        let found = format!("`{name}`");
        self.tell(
            finding(Severity::Violation, Rule::UnknownParameter, path, expected, found).hint(hint),
        );
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
        match check(value, of, &self.aliases, &mut self.patterns) {
            Verdict::Ok => {}
            Verdict::Undecided(why) => {
                self.tell(finding(Severity::Undecided, Rule::Type, path, of.to_string(), why));
            }
            Verdict::Violation(Mismatch { path: below, expected, found }) => {
                let at = if below.is_empty() {
                    String::new()
                } else {
                    format!(", at `{}`", below.join("."))
                };
                self.tell(finding(
                    Severity::Violation,
                    Rule::Type,
                    path,
                    expected,
                    format!("{found}{at}"),
                ));
            }
        }
    }
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
