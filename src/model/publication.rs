//! What `publish` tells.

use super::digest::Sha256Digest;
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
