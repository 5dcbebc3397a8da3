//! Where the tree of an app path came from.

use super::git::is_object;
use super::sources::Location;
use serde::Serialize;
use std::fmt;
use std::str::FromStr;

/// The source of one tree, and what names its content there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Origin {
    /// A directory of the module root: nothing but its content names it.
    Directory,
    Git {
        location: Location,
        /// `refs/tags/r1`, `refs/heads/main`, `HEAD`.
        reference: String,
        /// The commit that the reference came to.
        commit: String,
    },
    Svn {
        location: Location,
        /// `tags/r1`, `trunk`.
        path: String,
        /// The last revision that changed it.
        revision: u64,
    },
}

impl Origin {
    /// What names the content: a commit, a revision; none of a directory.
    pub fn point(&self) -> Option<String> {
        match self {
            Origin::Directory => None,
            Origin::Git { commit, .. } => Some(format!("commit `{commit}`")),
            Origin::Svn { revision, .. } => Some(format!("revision `{revision}`")),
        }
    }

    /// Where it came from, without what it was then.
    pub fn place(&self) -> String {
        match self {
            Origin::Directory => "the module root".to_owned(),
            Origin::Git { location, reference: name, .. }
            | Origin::Svn { location, path: name, .. } => format!("`{name}` of `{location}`"),
        }
    }

    /// True where both name the same tag, trunk or branch of the same repository.
    pub fn is_same_place(&self, other: &Origin) -> bool {
        self.place() == other.place()
    }
}

/// As a line of a lock has it.
impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Directory => f.write_str("directory"),
            Origin::Git { location, reference, commit } => {
                write!(f, "git {location} {reference} {commit}")
            }
            Origin::Svn { location, path, revision } => {
                write!(f, "svn {location} {path} {revision}")
            }
        }
    }
}

/// Why the words of a line are no origin.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `directory`, `git URL REF COMMIT` or `svn URL PATH REVISION`, found `{0}`")]
pub struct NotAnOrigin(String);

impl FromStr for Origin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let refused = || NotAnOrigin(text.chars().take(200).collect());
        let words: Vec<&str> = text.split(' ').collect();
        let location = |text: &str| text.parse::<Location>().map_err(|_| refused());
        match *words.as_slice() {
            ["directory"] => Ok(Origin::Directory),
            ["git", at, reference, commit] if is_object(commit) => Ok(Origin::Git {
                location: location(at)?,
                reference: reference.to_owned(),
                commit: commit.to_owned(),
            }),
            ["svn", at, path, revision] => Ok(Origin::Svn {
                location: location(at)?,
                path: path.to_owned(),
                revision: revision.parse().map_err(|_| refused())?,
            }),
            _ => Err(refused()),
        }
    }
}
