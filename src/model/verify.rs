//! What a tree should be and what it is: the differences.

use super::digest::Sha256Digest;
use super::tree::Node;
use super::value::printable;
use std::collections::BTreeMap;
use std::fmt;

/// One path of a tree as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    Directory {
        mode: u32,
    },
    File {
        mode: u32,
        size: u64,
        sha256: Sha256Digest,
    },
    Symlink {
        target: String,
    },
    /// A socket, a device, a fifo.
    Special,
    /// It could not be read; the text says why.
    Unreadable(String),
}

/// How one path differs from what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    pub path: String,
    pub what: What,
}

/// Kinds of difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Missing,
    Added,
    Kind {
        expected: &'static str,
        found: &'static str,
    },
    Mode {
        expected: u32,
        found: u32,
    },
    /// Not root's, and so for another to change.
    Owner {
        user: u32,
        group: u32,
    },
    Content,
    Target {
        expected: String,
        found: String,
    },
    Unreadable(String),
}

/// The differences between a canonical list and what was found, in the order of paths.
pub fn differences<'a>(
    expected: impl IntoIterator<Item = &'a Node>,
    mut found: BTreeMap<String, Found>,
) -> Vec<Difference> {
    let mut list = Vec::new();
    for node in expected {
        let what = match found.remove(node.path().as_str()) {
            None => Some(What::Missing),
            Some(found) => compare(node, found),
        };
        list.extend(what.map(|what| Difference { path: node.path().to_string(), what }));
    }
    list.extend(found.into_keys().map(|path| Difference { path, what: What::Added }));
    list.sort_by(|a, b| a.path.cmp(&b.path));
    list
}

fn compare(expected: &Node, found: Found) -> Option<What> {
    let mode =
        |expected: u32, found: u32| (expected != found).then_some(What::Mode { expected, found });
    match (expected, found) {
        (_, Found::Unreadable(why)) => Some(What::Unreadable(why)),
        (Node::Directory { .. }, Found::Directory { mode: found }) => mode(0o755, found),
        (
            Node::File { mode: bits, size, sha256, .. },
            Found::File { mode: found_mode, size: found_size, sha256: found_sha256 },
        ) => {
            if (*size, *sha256) != (found_size, found_sha256) {
                return Some(What::Content);
            }
            mode(bits.bits(), found_mode)
        }
        (Node::Symlink { target: expected, .. }, Found::Symlink { target: found }) => {
            let expected = expected.to_string();
            (expected != found).then_some(What::Target { expected, found })
        }
        (expected, found) => Some(What::Kind { expected: kind(expected), found: found.kind() }),
    }
}

fn kind(node: &Node) -> &'static str {
    match node {
        Node::Directory { .. } => "directory",
        Node::File { .. } => "file",
        Node::Symlink { .. } => "symbolic link",
    }
}

/// Differences as an error's cause: the first of them, and how many there are.
#[derive(Debug)]
pub struct Differences<D>(pub Vec<D>);

/// More differences than this are counted, not named.
const NAMED: usize = 20;

impl<D: fmt::Display> fmt::Display for Differences<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Differences(list) = self;
        write!(f, "{} {}", list.len(), if list.len() == 1 { "difference" } else { "differences" })?;
        list.iter().take(NAMED).try_for_each(|difference| write!(f, "\n    {difference}"))?;
        match list.len().checked_sub(NAMED) {
            Some(more @ 1..) => write!(f, "\n    and {more} more"),
            _ => Ok(()),
        }
    }
}

impl<D: fmt::Debug + fmt::Display> std::error::Error for Differences<D> {}

impl Found {
    fn kind(&self) -> &'static str {
        match self {
            Found::Directory { .. } => "directory",
            Found::File { .. } => "file",
            Found::Symlink { .. } => "symbolic link",
            Found::Special | Found::Unreadable(_) => "special file",
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = printable(&self.path);
        match &self.what {
            What::Missing => write!(f, "`{path}` is missing"),
            What::Added => write!(f, "`{path}` was added"),
            What::Kind { expected, found } => {
                write!(f, "`{path}`: expected a {expected}, found a {found}")
            }
            What::Mode { expected, found } => {
                write!(f, "`{path}`: expected mode {expected:04o}, found {found:04o}")
            }
            What::Owner { user, group } => {
                write!(f, "`{path}`: expected owner 0:0, found {user}:{group}")
            }
            What::Content => write!(f, "`{path}` was changed"),
            What::Target { expected, found } => {
                let [expected, found] = [expected, found].map(|target| printable(target));
                write!(f, "`{path}`: expected a link to `{expected}`, found one to `{found}`")
            }
            What::Unreadable(why) => write!(f, "`{path}` cannot be read: {why}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::tree::Mode;

    #[test]
    fn a_name_that_a_stranger_gave_obeys_nobody() {
        let path = "a\u{1b}[2J\nb".to_owned();
        let difference = Difference { path: path.clone(), what: What::Added };
        assert_eq!(difference.to_string(), r"`a\u{1b}[2J\nb` was added");
        let what = What::Target { expected: "é".into(), found: path };
        let told = Difference { path: "l".into(), what }.to_string();
        assert_eq!(told, r"`l`: expected a link to `é`, found one to `a\u{1b}[2J\nb`");
    }

    #[test]
    fn many_differences_are_counted() {
        let told = Differences(vec!["x"; 30_000]).to_string();
        assert!(told.starts_with("30000 differences\n    x\n"), "{told}");
        assert!(told.ends_with("\n    x\n    and 29980 more"), "{told}");
        assert_eq!(Differences(vec!["x"]).to_string(), "1 difference\n    x");
    }

    #[test]
    fn every_kind_of_difference_is_named() {
        let empty = Sha256Digest::of("");
        let file = |path: &str| Node::File {
            path: path.parse().unwrap(),
            mode: Mode::Plain,
            size: 0,
            sha256: empty,
        };
        let link = Node::Symlink { path: "l".parse().unwrap(), target: "c".parse().unwrap() };
        let directory = Node::Directory { path: "d".parse().unwrap() };
        let same = Found::File { mode: 0o644, size: 0, sha256: empty };
        let expected = ["c", "k", "m", "same", "x"].map(file);
        let expected: Vec<Node> = expected.into_iter().chain([link, directory]).collect();
        let changed = Found::File { mode: 0o644, size: 0, sha256: Sha256Digest::of("x") };
        let found = [
            ("a", same.clone()),
            ("c", changed),
            ("d", Found::Directory { mode: 0o777 }),
            ("k", Found::Special),
            ("l", Found::Symlink { target: "/etc".into() }),
            ("m", Found::File { mode: 0o4644, size: 0, sha256: empty }),
            ("same", same),
        ];
        let found = found.into_iter().map(|(path, found)| (path.to_owned(), found)).collect();
        let told: Vec<String> =
            differences(&expected, found).iter().map(Difference::to_string).collect();
        assert_eq!(
            told,
            [
                "`a` was added",
                "`c` was changed",
                "`d`: expected mode 0755, found 0777",
                "`k`: expected a file, found a special file",
                "`l`: expected a link to `c`, found one to `/etc`",
                "`m`: expected mode 0644, found 4644",
                "`x` is missing",
            ]
        );
    }
}
