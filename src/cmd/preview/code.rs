//! The code that a catalog is compiled of: installed and whole, in a package file, or in a checkout.

use crate::cli;
use crate::cmd::apply::code_of_checkout;
use crate::cmd::instead;
use crate::cmd::package_file;
use crate::host::scratch::Scratch;
use crate::host::source::ModuleRoot;
use crate::host::state::State;
use crate::host::{fs, input, release};
use crate::model::app::{AppPath, Release};
use crate::model::command::quote;
use crate::model::digest::Sha256Digest;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::request::Checkout;
use crate::model::tree::Node;
use crate::model::verify::Differences;
use crate::package::read::{Choice, pick};
use crate::plan::apply::{self as plan, Code};
use crate::plan::resolve::{Allowed, resolve};
use std::collections::BTreeMap;
use std::path::Path;

/// A package of more content is not unpacked for a look.
const LARGEST: u64 = 512 << 20;

/// Code on this node.
pub struct Found {
    pub code: Code,
    /// Of a release; a checkout has none.
    pub bundle_id: Option<Sha256Digest>,
    /// Where a package was unpacked, for as long as it is looked at.
    _scratch: Option<Scratch>,
}

/// The code that is asked about.
pub fn wanted(args: &cli::Preview, state: &State, app: &AppPath) -> Result<Found, Failure> {
    match &args.package {
        Some(path) => in_package(path, app, state),
        None => of(args, state, app),
    }
}

/// Code by its app path.
pub fn of(args: &cli::Preview, state: &State, app: &AppPath) -> Result<Found, Failure> {
    match &args.module_root {
        Some(root) => {
            let (module_root, cache) = (root.clone(), args.sources.cache.clone());
            let signatures = args.sources.signatures();
            in_checkout(&Checkout { module_root, cache, signatures }, app)
        }
        None => installed(state, app),
    }
}

/// A release that is installed, every file of it as it was built.
pub fn installed(state: &State, app: &AppPath) -> Result<Found, Failure> {
    let release = release_of(app)?;
    let directory = release::directory(state.root(), &release);
    let Some((bundle, differences)) = release::examine(state.root(), &directory)? else {
        let what = format!("release `{release}` is not installed on this node");
        return Err(Failure::new(what)
            .exit(Exit::InstallFailed)
            .hint(state.typed(&format!("stage {release}")))
            .hint("or take it from a file: `--package FILE`"));
    };
    if !differences.is_empty() {
        let what = format!("release `{release}` is not as it was built");
        let differences = Differences(differences);
        return Err(Failure::new(what).exit(Exit::NotVerified).because(differences));
    }
    let code = plan::code(state.root(), &bundle);
    Ok(Found { code, bundle_id: Some(bundle.bundle_id), _scratch: None })
}

fn release_of(app: &AppPath) -> Result<Release, Failure> {
    let short = app.as_str().parse::<Release>();
    short.or_else(|_| Release::of(app)).map_err(|error| {
        Failure::new(error.to_string())
            .hint("preview a tag, as in `foo/tags/r1`, or a checkout with `--module-root DIR`")
    })
}

/// An app of a checkout, as it is now.
pub fn in_checkout(checkout: &Checkout, app: &AppPath) -> Result<Found, Failure> {
    let real = input::real_path(&checkout.module_root)?;
    let cache = checkout.cache.as_deref();
    let root = ModuleRoot::open(Path::new(&real), cache, checkout.signatures)?;
    let manifest_of = |path: &AppPath| root.manifest(path, path != app);
    let apps = resolve(app, Allowed::Anything, |_| vec![], manifest_of)?;
    let code = code_of_checkout(&root, app, &apps)?;
    Ok(Found { code, bundle_id: None, _scratch: None })
}

/// A release in a package file, unpacked for a look.
fn in_package(path: &Path, app: &AppPath, state: &State) -> Result<Found, Failure> {
    let file = package_file::opened(path).map_err(|failure| {
        instead::of_package(failure, path, |release| {
            format!("is it a release? leave `--package` out: localpuppet preview {release}")
        })
    })?;
    let shown = path.display();
    if !file.problems.is_empty() {
        let what = format!("`{shown}` is not as it was built");
        let differences = Differences(file.problems);
        return Err(Failure::new(what).exit(Exit::NotVerified).because(differences));
    }
    let bundle = file.bundle;
    let named = app.as_str().parse::<Release>().ok();
    if named.is_some_and(|named| *named.path() != bundle.app) {
        let what = format!("`{shown}` is the package of `{}`, not of `{app}`", bundle.app);
        let package = quote(&shown.to_string());
        let hint = state.typed(&format!("preview {} --package {package}", bundle.app));
        return Err(Failure::new(what).exit(Exit::InstallFailed).hint(hint));
    }
    if bundle.size() > LARGEST {
        let what = format!("`{shown}` has more than {LARGEST} bytes of content");
        let stage = state.typed(&format!("stage --package {}", quote(&shown.to_string())));
        return Err(Failure::new(what).hint(format!("stage it: `{stage}`")));
    }
    let scratch = Scratch::new()?;
    let directory = bundle.directory();
    let below = format!("{}/", directory.trim_start_matches('/'));
    let choose = |path: &str| match path.starts_with(&below) {
        true => Choice::Keep(LARGEST),
        false => Choice::Skip,
    };
    let picked = pick(fs::open(path)?, choose).map_err(|error| {
        Failure::new(format!("failed to read `{shown}` as a package")).because(error)
    })?;
    let mut modes = BTreeMap::new();
    for node in &bundle.files {
        let at = format!("{directory}/{}", node.path());
        match node {
            Node::Directory { .. } => scratch.directory(&at)?,
            Node::Symlink { target, .. } => scratch.link(&at, target.as_str())?,
            Node::File { mode, .. } => {
                modes.insert(at, mode.bits());
            }
        }
    }
    for (path, content) in picked {
        let path = format!("/{path}");
        // What is not among the files is what describes them.
        if let Some(&mode) = modes.get(&path) {
            scratch.file(&path, &content, mode)?;
        }
    }
    let code = plan::code(scratch.path(), &bundle);
    Ok(Found { code, bundle_id: Some(bundle.bundle_id), _scratch: Some(scratch) })
}
