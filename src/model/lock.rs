//! `bundle.lock`: what releases were made of when somebody last looked, made to be read in a review.
//!
//! A line for each directory of a modulepath: the release, the place in its modulepath, the app
//! path, where its tree came from, and the digest of that tree. Lines are in the order of their
//! bytes, and none depends on another, so that two changes merge. The first names the schema, as a
//! comment, which those who know of none read as well.

use super::app::AppPath;
use super::digest::Sha256Digest;
use super::origin::{NotAnOrigin, Origin};
use serde::Serialize;
use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;

/// The file in a module root.
pub const FILE_NAME: &str = "bundle.lock";

/// More bytes than this, and it is not read.
pub const LARGEST: u64 = 64 << 20;

/// How the line begins that names the schema; a lock without one is of the first.
const SCHEMA: &str = "# bundle.lock schema ";

/// The one schema that there is.
const FIRST: &str = "1";

const HEAD: &str = ": what releases are made of. `localpuppet lock` writes it; \
                    `bundle --locked` takes nothing else.";

/// How the lines begin that git leaves where two sides of a merge differ.
const MERGE: [&str; 4] = ["<<<<<<<", "|||||||", "=======", ">>>>>>>"];

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
    #[error("line {0}: expected UTF-8, found other bytes")]
    NotUtf8(usize),
    #[error("line {0}: expected schema {FIRST}, found `{1}`")]
    Schema(usize, String),
    #[error("line {0}: expected an entry, found `{1}`, which a merge has left")]
    Merge(usize, String),
    #[error(
        "line {0}: expected `RELEASE NUMBER APP_PATH SOURCE… sha256:DIGEST`, found {2} in `{1}`"
    )]
    Shape(usize, String, &'static str),
    #[error("line {0}: {1}")]
    Origin(usize, NotAnOrigin),
    #[error("line {0}: expected entry {2:04} of `{1}`, found a later one")]
    Missing(usize, AppPath, usize),
    #[error("line {0}: `{1}` has entry {2:04} twice")]
    Twice(usize, AppPath, usize),
}

impl LockError {
    /// What mends it.
    pub fn hint(&self) -> &'static str {
        match self {
            LockError::Merge(..) => "keep the lines of both sides, each once, and lock again",
            LockError::Schema(..) => "a newer localpuppet wrote it: take that one",
            _ => "take the lines of the release out, then: localpuppet lock APP_PATH",
        }
    }
}

impl Lock {
    /// Reads a lock; lines may be in any order, as a merge leaves them.
    pub fn parse(text: &[u8]) -> Result<Self, LockError> {
        let text = std::str::from_utf8(text).map_err(|error| {
            let before = &text[..error.valid_up_to()];
            LockError::NotUtf8(1 + before.iter().filter(|&&byte| byte == b'\n').count())
        })?;
        let mut read = Vec::new();
        for (index, line) in text.trim_start_matches('\u{feff}').lines().enumerate() {
            if MERGE.iter().any(|mark| line.starts_with(mark)) {
                return Err(LockError::Merge(index + 1, line.chars().take(80).collect()));
            }
            if let Some(schema) = line.strip_prefix(SCHEMA)
                && let schema = schema.split([':', ' ']).next().unwrap_or_default()
                && schema != FIRST
            {
                return Err(LockError::Schema(index + 1, schema.chars().take(80).collect()));
            }
            if !line.is_empty() && !line.starts_with('#') {
                let (release, number, locked) = entry(index + 1, line)?;
                read.push((release, number, index + 1, locked));
            }
        }
        read.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
        let mut lock = Lock::default();
        for (release, number, line, locked) in read {
            let entries = lock.releases.entry(release.clone()).or_default();
            match number.cmp(&(entries.len() + 1)) {
                Ordering::Equal => entries.push(locked),
                Ordering::Less => return Err(LockError::Twice(line, release, number)),
                Ordering::Greater => {
                    return Err(LockError::Missing(line, release, entries.len() + 1));
                }
            }
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

fn entry(at: usize, line: &str) -> Result<(AppPath, usize, Locked), LockError> {
    let shape = |what| LockError::Shape(at, line.chars().take(300).collect(), what);
    let mut words = line.splitn(4, ' ');
    let (Some(release), Some(place), Some(app), Some(rest)) =
        (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(shape("too few words"));
    };
    let release = release.parse().map_err(|_| shape("no app path first"))?;
    let is_number = place.len() >= 4 && place.bytes().all(|byte| byte.is_ascii_digit());
    let number = place.parse().ok().filter(|_| is_number);
    let number = number.ok_or_else(|| shape("no number of four digits"))?;
    let app = app.parse().map_err(|_| shape("no app path third"))?;
    let (origin, tree) = rest.rsplit_once(' ').ok_or_else(|| shape("too few words"))?;
    let tree = tree.strip_prefix("sha256:").and_then(|tree| tree.parse().ok());
    let tree = tree.ok_or_else(|| shape("no digest of 64 digits"))?;
    let origin = origin.parse().map_err(|error| LockError::Origin(at, error))?;
    Ok((release, number, Locked { app, origin, tree }))
}

/// As it is written to a file.
impl fmt::Display for Lock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{SCHEMA}{FIRST}{HEAD}")?;
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
        let line = format!("a/tags/1 0001 a/tags/1 directory sha256:{digest}\n");
        let shape = |what: &str, line: &str| {
            let expected = "expected `RELEASE NUMBER APP_PATH SOURCE… sha256:DIGEST`";
            (line.to_owned(), format!("line 1: {expected}, found {what} in `{}`", line.trim_end()))
        };
        let cases = [
            shape("too few words", "a/tags/1 0001\n"),
            shape("too few words", "a/tags/1 0001 a/tags/1 directory\n"),
            shape("no app path first", &line.replacen("a/", "../a/", 1)),
            shape("no app path first", &format!(" {line}")),
            shape("no number of four digits", &line.replace("0001", "1")),
            shape("no number of four digits", &line.replace("0001", "+001")),
            shape("no app path third", &line.replace("0001 a/", "0001 ../a/")),
            shape("no digest of 64 digits", &format!("{} x\n", line.trim_end())),
            shape("no digest of 64 digits", &line.replace("sha256:", "SHA256:")),
            (
                format!("# x\n\na/tags/1 0001 a/tags/1 git x refs/tags/1 abc sha256:{digest}\n"),
                "line 3: expected `directory`, `git URL REF COMMIT` or `svn URL PATH REVISION`, \
                 found `git x refs/tags/1 abc`"
                    .to_owned(),
            ),
            (line.repeat(2), "line 2: `a/tags/1` has entry 0001 twice".to_owned()),
            (
                format!("{line}{}", line.replace("0001", "0003")),
                "line 2: expected entry 0002 of `a/tags/1`, found a later one".to_owned(),
            ),
            (
                format!("{line}<<<<<<< HEAD\n{line}=======\n>>>>>>> mine\n"),
                "line 2: expected an entry, found `<<<<<<< HEAD`, which a merge has left"
                    .to_owned(),
            ),
            (
                format!("# bundle.lock schema 2: x\n{}", line.replace("0001", "x")),
                "line 1: expected schema 1, found `2`".to_owned(),
            ),
            (
                "# x\n# bundle.lock schema 12".to_owned(),
                "line 2: expected schema 1, found `12`".to_owned(),
            ),
            (
                "# bundle.lock schema \n".to_owned(),
                "line 1: expected schema 1, found ``".to_owned(),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(told(&text), expected);
        }
        assert_eq!(Lock::parse(b"# x\n\xff"), Err(LockError::NotUtf8(2)));
        let other_lines = format!("\u{feff}# x\r\n{}", line.replace('\n', "\r\n"));
        assert_eq!(Lock::parse(other_lines.as_bytes()), Lock::parse(line.as_bytes()));
        let first = format!("\u{feff}# bundle.lock schema 1\r\n{line}");
        assert_eq!(Lock::parse(first.as_bytes()), Lock::parse(line.as_bytes()));
    }
}
