//! A repository in a directory: files that are linked into place, and swaps under a lock.
#![allow(clippy::disallowed_methods)]

use super::{Content, Follower, Seen};
use crate::host::clock;
use crate::host::fs::{self, Created, failed};
use crate::model::digest::Sha256Digest;
use crate::model::failure::Failure;
use crate::model::repository::TOLERATED_SECONDS;
use std::collections::BTreeSet;
use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Where publishers of one directory wait for each other, and where swaps are made.
const TURN: &str = "ledger/.turn";
const SWAP: &str = "ledger/.swap";

/// A repository in a directory.
pub struct Directory {
    root: PathBuf,
}

impl Directory {
    /// A directory that may not be there yet.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let root = std::path::absolute(path).map_err(|error| failed("find", path, error))?;
        match fs::kind(&root)? {
            Some(_) if !fs::is_directory(&root)? => {
                Err(Failure::new(format!("`{}` is no directory", path.display()))
                    .hint("name a directory, which may not be there yet"))
            }
            _ => Ok(Directory { root }),
        }
    }

    fn path(&self, key: &str) -> PathBuf {
        self.root.join(key)
    }

    /// Makes the directory; its file system has to know locks.
    pub fn prepare(&self) -> Result<(), Failure> {
        create_directory(&self.path("ledger"))?;
        self.lock(SWAP)?;
        self.clocks_agree()
    }

    /// A file gets its time from whoever keeps the disk, which may be another machine: what a clock
    /// dates that is hours ahead, no client takes for hours.
    fn clocks_agree(&self) -> Result<(), Failure> {
        let ledger = self.path("ledger");
        let made = fs::beside(&ledger)?.file().metadata().and_then(|made| made.modified());
        let made = made.map_err(|error| failed("look at", &ledger, error))?;
        let made = jiff::Timestamp::try_from(made).unwrap_or_default().as_second();
        let ahead = clock::timestamp().as_second() - made;
        if ahead.abs() <= TOLERATED_SECONDS {
            return Ok(());
        }
        let word = if ahead > 0 { "ahead of" } else { "behind" };
        let (minutes, shown) = (ahead.abs() / 60, self.root.display());
        Err(Failure::new(format!("this clock is {minutes} minutes {word} that of `{shown}`"))
            .hint("set the clock: `date`, `timedatectl`"))
    }

    /// A lock of this repository.
    pub fn turn(&self) -> Result<File, Failure> {
        self.lock(TURN)
    }

    fn lock(&self, name: &str) -> Result<File, Failure> {
        let path = self.path(name);
        let lock = || {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)?;
            file.lock()?;
            Ok(file)
        };
        lock().map_err(|error| failed("lock", &path, error))
    }

    /// A file as it is now.
    pub fn get(&self, key: &str, largest: u64) -> Result<Option<(Vec<u8>, Seen)>, Failure> {
        let bytes = fs::read_own(&self.path(key), largest)?;
        Ok(bytes.map(|bytes| {
            let seen = seen(&bytes);
            (bytes, seen)
        }))
    }

    /// True where there is such a file.
    pub fn has(&self, key: &str) -> Result<bool, Failure> {
        Ok(fs::kind(&self.path(key))?.is_some())
    }

    /// A file, open.
    pub fn fetch(&self, key: &str) -> Result<File, Failure> {
        fs::open(&self.path(key))
    }

    /// Links a synced file into place.
    pub fn create(&self, key: &str, content: Content) -> Result<Created, Failure> {
        let path = self.path(key);
        let parent = path.parent().unwrap_or(&self.root);
        create_directory(parent)?;
        let beside = fs::beside(parent)?;
        let fail = |error| failed("write", &path, error);
        match content {
            Content::Bytes(bytes) => beside.file().write_all(bytes).map_err(fail)?,
            Content::File { file, sha256, bytes } => {
                let mut from = file;
                from.rewind().map_err(fail)?;
                let mut from = from.take(bytes.saturating_add(1));
                io::copy(&mut from, &mut beside.file()).map_err(fail)?;
                beside.file().rewind().map_err(fail)?;
                let (found, _) = Sha256Digest::of_reader(beside.file()).map_err(fail)?;
                if found != sha256 {
                    return Err(Failure::new("a package changed while it was being published"));
                }
            }
        }
        fs::create(beside, &path)
    }

    /// Replaces a file under a lock, at once.
    pub fn swap(&self, key: &str, bytes: &[u8], before: Option<&Seen>) -> Result<bool, Failure> {
        let path = self.path(key);
        create_directory(path.parent().unwrap_or(&self.root))?;
        let _lock = self.lock(SWAP)?;
        let now = fs::read_own(&path, u64::MAX - 1)?.map(|bytes| seen(&bytes));
        if now.as_ref() != before {
            return Ok(false);
        }
        fs::replace(&path, bytes, 0o644)?;
        Ok(true)
    }

    /// Gives a file another name, where the file system can; else copies it.
    pub fn copy(&self, key: &str, of: &str) -> Result<(), Failure> {
        let path = self.path(key);
        create_directory(path.parent().unwrap_or(&self.root))?;
        match std::fs::hard_link(self.path(of), &path) {
            Ok(()) => fs::sync_parent(&path),
            Err(_) => {
                let file = self.fetch(of)?;
                let (sha256, bytes) = fs::digest(&file)?;
                match self.create(key, Content::File { file: &file, sha256, bytes })? {
                    Created::Different => Err(Failure::new(format!(
                        "`{key}` is there already, and is not what its name says"
                    ))),
                    Created::New | Created::Unchanged => Ok(()),
                }
            }
        }
    }

    /// Replaces files by other names of objects; nobody swaps anything meanwhile.
    pub fn follow(
        &self,
        files: &[Follower],
        is_current: &dyn Fn() -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let _lock = self.lock(SWAP)?;
        if !is_current()? {
            return Ok(());
        }
        let mut parents = BTreeSet::new();
        for Follower { path, of, .. } in files {
            let path = self.path(path);
            create_directory(path.parent().unwrap_or(&self.root))?;
            fs::replace_by(&path, &self.path(of))?;
            parents.insert(path.parent().map(Path::to_owned));
        }
        parents.iter().flatten().try_for_each(|parent| fs::sync_parent(&parent.join("x")))
    }

    /// The files below a directory; those that are on their way to a name are none.
    pub fn list(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let mut found = Vec::new();
        let mut directories = vec![prefix.trim_end_matches('/').to_owned()];
        while let Some(directory) = directories.pop() {
            for name in fs::names(&self.path(&directory))? {
                let key = format!("{directory}/{name}");
                match fs::kind(&self.path(&key))? {
                    _ if name.starts_with('.') => {}
                    Some(kind) if kind.is_dir() => directories.push(key),
                    Some(_) => found.push(key),
                    None => {}
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// Files that were on their way to a name when their publisher was killed, that many seconds
    /// ago or more.
    pub fn leftovers(&self, seconds: i64) -> Result<Vec<String>, Failure> {
        let mut found = Vec::new();
        let mut directories = vec![String::new()];
        while let Some(directory) = directories.pop() {
            for name in fs::names(&self.path(&directory))? {
                let key = format!("{directory}{name}");
                match fs::kind(&self.path(&key))? {
                    Some(kind) if kind.is_dir() => directories.push(key + "/"),
                    Some(_) if name.starts_with(fs::UNNAMED) && self.age(&key)? >= seconds => {
                        found.push(key);
                    }
                    _ => {}
                }
            }
        }
        found.sort();
        Ok(found)
    }

    /// Seconds since a file got its last name: what has an old object's bytes may be new.
    fn age(&self, key: &str) -> Result<i64, Failure> {
        let path = self.path(key);
        match std::fs::symlink_metadata(&path) {
            Ok(metadata) => Ok(clock::timestamp().as_second() - metadata.ctime()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(failed("look at", &path, error)),
        }
    }

    /// Removes a file.
    pub fn remove(&self, key: &str) -> Result<(), Failure> {
        let path = self.path(key);
        match std::fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed("remove", &path, error)),
        }
    }
}

/// Makes a directory that all may read, as its files are, whatever this process keeps from others.
fn create_directory(path: &Path) -> Result<(), Failure> {
    let is_new = |path: &&Path| !path.exists();
    let new: Vec<&Path> = path.ancestors().take_while(is_new).collect();
    fs::create_directory(path)?;
    for directory in new {
        let fail = |error| failed("create directory", directory, error);
        let mode = std::fs::metadata(directory).map_err(fail)?.permissions().mode();
        if mode & 0o755 != 0o755 {
            let readable = std::fs::Permissions::from_mode(mode | 0o755);
            std::fs::set_permissions(directory, readable).map_err(fail)?;
        }
    }
    Ok(())
}

fn seen(bytes: &[u8]) -> Seen {
    Seen(Sha256Digest::of(bytes).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Directory) {
        let directory = tempfile::tempdir().unwrap();
        let store = Directory::open(&directory.path().join("new")).unwrap();
        store.prepare().unwrap();
        (directory, store)
    }

    #[test]
    fn an_object_is_created_once() {
        let (_directory, store) = store();
        let create = |bytes: &[u8]| store.create("a/b", Content::Bytes(bytes)).unwrap();
        assert_eq!(create(b"1"), Created::New);
        assert_eq!(create(b"1"), Created::Unchanged);
        assert_eq!(create(b"2"), Created::Different);
        assert_eq!(store.get("a/b", 10).unwrap().unwrap().0, b"1");
        assert_eq!(store.list("a/").unwrap(), ["a/b"]);
        store.remove("a/b").unwrap();
        store.remove("a/b").unwrap();
        assert!(store.get("a/b", 10).unwrap().is_none() && store.list("x/").unwrap().is_empty());
    }

    #[test]
    fn a_swap_is_refused_where_somebody_was_faster() {
        let (_directory, store) = store();
        assert!(store.swap("x", b"1", None).unwrap());
        assert!(!store.swap("x", b"2", None).unwrap());
        let (_, seen) = store.get("x", 10).unwrap().unwrap();
        assert!(store.swap("x", b"2", Some(&seen)).unwrap());
        assert!(!store.swap("x", b"3", Some(&seen)).unwrap());
        assert_eq!(store.get("x", 10).unwrap().unwrap().0, b"2");
    }

    #[test]
    fn what_was_on_its_way_to_a_name_is_found_and_nothing_else() {
        let (_directory, store) = store();
        for key in ["apt/.localpuppet-a1", ".localpuppet-b2", "yum/x.localpuppet-c", "apt/.x"] {
            store.create(key, Content::Bytes(b"1")).unwrap();
        }
        assert_eq!(store.leftovers(0).unwrap(), [".localpuppet-b2", "apt/.localpuppet-a1"]);
        assert!(store.leftovers(60).unwrap().is_empty());
    }

    #[test]
    fn a_file_is_no_repository() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let told = format!("`{}` is no directory", file.path().display());
        assert_eq!(Directory::open(file.path()).err().unwrap().to_string(), told);
    }

    #[test]
    fn a_file_that_changes_meanwhile_is_not_published() {
        let (directory, store) = store();
        std::fs::write(directory.path().join("f"), "other").unwrap();
        let file = File::open(directory.path().join("f")).unwrap();
        let content = Content::File { file: &file, sha256: Sha256Digest::of("said"), bytes: 5 };
        assert!(store.create("f", content).is_err());
        assert!(store.list("").unwrap().is_empty());
    }
}
