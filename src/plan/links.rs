//! Whether every symbolic link of a release leads to something in the release.

use crate::model::tree::{Node, TreePath};
use std::collections::BTreeMap;

/// A link that cannot be released, and why.
#[derive(Debug, PartialEq, Eq)]
pub struct BadLink {
    pub path: TreePath,
    pub reason: String,
}

/// As many links one after another as Linux follows (`MAXSYMLINKS`).
const MOST_HOPS: usize = 40;

/// Every link among `nodes` that is absolute, leaves them, or leads nowhere.
/// Paths are relative to the module root.
pub fn refused<'a>(nodes: impl Iterator<Item = &'a Node> + Clone) -> Vec<BadLink> {
    if !nodes.clone().any(|node| matches!(node, Node::Symlink { .. })) {
        return Vec::new();
    }
    let mut links: BTreeMap<&str, &str> = BTreeMap::new();
    let mut known: std::collections::HashSet<&str> = std::collections::HashSet::new();
    for node in nodes.clone() {
        let mut path = node.path().as_str();
        if let Node::Symlink { target, .. } = node {
            links.insert(path, target);
        }
        // Directories above an app path have no node of their own yet.
        while known.insert(path) {
            match path.rsplit_once('/') {
                Some((parent, _)) => path = parent,
                None => break,
            }
        }
    }
    let refuse = |node: &Node| match node {
        Node::Symlink { path, target } => {
            let reason = follow(path, target, &links, &|path| known.contains(path)).err()?;
            Some(BadLink { path: path.clone(), reason })
        }
        _ => None,
    };
    nodes.filter_map(refuse).collect()
}

fn follow(
    path: &TreePath,
    target: &str,
    links: &BTreeMap<&str, &str>,
    known: &dyn Fn(&str) -> bool,
) -> Result<(), String> {
    if target.starts_with('/') {
        return Err(format!("is an absolute link, to `{target}`"));
    }
    if target.is_empty() || target.chars().any(char::is_control) {
        return Err("has an empty target, or a control character in it".to_owned());
    }
    let mut at: Vec<&str> = path.parent().map_or(vec![], |parent| parent.split('/').collect());
    let mut ahead: Vec<&str> = target.split('/').rev().collect();
    let mut hops = 0;
    while let Some(component) = ahead.pop() {
        match component {
            "" | "." => continue,
            ".." => {
                if at.pop().is_none() {
                    return Err(format!("leads out of the release, to `{target}`"));
                }
                continue;
            }
            name => at.push(name),
        }
        let here = at.join("/");
        if let Some(next) = links.get(here.as_str()) {
            hops += 1;
            if hops > MOST_HOPS {
                return Err(format!("leads in a circle, to `{target}`"));
            }
            at.pop();
            ahead.extend(next.split('/').rev());
        } else if !known(&here) {
            return Err(format!("leads to `{target}`, which is not in the release"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(links: &[(&str, &str)]) -> Vec<String> {
        let directory = |path: &str| Node::Directory { path: path.parse().unwrap() };
        let mut nodes = vec![directory("foo/tags/r1/m/files"), directory("dist/tags/r7/n")];
        nodes.extend(links.iter().map(|(path, target)| Node::Symlink {
            path: path.parse().unwrap(),
            target: (*target).to_owned(),
        }));
        refused(nodes.iter())
            .into_iter()
            .map(|bad| format!("{} {}", bad.path, bad.reason))
            .collect()
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
    fn links_that_lead_elsewhere_are_refused() {
        let bad = [
            ("foo/tags/r1/a", "/etc/passwd"),
            ("foo/tags/r1/b", "../../../../x"),
            ("foo/tags/r1/c", "../r2/m"),
            ("foo/tags/r1/d", "d"),
        ];
        assert_eq!(
            reasons(&bad),
            [
                "foo/tags/r1/a is an absolute link, to `/etc/passwd`",
                "foo/tags/r1/b leads out of the release, to `../../../../x`",
                "foo/tags/r1/c leads to `../r2/m`, which is not in the release",
                "foo/tags/r1/d leads in a circle, to `d`",
            ]
        );
    }
}
