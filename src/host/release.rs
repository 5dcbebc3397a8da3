//! Releases installed on this node.
#![allow(clippy::disallowed_methods)]

use super::interface;
use super::look::{Seen, look};
use crate::model::app::{AppPath, Release, directory_name};
use crate::model::bundle::{self, Bundle};
use crate::model::command::typed;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::interface::{Interface, document};
use crate::model::verify::{Difference, Found, What, differences};
use jiff::Timestamp;
use rustix::process::geteuid;
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

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

/// The class interface of an installed release: what its package says, or for want of that what
/// its files do.
pub fn interface(root: &str, bundle: &Bundle) -> Result<Interface, Failure> {
    let Some(node) = &bundle.interface else {
        let entries = bundle.searched().into_iter();
        let there = |entry: &bundle::Entry| format!("{root}{}", entry.directory).into();
        return interface::read(&entries.map(|entry| (entry.app.clone(), there(entry))).collect());
    };
    let path = format!("{root}{}/{}", bundle.directory(), document::FILE_NAME);
    let refused = |what: String| {
        let verify = typed(root, &format!("verify {}", bundle.app));
        let hint = format!("see all that is not as it was: {verify}");
        Failure::new(what).exit(Exit::NotVerified).hint(hint)
    };
    let text = super::fs::read_own(Path::new(&path), document::LARGEST)?;
    let text = text.ok_or_else(|| refused(format!("`{path}` is missing")))?;
    Interface::of_bundle(&text, node).map_err(|error| {
        refused(format!("`{path}` is not the class interface of the release")).because(error)
    })
}

/// The tags of an app that are installed below a root, where their directories have their names.
pub fn tags(root: &str, app: &AppPath) -> Vec<String> {
    let directory = format!("{root}{}/{}", bundle::INSTALL_ROOT, directory_name(app.as_str()));
    let names = super::fs::names(Path::new(&directory)).unwrap_or_default();
    names.into_iter().filter(|name| name != "trunk" && !name.contains('+')).collect()
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

/// When a release was installed here: the time of change of its description, which unlike the
/// time of its content no package sets.
pub fn installed_at(root: &str, bundle: &Bundle) -> Result<Timestamp, Failure> {
    let path = format!("{root}{}/{}", bundle.directory(), bundle::FILE_NAME);
    let looked = fs::symlink_metadata(&path);
    let metadata = looked.map_err(|error| super::fs::failed("look at", Path::new(&path), error))?;
    Ok(Timestamp::from_second(metadata.ctime()).unwrap_or(Timestamp::MAX))
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

/// A release as [`read_in`] has it, and how its files differ; both are found out at once.
pub fn examine(root: &str, directory: &str) -> Result<Option<(Bundle, Vec<Difference>)>, Failure> {
    let (bundle, seen) = rayon::join(|| read_in(root, directory), || look(Path::new(directory)));
    Ok(bundle?.map(|bundle| {
        let differences = compare(&bundle, seen);
        (bundle, differences)
    }))
}

fn compare(bundle: &Bundle, seen: Vec<Seen>) -> Vec<Difference> {
    // Who is not root has a root of their own, in which all is theirs.
    let strange = if geteuid().is_root() { not_of_root(&seen) } else { Vec::new() };
    let shut = seen.iter().filter(|seen| seen.path.is_empty()).filter_map(|seen| {
        let Found::Unreadable(why) = &seen.found else { return None };
        Some(Difference { path: ".".to_owned(), what: What::Unreadable(why.clone()) })
    });
    let shut: Vec<Difference> = shut.collect();
    let own = ["", bundle::FILE_NAME];
    let found = seen.into_iter().filter(|seen| !own.contains(&seen.path.as_str()));
    let mut list =
        differences(bundle.content(), found.map(|seen| (seen.path, seen.found)).collect());
    list.extend(shut.into_iter().chain(strange));
    list.sort_by(|a, b| a.path.cmp(&b.path));
    list
}

/// The paths of a directory, itself with them, that another than root may change.
fn not_of_root(seen: &[Seen]) -> Vec<Difference> {
    let owned = seen.iter().filter_map(|seen| {
        let (user, group) = seen.owner.filter(|&owner| owner != (0, 0))?;
        let path = if seen.path.is_empty() { ".".to_owned() } else { seen.path.clone() };
        Some(Difference { path, what: What::Owner { user, group } })
    });
    owned.collect()
}
