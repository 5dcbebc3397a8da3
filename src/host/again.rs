//! A release built once more by another process, under conditions that are not to matter: a copy
//! of its trees with other times, modes and order, another directory, umask, time zone, language,
//! home and number of threads.
#![allow(clippy::disallowed_methods)]

use super::fs::{self, failed};
use super::process::feed;
use crate::model::app::AppPath;
use crate::model::command::{CommandLine, Environment};
use crate::model::failure::Failure;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use walkdir::WalkDir;

/// Variables that would stand for options.
const KEPT_BACK: [&str; 5] = [
    "LOCALPUPPET_MODULE_ROOT",
    "LOCALPUPPET_MAINTAINER",
    "LOCALPUPPET_CACHE",
    "LOCALPUPPET_BUILDER",
    "SOURCE_DATE_EPOCH",
];

/// A copy of a release's trees, and what was built of it; gone when it is dropped.
pub struct Again(TempDir);

impl Again {
    /// Copies the trees of some app paths, the last first.
    pub fn of(trees: &[(AppPath, PathBuf)]) -> Result<Self, Failure> {
        let again = Again(fs::scratch_directory()?);
        for (app, tree) in trees.iter().rev() {
            copy(tree, &again.module_root().join(app.as_str()))?;
        }
        Ok(again)
    }

    /// The directory that the app paths of the copy are relative to.
    pub fn module_root(&self) -> PathBuf {
        self.0.path().join("modules")
    }

    /// The directory of what is built.
    pub fn out(&self) -> PathBuf {
        self.0.path().join("out")
    }

    /// Runs this program once more.
    pub fn build(&self, arguments: &[String]) -> Result<(), Failure> {
        let program = std::env::current_exe()
            .map_err(|error| Failure::new("failed to find this program").because(error))?;
        let program = program.to_string_lossy().into_owned();
        let script = "umask 077; cd / && exec \"$0\" \"$@\"".to_owned();
        let line = ["-c".to_owned(), script, program];
        let set = vec![
            ("TZ", "Pacific/Kiritimati".to_owned()),
            ("LC_ALL", "tr_TR.UTF-8".to_owned()),
            ("HOME", "/nonexistent".to_owned()),
            ("RAYON_NUM_THREADS", "1".to_owned()),
        ];
        let line = CommandLine::new("sh", line.iter().chain(arguments))
            .environment(Environment::Inherited(set));
        let done = feed(&line, &KEPT_BACK, b"", |out| {
            fs::bounded(out, Path::new("localpuppet"), 64 << 20).map(drop)
        });
        done.map_err(|error| Failure::new("failed to build it a second time").because(error))?
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    let entries =
        WalkDir::new(from).follow_root_links(true).into_iter().collect::<Result<Vec<_>, _>>();
    let entries = entries.map_err(|error| failed("look at", from, error.into()))?;
    for entry in entries.iter().rev() {
        let path = to.join(entry.path().strip_prefix(from).unwrap_or(Path::new("")));
        let fail = |error| failed("copy", entry.path(), error);
        let directory =
            if entry.file_type().is_dir() { Some(path.as_path()) } else { path.parent() };
        fs::create_directory(directory.unwrap_or(to))?;
        if entry.file_type().is_file() {
            let executable =
                entry.metadata().map_err(|e| fail(e.into()))?.permissions().mode() & 0o100;
            std::fs::copy(entry.path(), &path).map_err(fail)?;
            let mode = Permissions::from_mode(0o600 | executable);
            std::fs::set_permissions(&path, mode).map_err(fail)?;
        } else if entry.file_type().is_symlink() {
            let target = std::fs::read_link(entry.path()).map_err(fail)?;
            std::os::unix::fs::symlink(target, &path).map_err(fail)?;
        }
    }
    Ok(())
}
