//! What `inspect` tells of a bundle.

use super::bundle::Bundle;
use super::compression::Format;
use super::exit::Exit;
use super::interface::Interface;
use serde::Serialize;

/// A bundle as it was found, and what is wrong with it.
#[derive(Debug, Serialize)]
pub struct Inspection {
    /// The file, or the directory of the installed release or of the app.
    pub place: String,
    /// The package file; none for an installed release or a checkout.
    pub package: Option<PackageFacts>,
    /// Bytes of content, and how many files they are in.
    pub content_bytes: u64,
    pub content_files: usize,
    /// True where all that is there is what `bundle.json` says, and nothing else is there.
    pub whole: bool,
    /// What is not.
    pub problems: Vec<String>,
    /// What the bundle says of itself; its digests are those that were computed, where it is whole.
    pub bundle: Bundle,
    /// How its classes may be called, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub interface: Option<Interface>,
    /// List every file in prose too.
    #[serde(skip)]
    pub files: bool,
    /// It is of a checkout, which nothing was recorded of: there is nothing to hold it against.
    #[serde(skip)]
    pub checkout: bool,
}

/// What a package file says of itself beside its `bundle.json`.
#[derive(Debug, Serialize)]
pub struct PackageFacts {
    pub format: Format,
    /// Size of the file.
    pub bytes: u64,
    pub compression: String,
    pub architecture: String,
    pub maintainer: String,
}

impl Inspection {
    /// The exit code that goes with what was found.
    pub fn exit(&self) -> Exit {
        if self.whole { Exit::Ok } else { Exit::NotVerified }
    }
}
