//! The files of two releases, each beside the one that it was: `foo/tags/r1/x` and `foo/tags/r2/x`.

use super::paired;
use crate::model::app::AppPath;
use crate::model::bundle::{Bundle, MODULE_ROOT};
use crate::model::tree::Node;
use serde::Serialize;
use std::cmp::Ordering;

/// A path that is not as it was.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FileChange {
    /// Where it is now, or where it was: `foo/tags/r2/foo/manifests/init.pp`.
    pub path: String,
    pub how: Vec<How>,
    pub before: Option<Node>,
    pub after: Option<Node>,
    /// The topmost directory that came or went with it.
    #[serde(skip)]
    pub with: Option<String>,
    /// What changed in it, where that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Text>,
}

/// Kinds of change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum How {
    Added,
    Removed,
    Content,
    Mode,
    Target,
    /// A file became a link, a link a directory.
    Kind,
}

/// What changed in a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Text {
    /// In the form of `diff -u`.
    Unified(String),
    /// One of the two is no text.
    Binary,
    /// One of the two is larger than is compared.
    TooLarge,
    /// So much was shown before it that this is left out.
    LeftOut,
}

impl FileChange {
    /// A path in one of the releases as an operator knows it: below the module root.
    pub fn shown(node: &Node) -> &str {
        let path = node.path().as_str();
        let below = path.strip_prefix(MODULE_ROOT).and_then(|rest| rest.strip_prefix('/'));
        below.unwrap_or(path)
    }
}

/// Every path that came, went or changed, in the order of the modulepath.
pub fn of(from: &Bundle, to: &Bundle) -> Vec<FileChange> {
    let mut changes = Vec::new();
    for (old, new) in paired(from, to) {
        if same_tree(from, old, to, new) {
            continue;
        }
        let old = old.map_or(Tree::EMPTY, |app| Tree::of(from, app));
        let new = new.map_or(Tree::EMPTY, |app| Tree::of(to, app));
        compare(&old, &new, &mut changes);
    }
    changes
}

fn same_tree(from: &Bundle, old: Option<&AppPath>, to: &Bundle, new: Option<&AppPath>) -> bool {
    let tree = |bundle: &Bundle, app: Option<&AppPath>| {
        bundle.modulepath.iter().find(|entry| Some(&entry.app) == app).map(|entry| entry.tree)
    };
    tree(from, old) == tree(to, new)
}

/// The paths below one directory of a modulepath, in the order of their bytes.
struct Tree<'a> {
    nodes: &'a [Node],
    /// Bytes of a path before what is relative.
    prefix: usize,
}

impl<'a> Tree<'a> {
    const EMPTY: Tree<'static> = Tree { nodes: &[], prefix: 0 };

    fn of(bundle: &'a Bundle, app: &AppPath) -> Self {
        let below = format!("{MODULE_ROOT}/{app}/");
        let path = |node: &Node| node.path().as_str().to_owned();
        let start = bundle.files.partition_point(|node| path(node) < below);
        let rest = &bundle.files[start..];
        let end = rest.partition_point(|node| node.path().as_str().starts_with(&below));
        Tree { nodes: &rest[..end], prefix: below.len() }
    }

    fn relative(&self, at: usize) -> Option<&'a str> {
        Some(&self.nodes.get(at)?.path().as_str()[self.prefix..])
    }

    fn has_directory(&self, relative: &str) -> bool {
        let found =
            self.nodes.binary_search_by(|node| node.path().as_str()[self.prefix..].cmp(relative));
        found.is_ok_and(|at| matches!(self.nodes[at], Node::Directory { .. }))
    }

    /// The topmost directory of a path that is not there.
    fn first_missing(&self, relative: &str) -> Option<usize> {
        let ends = relative.match_indices('/').map(|(at, _)| at);
        ends.into_iter().find(|end| !self.has_directory(&relative[..*end]))
    }

    /// True for a directory with something in it, which says enough of the directory.
    fn is_told_by_others(&self, at: usize) -> bool {
        let is_directory = matches!(self.nodes[at], Node::Directory { .. });
        let name = self.relative(at).unwrap_or_default();
        let below = |next: &str| next.strip_prefix(name).is_some_and(|rest| rest.starts_with('/'));
        // What comes before `/` in bytes may stand between a directory and what is in it.
        let later = (at + 1..self.nodes.len()).map_while(|at| self.relative(at));
        is_directory && later.take_while(|next| next.starts_with(name)).any(below)
    }
}

fn compare(old: &Tree, new: &Tree, changes: &mut Vec<FileChange>) {
    let (mut at_old, mut at_new) = (0, 0);
    loop {
        let order = match (old.relative(at_old), new.relative(at_new)) {
            (None, None) => return,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.cmp(b),
        };
        match order {
            Ordering::Less => changes.extend(alone(How::Removed, old, at_old, new)),
            Ordering::Greater => changes.extend(alone(How::Added, new, at_new, old)),
            Ordering::Equal => changes.extend(both(&old.nodes[at_old], &new.nodes[at_new])),
        }
        at_old += usize::from(order != Ordering::Greater);
        at_new += usize::from(order != Ordering::Less);
    }
}

/// A path that is on one side alone.
fn alone(how: How, tree: &Tree, at: usize, other: &Tree) -> Option<FileChange> {
    if tree.is_told_by_others(at) {
        return None;
    }
    let node = &tree.nodes[at];
    let path = FileChange::shown(node).to_owned();
    let missing = other.first_missing(tree.relative(at)?);
    let before = path.len() - tree.relative(at)?.len();
    let with = missing.map(|end| path[..before + end].to_owned());
    let (old, new) = match how {
        How::Removed => (Some(node.clone()), None),
        _ => (None, Some(node.clone())),
    };
    Some(FileChange { path, how: vec![how], before: old, after: new, with, text: None })
}

fn both(old: &Node, new: &Node) -> Option<FileChange> {
    let how = match (old, new) {
        (Node::Directory { .. }, Node::Directory { .. }) => vec![],
        (
            Node::File { mode, size, sha256, .. },
            Node::File { mode: new_mode, size: new_size, sha256: new_sha256, .. },
        ) => {
            let content = (size, sha256) != (new_size, new_sha256);
            let content = content.then_some(How::Content);
            content.into_iter().chain((mode != new_mode).then_some(How::Mode)).collect()
        }
        (Node::Symlink { target, .. }, Node::Symlink { target: new, .. }) => {
            (target != new).then_some(How::Target).into_iter().collect()
        }
        _ => vec![How::Kind],
    };
    (!how.is_empty()).then(|| FileChange {
        path: FileChange::shown(new).to_owned(),
        how,
        before: Some(old.clone()),
        after: Some(new.clone()),
        with: None,
        text: None,
    })
}
