//! What came from git and Subversion, kept for the next command.
//!
//! Whoever finds a tree here finds all of it: trees are written beside their place, synced, and
//! renamed. Nothing here is the only copy; all of it may be deleted while no command runs.
#![allow(clippy::disallowed_methods)]

use super::{fs, process};
use crate::model::digest::Sha256Digest;
use crate::model::failure::Failure;
use std::ffi::OsStr;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The variable that says how many seconds a source has to say what it has.
const TIMEOUT: &str = "LOCALPUPPET_SOURCE_TIMEOUT";

/// What helps where that is too few.
pub const MORE_TIME: &str = "more time for it: LOCALPUPPET_SOURCE_TIMEOUT=600";

/// What it has where nothing is said.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a source was seen to have is not longer: some 500,000 refs.
const LARGEST_SEEN: u64 = 64 << 20;

/// A directory of this user alone.
#[derive(Clone, Debug)]
pub struct Cache {
    directory: PathBuf,
    patience: Duration,
}

impl Cache {
    /// The cache in a directory, or in this user's own place for such; nothing is made yet.
    pub fn at(given: Option<&Path>) -> Result<Self, Failure> {
        let variable = |name| std::env::var_os(name).map(PathBuf::from);
        let own = || {
            let xdg = variable("XDG_CACHE_HOME").filter(|path| path.is_absolute());
            let home = || variable("HOME").filter(|path| path.is_absolute());
            let base = xdg.or_else(|| Some(home()?.join(".cache")));
            base.unwrap_or_else(|| process::home("/var/cache").into()).join("localpuppet")
        };
        let directory = given.map_or_else(own, Path::to_owned);
        let directory = std::path::absolute(&directory)
            .map_err(|error| fs::failed("find", &directory, error))?;
        let patience = variable(TIMEOUT).map_or(Ok(PATIENCE), |text| seconds(&text))?;
        Ok(Cache { directory, patience })
    }

    /// How long a source may take to say what it has.
    pub fn to_answer(&self) -> Duration {
        self.patience
    }

    /// How long it may take to send that, or while somebody is asked for a password.
    pub fn to_send(&self) -> Duration {
        self.patience * 10
    }

    /// A directory of one kind of things, made if need be.
    fn kind(&self, kind: &str) -> Result<PathBuf, Failure> {
        let directory = self.directory.join(kind);
        let made = DirBuilder::new().recursive(true).mode(0o700).create(&directory);
        made.map_err(|error| {
            fs::failed("create directory", &directory, error)
                .hint("keep it elsewhere: `--cache DIR`, or LOCALPUPPET_CACHE")
        })?;
        Ok(directory)
    }

    /// Keeps others from one thing until this is dropped; waits for who has it.
    pub fn lock(&self, name: &str) -> Result<File, Failure> {
        let path = self.kind("locks")?.join(name);
        let opened = OpenOptions::new().create(true).append(true).open(&path);
        let file = opened.map_err(|error| fs::failed("open", &path, error))?;
        file.lock().map_err(|error| fs::failed("lock", &path, error))?;
        Ok(file)
    }

    /// The directory of that name; where it is not there, made by `fill`, all of it or nothing.
    pub fn make(
        &self,
        kind: &str,
        name: &str,
        fill: impl FnOnce(&Path) -> Result<(), Failure>,
    ) -> Result<PathBuf, Failure> {
        let all = self.kind(kind)?;
        let path = all.join(name);
        if fs::is_directory(&path)? {
            // Whoever shrinks the cache goes by when a thing was last of use.
            let _ = File::open(&path).and_then(|it| it.set_modified(SystemTime::now()));
            return Ok(path);
        }
        let beside = tempfile::Builder::new().prefix(fs::UNNAMED).tempdir_in(&all);
        let beside = beside.map_err(|error| fs::failed("write in", &all, error))?;
        fill(beside.path())?;
        fs::sync_file_system(beside.path())?;
        match std::fs::rename(beside.path(), &path) {
            Ok(()) => {
                // It has another name, and is nobody's to remove.
                let _ = beside.keep();
                fs::sync_parent(&path)?;
            }
            // Another command has made the same meanwhile.
            Err(error) if is_there(&error) => {}
            Err(error) => return Err(fs::failed("rename to", &path, error)),
        }
        Ok(path)
    }

    /// Writes down what a source was seen to have.
    pub fn remember(&self, name: &str, seen: &str) -> Result<(), Failure> {
        let path = self.kind("seen")?.join(name);
        if fs::read_own(&path, LARGEST_SEEN)?.as_deref() == Some(seen.as_bytes()) {
            return Ok(());
        }
        fs::replace(&path, seen.as_bytes(), 0o600)
    }

    /// What a source was seen to have when it was last asked.
    pub fn recall(&self, name: &str) -> Result<Option<String>, Failure> {
        let seen = fs::read_own(&self.directory.join("seen").join(name), LARGEST_SEEN)?;
        Ok(seen.map(|seen| String::from_utf8_lossy(&seen).into_owned()))
    }
}

fn seconds(text: &Path) -> Result<Duration, Failure> {
    let seconds = text.to_str().and_then(|text| text.parse().ok()).filter(|&seconds| seconds > 0);
    let seconds: u32 = seconds.ok_or_else(|| {
        let found = text.display();
        Failure::new(format!("expected `{TIMEOUT}` to be seconds, 1 or more, found `{found}`"))
    })?;
    Ok(Duration::from_secs(seconds.into()))
}

fn is_there(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty)
}

/// A short name for a long one; no two become the same.
pub fn name_of(long: impl AsRef<OsStr>) -> String {
    let digest = Sha256Digest::of(long.as_ref().as_encoded_bytes()).to_string();
    digest[..32].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_of_a_source_is_seconds() {
        assert_eq!(seconds(Path::new("5")).unwrap(), Duration::from_secs(5));
        for text in ["", "0", "-1", "5s", "4294967296"] {
            let told = seconds(Path::new(text)).unwrap_err().to_string();
            let expected = "expected `LOCALPUPPET_SOURCE_TIMEOUT` to be seconds, 1 or more, found";
            assert_eq!(told, format!("{expected} `{text}`"));
        }
    }

    #[test]
    fn a_tree_is_there_whole_or_not_at_all() {
        let place = tempfile::tempdir().unwrap();
        let cache = Cache::at(Some(&place.path().join("cache"))).unwrap();
        let half = cache.make("trees", "a", |at| {
            std::fs::write(at.join("x"), "x").unwrap();
            Err(Failure::new("cut off"))
        });
        assert_eq!(half.unwrap_err().to_string(), "cut off");
        let trees = place.path().join("cache/trees");
        assert_eq!(std::fs::read_dir(&trees).unwrap().count(), 0);
        let made = cache.make("trees", "a", |at| {
            // Another command is faster.
            cache.make("trees", "a", |at| {
                std::fs::write(at.join("first"), "").unwrap();
                Ok(())
            })?;
            std::fs::write(at.join("second"), "").unwrap();
            Ok(())
        });
        assert!(made.unwrap().join("first").try_exists().unwrap());
        assert_eq!(std::fs::read_dir(&trees).unwrap().count(), 1);
    }

    #[test]
    fn what_is_used_is_as_new() {
        let place = tempfile::tempdir().unwrap();
        let cache = Cache::at(Some(place.path())).unwrap();
        let tree = cache.make("trees", "a", |_| Ok(())).unwrap();
        let time = || std::fs::metadata(&tree).unwrap().modified().unwrap();
        File::open(&tree).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert_eq!(time(), SystemTime::UNIX_EPOCH);
        cache.make("trees", "a", |_| Ok(())).unwrap();
        assert!(time() > SystemTime::UNIX_EPOCH);
    }

    #[test]
    fn what_was_seen_is_recalled() {
        let place = tempfile::tempdir().unwrap();
        let cache = Cache::at(Some(place.path())).unwrap();
        assert_eq!(cache.recall("a").unwrap(), None);
        cache.remember("a", "x").unwrap();
        cache.remember("a", "y").unwrap();
        assert_eq!(cache.recall("a").unwrap().as_deref(), Some("y"));
    }
}
