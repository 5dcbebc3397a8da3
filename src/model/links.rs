//! Whether every symbolic link of a release leads to something in the release.

use super::tree::{LinkTarget, Node, TreePath};
use std::collections::HashMap;

/// A link that cannot be released, and why.
#[derive(Debug, PartialEq, Eq)]
pub struct BadLink {
    pub path: TreePath,
    pub reason: String,
}

/// As many links one after another as Linux follows (`MAXSYMLINKS`).
const MOST_HOPS: usize = 40;

/// What is at each path of a release, for following links.
pub struct Links<'a> {
    at: HashMap<&'a str, At<'a>>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum At<'a> {
    Directory,
    File,
    Link(&'a LinkTarget),
}

impl<'a> Links<'a> {
    /// Takes in the nodes of a release; the directories above them need no node.
    pub fn among(nodes: impl Iterator<Item = &'a Node>) -> Self {
        let mut at = HashMap::new();
        for node in nodes {
            let what = match node {
                Node::Directory { .. } => At::Directory,
                Node::File { .. } => At::File,
                Node::Symlink { target, .. } => At::Link(target),
            };
            at.insert(node.path().as_str(), what);
            let mut above = node.path().parent();
            while let Some(path) = above {
                if at.insert(path, At::Directory).is_some() {
                    break;
                }
                above = path.rsplit_once('/').map(|(parent, _)| parent);
            }
        }
        Links { at }
    }

    /// Every link that is absolute, leaves the release, or leads nowhere.
    pub fn refused(&self, nodes: impl Iterator<Item = &'a Node>) -> Vec<BadLink> {
        let refuse = |node: &Node| match node {
            Node::Symlink { path, target } => {
                let reason = self.follow(path, target).err()?;
                Some(BadLink { path: path.clone(), reason })
            }
            _ => None,
        };
        nodes.filter_map(refuse).collect()
    }

    /// True where a link leads to a directory of the release.
    pub fn leads_to_directory(&self, path: &TreePath, target: &LinkTarget) -> bool {
        self.follow(path, target).is_ok_and(|end| self.at.get(end.as_str()) == Some(&At::Directory))
    }

    /// The path that a link leads to in the end.
    fn follow(&self, path: &TreePath, target: &LinkTarget) -> Result<String, String> {
        if target.as_str().starts_with('/') {
            return Err(format!("is an absolute link, to `{target}`"));
        }
        let mut at: Vec<&str> = path.parent().map_or(vec![], |parent| parent.split('/').collect());
        let mut ahead: Vec<&str> = target.as_str().split('/').rev().collect();
        let mut hops = 0;
        while let Some(component) = ahead.pop() {
            let here = at.join("/");
            if !at.is_empty() && self.at.get(here.as_str()) != Some(&At::Directory) {
                return Err(format!("leads through a file, to `{target}`"));
            }
            match component {
                "" | "." => continue,
                ".." if at.pop().is_some() => continue,
                ".." => return Err(format!("leads out of the release, to `{target}`")),
                name => at.push(name),
            }
            match self.at.get(at.join("/").as_str()) {
                Some(At::Link(next)) => {
                    hops += 1;
                    if hops > MOST_HOPS || next.as_str().starts_with('/') {
                        return Err(format!("leads in a circle or away, to `{target}`"));
                    }
                    at.pop();
                    ahead.extend(next.as_str().split('/').rev());
                }
                Some(_) => {}
                None => return Err(format!("leads to `{target}`, which is not in the release")),
            }
        }
        Ok(at.join("/"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::digest::Sha256Digest;
    use crate::model::tree::Mode;

    fn reasons(links: &[(&str, &str)]) -> Vec<String> {
        let directory = |path: &str| Node::Directory { path: path.parse().unwrap() };
        let mut nodes = vec![directory("foo/tags/r1/m/files"), directory("dist/tags/r7/n")];
        nodes.extend(links.iter().map(|(path, target)| Node::Symlink {
            path: path.parse().unwrap(),
            target: target.parse().unwrap(),
        }));
        let bad = Links::among(nodes.iter()).refused(nodes.iter());
        bad.into_iter().map(|bad| format!("{} {}", bad.path, bad.reason)).collect()
    }

    #[test]
    fn links_inside_the_release_are_kept_also_between_its_directories() {
        let kept = [
            ("foo/tags/r1/a", "m/files"),
            ("foo/tags/r1/b", "../../../dist/tags/r7/n"),
            ("foo/tags/r1/c", "a/../files/."),
        ];
        assert!(reasons(&kept).is_empty());
    }

    #[test]
    fn a_file_is_no_directory_on_the_way() {
        let file = Node::File {
            path: "a/f".parse().unwrap(),
            mode: Mode::Plain,
            size: 0,
            sha256: Sha256Digest::of(""),
        };
        for target in ["f/.", "f/", "f/../f"] {
            let link =
                Node::Symlink { path: "a/l".parse().unwrap(), target: target.parse().unwrap() };
            let nodes = [file.clone(), link];
            assert_eq!(Links::among(nodes.iter()).refused(nodes.iter()).len(), 1, "{target}");
        }
    }

    #[test]
    fn links_that_lead_elsewhere_are_refused() {
        let bad = [
            ("foo/tags/r1/a", "/etc/passwd"),
            ("foo/tags/r1/b", "../../../../x"),
            ("foo/tags/r1/c", "../r2/m"),
            ("foo/tags/r1/d", "d"),
            ("foo/tags/r1/e", "b/../m"),
        ];
        assert_eq!(
            reasons(&bad),
            [
                "foo/tags/r1/a is an absolute link, to `/etc/passwd`",
                "foo/tags/r1/b leads out of the release, to `../../../../x`",
                "foo/tags/r1/c leads to `../r2/m`, which is not in the release",
                "foo/tags/r1/d leads in a circle or away, to `d`",
                "foo/tags/r1/e leads out of the release, to `b/../m`",
            ]
        );
    }
}
