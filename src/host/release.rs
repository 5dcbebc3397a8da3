//! Releases installed on this node.
#![allow(clippy::disallowed_methods)]

use crate::model::app::Release;
use crate::model::bundle::{self, Bundle};
use crate::model::digest::Sha256Digest;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::verify::{Difference, Found, What, differences};
use rayon::prelude::*;
use rustix::process::geteuid;
use sha2::{Digest as _, Sha256};
use std::collections::BTreeMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// The directory of a release below a root (`/` is empty).
pub fn directory(root: &str, release: &Release) -> String {
    format!("{root}{}/{}", bundle::INSTALL_ROOT, release.directory())
}

/// What the installed release says of itself; none where it is not installed.
pub fn read(root: &str, release: &Release) -> Result<Option<Bundle>, Failure> {
    read_in(root, &directory(root, release))
}

/// What a directory among the releases says of itself, which must be where it says that it is.
pub fn read_in(root: &str, directory: &str) -> Result<Option<Bundle>, Failure> {
    let path = format!("{directory}/{}", bundle::FILE_NAME);
    let not_verified = |failure: Failure| failure.exit(Exit::NotVerified);
    let refused = |what: String| not_verified(Failure::new(what));
    let kind = super::fs::kind(Path::new(&path)).map_err(not_verified)?;
    if kind.is_some_and(|kind| !kind.is_file()) {
        return Err(refused(format!("`{path}` is no file")));
    }
    let text = super::fs::read_bounded(Path::new(&path), bundle::LARGEST).map_err(not_verified)?;
    let Some(text) = text else { return Ok(None) };
    let bundle = Bundle::from_json(&text).map_err(|error| {
        refused(format!("`{path}` is not the description of a release")).because(error)
    })?;
    let says = format!("{root}{}", bundle.directory());
    if says != directory {
        return Err(refused(format!("`{path}` is that of `{says}`")));
    }
    Ok(Some(bundle))
}

/// Every directory among the releases of a root, in order: `/usr/share/localpuppet/foo/r1`.
pub fn all(root: &str) -> Result<Vec<String>, Failure> {
    let top = format!("{root}{}", bundle::INSTALL_ROOT);
    let mut all = Vec::new();
    for app in super::fs::names(Path::new(&top))? {
        let app = format!("{top}/{app}");
        // Something else that lies there is told of, not passed over.
        if !super::fs::is_directory(Path::new(&app))? {
            all.push(app);
            continue;
        }
        let tags = super::fs::names(Path::new(&app))?;
        all.extend(tags.into_iter().map(|tag| format!("{app}/{tag}")));
    }
    Ok(all)
}

/// Removes what no package has of a release: its directory and that of its package's
/// documentation, never through a link. rpm names what it unpacks by the second: what a killed one
/// left there stops another of the same second.
pub fn remove(root: &str, release: &Release) -> Result<(), Failure> {
    let documents = format!("{root}/usr/share/doc/{}", release.package_name());
    for directory in [directory(root, release), documents] {
        match fs::remove_dir_all(&directory) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let failure = super::fs::failed("remove", Path::new(&directory), error);
                return Err(failure.exit(Exit::InstallFailed));
            }
            _ => {}
        }
    }
    Ok(())
}

/// How the installed files differ from what `bundle.json` says.
pub fn verify(root: &str, bundle: &Bundle) -> Vec<Difference> {
    let top = PathBuf::from(format!("{root}{}", bundle.directory()));
    let mut list = differences(&bundle.files, look(&top));
    // Who is not root has a root of their own, in which all is theirs.
    if geteuid().is_root() {
        list.extend(not_of_root(&top));
        list.sort_by(|a, b| a.path.cmp(&b.path));
    }
    list
}

/// The paths of a directory, itself with them, that another than root may change.
fn not_of_root(top: &Path) -> Vec<Difference> {
    let entries = WalkDir::new(top).follow_links(false).into_iter().filter_map(Result::ok);
    let owned = entries.filter_map(|entry| {
        let metadata = entry.metadata().ok()?;
        let (user, group) = (metadata.uid(), metadata.gid());
        let path = name(top, entry.path());
        let path = if path.is_empty() { ".".to_owned() } else { path };
        let what = What::Owner { user, group };
        ((user, group) != (0, 0)).then_some(Difference { path, what })
    });
    owned.collect()
}

/// Every path below a directory but its own `bundle.json`; links are not followed.
fn look(top: &Path) -> BTreeMap<String, Found> {
    let entries: Vec<_> = WalkDir::new(top).min_depth(1).follow_links(false).into_iter().collect();
    let found = entries.into_par_iter().map(|entry| match entry {
        Ok(entry) => {
            (name(top, entry.path()), found(entry.path(), entry.metadata().map_err(Into::into)))
        }
        Err(error) => {
            let path = error.path().map(|path| name(top, path)).unwrap_or_default();
            (path, Found::Unreadable(io::Error::from(error).to_string()))
        }
    });
    found.filter(|(path, _)| path != bundle::FILE_NAME).collect()
}

fn name(top: &Path, path: &Path) -> String {
    path.strip_prefix(top).unwrap_or(path).to_string_lossy().into_owned()
}

fn found(path: &Path, metadata: io::Result<Metadata>) -> Found {
    let look = || {
        let metadata = metadata?;
        let mode = metadata.permissions().mode() & 0o7777;
        Ok(if metadata.is_dir() {
            Found::Directory { mode }
        } else if metadata.is_file() {
            let (size, sha256) = digest(path)?;
            Found::File { mode, size, sha256 }
        } else if metadata.is_symlink() {
            Found::Symlink { target: fs::read_link(path)?.to_string_lossy().into_owned() }
        } else {
            Found::Special
        })
    };
    look().unwrap_or_else(|error: io::Error| Found::Unreadable(error.to_string()))
}

fn digest(path: &Path) -> io::Result<(u64, Sha256Digest)> {
    let mut file = File::open(path)?;
    let (mut size, mut hasher) = (0, Sha256::new());
    let mut buffer = [0; 16 << 10];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok((size, Sha256Digest::from_hasher(hasher))),
            read => {
                size += read as u64;
                hasher.update(&buffer[..read]);
            }
        }
    }
}
