//! Package versions, and the one map from tags to them.

use super::digest::Sha256Digest;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A version that dpkg and rpm read alike: a digit first, then letters,
/// digits, `.`, `+` and `~` (Debian policy 5.6.12, native, without epoch).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Version(String);

/// The release part of every .rpm: a release is never packaged twice.
pub const RPM_RELEASE: &str = "1";

/// Why a text is not a version.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    #[error("expected a version that begins with a digit, found `{0}`")]
    First(String),
    #[error("expected letters, digits, `.`, `+` and `~` in a version, found {1:?} in `{0}`")]
    Character(String, char),
    #[error("expected a version of at most 128 bytes, found {0}")]
    TooLong(usize),
}

/// Why a tag has no version of its own.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TagError {
    #[error("tag `{0}` has no version: expected digits first, after an optional `r` or `v`")]
    NoNumber(String),
    #[error("tag `{0}` has no version: expected numbers between dots in `{1}`")]
    Numbers(String, String),
    #[error(
        "tag `{0}` has no version: expected a word and numbers after `-`, as in `1.2.0-rc1`, found `{1}`"
    )]
    PreRelease(String, String),
    #[error(transparent)]
    Version(#[from] VersionError),
}

impl Version {
    /// The version of a tag.
    ///
    /// `[r|v] NUMBER(.NUMBER)* [- WORD NUMBER | - WORD(.NUMBER)*]`: the letter
    /// goes, and what follows `-` is a pre-release and sorts below, so `-`
    /// becomes `~`. A dot after the word becomes `0.`, because dpkg sorts a dot
    /// after a letter above every letter and rpm takes `rc.1` and `rc1` for
    /// equal; `rc0.1` keeps the order of tags on both.
    ///
    /// Tags that differ get versions that differ and are not equal to dpkg or
    /// rpm; but for the letter, for leading zeros, and for `rc` beside `rc0`,
    /// which [`Version::same_order`] finds out.
    pub fn of_tag(tag: &str) -> Result<Self, TagError> {
        let body = tag.strip_prefix(['r', 'v']).unwrap_or(tag);
        if !body.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(TagError::NoNumber(tag.to_owned()));
        }
        let (numbers, pre) = match body.split_once('-') {
            Some((numbers, pre)) => (numbers, Some(pre)),
            None => (body, None),
        };
        if !numbers.split('.').all(is_number) {
            return Err(TagError::Numbers(tag.to_owned(), numbers.to_owned()));
        }
        let Some(pre) = pre else {
            return Ok(numbers.parse()?);
        };
        let refused = || TagError::PreRelease(tag.to_owned(), pre.to_owned());
        let rest = pre.trim_start_matches(|c: char| c.is_ascii_alphabetic());
        let word = &pre[..pre.len() - rest.len()];
        if word.is_empty() {
            return Err(refused());
        }
        let pre = match rest.strip_prefix('.') {
            Some(dotted) if dotted.split('.').all(is_number) => format!("{word}0.{dotted}"),
            None if rest.is_empty() || is_number(rest) => pre.to_owned(),
            _ => return Err(refused()),
        };
        Ok(format!("{numbers}~{pre}").parse()?)
    }

    /// The version of a snapshot: below every release, and carrying its content.
    pub fn of_snapshot(content: Sha256Digest) -> Self {
        Version(format!("0~~{}", &content.to_string()[..16]))
    }

    /// The version as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tag of the highest version; where none has one, the last in the order of names.
    pub fn latest(tags: &[String]) -> Option<&str> {
        let of = |tag: &str| Version::of_tag(tag).ok();
        let order = |a: &&String, b: &&String| match (of(a), of(b)) {
            (Some(mine), Some(theirs)) => mine.order(&theirs),
            (mine, theirs) => mine.is_some().cmp(&theirs.is_some()).then(a.cmp(b)),
        };
        tags.iter().max_by(order).map(String::as_str)
    }

    /// True where dpkg or rpm would take both versions for equal.
    pub fn same_order(&self, other: &Version) -> bool {
        dpkg_parts(&self.0) == dpkg_parts(&other.0) || rpm_parts(&self.0) == rpm_parts(&other.0)
    }

    /// The order of dpkg (`verrevcmp` in lib/dpkg/version.c).
    pub fn order(&self, other: &Version) -> Ordering {
        let (mine, theirs) = (dpkg_parts(&self.0), dpkg_parts(&other.0));
        let part = |parts: &[(&'_ str, &'_ str)], at: usize| {
            let (text, number) = parts.get(at).copied().unwrap_or_default();
            (text.to_owned(), number.to_owned())
        };
        let order = |at: usize| {
            let ((text, number), (other_text, other_number)) = (part(&mine, at), part(&theirs, at));
            let text = dpkg_text(&text).cmp(dpkg_text(&other_text));
            // Without leading zeros, the longer number is the larger.
            text.then(number.len().cmp(&other_number.len())).then(number.cmp(&other_number))
        };
        let orders = (0..mine.len().max(theirs.len())).map(order);
        orders.into_iter().find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
    }

    /// True for a version in the place that snapshots have, below all others.
    pub fn is_below_releases(&self) -> bool {
        self.0.contains("~~") || self.0.ends_with('~')
    }
}

/// What `verrevcmp` compares (lib/dpkg/version.c): text and numbers in turn, a missing number being 0.
fn dpkg_parts(version: &str) -> Vec<(&str, &str)> {
    let mut parts = Vec::new();
    let mut rest = version;
    while !rest.is_empty() {
        let text = &rest[..rest.find(|c: char| c.is_ascii_digit()).unwrap_or(rest.len())];
        rest = &rest[text.len()..];
        let number = &rest[..rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len())];
        rest = &rest[number.len()..];
        parts.push((text, number.trim_start_matches('0')));
    }
    parts
}

/// Text as dpkg orders it: `~` before its end, letters before all else.
fn dpkg_text(text: &str) -> impl Iterator<Item = u32> {
    let weight = |c: char| match c {
        '~' => 0,
        c if c.is_ascii_alphabetic() => u32::from(c) + 1,
        c => u32::from(c) + 256,
    };
    text.chars().map(weight).chain([1])
}

/// What `rpmvercmp` compares (rpmio/rpmvercmp.c): words, numbers and `~`; other separators are one.
fn rpm_parts(version: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut rest = version;
    while let Some(first) = rest.chars().next() {
        let same = |c: char| match first {
            '0'..='9' => c.is_ascii_digit(),
            'a'..='z' | 'A'..='Z' => c.is_ascii_alphabetic(),
            _ => false,
        };
        let part =
            &rest[..rest.find(|c: char| !same(c)).unwrap_or(rest.len()).max(first.len_utf8())];
        rest = &rest[part.len()..];
        match first {
            '0'..='9' => parts.push(match part.trim_start_matches('0') {
                "" => "0",
                number => number,
            }),
            'a'..='z' | 'A'..='Z' | '~' => parts.push(part),
            _ => {}
        }
    }
    parts
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        if text.len() > 128 {
            return Err(VersionError::TooLong(text.len()));
        }
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return Err(VersionError::First(text.to_owned()));
        }
        let allowed = |c: char| c.is_ascii_alphanumeric() || ".+~".contains(c);
        match text.chars().find(|&c| !allowed(c)) {
            Some(other) => Err(VersionError::Character(text.to_owned(), other)),
            None => Ok(Version(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Version {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> String {
        version.0
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(tag: &str) -> String {
        Version::of_tag(tag).unwrap().to_string()
    }

    #[test]
    fn the_latest_tag_is_that_of_the_highest_version() {
        let latest = |tags: &[&str]| {
            let tags: Vec<String> = tags.iter().map(|&tag| tag.to_owned()).collect();
            Version::latest(&tags).map(str::to_owned).unwrap_or_default()
        };
        assert_eq!(latest(&["r1", "r10", "r9", "zoo"]), "r10");
        assert_eq!(latest(&["1.2.0", "1.2.0-rc1", "1.10.0"]), "1.10.0");
        assert_eq!(latest(&["alpha", "beta"]), "beta");
        assert_eq!(latest(&[]), "");
    }

    #[test]
    fn tags_become_versions() {
        assert_eq!(version("r1"), "1");
        assert_eq!(version("v1.2.0"), "1.2.0");
        assert_eq!(version("1.2.0-rc1"), "1.2.0~rc1");
        assert_eq!(version("1.2.0-rc.1"), "1.2.0~rc0.1");
        assert_eq!(version("1.2.0-rc"), "1.2.0~rc");
        assert_eq!(version("2024.01.15"), "2024.01.15");
    }

    #[test]
    fn tags_without_a_version_are_refused_with_the_reason() {
        let refused = |tag: &str| Version::of_tag(tag).unwrap_err();
        assert_eq!(refused("stable"), TagError::NoNumber("stable".into()));
        assert_eq!(refused("1.x"), TagError::Numbers("1.x".into(), "1.x".into()));
        assert_eq!(refused("1.0+b1"), TagError::Numbers("1.0+b1".into(), "1.0+b1".into()));
        assert_eq!(refused("1.0-1"), TagError::PreRelease("1.0-1".into(), "1".into()));
        assert_eq!(refused("1.0-rc1.2"), TagError::PreRelease("1.0-rc1.2".into(), "rc1.2".into()));
    }

    #[test]
    fn versions_that_dpkg_or_rpm_cannot_tell_apart_are_found() {
        let same = |a: &str, b: &str| Version(a.into()).same_order(&Version(b.into()));
        assert!(same("2024.01", "2024.1") && same("1~rc01", "1~rc1") && same("0", "00"));
        assert!(same("1~rc", "1~rc0") && same("1+2", "1.2"));
        assert!(!same("1.0", "1") && !same("10", "1") && !same("1~rc0.1", "1~rc1"));
    }
}
