//! Defaults beside the types of their parameters: Puppet holds them against those too.

use super::caller::Caller;
use super::finding::finding;
use super::{Rule, Severity};
use crate::model::check::{Verdict, check};
use crate::model::enc::Class;
use crate::model::puppet_code::data_type::{Type, takes_undef};
use crate::model::puppet_code::definition::{Definition, Stated};
use crate::model::value::Value;

impl Caller<'_, '_> {
    /// A default that takes a variable of another class has a value only where
    /// that class is there already, which the code of others decides.
    pub(super) fn defaults(&mut self, call: &Class, class: &Definition, path: &str) {
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
