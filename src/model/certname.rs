//! The name of a node, as Puppet knows it.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A certname: small letters, digits, `.`, `-` and `_`, none of which has to be
/// encoded in a URL; it begins with no `-`, so no program takes it for an option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Certname(String);

/// Why a text is not a certname.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadCertname {
    #[error("expected the name of a node, found nothing")]
    Empty,
    #[error("expected a certname of at most 255 characters, found {0}")]
    Long(usize),
    /// Puppet refuses it too (`validate_certname` of `ssl/base.rb`).
    #[error("expected a certname in small letters, found `{0}`{meant}", meant = small(.0))]
    Capitals(String),
    #[error("expected a certname of small letters, digits, `.`, `-` and `_`, found {0:?} in it")]
    Character(char),
    #[error("expected a certname that begins with a letter or a digit, found {0:?}")]
    Begin(char),
}

/// The name that is meant, where small letters are all that it lacks.
fn small(name: &str) -> String {
    match name.to_lowercase().parse::<Certname>() {
        Ok(name) => format!("; did you mean `{name}`?"),
        Err(_) => String::new(),
    }
}

impl Certname {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name that Puppet gives a host where nobody names one: hostname and
    /// domain in small letters, without a last dot (`default_certname` of `settings.rb`).
    pub fn of_host(host: &str, domain: Option<&str>) -> Result<Self, BadCertname> {
        let name = match domain.filter(|domain| !domain.is_empty()) {
            Some(domain) => format!("{host}.{domain}"),
            None => host.to_owned(),
        };
        name.trim_end_matches('.').to_ascii_lowercase().parse()
    }
}

impl fmt::Display for Certname {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Certname {
    type Err = BadCertname;

    fn from_str(text: &str) -> Result<Self, BadCertname> {
        let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
        if text.len() > 255 {
            return Err(BadCertname::Long(text.len()));
        }
        match text.chars().find(|&c| !good(c)) {
            Some(c) if c.is_ascii_uppercase() => {
                return Err(BadCertname::Capitals(text.to_owned()));
            }
            Some(c) => return Err(BadCertname::Character(c)),
            None => {}
        }
        match text.chars().next() {
            None => Err(BadCertname::Empty),
            Some(c) if !c.is_ascii_alphanumeric() => Err(BadCertname::Begin(c)),
            Some(_) => Ok(Certname(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Certname {
    type Error = BadCertname;

    fn try_from(text: String) -> Result<Self, BadCertname> {
        text.parse()
    }
}

impl From<Certname> for String {
    fn from(value: Certname) -> String {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_puppet_or_a_program_would_misread_is_refused() {
        let refused = |text: &str| text.parse::<Certname>().unwrap_err();
        assert_eq!(refused(""), BadCertname::Empty);
        assert_eq!(refused("Web01"), BadCertname::Capitals("Web01".into()));
        assert_eq!(refused("web01/../x"), BadCertname::Character('/'));
        assert_eq!(refused("-rf"), BadCertname::Begin('-'));
        assert_eq!(refused(".."), BadCertname::Begin('.'));
        assert_eq!(refused(&"a".repeat(256)), BadCertname::Long(256));
        assert!("web-01.example_x.com".parse::<Certname>().is_ok());
    }

    #[test]
    fn a_host_is_named_as_puppet_names_it() {
        let named = |host, domain| Certname::of_host(host, domain).unwrap().to_string();
        assert_eq!(named("Web01", Some("Example.COM.")), "web01.example.com");
        assert_eq!(named("web01", Some("")), "web01");
        assert_eq!(named("web01", None), "web01");
    }
}
