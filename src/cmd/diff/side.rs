//! One side of a comparison: a package file, an installed release, or an app in a checkout.

use crate::cli;
use crate::cmd;
use crate::cmd::bundle;
use crate::cmd::package_file;
use crate::host::interface::{self, Modulepath};
use crate::host::release;
use crate::host::source::ModuleRoot;
use crate::host::state::State;
use crate::model::app::{AppPath, Release};
use crate::model::bundle::Bundle;
use crate::model::diff::Side;
use crate::model::event::{Event, Say};
use crate::model::failure::Failure;
use crate::model::subject::Subject;
use std::path::{Path, PathBuf};

/// A side, and where its files can be read.
pub struct Opened {
    pub side: Side,
    pub code: Code,
}

/// Where the files of a release are.
pub enum Code {
    Package(PathBuf),
    /// The directory that the paths of its bundle.json are relative to.
    Installed(PathBuf),
    /// The directory of each app path.
    Checkout(Modulepath),
}

/// Opens both sides, package files at once.
pub fn both(args: &cli::Diff, say: Say) -> Result<(Opened, Opened), Failure> {
    if let (Subject::Package(from), Subject::Package(to)) = (&args.from, &args.to) {
        let (from, to) = rayon::join(|| package(from), || package(to));
        return Ok((from?, to?));
    }
    Ok((open(&args.from, args, say)?, open(&args.to, args, say)?))
}

fn open(named: &Subject, args: &cli::Diff, say: Say) -> Result<Opened, Failure> {
    let app = match named {
        Subject::Package(path) => return package(path),
        Subject::App(app) => app,
    };
    if let Some(directory) = &args.module_root {
        let cache = args.sources.cache.as_deref();
        let root = ModuleRoot::open(directory, cache, args.sources.signatures())?;
        // What is not there may be a release that is installed.
        if root.has(app)? {
            return checkout(&root, app, say);
        }
        if installed(app, &State::of(&args.node.root)?)?.is_none() {
            return checkout(&root, &cmd::interface::in_checkout(&root, app)?, say);
        }
    }
    let state = State::of(&args.node.root)?;
    installed(app, &state)?.ok_or_else(|| {
        let verify = state.typed("verify --all");
        Failure::new(format!("`{app}` is no release that is installed here"))
            .hint(format!("name one that is (`{verify}`), or a package file"))
            .hint("or app paths of a checkout: `--module-root DIR`")
    })
}

fn package(path: &Path) -> Result<Opened, Failure> {
    let (bundle, interface) = package_file::described(path)?;
    let side = Side { place: path.display().to_string(), bundle, interface };
    Ok(Opened { side, code: Code::Package(path.to_owned()) })
}

fn installed(app: &AppPath, state: &State) -> Result<Option<Opened>, Failure> {
    let Ok(release) = app.as_str().parse::<Release>() else { return Ok(None) };
    let Some(bundle) = release::read(state.root(), &release)? else { return Ok(None) };
    let interface = release::interface(state.root(), &bundle)?;
    let place = release::directory(state.root(), &release);
    let code = Code::Installed(PathBuf::from(&place));
    Ok(Some(Opened { side: Side { place, bundle, interface }, code }))
}

/// What is left out, and modules in two directories, are told of each side: not of both at once.
fn checkout(root: &ModuleRoot, app: &AppPath, say: Say) -> Result<Opened, Failure> {
    let quiet = |event: Event| match event {
        Event::Shadowed { .. } => {}
        event => say(event),
    };
    let bundle: Bundle = bundle::described(root, app, &quiet)?;
    let apps: Vec<AppPath> = bundle.modulepath.iter().map(|entry| entry.app.clone()).collect();
    let interface = interface::read(&root.directories(&apps)?)?;
    let place = root.directory().join(app.as_str()).display().to_string();
    let places = apps.into_iter().map(|app| Ok((app.clone(), root.app(&app)?)));
    let code = Code::Checkout(places.collect::<Result<_, Failure>>()?);
    Ok(Opened { side: Side { place, bundle, interface }, code })
}
