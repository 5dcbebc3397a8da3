//! The files of a release: kinds, paths, modes, digests, and their canonical list.

use super::app::LONGEST_COMPONENT;
use super::digest::Sha256Digest;
use serde::{Deserialize, Serialize};
use std::borrow::Borrow;
use std::fmt;
use std::path::Path;
use std::str::FromStr;

/// Longest path that Linux opens (PATH_MAX, with its terminating NUL).
const LONGEST_PATH: usize = 4095;

/// A path inside a release: relative, normal, UTF-8, and installable by dpkg and rpm.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TreePath(String);

/// Why a file name cannot be in a package.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TreePathError {
    #[error("is not relative and normal")]
    NotNormal,
    #[error("is not UTF-8")]
    NotUtf8,
    #[error("has a control character")]
    Control,
    #[error("has a component of {0} bytes; dpkg and rpm install at most {LONGEST_COMPONENT}")]
    Component(usize),
    #[error("has {0} bytes; Linux opens at most {LONGEST_PATH}")]
    TooLong(usize),
}

impl TreePath {
    /// The path as text, `/` between components.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The directory that this path is in; none at the top.
    pub fn parent(&self) -> Option<&str> {
        self.0.rsplit_once('/').map(|(parent, _)| parent)
    }

    /// The last component.
    pub fn file_name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }
}

impl FromStr for TreePath {
    type Err = TreePathError;

    fn from_str(text: &str) -> Result<Self, TreePathError> {
        if text.len() > LONGEST_PATH {
            return Err(TreePathError::TooLong(text.len()));
        }
        if text.chars().any(char::is_control) {
            return Err(TreePathError::Control);
        }
        for component in text.split('/') {
            if component.is_empty() || component == "." || component == ".." {
                return Err(TreePathError::NotNormal);
            }
            if component.len() > LONGEST_COMPONENT {
                return Err(TreePathError::Component(component.len()));
            }
        }
        Ok(TreePath(text.to_owned()))
    }
}

impl TryFrom<String> for TreePath {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let shown = || text.chars().take(200).collect::<String>();
        text.parse().map_err(|error: TreePathError| format!("{:?} {error}", shown()))
    }
}

impl From<TreePath> for String {
    fn from(path: TreePath) -> String {
        path.0
    }
}

impl AsRef<Path> for TreePath {
    fn as_ref(&self) -> &Path {
        Path::new(&self.0)
    }
}

impl Borrow<str> for TreePath {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TreePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One path of a release. Modes are 0755 for directories, 0644 or 0755 for
/// files; the owner is always root:root, the time is the package's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Node {
    Directory {
        path: TreePath,
    },
    File {
        path: TreePath,
        mode: Mode,
        /// Bytes.
        size: u64,
        sha256: Sha256Digest,
    },
    Symlink {
        path: TreePath,
        target: LinkTarget,
    },
}

/// Where a symbolic link leads, as it is written: one line, and not empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct LinkTarget(String);

/// Why a text is no target of a link in a package.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LinkTargetError {
    #[error("has an empty target")]
    Empty,
    #[error("has a control character in its target")]
    Control,
    #[error("has a target of {0} bytes; Linux follows at most {LONGEST_PATH}")]
    TooLong(usize),
}

impl LinkTarget {
    /// The target as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for LinkTarget {
    type Err = LinkTargetError;

    fn from_str(text: &str) -> Result<Self, LinkTargetError> {
        if text.is_empty() {
            return Err(LinkTargetError::Empty);
        }
        if text.len() > LONGEST_PATH {
            return Err(LinkTargetError::TooLong(text.len()));
        }
        if text.chars().any(char::is_control) {
            return Err(LinkTargetError::Control);
        }
        Ok(LinkTarget(text.to_owned()))
    }
}

impl TryFrom<String> for LinkTarget {
    type Error = LinkTargetError;

    fn try_from(text: String) -> Result<Self, LinkTargetError> {
        text.parse()
    }
}

impl From<LinkTarget> for String {
    fn from(target: LinkTarget) -> String {
        target.0
    }
}

impl fmt::Display for LinkTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Node {
    /// Where it is in the release.
    pub fn path(&self) -> &TreePath {
        match self {
            Node::Directory { path } | Node::File { path, .. } | Node::Symlink { path, .. } => path,
        }
    }

    /// The same node, elsewhere.
    pub fn with_path(&self, to: TreePath) -> Node {
        let mut node = self.clone();
        match &mut node {
            Node::Directory { path } | Node::File { path, .. } | Node::Symlink { path, .. } => {
                *path = to;
            }
        }
        node
    }

    /// Bytes of content; none for directories and links.
    pub fn size(&self) -> u64 {
        match self {
            Node::File { size, .. } => *size,
            _ => 0,
        }
    }

    /// The line of this path in the canonical list that digests are taken over.
    pub fn canonical_line(&self) -> String {
        self.canonical_line_at(self.path().as_str())
    }

    fn canonical_line_at(&self, path: &str) -> String {
        match self {
            Node::Directory { .. } => format!("d 0755 {path}\n"),
            Node::File { mode, size, sha256, .. } => format!("f {mode} {size} {sha256} {path}\n"),
            // Neither has a control character, so the tab and the line's end are unambiguous.
            Node::Symlink { target, .. } => format!("l 0777 {path}\t{target}\n"),
        }
    }
}

/// The digest of what is below a directory: SHA-256 over the canonical lines, with paths relative to
/// it, in the order of their bytes.
pub fn tree_digest<'a>(directory: &str, nodes: impl IntoIterator<Item = &'a Node>) -> Sha256Digest {
    let relative = |node: &'a Node| {
        let path = node.path().as_str().strip_prefix(directory)?.strip_prefix('/')?;
        Some((path, node))
    };
    let mut found: Vec<(&str, &Node)> = nodes.into_iter().filter_map(relative).collect();
    found.sort_by_key(|(path, _)| *path);
    let lines = found.into_iter().map(|(path, node)| node.canonical_line_at(path));
    Sha256Digest::of(lines.collect::<String>())
}

/// The two modes that a released file can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    #[serde(rename = "0644")]
    Plain,
    #[serde(rename = "0755")]
    Executable,
}

impl Mode {
    /// Executable where the owner may execute; every other bit is forgotten.
    pub fn of(unix: u32) -> Self {
        if unix & 0o100 != 0 { Mode::Executable } else { Mode::Plain }
    }

    /// The permission bits.
    pub fn bits(self) -> u32 {
        match self {
            Mode::Plain => 0o644,
            Mode::Executable => 0o755,
        }
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04o}", self.bits())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_target_cannot_install_are_refused() {
        let refused = |text: &str| text.parse::<TreePath>().unwrap_err();
        assert_eq!(refused("a\nb"), TreePathError::Control);
        assert_eq!(refused("a/../b"), TreePathError::NotNormal);
        assert_eq!(refused("/a"), TreePathError::NotNormal);
        assert_eq!(refused(&"x".repeat(247)), TreePathError::Component(247));
        assert_eq!(refused(&"x/".repeat(2048)), TreePathError::TooLong(4096));
        assert!("x".repeat(246).parse::<TreePath>().is_ok());
    }

    #[test]
    fn a_link_cannot_carry_the_line_of_another_file() {
        let text = r#"{"kind":"symlink","path":"a","target":"x\nf 0644 0 0 b"}"#;
        let refused = serde_json::from_str::<Node>(text).unwrap_err();
        assert!(refused.to_string().starts_with("has a control character in its target"));
    }

    #[test]
    fn a_node_is_read_back_as_written() {
        let text = r#"{"kind":"file","path":"a/b","mode":"0755","size":0,"sha256":"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}"#;
        let node: Node = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&node).unwrap(), text);
    }
}
