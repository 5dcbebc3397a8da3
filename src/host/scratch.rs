//! A directory for root alone that goes when it is not needed any more, with all that is in it.
#![allow(clippy::disallowed_methods)]

use super::fs;
use crate::model::failure::Failure;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use tempfile::TempDir;

/// The directory.
pub struct Scratch {
    directory: TempDir,
    path: String,
}

impl Scratch {
    /// Makes one, in the system's own place for such.
    pub fn new() -> Result<Self, Failure> {
        let failed = |error| fs::failed("write in", &std::env::temp_dir(), error);
        let directory =
            tempfile::Builder::new().prefix("localpuppet-").tempdir().map_err(failed)?;
        let path = super::input::real_path(directory.path())?;
        Ok(Scratch { directory, path })
    }

    /// Where it is, without links.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Makes a directory in it, and those above it; the path begins with `/`.
    pub fn directory(&self, path: &str) -> Result<(), Failure> {
        fs::create_directory(&self.at(path))
    }

    /// Writes a file in it, in a directory that is there or is made.
    pub fn file(&self, path: &str, content: &[u8], mode: u32) -> Result<(), Failure> {
        let at = self.at(path);
        if let Some(above) = at.parent() {
            fs::create_directory(above)?;
        }
        fs::create_new(&at, content, mode).map(drop)
    }

    /// Makes a link in it.
    pub fn link(&self, path: &str, target: &str) -> Result<(), Failure> {
        let at = self.at(path);
        symlink(target, &at).map_err(|error| fs::failed("write", &at, error))
    }

    fn at(&self, path: &str) -> PathBuf {
        self.directory.path().join(path.trim_start_matches('/'))
    }
}
