//! What apt and dnf have in common: how they are run, waited for and asked.

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

/// A package that could not be installed, or a run that was told to end.
pub fn refused(
    site: &Site,
    wanted: &Wanted,
    cause: Box<dyn std::error::Error + Send + Sync>,
) -> Failure {
    let exit = match site.signals.received() {
        Some(_) => Exit::Interrupted,
        None => Exit::InstallFailed,
    };
    let below = if site.state.root().is_empty() { "" } else { " below " };
    let manager = site.manager;
    let root = site.state.root();
    Failure::new(format!("failed to install {wanted} with {manager}{below}{root}"))
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
}
