//! Defaults beside the types of their parameters: Puppet holds them against those too.

mod written;

use super::caller::{Called, Caller};
use super::finding::finding;
use super::{Rule, Severity};
use crate::model::check::{Verdict, check};
use crate::model::interface::Supply;
use crate::model::puppet_code::data_type::{Range, Type};
use crate::model::puppet_code::definition::Stated;
use crate::model::subtype::{Holds, Stands, is_within};
use crate::model::value::Value;
use written::{Written, read};

/// What a default is, as far as that is known before Puppet runs it.
enum Known {
    Value(Value),
    /// Some value of a type.
    Of(Type),
    /// Made by code; what of it cannot be told.
    No(String),
}

impl Caller<'_, '_> {
    /// Tells of defaults that are used, and may not be of their types.
    pub(super) fn defaults(&mut self, called: &Called, path: &str) {
        let class = called.class;
        let mut open = Vec::new();
        for (at, parameter) in class.parameters.iter().enumerate() {
            let (Some(default), Stated::Known(of)) = (&parameter.default, &parameter.of) else {
                continue;
            };
            let supply = self.interface.supply(called.module, &class.name, &parameter.name);
            if called.given(&parameter.name).is_some() || supply == Supply::Always {
                continue;
            }
            let found = match self.evaluate(default, called, at) {
                Known::Value(value) if self.is_of(&value, of) => continue,
                Known::Of(some) if self.is_all_of(&some, of) => continue,
                Known::Value(_) | Known::Of(_) => {
                    "a default that may not be of its type".to_owned()
                }
                Known::No(_) if self.is_all_of(&Type::Any, of) => continue,
                Known::No(why) => {
                    open.push((&parameter.name, of, why));
                    continue;
                }
            };
            let path = format!("{path}.{}", parameter.name);
            self.tell(finding(Severity::Undecided, Rule::Default, &path, of.to_string(), found));
        }
        // Some classes have a hundred of them.
        let told = match open.as_slice() {
            [] => return,
            [(name, of, why)] => {
                (format!("{path}.{name}"), of.to_string(), format!("a default from {why}"))
            }
            [(name, _, why), ..] => {
                let found =
                    format!("{} from code, such as that of `{name}` from {why}", open.len());
                (path.to_owned(), "defaults of the types of their parameters".to_owned(), found)
            }
        };
        let (path, expected, found) = told;
        self.tell(finding(Severity::Undecided, Rule::Default, &path, expected, found));
    }

    fn is_of(&mut self, value: &Value, of: &Type) -> bool {
        let verdict = check(value, of, &self.checker.aliases, &mut self.checker.patterns);
        verdict == Verdict::Ok
    }

    fn is_all_of(&self, some: &Type, of: &Type) -> bool {
        let aliases = &self.checker.aliases;
        is_within(Stands { of: some, aliases }, Stands { of, aliases }) == Holds::Yes
    }

    /// A default of the parameter at a place; it sees those before it.
    fn evaluate(&mut self, default: &str, called: &Called, at: usize) -> Known {
        match read(default) {
            Written::Value(value) => Known::Value(value),
            Written::Text { least } => {
                Known::Of(Type::String(Some(Range { from: Some(least), to: None })))
            }
            Written::Variable(name) => self.variable(name, called, at),
            Written::Secret(inside) => {
                let of = match self.evaluate(inside, called, at) {
                    Known::Value(Value::String(text)) => Type::Literal(text),
                    Known::Of(of) => of,
                    _ => Type::Any,
                };
                Known::Of(Type::Sensitive(Box::new(of)))
            }
            Written::Code(first) => {
                Known::No(first.map_or("code".to_owned(), |variable| format!("`${variable}`")))
            }
        }
    }

    fn variable(&mut self, name: &str, called: &Called, at: usize) -> Known {
        let before = &called.class.parameters[..at];
        let Some(own) = before.iter().position(|parameter| parameter.name == name) else {
            return Known::No(format!("`${name}`"));
        };
        if let Some(value) = called.given(name) {
            return Known::Value(value.clone());
        }
        let parameter = &before[own];
        let supply = self.interface.supply(called.module, &called.class.name, name);
        let found = match (&parameter.default, supply) {
            (Some(default), Supply::Never) => self.evaluate(default, called, own),
            _ => Known::No(format!("`${name}`")),
        };
        // Its own type holds whatever it is.
        match (found, &parameter.of) {
            (Known::No(_), Stated::Known(of)) => Known::Of(of.clone()),
            (found, _) => found,
        }
    }
}
