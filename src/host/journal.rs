//! Which packages are being changed: a file for each, there from before the package manager is
//! started until what it did is whole and on disk. One that is found later tells of a command
//! that was cut off, and that the files of its release are in doubt.
//!
//! ```text
//! /var/lib/localpuppet/installing/<package>   the release's app path
//! ```
#![allow(clippy::disallowed_methods)]

use super::fs as files;
use super::state::State;
use crate::model::app::{AppPath, PackageName, Release};
use crate::model::failure::Failure;
use std::fs;
use std::io;
use std::path::Path;

/// An app path is some bytes; more is not one.
const LARGEST: u64 = 1 << 16;

/// The journal of one node.
pub struct Journal<'a> {
    state: &'a State,
}

impl<'a> Journal<'a> {
    /// The journal in a node's state.
    pub fn of(state: &'a State) -> Self {
        Journal { state }
    }

    /// Marks a release before its package is changed; on disk when this returns.
    pub fn open(&self, release: &Release) -> Result<(), Failure> {
        let directory = self.directory();
        if files::kind(Path::new(&directory))?.is_none() {
            self.state.subdirectory("installing")?;
            // The directories above it are as new as it is, maybe.
            files::sync_file_system(Path::new(&directory))?;
        }
        let path = self.path(&release.package_name());
        files::replace(Path::new(&path), release.path().as_str().as_bytes(), 0o600)
    }

    /// Takes a mark back: the release is whole and on disk, or wholly gone.
    pub fn close(&self, package: &PackageName) -> Result<(), Failure> {
        let path = self.path(package);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(files::failed("remove", Path::new(&path), error))
            }
            _ => Ok(()),
        }
    }

    /// True where a command was cut off while it changed this package.
    pub fn is_marked(&self, package: &PackageName) -> Result<bool, Failure> {
        Ok(files::kind(Path::new(&self.path(package)))?.is_some())
    }

    /// The releases that are marked.
    pub fn marked(&self) -> Result<Vec<Release>, Failure> {
        let names = files::names(Path::new(&self.directory()))?;
        // What a command was writing when it was killed has no name of its own yet.
        let names = names.iter().filter(|name| !name.starts_with('.'));
        names.map(|name| self.release(name)).collect()
    }

    fn release(&self, name: &str) -> Result<Release, Failure> {
        let path = format!("{}/{name}", self.directory());
        let text = files::read_bounded(Path::new(&path), LARGEST)?.unwrap_or_default();
        let app = String::from_utf8_lossy(&text).parse::<AppPath>().ok();
        let known = app.and_then(|app| {
            let releases = [Release::of(&app), Release::snapshot_of(&app)];
            releases.into_iter().flatten().find(|known| known.package_name().as_str() == name)
        });
        known.ok_or_else(|| {
            Failure::new(format!("`{path}` names no release of that package"))
                .hint(format!("rm {path}"))
        })
    }

    fn directory(&self) -> String {
        format!("{}/installing", self.state.directory())
    }

    fn path(&self, package: &PackageName) -> String {
        format!("{}/{package}", self.directory())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_is_there_until_it_is_taken_back() {
        let root = tempfile::tempdir().unwrap();
        let state = State::of(root.path()).unwrap();
        let journal = Journal::of(&state);
        let tagged: Release = "team/foo/tags/r1".parse().unwrap();
        let snapshot = Release::snapshot_of(tagged.path()).unwrap();
        assert_eq!(journal.marked().unwrap(), []);
        journal.close(&tagged.package_name()).unwrap();
        journal.open(&snapshot).unwrap();
        journal.open(&tagged).unwrap();
        journal.open(&tagged).unwrap();
        fs::write(format!("{}/.localpuppet-x", journal.directory()), "").unwrap();
        assert_eq!(journal.marked().unwrap(), [tagged.clone(), snapshot.clone()]);
        journal.close(&snapshot.package_name()).unwrap();
        assert!(journal.is_marked(&tagged.package_name()).unwrap());
        assert!(!journal.is_marked(&snapshot.package_name()).unwrap());
        assert_eq!(journal.marked().unwrap(), [tagged]);
        fs::write(format!("{}/localpuppet-foo-r1", journal.directory()), "bar/tags/r1").unwrap();
        assert!(journal.marked().unwrap_err().hints()[0].starts_with("rm /"));
    }
}
