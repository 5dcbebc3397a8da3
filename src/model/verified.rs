//! Whether an installed release is what it was built as.

use super::app::AppPath;
use super::digest::Sha256Digest;
use super::exit::Exit;
use serde::Serialize;
use std::path::PathBuf;

/// What came of looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Whole,
    /// Something was changed, added or taken away, or its description cannot be read.
    Differs,
    NotInstalled,
}

/// How much of a package that was built again is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Every byte.
    Bytes,
    /// Every byte of the archives in it, before they are compressed: the compressor, its level or
    /// its version is another.
    Streams,
    /// Every file, and not every byte about it: the time, or the version of the tool, is another.
    Files,
    Differs,
}

/// An archive in a package, before it is compressed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RawArchive {
    /// `control.tar`, `data.tar`, `cpio`.
    pub name: &'static str,
    pub sha256: Sha256Digest,
}

/// What `verify --rebuild` answers.
#[derive(Debug, Serialize)]
pub struct Rebuilt {
    pub file: PathBuf,
    pub app: AppPath,
    pub bundle_id: Sha256Digest,
    pub level: Level,
    /// The archives that were compared, as the file has them; none where every byte is the same.
    pub streams: Vec<RawArchive>,
    /// Every difference, a line each.
    pub problems: Vec<String>,
}

impl Rebuilt {
    /// The exit code: what is in the package is what counts.
    pub fn exit(&self) -> Exit {
        if self.level == Level::Differs { Exit::NotVerified } else { Exit::Ok }
    }
}

/// What `verify` answers for one release.
#[derive(Debug, Serialize)]
pub struct Verified {
    /// The app path; of a directory that is no release, its place.
    pub release: String,
    pub verdict: Verdict,
    pub bundle_id: Option<Sha256Digest>,
    pub directory: String,
    /// Every difference, a line each.
    pub problems: Vec<String>,
}

impl Verified {
    /// The exit code of several: a difference says more than an absence.
    pub fn exit(all: &[Verified]) -> Exit {
        let any = |verdict| all.iter().any(|verified| verified.verdict == verdict);
        match (any(Verdict::Differs), any(Verdict::NotInstalled)) {
            (true, _) => Exit::NotVerified,
            (false, true) => Exit::Error,
            (false, false) => Exit::Ok,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_says_more_than_an_absence() {
        let of = |verdicts: &[Verdict]| {
            let one = |&verdict: &Verdict| Verified {
                release: String::new(),
                verdict,
                bundle_id: None,
                directory: String::new(),
                problems: Vec::new(),
            };
            Verified::exit(&verdicts.iter().map(one).collect::<Vec<_>>())
        };
        use Verdict::*;
        assert_eq!(of(&[Whole, Whole]), Exit::Ok);
        assert_eq!(of(&[Whole, NotInstalled]), Exit::Error);
        assert_eq!(of(&[NotInstalled, Differs, Whole]), Exit::NotVerified);
    }
}
