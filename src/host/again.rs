//! A release built once more by another process, under conditions that are not to matter: a copy
//! of its trees with other times, modes and order, another directory, user, second, umask, time
//! zone, language, home and number of threads.
#![allow(clippy::disallowed_methods)]

use super::clock;
use super::fs::{self, failed, not_walked};
use super::process::feed;
use crate::model::app::AppPath;
use crate::model::command::{CommandLine, Environment};
use crate::model::failure::Failure;
use std::fs::Permissions;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, UNIX_EPOCH};
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

/// The time of every file of the copy.
const LONG_AGO: Duration = Duration::from_secs(915_148_800);

/// What the second build always has other than the first.
const VARIED: [&str; 8] = [
    "path",
    "file times and modes",
    "time of day",
    "time zone",
    "locale",
    "umask",
    "home",
    "cores",
];

/// A program that gives another user: all files stay those of this one.
const OTHER_USER: [&str; 2] = ["unshare", "--user"];

/// A copy of a release's trees, and what was built of it; gone when it is dropped.
pub struct Again {
    place: TempDir,
    varied: Vec<&'static str>,
}

impl Again {
    /// Copies the trees of some app paths, the last first.
    pub fn of(trees: &[(AppPath, PathBuf)]) -> Result<Self, Failure> {
        let mut again = Again { place: fs::scratch_directory()?, varied: VARIED.to_vec() };
        let mut order = Order::Same;
        for (app, tree) in trees.iter().rev() {
            if copy(tree, &again.module_root().join(app.as_str()))? == Order::Other {
                order = Order::Other;
            }
        }
        if order == Order::Other {
            again.varied.push("directory order");
        }
        Ok(again)
    }

    /// The directory that the app paths of the copy are relative to.
    pub fn module_root(&self) -> PathBuf {
        self.place.path().join("modules")
    }

    /// The directory of what is built.
    pub fn out(&self) -> PathBuf {
        self.place.path().join("out")
    }

    /// What was other than where this program itself builds.
    pub fn varied(&self) -> &[&'static str] {
        &self.varied
    }

    /// Runs this program once more; comes back in another second.
    pub fn build(&mut self, arguments: &[String]) -> Result<(), Failure> {
        let program = std::env::current_exe()
            .map_err(|error| Failure::new("failed to find this program").because(error))?;
        self.run(&program.to_string_lossy(), arguments).map(drop)
    }

    fn run(&mut self, program: &str, arguments: &[String]) -> Result<String, Failure> {
        let mut words: Vec<&str> = Vec::new();
        if feed(&CommandLine::new("unshare", ["--user", "true"]), &[], b"", text).is_ok() {
            words.extend(OTHER_USER);
            self.varied.push("user");
        }
        words.extend(["sh", "-c", "umask 077; cd / && exec \"$0\" \"$@\"", program]);
        words.extend(arguments.iter().map(String::as_str));
        let cores = thread::available_parallelism().map_or(1, |cores| cores.get());
        let set = vec![
            ("TZ", "Pacific/Kiritimati".to_owned()),
            ("LC_ALL", "tr_TR.UTF-8".to_owned()),
            ("HOME", "/nonexistent".to_owned()),
            ("RAYON_NUM_THREADS", if cores == 1 { "3" } else { "1" }.to_owned()),
        ];
        let line = CommandLine::new(words[0], words[1..].iter().copied())
            .environment(Environment::Inherited(set));
        let done = feed(&line, &KEPT_BACK, b"", text);
        clock::next_second();
        done.map_err(|error| Failure::new("failed to build it a second time").because(error))?
    }
}

fn text(out: &mut dyn Read) -> Result<String, Failure> {
    let text = fs::bounded(out, Path::new("localpuppet"), 64 << 20)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Whether a directory of the copy gives its names in the order of the original.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Same,
    Other,
}

fn order(from: &Path, to: &Path) -> Result<Order, Failure> {
    let names = |directory: &Path| {
        let entries = std::fs::read_dir(directory).map_err(|e| failed("look at", directory, e))?;
        let names = entries.map(|entry| entry.map(|entry| entry.file_name()));
        names.collect::<Result<Vec<_>, _>>().map_err(|error| failed("look at", directory, error))
    };
    Ok(if names(from)? == names(to)? { Order::Same } else { Order::Other })
}

/// Copies a tree; says whether any of its directories has another order.
fn copy(from: &Path, to: &Path) -> Result<Order, Failure> {
    let entries =
        WalkDir::new(from).follow_root_links(true).into_iter().collect::<Result<Vec<_>, _>>();
    let entries = entries.map_err(|error| not_walked("look at", from, error))?;
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
            let file = std::fs::File::open(&path).map_err(fail)?;
            file.set_modified(UNIX_EPOCH + LONG_AGO).map_err(fail)?;
        } else if entry.file_type().is_symlink() {
            let target = std::fs::read_link(entry.path()).map_err(fail)?;
            std::os::unix::fs::symlink(target, &path).map_err(fail)?;
        }
    }
    let directories = entries.iter().filter(|entry| entry.file_type().is_dir());
    for directory in directories.map(|entry| entry.path()) {
        let copy = to.join(directory.strip_prefix(from).unwrap_or(Path::new("")));
        if order(directory, &copy)? == Order::Other {
            return Ok(Order::Other);
        }
    }
    Ok(Order::Same)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_to_vary_varies() {
        let place = tempfile::tempdir().unwrap();
        let tree = place.path().join("tree");
        std::fs::create_dir(&tree).unwrap();
        std::fs::write(tree.join("x"), "x").unwrap();
        let mut again = Again::of(&[("a/tags/1".parse().unwrap(), tree)]).unwrap();
        let script = "umask; id -u; echo $TZ $LC_ALL $HOME $RAYON_NUM_THREADS; pwd; date +%s; \
                      stat -c '%a %Y' \"$1/a/tags/1/x\"";
        let root = again.module_root().display().to_string();
        let line = ["-c", script, "sh", &root].map(str::to_owned);
        let told = again.run("sh", &line).unwrap();
        let lines: Vec<&str> = told.lines().collect();
        assert_eq!(lines[0], "0077");
        let user = rustix::process::getuid().as_raw().to_string();
        assert_eq!(lines[1] != user, again.varied().contains(&"user"));
        assert!(lines[2].starts_with("Pacific/Kiritimati tr_TR.UTF-8 /nonexistent "), "{told}");
        assert_eq!(lines[3], "/");
        let now = UNIX_EPOCH.elapsed().unwrap().as_secs();
        assert!(lines[4].parse::<u64>().unwrap() < now, "{told}");
        assert_eq!(lines[5], "600 915148800");
        // What the program says is the reason.
        let line = ["-c", "echo why >&2; exit 1"].map(str::to_owned);
        assert!(
            again.run("sh", &line).unwrap_err().causes()[0].ends_with("exited with 1\n    why")
        );
    }
}
