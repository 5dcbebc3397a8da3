//! The ledger of a repository: which bytes a package name and version stand for, for ever.
//!
//! An entry is an object of its own that is created once and never changed.
//! Where it is, the package is in the pool; what it says is all that the
//! indexes need, so that none is ever made by reading the pool again.

use super::app::{AppPath, PackageName};
use super::bundle::Bundle;
use super::compression::Format;
use super::digest::Sha256Digest;
use super::version::Version;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The directory of a repository that has the entries.
pub const DIRECTORY: &str = "ledger/entries/";

/// The directory that tells what publishers have begun.
pub const BEGUN: &str = "ledger/begun/";

/// The directories that have the packages.
pub const POOLS: [&str; 2] = ["apt/pool/", "yum/pool/"];

/// More than this, and an entry is not read: the paths of some 500,000 files.
pub const LARGEST: u64 = 128 << 20;

/// The version of the format below.
const SCHEMA: u32 = 1;

/// A package that was published.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The version of this format.
    pub schema: u32,
    #[serde(flatten)]
    pub name: Name,
    /// The app path of the bundle.
    pub app: AppPath,
    pub bundle_id: Sha256Digest,
    /// Digest of the file as it was handed in; that in the pool has a signature more.
    pub given: Sha256Digest,
    /// Where it is in the repository.
    pub path: String,
    /// Its size there.
    pub bytes: u64,
    /// Its digest there.
    pub sha256: Sha256Digest,
    /// When, as RFC 3339.
    pub published_at: String,
    /// The repository that it was promoted from, with the same bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promoted_from: Option<String>,
    /// What the indexes say of it.
    pub index: Index,
}

/// A package's name, version and format: what stands for the same bytes for ever.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Name {
    pub package: PackageName,
    pub version: Version,
    pub format: Format,
}

/// The words of the indexes on one package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Index {
    /// The stanza of `Packages` (deb-control(5)), with the empty line after it.
    Deb { packages: String },
    /// The `<package>` of each document of rpm-md.
    Rpm { primary: String, filelists: String, other: String },
}

impl Entry {
    /// An entry of now.
    pub const fn schema() -> u32 {
        SCHEMA
    }

    /// Reads an entry.
    pub fn from_json(text: &[u8]) -> Result<Self, EntryError> {
        let entry: Entry = serde_json::from_slice(text)?;
        if entry.schema != SCHEMA {
            return Err(EntryError::Schema(entry.schema));
        }
        Ok(entry)
    }

    /// Writes it down.
    pub fn to_json(&self) -> Vec<u8> {
        // Strings and numbers: nothing here can fail to serialise.
        serde_json::to_vec(self).unwrap_or_default()
    }
}

/// Why a document is no entry.
#[derive(Debug, thiserror::Error)]
pub enum EntryError {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("expected `schema` {SCHEMA}, found `{0}`; a newer localpuppet reads it")]
    Schema(u32),
}

impl Name {
    /// The name of a package of a bundle.
    pub fn of(bundle: &Bundle, format: Format) -> Self {
        Name { package: bundle.package.clone(), version: bundle.version.clone(), format }
    }

    /// Where the entry is in a repository.
    pub fn key(&self) -> String {
        format!("{}{}.{}.json", self.siblings(), plain(self.version.as_str()), self.format)
    }

    /// Where it is told that the package was removed.
    pub fn removal(&self) -> String {
        format!("{}{}.{}.removed", self.siblings(), plain(self.version.as_str()), self.format)
    }

    /// Where it is told which bundle a release is, in all formats; of snapshots, each version.
    pub fn claim(&self, is_release: bool) -> String {
        match is_release {
            true => format!("{}release", self.siblings()),
            false => format!("{}{}.snapshot", self.siblings(), plain(self.version.as_str())),
        }
    }

    /// The directory of the entries of all versions and formats of the package.
    pub fn siblings(&self) -> String {
        format!("{DIRECTORY}{}/", plain(self.package.as_str()))
    }

    /// The same in the other format.
    pub fn other_format(&self) -> Name {
        let format = match self.format {
            Format::Deb => Format::Rpm,
            Format::Rpm => Format::Deb,
        };
        Name { format, ..self.clone() }
    }

    /// Where a package of these bytes is in the pool. The digest is part of the
    /// name, so that nothing is in the way of what the ledger decides.
    pub fn pool(&self, sha256: Sha256Digest) -> String {
        let root = match self.format {
            Format::Deb => "apt",
            Format::Rpm => "yum",
        };
        let (package, version) = (plain(self.package.as_str()), plain(self.version.as_str()));
        let digest = &sha256.to_string()[..16];
        format!("{root}/pool/{package}/{package}-{version}-{digest}.{}", self.format)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} (.{})", self.package, self.version, self.format)
    }
}

/// A name for web servers and object stores: `~`, `+` and `%` mean something
/// to some of them, so whatever is no letter, digit, `.` or `-` becomes `_` and
/// two hexadecimal digits. No two names become the same.
pub fn plain(name: &str) -> String {
    let mut plain = String::new();
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' => plain.push(char::from(byte)),
            other => plain.push_str(&format!("_{other:02x}")),
        }
    }
    plain
}

/// What a publisher is about to enter: told before, so that whoever comes
/// after one that was killed can end what it began.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Begun {
    pub since: String,
    /// The host and the process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    pub names: Vec<Name>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_needs_an_escape_in_a_url() {
        let name = |package: &str, version: &str| {
            let package = serde_json::from_value(package.into()).unwrap();
            Name { package, version: version.parse().unwrap(), format: Format::Deb }
        };
        let odd = name("localpuppet-a+5fb-r1", "1.2.0~rc1+x");
        assert_eq!(odd.key(), "ledger/entries/localpuppet-a_2b5fb-r1/1.2.0_7erc1_2bx.deb.json");
        let pool = odd.pool(Sha256Digest::of(""));
        assert_eq!(
            pool,
            "apt/pool/localpuppet-a_2b5fb-r1/localpuppet-a_2b5fb-r1-1.2.0_7erc1_2bx-e3b0c44298fc1c14.deb"
        );
        assert_eq!(odd.claim(true), "ledger/entries/localpuppet-a_2b5fb-r1/release");
        assert_eq!(odd.claim(true), odd.other_format().claim(true));
        assert_eq!(odd.claim(false), format!("{}1.2.0_7erc1_2bx.snapshot", odd.siblings()));
        assert_ne!(name("a", "1~").key(), name("a", "17e").key());
    }
}
