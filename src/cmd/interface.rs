//! The class interface of what an operator names: a package file, an installed release, or a checkout.

use super::bundle::prepare;
use super::package_file;
use crate::cli::Sources;
use crate::host::{interface, release, source::ModuleRoot};
use crate::model::app::{AppPath, Release};
use crate::model::command::typed;
use crate::model::event::Say;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::interface::Interface;
use crate::model::verify::Differences;
use crate::plan::resolve::Allowed;
use std::path::Path;

/// The app of a package file, and how its classes may be called; nothing is unpacked.
pub fn of_package(path: &Path) -> Result<(AppPath, Interface), Failure> {
    let file = package_file::open(path)?;
    if !file.problems.is_empty() {
        let what = format!("`{}` is not as it was built", path.display());
        let differences = Differences(file.problems);
        return Err(Failure::new(what).exit(Exit::NotVerified).because(differences));
    }
    let interface = file.interface()?;
    Ok((file.bundle.app, interface))
}

/// The same of a release that is installed below a root.
pub fn of_release(root: &str, release: &Release) -> Result<(AppPath, Interface), Failure> {
    let bundle = release::read(root, release)?.ok_or_else(|| {
        Failure::new(format!("release `{release}` is not installed on this node"))
            .hint(typed(root, &format!("stage {release}")))
    })?;
    let interface = release::interface(root, &bundle)?;
    Ok((bundle.app, interface))
}

/// The same of an app in a checkout.
pub fn of_checkout(
    root: &Path,
    app: &AppPath,
    sources: &Sources,
    say: Say,
) -> Result<(AppPath, Interface), Failure> {
    let root = ModuleRoot::open(root, sources.cache.as_deref(), sources.signatures())?;
    let app = in_checkout(&root, app)?;
    let apps = prepare::resolved(&root, &app, Allowed::Anything, say)?;
    Ok((app, interface::read(&root.directories(&apps)?)?))
}

/// An app path as it is; of one that is not there, `foo/r1`, the tag `foo/tags/r1`.
pub fn in_checkout(root: &ModuleRoot, app: &AppPath) -> Result<AppPath, Failure> {
    match app.as_str().parse::<Release>() {
        Ok(tag) if !root.has(app)? && !root.tags(tag.name())?.is_empty() => Ok(tag.path().clone()),
        _ => Ok(app.clone()),
    }
}
