//! `check`: would Puppet take an ENC's call of a release's classes? Those of many ENCs?

mod fleet;

use super::{instead, interface};
use crate::cli::Check;
use crate::host::input;
use crate::host::state::State;
use crate::model::answer::{Answer, Called};
use crate::model::app::{AppPath, Release};
use crate::model::call::{Checker, Finding, Values};
use crate::model::enc::{self, Enc, EncError};
use crate::model::event::Say;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::interface::Interface;
use crate::model::subject::Subject;
use std::path::Path;

/// Checks ENCs against a package, a release that is installed here, or a checkout.
pub fn run(args: &Check, say: Say) -> Result<Answer, Failure> {
    match (&args.enc, &args.enc_dir, &args.bundle) {
        (Some(enc), _, _) => one(args, enc, say),
        (None, Some(directory), Some(bundle)) => fleet::check(args, directory, bundle, say),
        _ => Err(Failure::new("expected `--enc FILE`, or `--enc-dir DIR` and a release")
            .exit(Exit::Usage)),
    }
}

fn one(args: &Check, path: &Path, say: Say) -> Result<Answer, Failure> {
    let shown = if path == Path::new("-") { "stdin".into() } else { path.display().to_string() };
    let text = input::read(path, enc::LARGEST).map_err(|failure| {
        instead::of_document(
            failure,
            path,
            "name a YAML file: `--enc FILE`, or `--enc -` for stdin",
        )
    })?;
    let (enc, places) = match Enc::parse_with_places(&text) {
        Ok(parsed) => parsed,
        Err(error) => return Ok(refused(args, shown, &error)),
    };
    let bundle = args.bundle.clone().or_else(|| enc.app.clone().map(Subject::App));
    let bundle = bundle.ok_or_else(|| {
        Failure::new(format!("the ENC `{shown}` names no app"))
            .hint("name it: `localpuppet check --enc FILE foo/tags/r1`")
    })?;
    let (app, interface) = called(args, &bundle, say)?;
    let findings = Checker::new(&interface, values(args)).check(&enc, &places);
    let (classes, strict) = (enc.classes.len(), args.strict);
    let pinned = enc.app.filter(|asked| !is_same(asked, &app));
    Ok(Answer::Called(Called { app: Some(app), pinned, enc: shown, classes, strict, findings }))
}

/// What is wrong with a document is told as what is wrong with a call.
fn refused(args: &Check, enc: String, error: &EncError) -> Answer {
    let app = match &args.bundle {
        Some(Subject::App(app)) => Some(app.clone()),
        _ => None,
    };
    let findings = Finding::of_refused(error);
    Answer::Called(Called { app, pinned: None, enc, classes: 0, strict: args.strict, findings })
}

/// `foo/r1` is a short name of `foo/tags/r1`.
fn is_same(a: &AppPath, b: &AppPath) -> bool {
    let release = |app: &AppPath| app.as_str().parse::<Release>().or_else(|_| Release::of(app));
    a == b || matches!((release(a), release(b)), (Ok(a), Ok(b)) if a == b)
}

fn values(args: &Check) -> Values {
    if args.show_values { Values::Shown } else { Values::Hidden }
}

/// The classes that can be called.
fn called(args: &Check, bundle: &Subject, say: Say) -> Result<(AppPath, Interface), Failure> {
    let app = match (bundle, &args.module_root) {
        (Subject::Package(path), None) => return interface::of_package(path),
        (Subject::App(app), Some(root)) => {
            return interface::of_checkout(root, app, &args.sources, say);
        }
        (Subject::App(app), None) => app,
        (Subject::Package(path), Some(_)) => {
            let what = format!("`--module-root` goes with an app path, found `{}`", path.display());
            return Err(Failure::new(what).exit(Exit::Usage).hint("leave `--module-root` out"));
        }
    };
    let release = app.as_str().parse::<Release>().or_else(|_| Release::of(app));
    let release = release.map_err(|error| {
        Failure::new(error.to_string())
            .hint("check a tag, as in `foo/tags/r1`, or a checkout with `--module-root DIR`")
    })?;
    interface::of_release(State::of(&args.node.root)?.root(), &release)
}
