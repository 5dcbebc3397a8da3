//! The walk of a release tree, and the reading of its files.
#![allow(clippy::disallowed_methods)]

use super::fs::open_regular;
use crate::model::app::AppPath;
use crate::model::digest::Sha256Digest;
use crate::model::failure::Failure;
use crate::model::litter;
use crate::model::tree::{LinkTargetError, Mode, Node, TreePath, TreePathError};
use md5::Md5;
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::fs::{FileType, Metadata};
use std::io::Read;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;
use walkdir::{DirEntry, WalkDir};

/// What a walk found below one app path; paths are relative to the module root.
#[derive(Debug, Default)]
pub struct Walked {
    /// What is released; digests of files are not known yet.
    pub nodes: Vec<Node>,
    /// What is not, and why.
    pub left_out: Vec<(String, &'static str)>,
    /// What cannot be released, and why.
    pub offenders: Vec<(String, String)>,
}

/// Walks an app path. Nothing is read but directories.
pub fn walk(module_root: &Path, app: &AppPath) -> Result<Walked, Failure> {
    let mut walked = Walked::default();
    let top = module_root.join(app.as_str());
    let mut entries = WalkDir::new(&top).min_depth(1).follow_root_links(true).into_iter();
    while let Some(entry) = entries.next() {
        let entry = entry.map_err(|error| {
            let path = error.path().unwrap_or(&top).to_owned();
            super::fs::failed("look at", &path, error.into())
        })?;
        let relative = entry.path().strip_prefix(&top).unwrap_or(entry.path());
        let shown = format!("{app}/{}", relative.display());
        if let Some(reason) = entry.file_name().to_str().and_then(litter::reason) {
            if entry.file_type().is_dir() {
                entries.skip_current_dir();
            }
            walked.left_out.push((shown, reason));
            continue;
        }
        match node(app, relative, &entry)? {
            Ok(node) => walked.nodes.push(node),
            Err(reason) => walked.offenders.push((shown, reason)),
        }
    }
    walked.nodes.sort_by(|a, b| a.path().cmp(b.path()));
    walked.left_out.sort();
    walked.offenders.sort();
    Ok(walked)
}

/// The node of an entry, or why it cannot be released.
fn node(app: &AppPath, relative: &Path, entry: &DirEntry) -> Result<Result<Node, String>, Failure> {
    let path = match relative.to_str() {
        Some(text) => format!("{app}/{text}").parse::<TreePath>(),
        None => Err(TreePathError::NotUtf8),
    };
    let path = match path {
        Ok(path) => path,
        Err(reason) => return Ok(Err(reason.to_string())),
    };
    let kind = entry.file_type();
    if kind.is_dir() {
        return Ok(Ok(Node::Directory { path }));
    }
    let failed = |error: std::io::Error| super::fs::failed("look at", entry.path(), error);
    if kind.is_symlink() {
        let target = std::fs::read_link(entry.path()).map_err(failed)?;
        let Ok(target) = target.into_os_string().into_string() else {
            return Ok(Err("has a link target that is not UTF-8".to_owned()));
        };
        let target = target.parse().map(|target| Node::Symlink { path, target });
        return Ok(target.map_err(|reason: LinkTargetError| reason.to_string()));
    }
    let metadata = entry.metadata().map_err(|error| failed(error.into()))?;
    Ok(refused(kind, &metadata).map_or_else(|| Ok(file(path, &metadata)), Err))
}

fn refused(kind: FileType, metadata: &Metadata) -> Option<String> {
    let special = [
        (kind.is_fifo(), "is a fifo"),
        (kind.is_socket(), "is a socket"),
        (kind.is_block_device() || kind.is_char_device(), "is a device"),
        (metadata.mode() & 0o6000 != 0, "has a setuid or setgid bit"),
    ];
    special.into_iter().find(|(is, _)| *is).map(|(_, reason)| reason.to_owned())
}

fn file(path: TreePath, metadata: &Metadata) -> Node {
    let (mode, size) = (Mode::of(metadata.mode()), metadata.len());
    Node::File { path, mode, size, sha256: Sha256Digest::of("") }
}

/// The MD5 of a file, as `md5sums` of a .deb has it.
pub type Md5Digest = [u8; 16];

/// Reads every file once, and puts its size and digest into its node. Answers
/// with the MD5 of each node that is a file, in the order of `nodes`.
pub fn hash(module_root: &Path, nodes: &mut [Node]) -> Result<Vec<Option<Md5Digest>>, Failure> {
    nodes.par_iter_mut().map(|node| hash_node(module_root, node)).collect()
}

fn hash_node(module_root: &Path, node: &mut Node) -> Result<Option<Md5Digest>, Failure> {
    let Node::File { path, size, sha256, .. } = node else { return Ok(None) };
    let path = module_root.join(path.as_str());
    let failed = |error| super::fs::failed("read", &path, error);
    let mut file = open_regular(&path).map_err(failed)?;
    let (mut sha, mut md5, mut length) = (Sha256::new(), Md5::new(), 0);
    let mut buffer = [0; 1 << 15];
    loop {
        let read = file.read(&mut buffer).map_err(failed)?;
        if read == 0 {
            break;
        }
        sha.update(&buffer[..read]);
        md5.update(&buffer[..read]);
        length += read as u64;
    }
    *size = length;
    *sha256 = Sha256Digest::from_hasher(sha);
    Ok(Some(md5.finalize().into()))
}
