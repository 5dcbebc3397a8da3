//! What apt, dnf and zypper have in common: how they are run, waited for and asked.
#![allow(clippy::disallowed_methods)]

use super::clock::{self, Deadline};
use super::process::{OnSignal, ProcessError, Signals, capture};
use super::state::State;
use crate::model::app::PackageName;
use crate::model::command::CommandLine;
use crate::model::event::{Event, Say};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::package_manager::PackageManager;
use crate::model::version::Version;
use rustix::fs::{FlockOperation, fcntl_lock};
use std::fs::{File, OpenOptions};
use std::path::Path;
use std::time::Duration;

/// Where and how packages are installed.
pub struct Site<'a> {
    pub manager: PackageManager,
    pub state: &'a State,
    pub signals: &'a Signals,
    pub say: Say<'a>,
    /// Seconds to wait for a lock that another program holds.
    pub lock_timeout: u32,
    /// dnf's `$releasever` of a root that is not `/`.
    pub release_version: Option<String>,
}

/// A package, at one version where that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub package: PackageName,
    pub version: Option<Version>,
}

impl std::fmt::Display for Wanted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.version {
            Some(version) => write!(f, "`{}` {version}", self.package),
            None => write!(f, "`{}`", self.package),
        }
    }
}

/// What is asked of a package manager.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deed<'a> {
    Install,
    /// To its own cache, from where it is installed without a network.
    Download,
    /// Into a directory, to be looked at.
    Fetch(&'a str),
    Remove,
}

impl std::fmt::Display for Deed<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Deed::Install => "install",
            Deed::Download | Deed::Fetch(_) => "download",
            Deed::Remove => "remove",
        })
    }
}

/// What packages are called in an error.
pub fn shown(wanted: &[&Wanted]) -> String {
    wanted.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What a package manager did not do, or was told to leave.
pub fn refused(
    site: &Site,
    deed: Deed,
    what: impl std::fmt::Display,
    cause: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> Failure {
    let exit = match site.signals.received() {
        Some(_) => Exit::Interrupted,
        None => Exit::InstallFailed,
    };
    let below = if site.state.root().is_empty() { "" } else { " below " };
    let manager = site.manager;
    let root = site.state.root();
    Failure::new(format!("failed to {deed} {what} with {manager}{below}{root}"))
        .exit(exit)
        .because(cause)
}

impl Site<'_> {
    /// Runs a program of the package manager, again and again while another
    /// program has a lock that it does not wait for itself.
    pub fn run(
        &self,
        line: &CommandLine,
        on: OnSignal,
        is_locked: fn(&str) -> bool,
    ) -> Result<String, ProcessError> {
        (self.say)(Event::PackageManager { command: line.to_string() });
        let deadline = Deadline::after(Duration::from_secs(u64::from(self.lock_timeout)));
        let mut told = false;
        loop {
            let result = capture(line, self.signals, on);
            let locked = result.as_ref().is_err_and(|error| is_locked(error.stderr()));
            if !locked || deadline.left().is_none() || self.signals.received().is_some() {
                return result;
            }
            if !told {
                told = true;
                (self.say)(Event::WaitingForLock { seconds: self.lock_timeout });
            }
            clock::sleep(Duration::from_millis(500));
        }
    }
    /// Does some work while no program changes packages: with the locks of the package
    /// manager's own, fcntl(2), which die with their holder.
    pub fn alone<T>(
        &self,
        locks: &[String],
        work: impl FnOnce() -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let deadline = Deadline::after(Duration::from_secs(u64::from(self.lock_timeout)));
        let held = locks.iter().map(|lock| self.hold(Path::new(lock), deadline));
        let held = held.collect::<Result<Vec<_>, _>>()?;
        let done = work();
        drop(held);
        done
    }

    fn hold(&self, path: &Path, deadline: Deadline) -> Result<Option<File>, Failure> {
        let file = match OpenOptions::new().write(true).open(path) {
            Ok(file) => file,
            // Nobody has ever worked here.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(super::fs::failed("open", path, error)),
        };
        while let Err(error) = fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            if deadline.left().is_none() || self.signals.received().is_some() {
                let failure = super::fs::failed("lock", path, error.into());
                return Err(failure.exit(Exit::InstallFailed));
            }
            clock::sleep(Duration::from_millis(100));
        }
        Ok(Some(file))
    }
}
