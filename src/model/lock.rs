//! `bundle.lock`: what releases were made of when somebody last looked, made to be read in a review.
//!
//! A line for each directory of a modulepath: the release, the place in its modulepath, the app
//! path, where its tree came from, and the digest of that tree. Lines are in the order of their
//! bytes, and none depends on another, so that two changes merge.

use super::app::AppPath;
use super::digest::Sha256Digest;
use super::origin::{NotAnOrigin, Origin};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// The file in a module root.
pub const FILE_NAME: &str = "bundle.lock";

/// More bytes than this, and it is not read.
pub const LARGEST: u64 = 64 << 20;

const HEAD: &str = "# What releases are made of. `localpuppet lock` writes it; \
                    `bundle --locked` takes nothing else.\n";

/// The releases that are locked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lock {
    releases: BTreeMap<AppPath, Vec<Locked>>,
}

/// One directory of a modulepath, and what it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Locked {
    pub app: AppPath,
    pub origin: Origin,
    pub tree: Sha256Digest,
}

/// Why a text is no lock; every variant names its line.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum LockError {
    #[error("expected UTF-8, found other bytes")]
    NotUtf8,
    #[error("line {0}: expected `RELEASE NUMBER APP_PATH SOURCE… sha256:DIGEST`, found `{1}`")]
    Shape(usize, String),
    #[error("line {0}: {1}")]
    Origin(usize, NotAnOrigin),
    #[error("line {0}: `{1}` has no entry before this one, or it has it twice")]
    Order(usize, AppPath),
}

impl Lock {
    /// Reads a lock; lines may be in any order, as a merge leaves them.
    pub fn parse(text: &[u8]) -> Result<Self, LockError> {
        let text = std::str::from_utf8(text).map_err(|_| LockError::NotUtf8)?;
        let mut read = Vec::new();
        for (index, line) in text.lines().enumerate() {
            if !line.is_empty() && !line.starts_with('#') {
                let (release, number, locked) = entry(index + 1, line)?;
                read.push((release, number, index + 1, locked));
            }
        }
        read.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        let mut lock = Lock::default();
        for (release, number, line, locked) in read {
            let entries = lock.releases.entry(release.clone()).or_default();
            if number != entries.len() + 1 {
                return Err(LockError::Order(line, release));
            }
            entries.push(locked);
        }
        Ok(lock)
    }

    /// What a release is made of; none where it is not locked.
    pub fn of(&self, release: &AppPath) -> Option<&Vec<Locked>> {
        self.releases.get(release)
    }

    /// Every entry of every release.
    pub fn entries(&self) -> impl Iterator<Item = &Locked> {
        self.releases.values().flatten()
    }

    /// Locks a release, whatever it was locked to before.
    pub fn set(&mut self, release: AppPath, entries: Vec<Locked>) {
        self.releases.insert(release, entries);
    }
}

fn entry(number: usize, line: &str) -> Result<(AppPath, usize, Locked), LockError> {
    let shape = || LockError::Shape(number, line.chars().take(300).collect());
    let mut words = line.splitn(4, ' ');
    let (release, place, app) = (words.next(), words.next(), words.next());
    let (Some(release), Some(place), Some(app)) = (release, place, app) else {
        return Err(shape());
    };
    let (origin, tree) = words.next().and_then(|rest| rest.rsplit_once(' ')).ok_or_else(shape)?;
    let tree = tree.strip_prefix("sha256:").ok_or_else(shape)?;
    let locked = Locked {
        app: app.parse().map_err(|_| shape())?,
        origin: origin.parse().map_err(|error| LockError::Origin(number, error))?,
        tree: tree.parse().map_err(|_| shape())?,
    };
    let release = release.parse().map_err(|_| shape())?;
    Ok((release, place.parse().map_err(|_| shape())?, locked))
}

/// As it is written to a file.
impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HEAD)?;
        let mut lines = Vec::new();
        for (release, entries) in &self.releases {
            for (index, Locked { app, origin, tree }) in entries.iter().enumerate() {
                let number = index + 1;
                lines.push(format!("{release} {number:04} {app} {origin} sha256:{tree}\n"));
            }
        }
        lines.sort();
        lines.iter().try_for_each(|line| f.write_str(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn origin() -> impl Strategy<Value = Origin> {
        let place = || "[a-z/.:@-]{0,9}x".prop_filter_map("a location", |text| text.parse().ok());
        prop_oneof![
            Just(Origin::Directory),
            (place(), "refs/tags/[!-~]{1,9}", "[0-9a-f]{40}").prop_map(
                |(location, reference, commit)| Origin::Git { location, reference, commit }
            ),
            (place(), "tags/[!-~]{1,9}", 0..u64::MAX)
                .prop_map(|(location, path, revision)| Origin::Svn { location, path, revision }),
        ]
    }

    fn app() -> impl Strategy<Value = AppPath> {
        let path = "[a-z]{1,3}(/x[a-z+-]{0,2}){0,2}/(trunk|tags/r[0-9]{1,2})";
        path.prop_map(|text| text.parse().unwrap())
    }

    fn entries() -> impl Strategy<Value = Vec<Locked>> {
        let entry = (app(), origin(), ".*").prop_map(|(app, origin, text)| Locked {
            app,
            origin,
            tree: Sha256Digest::of(text),
        });
        prop::collection::vec(entry, 1..4)
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            releases in prop::collection::btree_map(app(), entries(), 0..5)
        ) {
            let lock = Lock { releases };
            let text = lock.to_string();
            prop_assert!(text.lines().is_sorted());
            prop_assert_eq!(Lock::parse(text.as_bytes()), Ok(lock));
        }
    }

    #[test]
    fn what_is_no_lock_is_told_with_its_line() {
        let digest = Sha256Digest::of("");
        let told = |text: &str| Lock::parse(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            told("# x\n\na/tags/1 0001\n"),
            "line 3: expected `RELEASE NUMBER APP_PATH SOURCE… sha256:DIGEST`, \
             found `a/tags/1 0001`"
        );
        assert_eq!(
            told(&format!("a/tags/1 0001 a/tags/1 git x refs/tags/1 abc sha256:{digest}\n")),
            "line 1: expected `directory`, `git URL REF COMMIT` or `svn URL PATH REVISION`, \
             found `git x refs/tags/1 abc`"
        );
        let twice = format!("a/tags/1 0001 a/tags/1 directory sha256:{digest}\n").repeat(2);
        assert_eq!(
            told(&twice),
            "line 2: `a/tags/1` has no entry before this one, or it has it twice"
        );
        assert_eq!(Lock::parse(b"\xff"), Err(LockError::NotUtf8));
    }
}
