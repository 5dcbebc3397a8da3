//! Packages: installed by the node's own manager, and seen to be there afterwards.

use super::package_manager::{Deed, Site, Wanted, refused};
use super::process::ProcessError;
use super::{apt, dnf, fs as files, package_copy, release, rpm, zypper};
use crate::model::app::Release;
use crate::model::failure::Failure;
use crate::model::package_manager::{PackageManager, Recorded};
use crate::model::version::Version;
use std::error::Error;
use std::path::Path;

/// Installs packages from the repositories of the node: all together, and where that fails each
/// by itself. Answers in the order of `wanted`.
pub fn install(site: &Site, wanted: &[&Wanted]) -> Vec<Result<(), Failure>> {
    each(site, wanted, Deed::Install, |wanted| confirm(site, wanted))
}

/// Brings packages to the cache of the package manager, as [`install`] does.
pub fn download(site: &Site, wanted: &[&Wanted]) -> Vec<Result<(), Failure>> {
    each(site, wanted, Deed::Download, |_| Ok(()))
}

/// The files of a package that its package manager has downloaded before, as far as can be seen.
pub fn cached(site: &Site, wanted: &Wanted) -> Vec<String> {
    let caches = match site.manager {
        PackageManager::Apt => apt::caches(site),
        PackageManager::Dnf => dnf::caches(site),
        PackageManager::Zypper => zypper::caches(site),
    };
    let begins = wanted.package.as_str();
    let its = |path: &String| {
        Path::new(path).file_name().is_some_and(|name| name.to_string_lossy().starts_with(begins))
    };
    let files = |cache: String| files_in(site, &[cache]).unwrap_or_default();
    caches.into_iter().flat_map(files).filter(its).collect()
}

/// Downloads a package to be looked at; its file is there for as long as `look` takes.
pub fn fetched<T>(
    site: &Site,
    wanted: &Wanted,
    look: impl FnOnce(&str) -> Result<T, Failure>,
) -> Result<T, Failure> {
    package_copy::apart(site.state, |directory| {
        let deed = Deed::Fetch(directory);
        get(site, deed, &[wanted])?;
        let directories = match site.manager {
            PackageManager::Apt | PackageManager::Dnf => vec![directory.to_owned()],
            PackageManager::Zypper => zypper::directories(directory.to_owned()),
        };
        match files_in(site, &directories)?.as_slice() {
            [file] => look(file),
            files => {
                let why = format!("expected one package, found {}", files.len());
                Err(refused(site, deed, wanted, why))
            }
        }
    })
}

/// The package files in directories; one from a repository is called as that pleases.
fn files_in(site: &Site, directories: &[String]) -> Result<Vec<String>, Failure> {
    let ends = format!(".{}", site.manager.format());
    let mut found = Vec::new();
    for directory in directories {
        let names = files::names(Path::new(directory))?.into_iter();
        let names = names.filter(|name| name.ends_with(&ends));
        found.extend(names.map(|name| format!("{directory}/{name}")));
    }
    Ok(found)
}

fn each(
    site: &Site,
    wanted: &[&Wanted],
    deed: Deed,
    confirm: impl Fn(&Wanted) -> Result<(), Failure>,
) -> Vec<Result<(), Failure>> {
    let together = (wanted.len() > 1).then(|| get(site, deed, wanted));
    // A lock is waited for once, for all of them.
    let locked = matches!(&together, Some(Err(failure)) if is_locked_out(site, failure));
    let lock_timeout = if locked { 0 } else { site.lock_timeout };
    let site = &Site { lock_timeout, release_version: site.release_version.clone(), ..*site };
    let one = |wanted: &Wanted| get(site, deed, &[wanted]).and_then(|()| confirm(wanted));
    // What fails together is told of each by itself.
    let together = matches!(together, Some(Ok(())));
    let result = |wanted: &Wanted| match together {
        true => confirm(wanted).or_else(|_| one(wanted)),
        false => one(wanted),
    };
    wanted.iter().map(|wanted| result(wanted)).collect()
}

fn get(site: &Site, deed: Deed, wanted: &[&Wanted]) -> Result<(), Failure> {
    match site.manager {
        PackageManager::Apt => apt::get(site, deed, wanted),
        PackageManager::Dnf => dnf::get(site, deed, wanted),
        PackageManager::Zypper => zypper::get(site, deed, wanted),
    }
}

/// Installs a package file, which the operator knows as `shown`; asks no repository.
pub fn install_file(site: &Site, wanted: &Wanted, file: &str, shown: &str) -> Result<(), Failure> {
    let installed = match site.manager {
        PackageManager::Apt => apt::install_file(site, file),
        PackageManager::Dnf | PackageManager::Zypper => rpm::install_file(site, file),
    };
    let what = format!("{wanted} of `{shown}`");
    installed.map_err(|error| refused(site, Deed::Install, what, error))?;
    confirm(site, wanted)
}

/// True where a failure is that another program holds the lock of the package manager, and
/// did so until the end of all patience.
pub fn is_locked_out(site: &Site, failure: &Failure) -> bool {
    let is_locked = match site.manager {
        PackageManager::Apt => apt::is_locked,
        PackageManager::Dnf => dnf::is_locked,
        PackageManager::Zypper => zypper::is_locked,
    };
    let mut next = failure.source();
    while let Some(error) = next {
        if error.downcast_ref::<ProcessError>().is_some_and(|error| is_locked(error.stderr())) {
            return true;
        }
        next = error.source();
    }
    false
}

/// Makes a package manager forget what its repositories said: they may say something else by now.
pub fn forget(site: &Site) -> Result<(), Failure> {
    match site.manager {
        PackageManager::Apt => apt::refresh(site),
        PackageManager::Dnf => dnf::expire(site),
        PackageManager::Zypper => zypper::forget(site),
    }
}

/// Removes a package, and nothing else with it.
pub fn remove(site: &Site, wanted: &Wanted) -> Result<(), Failure> {
    match site.manager {
        PackageManager::Apt => apt::remove(site, wanted),
        PackageManager::Dnf => dnf::remove(site, wanted),
        PackageManager::Zypper => zypper::remove(site, wanted),
    }
}

/// What the database of the package manager has of a package.
pub fn recorded(site: &Site, wanted: &Wanted) -> Result<Recorded, Failure> {
    match site.manager {
        PackageManager::Apt => apt::recorded(site, wanted),
        PackageManager::Dnf | PackageManager::Zypper => rpm::recorded(site, wanted),
    }
}

/// Lets a package manager that was cut off end its work, where it can.
pub fn settle(site: &Site) -> Result<(), Failure> {
    match site.manager {
        PackageManager::Apt => apt::settle(site),
        // rpm has nothing to end: what is not in its database was not installed.
        PackageManager::Dnf | PackageManager::Zypper => Ok(()),
    }
}

/// Takes away what there is of a release that a command was cut off at: its package, and files
/// that no package has.
pub fn clear(site: &Site, wanted: &Wanted, of: &Release) -> Result<(), Failure> {
    if recorded(site, wanted)? != Recorded::Absent {
        let erased = match site.manager {
            PackageManager::Apt => apt::erase(site, wanted),
            PackageManager::Dnf | PackageManager::Zypper => rpm::erase(site, wanted),
        };
        // Who was still at work on it may have been quicker.
        if erased.is_err() && recorded(site, wanted)? != Recorded::Absent {
            return erased;
        }
    }
    let locks = match site.manager {
        PackageManager::Apt => apt::locks(site),
        PackageManager::Dnf | PackageManager::Zypper => rpm::locks(site)?,
    };
    site.alone(&locks, || match recorded(site, wanted)? {
        Recorded::Absent => release::remove(site.state.root(), of),
        // Somebody was quicker, and its files are its own.
        Recorded::Installed(_) | Recorded::Broken(_) => Ok(()),
    })
}

/// Every manager ends with 0 where they did nothing, so the database is asked.
fn confirm(site: &Site, wanted: &Wanted) -> Result<(), Failure> {
    let expected = wanted.version.as_ref().map(Version::as_str);
    let why = match recorded(site, wanted)? {
        Recorded::Installed(found) if expected.is_none_or(|expected| found == expected) => {
            return Ok(());
        }
        Recorded::Installed(found) => format!("afterwards, version {found} is installed"),
        Recorded::Broken(state) => format!("afterwards, it is `{state}`"),
        Recorded::Absent => "afterwards, it is not installed".to_owned(),
    };
    Err(refused(site, Deed::Install, wanted, why))
}
