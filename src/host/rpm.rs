//! rpm, below dnf and zypper or by itself.

use super::package_manager::{Deed, Site, Wanted, refused};
use super::process::{self, OnSignal, ProcessError};
use crate::model::command::{CommandLine, Environment};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::package_manager::Recorded;
use std::error::Error;

/// Installs a package file with rpm alone; looked at first, so that nothing is left half installed.
pub fn install_file(site: &Site, file: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    rpm(site, &["--install", "--test", file]).and_then(|_| rpm(site, &["--install", file]))?;
    Ok(())
}

fn rpm(site: &Site, arguments: &[&str]) -> Result<String, ProcessError> {
    let arguments = root_option(site).into_iter().chain(arguments.iter().map(|&a| a.to_owned()));
    let line = CommandLine::new("rpm", arguments).environment(environment());
    site.run(&line, OnSignal::Finish, is_locked)
}

/// Takes one package out, whatever of it is there; its dependants stay.
pub fn erase(site: &Site, wanted: &Wanted) -> Result<(), Failure> {
    let package = wanted.package.as_str();
    let common = ["--erase", "--nodeps", "--allmatches"];
    rpm(site, &[&common[..], &[package]].concat())
        .or_else(|_| rpm(site, &[&common[..], &["--justdb", package]].concat()))
        .map(drop)
        .map_err(|error| refused(site, Deed::Remove, wanted, error))
}

/// Refuses where something depends on a package.
pub fn test_erase(site: &Site, wanted: &Wanted) -> Result<(), ProcessError> {
    rpm(site, &["--erase", "--test", wanted.package.as_str()]).map(drop)
}

/// rpm's lock of a transaction, in the directory of its database (lib/rpmlock.cc).
pub fn locks(site: &Site) -> Result<Vec<String>, Failure> {
    let told = rpm(site, &["--eval", "%{_dbpath}"]).map_err(|error| {
        Failure::new("failed to find rpm's database").exit(Exit::InstallFailed).because(error)
    })?;
    Ok(vec![site.state.at(&format!("{}/.rpm.lock", told.trim_end()))])
}

fn root_option(site: &Site) -> Vec<String> {
    match site.state.root() {
        "" => Vec::new(),
        root => vec!["--root".to_owned(), root.to_owned()],
    }
}

/// What rpm has of a package; it is never half installed, its files may be.
pub fn recorded(site: &Site, wanted: &Wanted) -> Result<Recorded, Failure> {
    let query = ["--query", "--queryformat", "%{VERSION}\n", wanted.package.as_str()];
    let arguments = root_option(site).into_iter().chain(query.map(str::to_owned));
    let line = CommandLine::new("rpm", arguments).environment(environment());
    let mut told = process::capture(&line, site.signals, OnSignal::Finish);
    // Cut off while it was made, a database has no tables; a query does not make them.
    if told.as_ref().is_err_and(|error| error.stderr().contains("cannot open Packages"))
        && rpm(site, &["--initdb"]).is_ok()
    {
        told = process::capture(&line, site.signals, OnSignal::Finish);
    }
    match told {
        Ok(told) => Ok(Recorded::Installed(told.lines().last().unwrap_or_default().to_owned())),
        Err(error) if error.stderr().contains("is not installed") => Ok(Recorded::Absent),
        Err(error) => Err(Failure::new(format!("failed to ask rpm for {wanted}"))
            .exit(Exit::InstallFailed)
            .because(error)),
    }
}

/// Where rpm is not the system's own, its database is in the home directory.
pub fn environment() -> Environment {
    Environment::Inherited(vec![("LC_ALL", "C".to_owned()), ("HOME", process::home("/"))])
}

/// True where another program holds rpm's lock.
pub fn is_locked(stderr: &str) -> bool {
    stderr.to_ascii_lowercase().contains("transaction lock")
}
