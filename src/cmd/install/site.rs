//! The package manager of a node.

use super::Installer;
use crate::host::fs;
use crate::host::package_manager::Site;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::package_manager::PackageManager;
use crate::plan::apply::{self as plan, System};
use std::path::Path;

/// An os-release(5) of more than this is none.
const LARGEST_OS_RELEASE: u64 = 1 << 20;

impl Installer<'_> {
    /// The package manager of this node, and how it is run.
    pub fn site(&self) -> Result<Site<'_>, Failure> {
        let (manager, release_version) = self.package_manager()?;
        let root = self.state.root();
        if let Some(c) = plan::unfit_for_puppet(root) {
            let what = format!("the root `{root}` has {c:?} in it, which {manager} cannot take");
            return Err(Failure::new(what).hint("expected letters, digits and `/ . _ - + ~ @ % =`"));
        }
        Ok(Site {
            manager,
            state: self.state,
            signals: self.signals,
            say: self.say,
            lock_timeout: self.lock_timeout,
            release_version,
        })
    }

    pub(super) fn package_manager(&self) -> Result<(PackageManager, Option<String>), Failure> {
        let system = System::of(&self.os_release()?);
        let manager = match self.manager {
            Some(manager) => manager,
            None => system.package_manager().map_err(|error| {
                Failure::new("failed to find out this node's package manager")
                    .exit(Exit::InstallFailed)
                    .because(error)
                    .hint("say it: `--package-manager apt`, `dnf` or `zypper`")
            })?,
        };
        Ok((manager, system.release_version()))
    }

    fn os_release(&self) -> Result<String, Failure> {
        for path in ["/etc/os-release", "/usr/lib/os-release"] {
            let path = self.state.at(path);
            if let Some(text) = fs::read_bounded(Path::new(&path), LARGEST_OS_RELEASE)? {
                return Ok(String::from_utf8_lossy(&text).into_owned());
            }
        }
        Ok(String::new())
    }
}
