//! An ENC as a call of classes: what of it fits their interface, what does not,
//! and what only Puppet can tell.

pub mod fleet;

use super::check::{Aliases, Mismatch, Verdict, check};
use super::enc::{Class, Enc, EncError, written};
use super::interface::{Interface, Lookup, Supply, shown};
use super::puppet_code::Unreadable;
use super::puppet_code::data_type::{Type, takes_undef};
use super::puppet_code::definition::{Definition, Parameter, Stated};
use super::ruby_regex::Patterns;
use super::suggest::nearest;
use super::value::{Value, key_text};
use super::yaml::Places;
use serde::Serialize;
use std::collections::{BTreeSet, HashMap};
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
        let called = enc.classes.iter().map(|class| class.name.clone()).collect();
        let mut caller = Caller { checker: self, places, interface, called, findings: Vec::new() };
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
    /// The classes of the ENC.
    called: BTreeSet<String>,
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
            if self.called.contains(&name) {
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
            let found = match foreign.filter(|_| !takes_undef(of)) {
                Some(variable) => {
                    format!("a default from `${variable}`, of a class that may not be there")
                }
                None if self.may_be_refused(default, class, of) => {
                    "a default that may not be of its type".to_owned()
                }
                None => continue,
            };
            let path = format!("{path}.{}", parameter.name);
            self.tell(finding(Severity::Undecided, Rule::Default, &path, of.to_string(), found));
        }
    }

    /// True where a default is a plain value, or that of another parameter, which is not of the type.
    fn may_be_refused(&mut self, default: &str, class: &Definition, of: &Type) -> bool {
        let own = default.strip_prefix('$');
        let own = own.and_then(|name| class.parameters.iter().find(|p| p.name == name));
        let default = own.and_then(|parameter| parameter.default.as_deref()).unwrap_or(default);
        let Some(value) = literal(default) else { return false };
        let verdict = check(&value, of, &self.checker.aliases, &mut self.checker.patterns);
        matches!(verdict, Verdict::Violation(_))
    }

    /// Metaparameters are parameters of every class; what most of them name, Puppet looks for.
    fn unknown_parameter(&mut self, name: &str, value: &Value, class: &Definition, path: &str) {
        if name == "name" || name == "tag" {
            return;
        }
        if METAPARAMETERS.contains(&name) {
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

/// The value of a default that is a plain one.
fn literal(source: &str) -> Option<Value> {
    let quoted = |quote: char| source.strip_prefix(quote)?.strip_suffix(quote);
    let plain = |text: &&str| !text.contains(['\'', '"', '\\', '$']);
    let digits = source.strip_prefix('-').unwrap_or(source);
    match source {
        "undef" => Some(Value::Null),
        "true" | "false" => Some(Value::Boolean(source == "true")),
        _ if !digits.is_empty()
            && (digits == "0" || !digits.starts_with('0'))
            && digits.bytes().all(|b| b.is_ascii_digit()) =>
        {
            Some(Value::Integer(source.to_owned()))
        }
        _ => {
            let text = quoted('\'').or_else(|| quoted('"')).filter(plain)?;
            Some(Value::String(text.to_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::interface::{Data, Module};
    use crate::model::puppet_code::definition::definitions;

    /// What is told of a call of code in `manifests/init.pp` of a module `m`.
    fn told(code: &str, classes: &str) -> Vec<String> {
        let mut module = Module::new("m".parse().unwrap(), Data::None);
        module.add("manifests/init.pp".to_owned(), definitions(code));
        let mut interface = Interface::default();
        interface.insert("m".to_owned(), module);
        let text = format!("app: foo/tags/r1\nclasses: {classes}\n");
        let (enc, places) = Enc::parse_with_places(text.as_bytes()).unwrap();
        let found = Checker::new(&interface, Values::Hidden).check(&enc, &places);
        found.iter().map(|found| format!("{:?} {found}", found.severity)).collect()
    }

    #[test]
    fn the_parent_of_a_class_is_called_with_it() {
        let code = "class m::base($must) {}\nclass m inherits m::base {}";
        let missing = "Violation `classes.m.must`: missing parameter: expected `must` of type Any, \
                       found nothing, and no default";
        assert_eq!(told(code, "{m: {}}"), [missing]);
        assert_eq!(told(code, "{'m::base': {must: 1}, m: {}}"), [""; 0]);
        let absent = "Violation `classes.m`: unknown class: expected a class of the release to \
                      inherit from, found no class `m::gone`";
        assert_eq!(told("class m inherits m::gone {}", "{m: {}}"), [absent]);
    }

    #[test]
    fn a_default_that_is_not_of_its_type_is_not_said_to_fit() {
        let odd = |type_: &str, default: &str| {
            let told =
                told(&format!("class m({type_} $x = {default}, $none = undef) {{}}"), "{m: {}}");
            told.iter().filter(|line| line.contains("default that may not be")).count()
        };
        for (type_, default) in [
            ("Integer", "'abc'"),
            ("Integer", "undef"),
            ("Integer[1]", "0"),
            ("Enum[a]", "\"b\""),
            ("Boolean", "1"),
            ("String", "$none"),
        ] {
            assert_eq!(odd(type_, default), 1, "{type_} = {default}");
        }
        for (type_, default) in
            [("Integer", "-1"), ("Optional[Integer]", "undef"), ("String", "'a b'")]
        {
            assert_eq!(odd(type_, default), 0, "{type_} = {default}");
        }
    }

    #[test]
    fn what_puppet_gives_every_class_is_no_mistake() {
        assert_eq!(told("class m {}", "{m: {name: x, tag: [a]}, settings: {}}"), [""; 0]);
        let told = told("class m {}", "{m: {require: 'File[/x]'}}");
        assert!(
            told.len() == 1 && told[0].starts_with("Undecided `classes.m.require`"),
            "{told:?}"
        );
    }
}
