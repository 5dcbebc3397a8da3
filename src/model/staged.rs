//! What became of a release that was to be made available.

use super::app::{AppPath, PackageName, Release};
use super::digest::Sha256Digest;
use super::exit::Exit;
use super::failure::Failure;
use super::run::Reason;
use super::version::Version;
use serde::Serialize;

/// How far it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Staging {
    /// It was there and whole.
    AlreadyStaged,
    /// It is there now, and whole.
    Staged,
    /// Its package is in the package manager's cache.
    Downloaded,
    /// It is not there, or not whole.
    NotStaged,
}

/// What `stage` answers for one release.
#[derive(Debug, Serialize)]
pub struct Staged {
    pub app: AppPath,
    pub staging: Staging,
    pub package: PackageName,
    pub version: Option<Version>,
    pub bundle_id: Option<Sha256Digest>,
    /// Where it is, for who wants to look.
    pub directory: Option<String>,
    pub exit: Exit,
    pub reason: Option<Reason>,
}

impl Staged {
    /// A release of which nothing is known yet.
    pub fn new(release: &Release, package: &PackageName) -> Self {
        Staged {
            app: release.path().clone(),
            staging: Staging::NotStaged,
            package: package.clone(),
            version: None,
            bundle_id: None,
            directory: None,
            exit: Exit::Ok,
            reason: None,
        }
    }

    /// The same, and it went well.
    pub fn came_to(self, staging: Staging) -> Self {
        Staged { staging, ..self }
    }

    /// The same, and it did not go well.
    pub fn failed(self, failure: &Failure) -> Self {
        Staged { exit: failure.exit_code(), reason: Some(Reason::from(failure)), ..self }
    }
}
