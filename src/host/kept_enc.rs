//! The last good document of each source of ENCs: the owner's alone, as all that has secrets.
#![allow(clippy::disallowed_methods)]

use super::clock;
use super::fs::{self, failed, open_regular};
use crate::model::digest::Sha256Digest;
use crate::model::failure::Failure;
use std::fs::{DirBuilder, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

/// Documents of so many sources are kept.
const KEPT: usize = 16;

/// A document, and when it was fetched.
pub struct Kept {
    pub text: Vec<u8>,
    /// RFC 3339.
    pub since: String,
}

/// Keeps a document of a source in a directory, which is made where it is not there.
///
/// The directory above is the owner's alone, so that nobody can put a link here
/// between a look and a deed.
pub fn keep(directory: &Path, source: &Sha256Digest, text: &[u8]) -> Result<(), Failure> {
    create(directory)?;
    fs::replace(&directory.join(source.to_string()), text, 0o600)?;
    make_room(directory);
    Ok(())
}

/// What is kept of a source: none where nothing is.
pub fn kept(
    directory: &Path,
    source: &Sha256Digest,
    largest: u64,
) -> Result<Option<Kept>, Failure> {
    let path = directory.join(source.to_string());
    match std::fs::symlink_metadata(directory) {
        Ok(metadata) => check(directory, &metadata)?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("look at", directory, error)),
    }
    let fail = |error| failed("read", &path, error);
    let (file, metadata) = match open_regular(&path) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fail(error)),
    };
    check(&path, &metadata)?;
    let mut text = Vec::new();
    file.take(largest + 1).read_to_end(&mut text).map_err(fail)?;
    // It was written and renamed when it had been fetched, and is not touched after that.
    let since = clock::as_text(metadata.modified().map_err(fail)?);
    Ok(Some(Kept { text, since }))
}

/// The state's directory and this one are the owner's, the directories above everyone's.
fn create(directory: &Path) -> Result<(), Failure> {
    let fail = |error| failed("create directory", directory, error);
    let state = directory.parent().unwrap_or(directory);
    if let Some(above) = state.parent() {
        std::fs::create_dir_all(above).map_err(fail)?;
    }
    for path in [state, directory] {
        match DirBuilder::new().mode(0o700).create(path) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(fail(error)),
            _ => {}
        }
    }
    check(directory, &std::fs::symlink_metadata(directory).map_err(fail)?)
}

/// Refuses a link, and what another user could have written or can read.
fn check(path: &Path, metadata: &Metadata) -> Result<(), Failure> {
    let (owner, mode) = (metadata.uid(), metadata.mode() & 0o777);
    let found = if metadata.is_symlink() {
        "a symbolic link".to_owned()
    } else if owner != rustix::process::geteuid().as_raw() {
        format!("that of user {owner}")
    } else if mode & 0o077 != 0 {
        format!("mode {mode:04o}")
    } else {
        return Ok(());
    };
    let shown = path.display();
    let what = format!("expected `{shown}` to be this user's alone, found {found}");
    Err(Failure::new(what).hint(format!("look at it, and remove it: `rm -r {shown}`")))
}

/// Removes the documents of the sources that were asked longest ago, and what
/// a killed command left on its way to a name.
fn make_room(directory: &Path) {
    let names = fs::names(directory).unwrap_or_default();
    let (unnamed, names): (Vec<_>, Vec<_>) =
        names.into_iter().partition(|name| name.starts_with(fs::UNNAMED));
    for name in unnamed {
        let _ = std::fs::remove_file(directory.join(name));
    }
    let documents = names.iter().filter(|name| name.parse::<Sha256Digest>().is_ok());
    let age = |path: PathBuf| Some((std::fs::symlink_metadata(&path).ok()?.modified().ok()?, path));
    let mut kept: Vec<_> = documents.filter_map(|name| age(directory.join(name))).collect();
    kept.sort();
    let surplus = kept.len().saturating_sub(KEPT);
    for (_, path) in &kept[..surplus] {
        let _ = std::fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn mode(path: &Path) -> u32 {
        std::fs::symlink_metadata(path).unwrap().mode() & 0o777
    }

    #[test]
    fn a_document_is_kept_for_its_owner_only_and_replaced_whole() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("var/lib/localpuppet/enc");
        let source = Sha256Digest::of("ec2");
        assert!(kept(&directory, &source, 9).unwrap().is_none());
        keep(&directory, &source, b"one").unwrap();
        keep(&directory, &source, b"two").unwrap();
        let found = kept(&directory, &source, 9).unwrap().unwrap();
        assert_eq!(found.text, b"two");
        assert!(found.since.ends_with('Z'), "{}", found.since);
        assert_eq!(mode(&directory.join(source.to_string())), 0o600);
        assert_eq!((mode(&directory), mode(directory.parent().unwrap())), (0o700, 0o700));
        assert_ne!(mode(&root.path().join("var/lib")), 0o700);
        let left = directory.join(".localpuppet-x");
        std::fs::write(&left, "of a killed command").unwrap();
        keep(&directory, &source, b"two").unwrap();
        assert!(!left.exists());
        for at in 0..KEPT + 3 {
            keep(&directory, &Sha256Digest::of(at.to_string()), b"").unwrap();
        }
        assert_eq!(std::fs::read_dir(&directory).unwrap().count(), KEPT);
    }

    #[test]
    fn a_link_is_not_followed_and_what_others_can_read_is_not_believed() {
        let root = tempfile::tempdir().unwrap();
        let directory = root.path().join("s/enc");
        let (elsewhere, source) = (root.path().join("elsewhere"), Sha256Digest::of("ec2"));
        std::fs::create_dir_all(&elsewhere).unwrap();
        std::fs::create_dir(root.path().join("s")).unwrap();
        symlink(&elsewhere, &directory).unwrap();
        let refused = keep(&directory, &source, b"x").unwrap_err().to_string();
        assert!(refused.ends_with("found a symbolic link"), "{refused}");
        assert!(kept(&directory, &source, 9).is_err());
        std::fs::remove_file(&directory).unwrap();

        keep(&directory, &source, b"x").unwrap();
        let path = directory.join(source.to_string());
        std::fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).unwrap();
        assert!(kept(&directory, &source, 9).is_err());
        std::fs::remove_file(&path).unwrap();
        std::fs::write(elsewhere.join("f"), "not this").unwrap();
        symlink(elsewhere.join("f"), &path).unwrap();
        assert!(kept(&directory, &source, 9).is_err());
        // A new document takes the link's place.
        keep(&directory, &source, b"x").unwrap();
        assert_eq!(std::fs::read(elsewhere.join("f")).unwrap(), b"not this");
        assert_eq!(kept(&directory, &source, 9).unwrap().unwrap().text, b"x");
    }
}
