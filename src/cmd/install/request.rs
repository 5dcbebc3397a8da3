//! What is to be installed: a release, from the repositories or from a package file.

use crate::cmd::package_file::{self, PackageFile};
use crate::host::input;
use crate::host::package_manager::Wanted;
use crate::model::app::{AppPath, Release};
use crate::model::digest::Sha256Digest;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::package_manager::PackageManager;
use crate::model::verify::Differences;
use crate::plan::apply as plan;
use std::path::Path;

/// A release that is asked for.
pub struct Request {
    pub release: Release,
    /// Its package; at the version that its tag or its package file says.
    pub wanted: Wanted,
    given: Option<Given>,
    pinned: Option<Sha256Digest>,
}

/// A package file, which is a bundle and whole.
struct Given {
    path: String,
    file: PackageFile,
}

impl Request {
    /// A release from the repositories of the node.
    pub fn of(release: Release) -> Self {
        let wanted = Wanted { package: release.package_name(), version: plan::version(&release) };
        Request { release, wanted, given: None, pinned: None }
    }

    /// The release that a package file is.
    pub fn of_file(path: &Path) -> Result<Self, Failure> {
        let file = package_file::open(path).map_err(|failure| failure.exit(Exit::InstallFailed))?;
        let path = input::real_path(path)?;
        if !file.problems.is_empty() {
            return Err(Failure::new(format!("`{path}` is not as it was built"))
                .exit(Exit::NotVerified)
                .because(Differences(file.problems))
                .hint(format!("look into it: localpuppet inspect {path}")));
        }
        let release = file.bundle.release().map_err(|error| Failure::new(error.to_string()))?;
        let (package, version) = (release.package_name(), Some(file.bundle.version.clone()));
        let wanted = Wanted { package, version };
        Ok(Request { release, wanted, given: Some(Given { path, file }), pinned: None })
    }

    /// The same, and no other content than this bundle ID.
    pub fn pinned(self, pinned: Option<Sha256Digest>) -> Result<Self, Failure> {
        if let (Some(given), Some(expected)) = (&self.given, pinned) {
            super::expect_id(expected, &given.file.bundle, &given.path)?;
        }
        Ok(Request { pinned, ..self })
    }

    /// The same, where it is of this app.
    pub fn expecting(self, app: &AppPath) -> Result<Self, Failure> {
        match &self.given {
            Some(given) if self.release.path() != app => {
                let (path, found) = (&given.path, &self.release);
                let what = format!("`{path}` is release `{found}`, and `{app}` is asked for");
                Err(Failure::new(what).exit(Exit::InstallFailed))
            }
            _ => Ok(self),
        }
    }

    /// The package file.
    pub fn file(&self) -> Option<&str> {
        self.given.as_ref().map(|given| given.path.as_str())
    }

    /// The bundle IDs that it may have, all of which are one.
    pub fn expected(&self) -> impl Iterator<Item = Sha256Digest> {
        let given = self.given.as_ref().map(|given| given.file.bundle.bundle_id);
        given.into_iter().chain(self.pinned)
    }

    /// Refuses a package file that the package manager of the node cannot read.
    pub fn fits(&self, manager: PackageManager) -> Result<(), Failure> {
        let Some(Given { path, file }) = &self.given else { return Ok(()) };
        let (format, reads) = (file.facts.format, manager.format());
        if format == reads {
            return Ok(());
        }
        let what = format!("`{path}` is a .{format}, and {manager} installs .{reads}");
        Err(Failure::new(what).exit(Exit::InstallFailed))
    }
}
