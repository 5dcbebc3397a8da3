//! A policy: whose releases are taken, built by whom, from where.

use super::app::AppPath;
use super::digest::Sha256Digest;
use super::provenance::Claims;
use super::suggest::nearest;
use super::yaml::{self, Finding, Limits, Node, Value};
use std::collections::BTreeMap;

/// The policy of a node, where it has one.
pub const NODE: &str = "/etc/localpuppet/policy.yaml";

/// More bytes than this, and a policy is not read.
pub const LARGEST: u64 = 1 << 20;

/// What a release has to have.
#[derive(Clone, Debug, PartialEq, Eq)]
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

/// Why a text is no policy; it names the place.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(transparent)]
pub struct PolicyError(#[from] Finding);

impl Policy {
    /// Reads the text of a policy.
    pub fn parse(text: &[u8]) -> Result<Self, PolicyError> {
        const KEYS: [&str; 4] = ["keys", "builders", "sources", "statements"];
        let expected = format!("a map with `{}`", KEYS.join("`, `"));
        let Some(root) = yaml::compose(text, Limits::DEFAULT)? else {
            return Err(Finding::new(None, expected, "nothing").into());
        };
        let mut given = BTreeMap::new();
        for (key, value) in root.pairs(&expected, "")? {
            let word = key.text("")?;
            let Some(known) = KEYS.into_iter().find(|known| *known == word) else {
                return Err(unknown(key, word, &KEYS).into());
            };
            if given.insert(known, value).is_some() {
                let found = format!("`{known}` a second time");
                return Err(Finding::new(key.mark, "each key once", found).into());
            }
        }
        let list = |key| given.get(key).map(|node| texts(node, key)).transpose();
        let keys = list("keys")?.ok_or_else(|| {
            Finding::new(root.mark, "`keys`, a list of files with public keys", "none")
        })?;
        if keys.is_empty() {
            let mark = given.get("keys").map(|node| node.mark);
            return Err(Finding::new(mark, "a file at least", "an empty list").at("keys").into());
        }
        let statements = given.get("statements").map(|node| node.text("statements")).transpose()?;
        Ok(Policy {
            keys,
            builders: list("builders")?,
            sources: list("sources")?,
            statements: statements.map(str::to_owned),
        })
    }

    /// What a signed statement says that this policy does not take, a line each.
    pub fn refused(&self, claims: &Claims, of: &Thing) -> Vec<String> {
        let mut refused = Vec::new();
        match of {
            Thing::Package(digests) => refused.extend(other(claims, digests)),
            Thing::Release(app) if claims.bundle_id(app.as_str()).is_none() => {
                refused.push(format!("it is about another release than `{app}`"));
            }
            Thing::Release(_) => {}
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

/// What is wrong with a statement for a package, where it is about others.
pub fn other(claims: &Claims, package: &[Sha256Digest]) -> Option<String> {
    let told = |digest| format!("it is about other packages than this one, SHA-256 {digest}");
    let is_it = package.iter().any(|digest| claims.is_of(*digest));
    package.last().filter(|_| !is_it).map(told)
}

fn unknown(key: &Node, word: &str, known: &[&str]) -> Finding {
    let expected = format!("one of `{}`", known.join("`, `"));
    let finding = Finding::new(key.mark, expected, format!("`{word}`"));
    let known: Vec<String> = known.iter().map(|&known| known.to_owned()).collect();
    match nearest(word, &known) {
        Some(meant) => finding.hint(format!("did you mean `{meant}`?")),
        None => finding,
    }
}

fn texts(node: &Node, path: &str) -> Result<Vec<String>, Finding> {
    match &node.target().value {
        Value::Sequence(items) => {
            items.iter().map(|item| item.text(path).map(str::to_owned)).collect()
        }
        value => Err(Finding::new(node.mark, "a list of texts", value.kind()).at(path)),
    }
}

/// What a statement has to be about.
pub enum Thing {
    /// A package with one of those digests: without its signature an .rpm has another.
    Package(Vec<Sha256Digest>),
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
        let package = Thing::Package(vec![Sha256Digest::of("a"), Sha256Digest::of("x")]);
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
        let told =
            policy.refused(&claims("you", &[]), &Thing::Package(vec![Sha256Digest::of("y")]));
        assert_eq!(told.len(), 2, "{told:?}");
        assert_eq!(told[1], "expected the builder `me`, found `you`");
        let other = policy.refused(&good, &Thing::Release("foo/tags/r1".parse().unwrap()));
        assert_eq!(other, ["it is about another release than `foo/tags/r1`"]);
    }

    #[test]
    fn what_is_no_policy_is_told_with_its_place() {
        let told = |text: &str| Policy::parse(text.as_bytes()).unwrap_err().to_string();
        let keys = "`keys`, `builders`, `sources`, `statements`";
        let cases = [
            ("", format!("expected a map with {keys}, found nothing")),
            ("- x\n", format!("line 1, column 1: expected a map with {keys}, found a list")),
            (
                "# whose\nkeys: [x]\nsource: [y]\n",
                format!(
                    "line 3, column 1: expected one of {keys}, found `source`; did you mean `sources`?"
                ),
            ),
            (
                "builders: [x]\n",
                "line 1, column 1: expected `keys`, a list of files with public keys, found none"
                    .to_owned(),
            ),
            (
                "keys: []\n",
                "line 1, column 7: `keys`: expected a file at least, found an empty list"
                    .to_owned(),
            ),
            (
                "keys: [x]\nsources: https://git.example/\n",
                "line 2, column 10: `sources`: expected a list of texts, found a text".to_owned(),
            ),
            (
                "keys: [x]\nbuilders:\n",
                "line 2, column 10: `builders`: expected a list of texts, found nothing".to_owned(),
            ),
            (
                "keys: [x, [y]]\n",
                "line 1, column 11: `keys`: expected a text, found a list".to_owned(),
            ),
            (
                "keys: [x]\nkeys: [y]\n",
                "line 2, column 1: expected each key once, found `keys` a second time".to_owned(),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(told(text), expected);
        }
    }
}
