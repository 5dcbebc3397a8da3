//! What is to be installed: a release, from the repositories or from a package file.

use crate::cmd::package_file::{self, PackageFile};
use crate::cmd::policy::{self as rules, Judged};
use crate::host::input;
use crate::host::journal::Journal;
use crate::host::package_copy::PackageCopy;
use crate::host::package_manager::Wanted;
use crate::host::state::State;
use crate::host::{fs, release};
use crate::model::app::{AppPath, Release};
use crate::model::command::quote;
use crate::model::digest::Sha256Digest;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::interface::Interface;
use crate::model::package_manager::PackageManager;
use crate::model::policy;
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
    /// What the policy of the node takes of a release from the repositories.
    judged: Option<Judged>,
}

/// A package file, which is a bundle and whole.
struct Given {
    /// As the operator knows it.
    path: String,
    file: PackageFile,
    /// What was read, and what is installed.
    copy: PackageCopy,
}

impl Request {
    /// A release from the repositories of the node.
    pub fn of(release: Release) -> Self {
        let wanted = Wanted { package: release.package_name(), version: plan::version(&release) };
        Request { release, wanted, given: None, pinned: None, judged: None }
    }

    /// The release that a package file is.
    pub fn of_file(state: &State, path: &Path) -> Result<Self, Failure> {
        let read = || {
            let (copy, file) = PackageCopy::of(state, path)?;
            Ok((copy, package_file::of_file(file, &path.display().to_string())?))
        };
        let (copy, file) = read().map_err(|failure: Failure| failure.exit(Exit::InstallFailed))?;
        let path = input::real_path(path)?;
        let hint = format!("look into it: localpuppet inspect {}", quote(&path));
        let file = whole(file, &path).map_err(|failure| failure.hint(hint))?;
        let release = file.bundle.release().map_err(|error| Failure::new(error.to_string()))?;
        let (package, version) = (release.package_name(), Some(file.bundle.version.clone()));
        let wanted = Wanted { package, version };
        let given = Some(Given { path, file, copy });
        Ok(Request { release, wanted, given, pinned: None, judged: None })
    }

    /// The same, and no other content than this bundle ID.
    pub fn pinned(self, pinned: Option<Sha256Digest>) -> Result<Self, Failure> {
        if let (Some(given), Some(expected)) = (&self.given, pinned) {
            super::expect_id(expected, &given.file.bundle, &given.path)?;
        }
        Ok(Request { pinned, ..self })
    }

    /// The same, where the policy of the node takes it; what is there already was taken before,
    /// but for what a command that was cut off has left, which is installed anew. No other content
    /// than that of its statement is accepted, whatever happens to a file meanwhile.
    pub fn honouring_policy(self, state: &State) -> Result<Self, Failure> {
        let policy = state.at(policy::NODE);
        let policy = Path::new(&policy);
        let is_there = || {
            let in_doubt = Journal::of(state).is_marked(&self.wanted.package)?;
            Ok::<_, Failure>(!in_doubt && release::read(state.root(), &self.release)?.is_some())
        };
        if fs::kind(policy)?.is_none() || is_there()? {
            return Ok(self);
        }
        let judged = match &self.given {
            Some(given) => rules::refuse_package(policy, Path::new(&given.path))?,
            None => rules::refuse_release(policy, &self.release)?,
        };
        let only = judged.bundle_id(self.release.path().as_str());
        match (self.pinned, only) {
            (Some(pinned), Some(only)) if pinned != only => {
                let what = format!("the provenance of `{}` is of other content", self.release);
                Err(Failure::new(what).exit(Exit::NotVerified).because(Failure::new(format!(
                    "expected bundle ID `{pinned}`, found `{only}`"
                ))))
            }
            (pinned, only) => {
                let judged = self.given.is_none().then_some(judged);
                Request { judged, ..self }.pinned(only.or(pinned))
            }
        }
    }

    /// True where its package is to be looked at before it is installed.
    pub fn is_judged(&self) -> bool {
        self.judged.is_some()
    }

    /// What the package manager has brought, where it is what the statement is about.
    pub fn looked_at(&self, state: &State, path: &Path) -> Result<PackageCopy, Failure> {
        let (copy, file) = PackageCopy::of(state, path)?;
        let shown = path.file_name().unwrap_or_default().to_string_lossy();
        if let Some(judged) = &self.judged {
            judged.refuse_other(&shown, &file)?;
        }
        let file = whole(package_file::of_file(fs::again(&file)?, &shown)?, &shown)?;
        for expected in self.expected() {
            super::expect_id(expected, &file.bundle, &shown)?;
        }
        Ok(copy)
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

    /// What was read of the package file, to be installed; none of a release from the repositories.
    pub fn copy(&self) -> Option<&PackageCopy> {
        self.given.as_ref().map(|given| &given.copy)
    }

    /// How the classes of a package file may be called; none of a release from the repositories.
    pub fn interface(&self) -> Option<Result<Interface, Failure>> {
        self.given.as_ref().map(|given| given.file.interface())
    }

    /// The bundle IDs that it may have, all of which are one.
    pub fn expected(&self) -> impl Iterator<Item = Sha256Digest> {
        let given = self.given.as_ref().map(|given| given.file.bundle.bundle_id);
        given.into_iter().chain(self.pinned)
    }

    /// Refuses a package file that the package manager of the node cannot read.
    pub fn fits(&self, manager: PackageManager) -> Result<(), Failure> {
        let Some(Given { path, file, .. }) = &self.given else { return Ok(()) };
        let (format, reads) = (file.facts.format, manager.format());
        if format == reads {
            return Ok(());
        }
        let what = format!("`{path}` is a .{format}, and {manager} installs .{reads}");
        let hint = format!("name the .{reads} of the same release: `--package FILE`");
        Err(Failure::new(what).exit(Exit::InstallFailed).hint(hint))
    }
}

/// Refuses a package file that is not what its `bundle.json` says.
fn whole(file: PackageFile, shown: &str) -> Result<PackageFile, Failure> {
    if file.problems.is_empty() {
        return Ok(file);
    }
    Err(Failure::new(format!("`{shown}` is not as it was built"))
        .exit(Exit::NotVerified)
        .because(Differences(file.problems)))
}
