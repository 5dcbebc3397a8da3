//! `diff --text`: what changed in the files that did, line by line.

use super::side::Code;
use crate::host::fs;
use crate::host::source::place;
use crate::model::bundle::{self, MODULE_ROOT};
use crate::model::diff::{self, Diff, FileChange, How, LARGEST_TEXT, Text};
use crate::model::digest::Sha256Digest;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::tree::Node;
use crate::package::read::{Choice, pick};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::Path;

/// Bytes of files that are compared line by line, all together.
const MOST_TEXT: u64 = 32 << 20;

/// Content by the path that bundle.json has of it.
type Contents = BTreeMap<String, Vec<u8>>;

/// Adds to each file whose content differs how it differs.
pub fn add(diff: &mut Diff, from: &Code, to: &Code) -> Result<(), Failure> {
    let wanted = wanted(&mut diff.files);
    let nodes = |side: fn(&FileChange) -> &Option<Node>| -> Vec<&Node> {
        wanted
            .iter()
            .filter_map(|&at| side(&diff.files[at]).as_ref())
            .filter(|n| is_file(n))
            .collect()
    };
    let (old, new) = (nodes(|change| &change.before), nodes(|change| &change.after));
    let (old, new) = rayon::join(|| contents(from, &old), || contents(to, &new));
    let (old, new) = (old?, new?);
    let text = |change: &FileChange| {
        let side = |node: &'_ Option<Node>| node.clone().filter(is_file);
        let (before, after) = (side(&change.before), side(&change.after));
        let shown = |node: &Option<Node>| node.as_ref().map_or("", FileChange::shown).to_owned();
        let content = |node: &Option<Node>, all: &'_ Contents| {
            node.as_ref().and_then(|node| all.get(node.path().as_str())).cloned()
        };
        let (old, new) = (content(&before, &old), content(&after, &new));
        diff::unified((&shown(&before), old.as_deref()), (&shown(&after), new.as_deref()))
    };
    let texts: Vec<Text> = wanted.par_iter().map(|&at| text(&diff.files[at])).collect();
    for (at, text) in wanted.into_iter().zip(texts) {
        diff.files[at].text = Some(text);
    }
    Ok(())
}

fn is_file(node: &Node) -> bool {
    matches!(node, Node::File { .. })
}

/// The files whose content is compared; of the others it is said why they are not.
fn wanted(files: &mut [FileChange]) -> Vec<usize> {
    let (mut wanted, mut all) = (Vec::new(), 0);
    for (at, change) in files.iter_mut().enumerate() {
        let sizes = [&change.before, &change.after].map(|node| node.as_ref().map_or(0, Node::size));
        let is_link = |node: &Option<Node>| node.as_ref().is_some_and(|node| !is_file(node));
        let moved = change.how.iter().all(|how| matches!(how, How::Mode | How::Target));
        if moved || (is_link(&change.before) || is_link(&change.after)) {
            continue;
        }
        all += sizes[0] + sizes[1];
        if sizes.iter().any(|size| *size > LARGEST_TEXT) {
            change.text = Some(Text::TooLarge);
        } else if all > MOST_TEXT {
            change.text = Some(Text::LeftOut);
        } else {
            wanted.push(at);
        }
    }
    wanted
}

/// Reads files, each of which has to be what bundle.json says.
fn contents(code: &Code, nodes: &[&Node]) -> Result<Contents, Failure> {
    if nodes.is_empty() {
        return Ok(Contents::new());
    }
    let contents = match code {
        Code::Package(path) => in_package(path, nodes)?,
        Code::Installed(directory) => on_disk(nodes, |node| directory.join(node.path().as_str()))?,
        Code::Checkout(places) => {
            on_disk(nodes, |node| place(places, FileChange::shown(node)).unwrap_or_default())?
        }
    };
    for node in nodes {
        let path = node.path();
        let Node::File { sha256, .. } = node else { continue };
        if contents.get(path.as_str()).is_none_or(|text| Sha256Digest::of(text) != *sha256) {
            let what = format!("`{path}` is not what {} says", bundle::FILE_NAME);
            return Err(Failure::new(what)
                .exit(Exit::NotVerified)
                .hint("see all that is not: `localpuppet inspect FILE|APP/TAG`"));
        }
    }
    Ok(contents)
}

fn on_disk(
    nodes: &[&Node],
    place: impl Fn(&Node) -> std::path::PathBuf + Sync,
) -> Result<Contents, Failure> {
    let read = |node: &&Node| {
        let text = fs::read_own(&place(node), LARGEST_TEXT)?.unwrap_or_default();
        Ok((node.path().to_string(), text))
    };
    nodes.par_iter().map(read).collect()
}

fn in_package(path: &Path, nodes: &[&Node]) -> Result<Contents, Failure> {
    let wanted: BTreeMap<&str, u64> =
        nodes.iter().map(|node| (node.path().as_str(), node.size())).collect();
    let below = |path: &'_ str| path.find(MODULE_ROOT_BEGINS).map(|at| path[at + 1..].to_owned());
    let mut left = wanted.len();
    let choose = |path: &str| match below(path).and_then(|path| wanted.get(path.as_str()).copied())
    {
        _ if left == 0 => Choice::Stop,
        Some(size) => {
            left -= 1;
            Choice::Keep(size)
        }
        None => Choice::Skip,
    };
    let picked = pick(fs::open(path)?, choose).map_err(|error| {
        Failure::new(format!("failed to read `{}` as a package", path.display())).because(error)
    })?;
    let named = picked.into_iter().filter_map(|(path, text)| Some((below(&path)?, text)));
    Ok(named.collect())
}

/// What stands before the first path of a module root in a package's path.
const MODULE_ROOT_BEGINS: &str = "/modules/";

const _: () = assert!(MODULE_ROOT_BEGINS.len() == MODULE_ROOT.len() + 2);
