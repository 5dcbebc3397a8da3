//! The walk of a release tree, and the reading of its files.
#![allow(clippy::disallowed_methods)]

use super::fs::{failed, not_walked, open_regular};
use crate::model::app::AppPath;
use crate::model::digest::Sha256Digest;
use crate::model::failure::Failure;
use crate::model::litter;
use crate::model::tree::{Mode, Node, TreePath, TreePathError};
use md5::Md5;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::fs::{FileType, read_link};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use walkdir::{DirEntry, WalkDir};

/// So much of a file is read at a time.
const PIECE: usize = 32 << 10;

/// The MD5 of a file, as `md5sums` of a .deb has it.
pub type Md5Digest = [u8; 16];

/// What is below one app path; paths are relative to the module root.
#[derive(Debug, Default)]
pub struct Walked {
    /// What is released, in the order of paths.
    pub nodes: Vec<Node>,
    /// The MD5 of every file.
    pub md5sums: Vec<(TreePath, Md5Digest)>,
    /// What is not released, and why.
    pub left_out: Vec<(String, &'static str)>,
    /// What cannot be released, and why.
    pub offenders: Vec<(String, String)>,
}

/// Walks the directory of an app path and reads every file once.
pub fn walk(top: &Path, app: &AppPath) -> Result<Walked, Failure> {
    let (entries, mut left_out) = entries(top, app)?;
    let room = || vec![0; PIECE];
    let looked = entries.par_iter().map_init(room, |piece, entry| look(top, app, entry, piece));
    let mut walked = Walked::default();
    for (entry, found) in entries.iter().zip(looked.collect::<Result<Vec<_>, _>>()?) {
        match found {
            Found::Node(node) => walked.nodes.push(node),
            Found::File(node, md5) => {
                walked.md5sums.push((node.path().clone(), md5));
                walked.nodes.push(node);
            }
            Found::Offender(reason) => walked.offenders.push((shown(top, app, entry), reason)),
        }
    }
    walked.nodes.sort_by(|a, b| a.path().cmp(b.path()));
    walked.offenders.sort();
    left_out.sort();
    Ok(Walked { left_out, ..walked })
}

type LeftOut = Vec<(String, &'static str)>;

/// Every path below an app path but litter. Nothing is read but directories.
fn entries(top: &Path, app: &AppPath) -> Result<(Vec<DirEntry>, LeftOut), Failure> {
    let (mut kept, mut left_out) = (Vec::new(), Vec::new());
    let mut entries = WalkDir::new(top).min_depth(1).follow_root_links(true).into_iter();
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(|error| not_walked("look at", top, error))?;
        match entry.file_name().to_str().and_then(litter::reason) {
            None => kept.push(entry),
            Some(reason) => {
                left_out.push((shown(top, app, &entry), reason));
                if entry.file_type().is_dir() {
                    entries.skip_current_dir();
                }
            }
        }
    }
    Ok((kept, left_out))
}

fn shown(top: &Path, app: &AppPath, entry: &DirEntry) -> String {
    let relative = entry.path().strip_prefix(top).unwrap_or(entry.path());
    format!("{app}/{}", relative.display())
}

/// What an entry is to a release.
enum Found {
    Node(Node),
    File(Node, Md5Digest),
    Offender(String),
}

fn look(top: &Path, app: &AppPath, entry: &DirEntry, piece: &mut [u8]) -> Result<Found, Failure> {
    let relative = entry.path().strip_prefix(top).unwrap_or(entry.path()).to_str();
    let path = relative.ok_or(TreePathError::NotUtf8);
    let path = match path.and_then(|text| format!("{app}/{text}").parse::<TreePath>()) {
        Ok(path) => path,
        Err(reason) => return Ok(Found::Offender(reason.to_string())),
    };
    let kind = entry.file_type();
    if kind.is_dir() {
        return Ok(Found::Node(Node::Directory { path }));
    }
    if kind.is_symlink() {
        return link(path, entry.path());
    }
    match special(kind) {
        Some(reason) => Ok(Found::Offender(reason.to_owned())),
        None => file(path, entry.path(), piece),
    }
}

fn link(path: TreePath, at: &Path) -> Result<Found, Failure> {
    let target = read_link(at).map_err(|error| failed("look at", at, error))?;
    let Some(target) = target.to_str() else {
        return Ok(Found::Offender("has a link target that is not UTF-8".to_owned()));
    };
    Ok(match target.parse() {
        Ok(target) => Found::Node(Node::Symlink { path, target }),
        Err(reason) => Found::Offender(format!("{reason}")),
    })
}

fn special(kind: FileType) -> Option<&'static str> {
    let kinds = [
        (kind.is_fifo(), "is a fifo"),
        (kind.is_socket(), "is a socket"),
        (kind.is_block_device() || kind.is_char_device(), "is a device"),
    ];
    kinds.into_iter().find(|(is, _)| *is).map(|(_, reason)| reason)
}

/// Reads a file; its mode is that of the file that was read.
fn file(path: TreePath, at: &Path, piece: &mut [u8]) -> Result<Found, Failure> {
    let fail = |error| failed("read", at, error);
    let (mut file, metadata) = open_regular(at).map_err(fail)?;
    if metadata.mode() & 0o6000 != 0 {
        return Ok(Found::Offender("has a setuid or setgid bit".to_owned()));
    }
    let (mut sha256, mut md5, mut size) = (Sha256::new(), Md5::new(), 0);
    loop {
        let read = file.read(piece).map_err(fail)?;
        if read == 0 {
            break;
        }
        sha256.update(&piece[..read]);
        md5.update(&piece[..read]);
        size += read as u64;
    }
    let (mode, sha256) = (Mode::of(metadata.mode()), Sha256Digest::from_hasher(sha256));
    Ok(Found::File(Node::File { path, mode, size, sha256 }, md5.finalize().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_walk_did_not_get_on_is_told_in_the_systems_words() {
        let absent = Path::new("/nonexistent/foo/tags/r1");
        let told = walk(absent, &"foo/tags/r1".parse().unwrap()).unwrap_err().to_string();
        assert_eq!(
            told,
            format!("failed to look at `{}`: No such file or directory", absent.display())
        );
    }
}
