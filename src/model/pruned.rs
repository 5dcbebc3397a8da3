//! What became of a release when old ones were removed.

use super::age::Age;
use super::app::PackageName;
use super::exit::Exit;
use super::failure::Failure;
use super::run::Reason;
use serde::Serialize;
use std::fmt;

/// Why a release stays, or why it may go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// It is what the node runs.
    Applied,
    /// It is where `rollback` would go.
    RollbackTarget,
    /// A run that goes on has it, or waits to have it.
    InUse,
    /// It is among the so many of its app that were used last.
    AmongNewest { keep: u32, source: String },
    /// It was used within this time.
    Young(Age),
    /// The package manager has no package of it, so nothing can remove it but a hand.
    NotOfAPackage,
    /// It cannot be read, so nothing is known of it.
    Unreadable(String),
    /// Nothing speaks for it.
    Old { used: String },
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Applied => f.write_str("it is applied"),
            Why::RollbackTarget => f.write_str("`localpuppet rollback` would go there"),
            Why::InUse => f.write_str("a run has it"),
            Why::AmongNewest { keep, source } => write!(f, "among the {keep} newest of `{source}`"),
            Why::Young(age) => write!(f, "used within {age}"),
            Why::NotOfAPackage => f.write_str("the package manager has no package of it"),
            Why::Unreadable(why) => f.write_str(why),
            Why::Old { used } => write!(f, "last used {used}"),
        }
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pruning {
    Kept,
    Removed,
    /// With `--dry-run`.
    WouldRemove,
    /// It should have gone, and is there.
    NotRemoved,
}

/// What `prune` answers for one release.
#[derive(Debug, Serialize)]
pub struct Pruned {
    /// The app path; of a directory that is no release, its place.
    pub release: String,
    pub package: Option<PackageName>,
    pub pruning: Pruning,
    pub because: String,
    pub exit: Exit,
    pub reason: Option<Reason>,
}

impl Pruned {
    /// A release and what became of it.
    pub fn new(release: String, package: Option<PackageName>, pruning: Pruning, why: &Why) -> Self {
        let because = why.to_string();
        Pruned { release, package, pruning, because, exit: Exit::Ok, reason: None }
    }

    /// The same, where it should have gone.
    pub fn failed(self, failure: &Failure) -> Self {
        let (exit, reason) = (failure.exit_code(), Some(Reason::from(failure)));
        Pruned { pruning: Pruning::NotRemoved, exit, reason, ..self }
    }
}
