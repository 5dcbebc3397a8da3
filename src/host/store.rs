//! Where a repository is kept: a directory or a bucket. Keys are relative paths.
//!
//! Both give what publishers need of a store: a new object that nobody else has
//! made, and a change that nobody else has made in between.

mod directory;
mod s3;

use crate::model::destination::Destination;
use crate::model::digest::Sha256Digest;
use crate::model::failure::Failure;
use directory::Directory;
use s3::S3;
use std::fs::File;

pub use super::fs::Created;

/// A repository's objects.
pub enum Store {
    Directory(Directory),
    S3(Box<S3>),
}

/// What an object was when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen(String);

/// Bytes to store.
#[derive(Clone, Copy)]
pub enum Content<'a> {
    Bytes(&'a [u8]),
    /// A whole file, which has this digest and size.
    File {
        file: &'a File,
        sha256: Sha256Digest,
        bytes: u64,
    },
}

/// A file that is a copy of an object.
pub struct Follower<'a> {
    pub path: &'a str,
    pub of: &'a str,
    /// The object, where it is at hand.
    pub bytes: Option<&'a [u8]>,
}

impl Store {
    /// Opens a repository that may not be there yet; nothing is written.
    pub fn open(destination: &Destination) -> Result<Self, Failure> {
        match destination {
            Destination::Directory(path) => Ok(Store::Directory(Directory::open(path)?)),
            Destination::S3 { bucket, prefix } => {
                Ok(Store::S3(Box::new(S3::open(bucket, prefix)?)))
            }
        }
    }

    /// Makes sure that it keeps its promises, as far as trying can tell.
    pub fn prepare(&self) -> Result<(), Failure> {
        match self {
            Store::Directory(directory) => directory.prepare(),
            Store::S3(s3) => s3.prepare(),
        }
    }

    /// Keeps other publishers waiting where that can be done; correctness does not need it.
    pub fn turn(&self) -> Result<Option<File>, Failure> {
        match self {
            Store::Directory(directory) => directory.turn().map(Some),
            Store::S3(_) => Ok(None),
        }
    }

    /// An object of at most `largest` bytes, and what it was; none where there is none.
    pub fn get(&self, key: &str, largest: u64) -> Result<Option<(Vec<u8>, Seen)>, Failure> {
        match self {
            Store::Directory(directory) => directory.get(key, largest),
            Store::S3(s3) => s3.get(key, largest),
        }
    }

    /// True where there is such an object.
    pub fn has(&self, key: &str) -> Result<bool, Failure> {
        match self {
            Store::Directory(directory) => directory.has(key),
            Store::S3(s3) => Ok(s3.seen(key)?.is_some()),
        }
    }

    /// A whole object as a file, whatever its size.
    pub fn fetch(&self, key: &str) -> Result<File, Failure> {
        match self {
            Store::Directory(directory) => directory.fetch(key),
            Store::S3(s3) => s3.fetch(key),
        }
    }

    /// Makes an object, unless there is one.
    pub fn create(&self, key: &str, content: Content) -> Result<Created, Failure> {
        match self {
            Store::Directory(directory) => directory.create(key, content),
            Store::S3(s3) => s3.create(key, content),
        }
    }

    /// Replaces an object that is still what it was when it was `seen`, or makes
    /// one where none was; false where somebody else has done so before.
    pub fn swap(&self, key: &str, bytes: &[u8], seen: Option<&Seen>) -> Result<bool, Failure> {
        match self {
            Store::Directory(directory) => directory.swap(key, bytes, seen),
            Store::S3(s3) => s3.swap(key, bytes, seen),
        }
    }

    /// Makes an object, named by what it is, out of another of the same bytes; there may be one.
    pub fn copy(&self, key: &str, of: &str) -> Result<(), Failure> {
        match self {
            Store::Directory(directory) => directory.copy(key, of),
            Store::S3(s3) => s3.copy(key, of),
        }
    }

    /// Makes files say what objects say, in this order, as long as `is_current`; no file ever
    /// goes back to what a publisher who has been overtaken wants.
    pub fn follow(
        &self,
        files: &[Follower],
        is_current: &dyn Fn() -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        match self {
            Store::Directory(directory) => directory.follow(files, is_current),
            Store::S3(s3) => s3.follow(files, is_current),
        }
    }

    /// The keys that begin with `prefix`, which ends in `/`, in order.
    pub fn list(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        match self {
            Store::Directory(directory) => directory.list(prefix),
            Store::S3(s3) => s3.list(prefix),
        }
    }

    /// The keys of what was on its way to become an object when somebody was killed, that many
    /// seconds ago or more. Of what did not arrive a bucket keeps nothing.
    pub fn leftovers(&self, seconds: i64) -> Result<Vec<String>, Failure> {
        match self {
            Store::Directory(directory) => directory.leftovers(seconds),
            Store::S3(_) => Ok(Vec::new()),
        }
    }

    /// Removes an object; there may be none.
    pub fn remove(&self, key: &str) -> Result<(), Failure> {
        match self {
            Store::Directory(directory) => directory.remove(key),
            Store::S3(s3) => s3.remove(key),
        }
    }
}
