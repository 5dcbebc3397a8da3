//! What a package is made of, the same for .deb and .rpm.

use crate::model::digest::Sha256Digest;
use crate::model::tree::{LinkTarget, Mode, TreePath};
use crate::model::version::Version;
use std::io;

/// What a package says of itself.
#[derive(Clone, Debug)]
pub struct Meta {
    /// Package name.
    pub name: String,
    /// Version, without revision or release.
    pub version: Version,
    /// `Name <mail>`.
    pub maintainer: String,
    /// One line, neither capitalised nor ended by a full stop.
    pub synopsis: String,
    /// Further lines; an empty one is a paragraph's end.
    pub description: Vec<String>,
    /// Name of the virtual package that it provides at its version.
    pub provides: String,
    /// Licence expression.
    pub license: String,
    /// Time of everything, in seconds since 1970.
    pub time: u32,
    /// What the changelog says of this version.
    pub change: String,
    /// Home page.
    pub homepage: String,
}

/// One path of a package. Owner and group are root, the time is the package's.
#[derive(Clone, Debug)]
pub struct Item {
    /// Path from `/`, without it: `usr/share/doc`.
    pub path: String,
    /// What is there.
    pub kind: Kind,
    /// True for a file that is documentation (`%doc` of an .rpm).
    pub is_document: bool,
}

/// The kinds of paths.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A directory that is part of the package.
    Directory,
    /// A directory of the system, which only makes a way to the package's own.
    SystemDirectory,
    /// A symbolic link.
    Symlink { target: LinkTarget },
    /// A regular file.
    File { mode: Mode, size: u64, sha256: Sha256Digest, md5: [u8; 16], content: Content },
}

/// Where the bytes of a file are.
#[derive(Clone, Debug)]
pub enum Content {
    /// Here.
    Bytes(Vec<u8>),
    /// In the module root.
    Tree(TreePath),
}

impl Item {
    /// Bytes of content: none for directories, the target's length for links.
    pub fn size(&self) -> u64 {
        match &self.kind {
            Kind::Directory | Kind::SystemDirectory => 0,
            Kind::Symlink { target } => target.as_str().len() as u64,
            Kind::File { size, .. } => *size,
        }
    }
}

/// A format's stream of paths and content.
pub trait Payload {
    /// Begins a path; content of `item.size()` bytes follows for files.
    fn item(&mut self, item: &Item) -> io::Result<()>;
    /// Adds content to the file begun last.
    fn content(&mut self, bytes: &[u8]) -> io::Result<()>;
}
