//! A policy: whose releases are taken, built by whom, from where.

use super::app::AppPath;
use super::digest::Sha256Digest;
use super::provenance::Claims;
use super::yaml::{self, Finding, Limits};
use serde::Deserialize;

/// The policy of a node, where it has one.
pub const NODE: &str = "/etc/localpuppet/policy.yaml";

/// More bytes than this, and a policy is not read.
pub const LARGEST: u64 = 1 << 20;

/// What a release has to have.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Policy {
    /// Files with public keys, one of which has signed the statement; relative to the policy.
    pub keys: Vec<String>,
    /// Who may have built it; anyone where nothing is said.
    pub builders: Option<Vec<String>>,
    /// Where its code may come from: a location, or the beginning of one that ends with `/` or `:`.
    pub sources: Option<Vec<String>>,
    /// The directory of statements about releases that a package manager brings.
    pub statements: Option<String>,
}

/// Why a text is no policy.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    #[error(transparent)]
    Yaml(#[from] Finding),
    #[error(transparent)]
    Shape(#[from] serde_yaml::Error),
    #[error("expected `keys` to name a file at least, found an empty list")]
    NoKeys,
}

impl Policy {
    /// Reads the text of a policy.
    pub fn parse(text: &[u8]) -> Result<Self, PolicyError> {
        yaml::compose(text, Limits::DEFAULT)?;
        let policy: Policy = serde_yaml::from_slice(text)?;
        if policy.keys.is_empty() { Err(PolicyError::NoKeys) } else { Ok(policy) }
    }

    /// What a signed statement says that this policy does not take, a line each.
    pub fn refused(&self, claims: &Claims, of: &Thing) -> Vec<String> {
        let mut refused = Vec::new();
        match of {
            Thing::Package(digest) if !claims.is_of(*digest) => {
                refused.push(format!("it is about other packages than this one, SHA-256 {digest}"));
            }
            Thing::Release(app) if claims.bundle_id(app.as_str()).is_none() => {
                refused.push(format!("it is about another release than `{app}`"));
            }
            Thing::Package(_) | Thing::Release(_) => {}
        }
        if let Some(builders) = &self.builders
            && !builders.contains(&claims.builder)
        {
            let expected = builders.join("`, `");
            refused.push(format!("expected the builder `{expected}`, found `{}`", claims.builder));
        }
        if let Some(sources) = &self.sources {
            let unknown = claims.sources.iter().filter(|source| !is_among(source, sources));
            let line =
                |source| format!("`{source}` is none of the sources `{}`", sources.join("`, `"));
            refused.extend(unknown.map(line));
        }
        refused.dedup();
        refused
    }
}

/// What a statement has to be about.
pub enum Thing {
    /// A package with that digest.
    Package(Sha256Digest),
    /// A release, whatever packages it has.
    Release(AppPath),
}

fn is_among(source: &str, accepted: &[String]) -> bool {
    accepted.iter().any(|accepted| {
        let is_beginning = accepted.ends_with(['/', ':']) && source.starts_with(accepted.as_str());
        // What follows may not lead out of it again.
        source == accepted || (is_beginning && !source.split('/').any(|part| part == ".."))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const POLICY: &str =
        "keys: [a.asc]\nbuilders: [me]\nsources: [https://git.example/puppet/, directory]\n";

    fn claims(builder: &str, sources: &[&str]) -> Claims {
        let subjects = vec![("x.deb".to_owned(), Sha256Digest::of("x").to_string())];
        let sources = sources.iter().map(|&source| source.to_owned()).collect();
        Claims { subjects, builder: builder.to_owned(), sources }
    }

    #[test]
    fn what_is_not_taken_is_named() {
        let policy = Policy::parse(POLICY.as_bytes()).unwrap();
        let package = Thing::Package(Sha256Digest::of("x"));
        let good = claims("me", &["https://git.example/puppet/foo.git", "directory"]);
        assert!(policy.refused(&good, &package).is_empty());
        let evil = [
            "https://git.example/puppet/../evil",
            "https://git.example/puppetx",
            "https://git.example.evil/puppet/",
        ];
        for source in evil {
            let told = policy.refused(&claims("me", &[source]), &package);
            let line = format!(
                "`{source}` is none of the sources `https://git.example/puppet/`, `directory`"
            );
            assert_eq!(told, [line]);
        }
        let told = policy.refused(&claims("you", &[]), &Thing::Package(Sha256Digest::of("y")));
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(told[1], "expected the builder `me`, found `you`");
        let other = policy.refused(&good, &Thing::Release("foo/tags/r1".parse().unwrap()));
        assert_eq!(other, ["it is about another release than `foo/tags/r1`"]);
    }

    #[test]
    fn what_is_no_policy_is_told() {
        let told = |text: &str| Policy::parse(text.as_bytes()).unwrap_err().to_string();
        assert!(told("keys: []").starts_with("expected `keys`"));
        assert!(told("builders: [x]").contains("missing field `keys`"));
        assert!(told("keys: [x]\nkey: y").contains("unknown field `key`"));
    }
}
