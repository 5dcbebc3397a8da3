//! The name of a run, which is that of its directory too.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A name of at most 64 characters that is one component of a path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RunId(String);

/// Why a text is no run ID.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RunIdError {
    #[error("a run ID is empty")]
    Empty,
    #[error("expected at most 64 characters in a run ID, found {0}")]
    Long(usize),
    #[error("expected a letter or digit first in run ID `{id}`, found {found:?}")]
    First { id: String, found: char },
    #[error("expected letters, digits and `. _ -` in run ID `{id}`, found {found:?}")]
    Character { id: String, found: char },
}

const LONGEST: usize = 64;

impl RunId {
    /// The ID as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RunId {
    type Err = RunIdError;

    fn from_str(text: &str) -> Result<Self, RunIdError> {
        let id = || text.to_owned();
        let length = text.chars().count();
        let Some(first) = text.chars().next() else { return Err(RunIdError::Empty) };
        if length > LONGEST {
            return Err(RunIdError::Long(length));
        }
        if !first.is_ascii_alphanumeric() {
            return Err(RunIdError::First { id: id(), found: first });
        }
        let odd = text.chars().find(|c| !(c.is_ascii_alphanumeric() || "._-".contains(*c)));
        match odd {
            Some(found) => Err(RunIdError::Character { id: id(), found }),
            None => Ok(RunId(id())),
        }
    }
}

impl TryFrom<String> for RunId {
    type Error = RunIdError;

    fn try_from(text: String) -> Result<Self, RunIdError> {
        text.parse()
    }
}

impl From<RunId> for String {
    fn from(id: RunId) -> Self {
        id.0
    }
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_id_is_one_component_of_a_path() {
        let parse = |text: &str| text.parse::<RunId>();
        assert_eq!(parse("deploy-42.a_b").unwrap().as_str(), "deploy-42.a_b");
        assert_eq!(parse(""), Err(RunIdError::Empty));
        assert_eq!(parse(&"x".repeat(65)), Err(RunIdError::Long(65)));
        assert_eq!(parse(".."), Err(RunIdError::First { id: "..".into(), found: '.' }));
        assert_eq!(parse("-f"), Err(RunIdError::First { id: "-f".into(), found: '-' }));
        assert_eq!(parse("a/b"), Err(RunIdError::Character { id: "a/b".into(), found: '/' }));
    }
}
