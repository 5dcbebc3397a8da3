//! The head of a repository: which indexes are in force, and what clients read first.
//!
//! The head is the one object that publishers compare and swap. The files that
//! clients read first are copies of what it names, and follow it.

use super::architecture::{Architecture, ArchitectureError};
use super::digest::Sha256Digest;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Where the head is.
pub const HEAD: &str = "ledger/head.json";

/// More than this, and a head is not read.
pub const LARGEST_HEAD: u64 = 64 << 20;

/// More than this, and no index is read.
pub const LARGEST_INDEX: u64 = 1 << 30;

/// Where files that clients read first wait to become current.
pub const STAGED: &str = "ledger/staged/";

/// Where the public keys are that nodes verify with.
pub const PUBLIC_KEY: &str = "key.asc";

/// The directory of the apt repository's suite.
pub const SUITE: &str = "apt/dists/stable/";

/// The version of the format below.
const SCHEMA: u32 = 1;

/// So many generations of indexes stay, whatever their age.
const KEPT_GENERATIONS: usize = 3;

/// For so many seconds a generation stays after the next one: no client takes
/// longer from the first file to the last.
pub const KEPT_SECONDS: i64 = 3600;

/// Clocks differ by some minutes; by hours, one is wrong.
pub const TOLERATED_SECONDS: i64 = 600;

/// What is in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    pub schema: u32,
    /// Grows by one with each change.
    pub generation: u64,
    /// When it was made, in seconds since 1970; never goes back.
    pub date: i64,
    /// Whether clients can verify it.
    pub signed: bool,
    /// dpkg's architectures whose indexes are written.
    pub architectures: Vec<String>,
    /// The indexes that the next generation is made from: `Packages`, then the documents of
    /// rpm-md in the order of `repomd.xml`.
    pub indexes: [Packed; 4],
    /// What clients read first, in the order in which it becomes current.
    pub pointers: Vec<Pointer>,
    /// Every hashed object of this generation.
    pub objects: BTreeSet<String>,
    /// Earlier generations whose objects are still there, the oldest first.
    pub history: Vec<Past>,
}

/// An index, and how it is compressed. What is none was never made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packed {
    pub text: Sum,
    pub gzip: Sum,
    /// Of what apt reads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub xz: Option<Sum>,
    /// The parts that were compressed apart, in order, with what is before and after the packages.
    pub parts: Vec<Lengths>,
}

/// What some bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sum {
    pub bytes: u64,
    pub sha256: Sha256Digest,
}

/// How long a part is: as text, in gzip, in xz without padding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lengths(pub usize, pub usize, pub usize);

impl Sum {
    /// Of bytes that are at hand.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        Sum { bytes: bytes.len() as u64, sha256: Sha256Digest::of(bytes) }
    }
}

impl Default for Sum {
    fn default() -> Self {
        Sum::of("")
    }
}

/// An object whose bytes are known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stored {
    pub key: String,
    pub bytes: u64,
    pub sha256: Sha256Digest,
}

/// A file that clients read by a name that stays, and the object that it is a copy of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pointer {
    pub path: String,
    pub of: Stored,
}

/// An earlier generation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Past {
    pub generation: u64,
    /// When the next one was made.
    pub until: i64,
    pub objects: BTreeSet<String>,
}

/// Why a document is no head.
#[derive(Debug, thiserror::Error)]
pub enum HeadError {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("expected `schema` {SCHEMA}, found `{0}`; a newer localpuppet reads it")]
    Schema(u32),
    #[error("`architectures`: {0}")]
    Architecture(ArchitectureError),
}

/// What a generation is made of, before it has its place after another.
pub struct Draft {
    pub date: i64,
    pub signed: bool,
    pub architectures: Vec<String>,
    pub indexes: [Packed; 4],
    pub pointers: Vec<Pointer>,
    pub objects: BTreeSet<String>,
}

impl Head {
    /// Reads a head.
    pub fn from_json(text: &[u8]) -> Result<Self, HeadError> {
        let head: Head = serde_json::from_slice(text)?;
        if head.schema != SCHEMA {
            return Err(HeadError::Schema(head.schema));
        }
        // They are part of paths.
        for name in &head.architectures {
            name.parse::<Architecture>().map_err(HeadError::Architecture)?;
        }
        Ok(head)
    }

    /// Writes it down.
    pub fn to_json(&self) -> Vec<u8> {
        // Strings and numbers: nothing here can fail to serialise.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The generation after `before`, and the objects that no client needs any more.
    pub fn after(before: Option<&Head>, draft: Draft) -> (Head, BTreeSet<String>) {
        let mut history = before.map(|head| head.history.clone()).unwrap_or_default();
        history.extend(before.map(|head| Past {
            generation: head.generation,
            until: draft.date,
            objects: head.objects.clone(),
        }));
        let number = history.len();
        let old = |&(at, past): &(usize, &Past)| {
            number - at > KEPT_GENERATIONS && draft.date - past.until > KEPT_SECONDS
        };
        let retired = history.iter().enumerate().take_while(old).count();
        let retired: Vec<Past> = history.drain(..retired).collect();
        let needed = |key: &String| {
            draft.objects.contains(key) || history.iter().any(|past| past.objects.contains(key))
        };
        let unneeded: BTreeSet<String> =
            retired.into_iter().flat_map(|past| past.objects).collect();
        let unneeded = unneeded.into_iter().filter(|key| !needed(key)).collect();
        let head = Head {
            schema: SCHEMA,
            generation: before.map_or(1, |head| head.generation + 1),
            date: draft.date,
            signed: draft.signed,
            architectures: draft.architectures,
            indexes: draft.indexes,
            pointers: draft.pointers,
            objects: draft.objects,
            history,
        };
        (head, unneeded)
    }

    /// Every object that is needed by some client.
    pub fn needed(&self) -> BTreeSet<&str> {
        let past = self.history.iter().flat_map(|past| &past.objects);
        self.objects.iter().chain(past).map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(date: i64, object: &str) -> Draft {
        Draft {
            date,
            signed: false,
            architectures: Vec::new(),
            indexes: Default::default(),
            pointers: Vec::new(),
            objects: BTreeSet::from([object.to_owned(), "always".to_owned()]),
        }
    }

    #[test]
    fn a_head_names_no_path_as_an_architecture() {
        let (mut head, _) = Head::after(None, draft(0, "a"));
        head.architectures = vec!["amd64".to_owned(), "q/../x".to_owned()];
        let told =
            "`architectures`: expected an architecture of dpkg such as `amd64`, found `q/../x`";
        assert_eq!(Head::from_json(&head.to_json()).unwrap_err().to_string(), told);
    }

    #[test]
    fn a_generation_goes_when_it_is_old_and_three_came_after_it() {
        let mut head = None;
        let mut gone = Vec::new();
        for (date, object) in [(0, "a"), (10, "b"), (20, "c"), (30, "d"), (40, "e"), (5000, "f")] {
            let (next, unneeded) = Head::after(head.as_ref(), draft(date, object));
            assert_eq!(Head::from_json(&next.to_json()).unwrap(), next);
            gone.push(unneeded.into_iter().collect::<Vec<_>>().join(" "));
            head = Some(next);
        }
        assert_eq!(gone, ["", "", "", "", "", "a b"]);
        let head = head.unwrap();
        assert_eq!(head.generation, 6);
        assert_eq!(head.needed(), BTreeSet::from(["always", "c", "d", "e", "f"]));
    }
}
