//! Differences in words.

use super::{FileChange, Finding, How, Of, Rule};

impl Finding {
    /// What is different, in a sentence; `quote` sets off names, values and code.
    pub fn told(&self, quote: impl Fn(&str) -> String) -> String {
        let what = match self.of {
            Of::Modulepath => "modulepath".to_owned(),
            of => format!("{} {}", noun(of), quote(&self.name)),
        };
        let parameter = self.parameter.as_ref();
        let parameter = parameter.map(|name| format!(", parameter {}", quote(name)));
        let happened = self.happened(&quote);
        format!("{what}{}: {happened}", parameter.unwrap_or_default())
    }

    fn happened(&self, quote: impl Fn(&str) -> String) -> String {
        let old = self.before.as_ref().map(|text| quote(text));
        let new = self.after.as_ref().map(|text| quote(text));
        let or_none = |text: &Option<String>| text.clone().unwrap_or_else(|| "nothing".to_owned());
        let from_to = match self.rule {
            Rule::TypeWidened
            | Rule::TypeNarrowed
            | Rule::TypeDisjoint
            | Rule::TypeIncomparable
                if old == new =>
            {
                format!("in what {} stands for", or_none(&old))
            }
            _ => format!("from {} to {}", or_none(&old), or_none(&new)),
        };
        let told = new.clone().or(old.clone()).map(|text| format!(": {text}")).unwrap_or_default();
        match self.rule {
            Rule::Added => format!("added{told}"),
            Rule::Removed => format!("removed{told}"),
            Rule::Moved => format!("moved {from_to}"),
            Rule::Order => format!("order changed {from_to}"),
            Rule::Version => format!("version changed {from_to}"),
            Rule::Shadowing => match (&old, &new) {
                (_, Some(new)) => {
                    format!("{new} has one too, of which Puppet takes custom facts alone")
                }
                _ => format!("the one in {} that Puppet did not take is gone", or_none(&old)),
            },
            Rule::Data if self.parameter.is_some() => {
                format!("was {}, is {}", plain(&self.before), plain(&self.after))
            }
            Rule::Data => {
                format!("data changed in {}, so values may be others", plain(&self.after))
            }
            Rule::Private => "is private now".to_owned(),
            Rule::Public => "is not private any more".to_owned(),
            Rule::Inherits => format!("inherits changed {from_to}"),
            Rule::ParameterAdded => format!("added{told}"),
            Rule::RequiredParameterAdded => format!("added, and has to be given{told}"),
            Rule::ParameterRemoved => "removed".to_owned(),
            Rule::DefaultAdded => format!("need not be given any more{told}"),
            Rule::DefaultRemoved => match old {
                Some(old) => format!("has to be given now, the default was {old}"),
                None => "has to be given now, data gave it a value".to_owned(),
            },
            Rule::DefaultChanged if old == new => {
                format!("default may have changed, {} is of a file that did", or_none(&new))
            }
            Rule::DefaultChanged => format!("default changed {from_to}"),
            Rule::TypeWidened => format!("type widened {from_to}"),
            Rule::TypeNarrowed => format!("type narrowed {from_to}"),
            Rule::TypeDisjoint => format!("another type, {from_to}"),
            Rule::TypeIncomparable => format!(
                "type changed {from_to}, which takes some that it did not and not all that it did"
            ),
            Rule::TypeUndecided => format!("type changed {from_to}, which only Puppet can compare"),
            Rule::Unreadable => format!(
                "cannot be read: {}",
                new.unwrap_or_else(|| "it could not, and can now".to_owned())
            ),
        }
    }
}

impl FileChange {
    /// What happened to it, in a word.
    pub fn word(&self) -> &'static str {
        match self.how.as_slice() {
            [How::Added] => "added",
            [How::Removed] => "removed",
            [How::Mode] => "mode",
            [How::Target] => "target",
            [How::Kind] => "kind",
            _ => "changed",
        }
    }
}

fn plain(text: &Option<String>) -> &str {
    text.as_deref().unwrap_or("nothing")
}

fn noun(of: Of) -> &'static str {
    match of {
        Of::Modulepath => "modulepath",
        Of::Dependency => "dependency",
        Of::Module => "module",
        Of::Class => "class",
        Of::DefinedType => "defined type",
        Of::TypeAlias => "type alias",
        Of::Function => "function",
        Of::File => "file",
    }
}
