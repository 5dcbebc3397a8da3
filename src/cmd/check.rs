//! `check`: would Puppet take an ENC's call of a release's classes?

use crate::cli::Check;
use crate::host::source::ModuleRoot;
use crate::host::state::State;
use crate::host::{input, interface, release};
use crate::model::answer::{Answer, Called};
use crate::model::app::{AppPath, Release};
use crate::model::call;
use crate::model::enc::{self, Enc};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::plan::apply as plan;
use crate::plan::resolve::{Allowed, resolve};
use std::path::{Path, PathBuf};

/// Checks an ENC against a release that is installed here, or against a checkout.
pub fn run(args: &Check) -> Result<Answer, Failure> {
    let shown =
        if args.enc == Path::new("-") { "stdin".into() } else { args.enc.display().to_string() };
    let text = input::read(&args.enc, enc::LARGEST)?;
    let (enc, places) = Enc::parse_with_places(&text).map_err(|error| {
        let what = format!("the ENC `{shown}` is refused");
        Failure::new(what).exit(Exit::EncRefused).because(error)
    })?;
    let app = args.app.clone().or_else(|| enc.app.clone()).ok_or_else(|| {
        Failure::new(format!("the ENC `{shown}` names no app"))
            .hint("name it: `localpuppet check --enc FILE foo/tags/r1`")
    })?;
    let (app, directories) = match &args.module_root {
        Some(root) => (app.clone(), of_checkout(root, &app)?),
        None => of_release(args, &app)?,
    };
    let interface = interface::read(&directories)?;
    Ok(Answer::Called(Called {
        app,
        enc: shown,
        classes: enc.classes.len(),
        strict: args.strict,
        findings: call::of(&enc, &places, &interface),
    }))
}

fn of_checkout(root: &Path, app: &AppPath) -> Result<Vec<PathBuf>, Failure> {
    let root = ModuleRoot::open(root)?;
    let apps = resolve(app, Allowed::Anything, |path| root.manifest(path, path != app))?;
    Ok(apps.iter().map(|app| root.directory().join(app.as_str())).collect())
}

fn of_release(args: &Check, app: &AppPath) -> Result<(AppPath, Vec<PathBuf>), Failure> {
    let short = app.as_str().parse::<Release>();
    let release = short.or_else(|_| Release::of(app));
    let release = release.map_err(|error| {
        Failure::new(error.to_string())
            .hint("check a tag, as in `foo/tags/r1`, or a checkout with `--module-root DIR`")
    })?;
    let state = State::of(&args.node.root)?;
    let bundle = release::read(state.root(), &release)?.ok_or_else(|| {
        Failure::new(format!("release `{release}` is not installed on this node"))
            .hint(format!("localpuppet stage {release}"))
    })?;
    let directories = plan::code(state.root(), &bundle).modulepath;
    Ok((release.path().clone(), directories.into_iter().map(PathBuf::from).collect()))
}
