//! What `publish` tells.

use super::app::AppPath;
use super::digest::Sha256Digest;
use super::exit::Exit;
use super::ledger::Name;
use serde::Serialize;
use std::path::PathBuf;

/// What became of the packages that were handed in.
#[derive(Debug, Serialize)]
pub struct Publication {
    /// The repository.
    pub to: String,
    /// True where nothing was written.
    pub dry_run: bool,
    pub packages: Vec<Published>,
    /// Packages that another publisher had begun with.
    pub completed: Vec<Name>,
    /// Whether clients can verify the repository.
    pub signed: bool,
    /// The generation of the repository that has them all.
    pub generation: u64,
}

/// A package that was handed in.
#[derive(Debug, Serialize)]
pub struct Published {
    pub file: PathBuf,
    #[serde(flatten)]
    pub name: Name,
    pub bundle_id: Sha256Digest,
    /// Where it is in the repository; none in a dry run.
    pub path: Option<String>,
    /// True where it had been published already, with the same bytes.
    pub unchanged: bool,
}

/// What a ledger has.
#[derive(Debug, Serialize)]
pub struct Listing {
    /// The repository.
    pub to: String,
    pub generation: u64,
    /// The oldest first.
    pub packages: Vec<Listed>,
}

/// A package that was published.
#[derive(Debug, Serialize)]
pub struct Listed {
    #[serde(flatten)]
    pub name: Name,
    pub app: AppPath,
    pub bundle_id: Sha256Digest,
    /// Digest and size of the published file.
    pub sha256: Sha256Digest,
    pub bytes: u64,
    /// Where it is in the repository, or was.
    pub path: String,
    /// When, as RFC 3339.
    pub published_at: String,
    /// The repository that has the same bytes.
    pub promoted_from: Option<String>,
    /// True where it was taken out again.
    pub removed: bool,
}

/// What is wrong with a repository.
#[derive(Debug, Serialize)]
pub struct Check {
    /// The repository.
    pub to: String,
    pub generation: u64,
    pub signed: bool,
    /// How many packages were checked.
    pub packages: usize,
    pub problems: Vec<String>,
}

impl Check {
    /// The exit code that goes with what was found.
    pub fn exit(&self) -> Exit {
        if self.problems.is_empty() { Exit::Ok } else { Exit::NotVerified }
    }
}

/// What was taken out of a repository.
#[derive(Debug, Serialize)]
pub struct Pruning {
    /// The repository.
    pub to: String,
    /// True where nothing was changed.
    pub dry_run: bool,
    /// Packages that are in no index any more.
    pub removed: Vec<Name>,
    /// Files that were deleted: of packages removed earlier, and such that nobody entered.
    pub deleted: Vec<String>,
    pub generation: u64,
}
