//! An ENC as a call of classes: what of it fits their interface, what does not,
//! and what only Puppet can tell.

mod caller;
mod default;
mod finding;
pub mod fleet;
mod quotes;

pub use finding::{Finding, Rule, Severity, Wrong};

use super::check::Aliases;
use super::enc::Enc;
use super::interface::{Interface, Lookup};
use super::ruby_regex::Patterns;
use super::yaml::Places;
use caller::Caller;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Whether findings repeat the values that they are of, which may be secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Values {
    Hidden,
    Shown,
}

/// Checks calls of one interface.
pub struct Checker<'i> {
    interface: &'i Interface,
    values: Values,
    aliases: Aliases,
    defined_types: BTreeSet<String>,
    patterns: Patterns,
    /// Of a class the parameters whose types have a name in them of which nothing is known, by
    /// their places.
    strangers: HashMap<String, BTreeMap<usize, String>>,
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
            defined_types: interface.defined_types(),
            patterns: Patterns::default(),
            strangers: HashMap::new(),
            meant: HashMap::new(),
        }
    }

    /// A class, and those that it inherits from.
    pub fn ancestors(&self, class: &str) -> Vec<String> {
        match self.interface.class(class) {
            Lookup::Found { class, .. } => self.interface.ancestors(class),
            _ => Vec::new(),
        }
    }

    /// Checks the classes of an ENC, all of them; what is in order is not told.
    pub fn check(&mut self, enc: &Enc, places: &Places) -> Vec<Finding> {
        let interface = self.interface;
        let called = &enc.classes;
        let mut caller = Caller { checker: self, places, interface, called, findings: Vec::new() };
        for class in &enc.classes {
            caller.class(class);
        }
        caller.findings
    }
}

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
    fn a_default_that_may_not_be_of_its_type_is_not_said_to_fit() {
        let told_of = |type_: &str, default: &str, given: &str| {
            let code = format!(
                "class m(Optional[Integer] $none = undef, $any = 1, String $text = 'a', {type_} $x = {default}) {{}}"
            );
            told(&code, &format!("{{m: {{{given}}}}}"))
        };
        for (type_, default, given) in [
            ("Integer", "'abc'", ""),
            ("Integer", "undef", ""),
            ("Integer[1]", "0", ""),
            ("Enum[a]", "\"b\"", ""),
            ("Boolean", "1", ""),
            ("Array[Integer]", "[1, 'x']", ""),
            ("Struct[{a => Integer}]", "{}", ""),
            ("Float", "010", ""),
            ("String", "$none", ""),
            ("Integer", "$any", "any: x"),
            ("Integer", "$facts['nosuch']", ""),
            ("Integer", "$m::params::x", ""),
            ("Integer", "\"${text}\"", ""),
            ("String[1]", "\"${text}\"", ""),
            ("String", "$later", ""),
            ("String", "join([1], ',')", ""),
            ("Sensitive[Integer]", "Sensitive('x')", ""),
            ("String", "Sensitive('x')", ""),
        ] {
            assert_eq!(told_of(type_, default, given).len(), 1, "{type_} = {default}, {given}");
        }
        for (type_, default, given) in [
            ("Integer", "-1", ""),
            ("Integer", "0x1f", ""),
            ("Float", "1.5", ""),
            ("Optional[Integer]", "undef", ""),
            ("String", "'a b'", ""),
            ("Array[String]", "['a', \"b\",]", ""),
            ("Hash[String, Integer]", "{ 'a' => 1 }", ""),
            ("Integer", "$any", ""),
            ("Integer", "$none", "none: 5"),
            ("String", "$text", "text: b"),
            ("String[1]", "\"a${text}\"", ""),
            ("String[1]", "\"${text}/b\"", ""),
            ("Optional[Any]", "$facts['nosuch']", ""),
            ("Integer", "'abc'", "x: 1"),
            ("Sensitive[String[1]]", "Sensitive('x')", ""),
            ("Optional[Sensitive]", "Sensitive($any)", ""),
        ] {
            assert_eq!(told_of(type_, default, given), [""; 0], "{type_} = {default}, {given}");
        }
        let many = told("class m(Integer $a = $facts['a'], Integer $b = f()) {}", "{m: {}}");
        let expected = "Undecided `classes.m`: default: expected defaults of the types of their \
                        parameters, found 2 from code, such as that of `a` from `$facts`";
        assert_eq!(many, [expected]);
    }

    #[test]
    fn a_class_with_a_type_that_is_nowhere_is_not_said_to_fit() {
        for of in ["Variant[Integer, M::Gone]", "Optional[Gone]", "Array[1]", "Callable[M::Gone]"] {
            let code = format!("class m({of} $x = 1) {{}}");
            assert!(!told(&code, "{m: {}}").is_empty(), "{of}");
            assert!(!told(&code, "{m: {x: 1}}").is_empty(), "{of}");
        }
        for of in ["Variant[Integer, File['/x'], M::D]", "Variant[Integer, Callable[String]]"] {
            let code = format!("define m::d {{}}\nclass m({of} $x = 1) {{}}");
            assert_eq!(told(&code, "{m: {}}"), [""; 0], "{of}");
        }
    }

    #[test]
    fn an_alias_is_taken_only_where_puppet_looks_for_it() {
        let told = |path: &str, text: &str| {
            let mut module = Module::new("m".parse().unwrap(), Data::None);
            module.add(
                "manifests/init.pp".to_owned(),
                definitions("class m(Variant[M::A, Float] $x) {}"),
            );
            module.add(path.to_owned(), definitions(text));
            let mut interface = Interface::default();
            interface.insert("m".to_owned(), module);
            let enc = b"classes: {m: {x: 1}}";
            let (enc, places) = Enc::parse_with_places(enc).unwrap();
            let found = Checker::new(&interface, Values::Hidden).check(&enc, &places);
            found.iter().map(|found| found.severity).collect::<Vec<_>>()
        };
        assert_eq!(told("types/a.pp", "type M::A = Integer"), []);
        assert_eq!(told("types/a.pp", "type M::A = String"), [Severity::Violation]);
        for (path, text) in [
            ("types/b.pp", "type M::A = Integer"),
            ("types/a.pp", "type M::A = Integer\ntype M::B = String"),
            ("types/a.pp", "type M::A = Integer[$x]"),
            ("types/a.pp", "type M::A = Variant[Integer, M::Gone]"),
            ("types/a.pp", ""),
        ] {
            assert_eq!(told(path, text), [Severity::Undecided], "{path}: {text}");
        }
    }

    #[test]
    fn a_parent_is_declared_first_and_is_another_class() {
        let code = "class m::base($x = 1) {}\nclass m($y = 1) inherits m::base {}";
        let late = "Violation `classes.m::base`: document: expected it before `m`, which inherits \
                    from it and has parameters too, found it behind `m`";
        assert_eq!(told(code, "{m: {y: 1}, 'm::base': {x: 1}}"), [late]);
        for classes in [
            "{'m::base': {x: 1}, m: {y: 1}}",
            "{m: {}, 'm::base': {x: 1}}",
            "{m: {y: 1}, 'm::base': {}}",
        ] {
            assert_eq!(told(code, classes), [""; 0], "{classes}");
        }
        let circle = "Violation `classes.m`: unknown class: expected a class that does not inherit \
                      from itself, found `m` above `m`";
        assert_eq!(told("class m inherits m {}", "{m: {}}"), [circle]);
    }

    #[test]
    fn null_is_a_value_where_there_is_no_default() {
        for code in ["class m(Undef $x) {}", "class m(Integer $x = 1) {}", "class m($x) {}"] {
            assert_eq!(told(code, "{m: {x: null}}"), [""; 0], "{code}");
        }
        // The default stands, and is held against the type.
        let bad = "class m(Integer $x = 'a') {}";
        assert_eq!(told(bad, "{m: {x: null}}"), told(bad, "{m: {}}"));
        assert_eq!(told(bad, "{m: {x: null}}").len(), 1);
        let wrong = "Violation `classes.m.x`: type: expected Integer, found null";
        assert_eq!(told("class m(Integer $x) {}", "{m: {x: null}}"), [wrong]);
        let unknown = "Violation `classes.m.x`: unknown parameter: expected a parameter of class \
                       `m`, found `x`";
        assert_eq!(told("class m {}", "{m: {x: null}}"), [unknown]);
    }

    #[test]
    fn what_puppet_gives_every_class_is_no_mistake() {
        assert_eq!(told("class m {}", "{m: {name: x, tag: [a]}, settings: {}}"), [""; 0]);
        for code in ["class m {}", "class m(String $require = 'x') {}"] {
            let told = told(code, "{m: {require: 'File[/x]'}}");
            assert!(
                told.len() == 1 && told[0].starts_with("Undecided `classes.m.require`"),
                "{told:?}"
            );
        }
    }
}
