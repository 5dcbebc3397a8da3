//! Packages: installed by the node's own manager, and seen to be there afterwards.

use super::package_manager::{Site, Wanted, refused};
use super::{apt, dnf};
use crate::model::failure::Failure;
use crate::model::package_manager::PackageManager;
use crate::model::version::Version;

/// Installs a package from the repositories of the node.
pub fn install(site: &Site, wanted: &Wanted) -> Result<(), Failure> {
    match site.manager {
        PackageManager::Apt => apt::install(site, wanted)?,
        PackageManager::Dnf => dnf::install(site, wanted)?,
    }
    confirm(site, wanted)
}

/// Installs a package file; asks no repository.
pub fn install_file(site: &Site, wanted: &Wanted, file: &str) -> Result<(), Failure> {
    match site.manager {
        PackageManager::Apt => apt::install_file(site, wanted, file)?,
        PackageManager::Dnf => dnf::install_file(site, wanted, file)?,
    }
    confirm(site, wanted)
}

/// Both managers end with 0 where they did nothing, so the database is asked.
fn confirm(site: &Site, wanted: &Wanted) -> Result<(), Failure> {
    let found = match site.manager {
        PackageManager::Apt => apt::installed(site, wanted),
        PackageManager::Dnf => dnf::installed(site, wanted),
    };
    let expected = wanted.version.as_ref().map(Version::as_str);
    match found {
        Ok(found) if expected.is_none_or(|expected| found == expected) => Ok(()),
        Ok(found) => {
            Err(refused(site, wanted, format!("afterwards, version {found} is installed").into()))
        }
        Err(error) => Err(refused(site, wanted, error.into())),
    }
}
