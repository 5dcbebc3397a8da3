//! `inspect`: what is inside a bundle, and whether it is whole.

use super::interface::in_checkout;
use super::{bundle, instead, package_file};
use crate::cli;
use crate::host::source::ModuleRoot;
use crate::host::{fs, interface, release, state::State};
use crate::model::answer::Answer;
use crate::model::app::{AppPath, Release};
use crate::model::bundle::{Bundle, FILE_NAME};
use crate::model::command::typed;
use crate::model::event::{Event, Say, during};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::inspection::Inspection;
use crate::model::suggest::{listed, nearest};
use crate::model::tree::Node;
use std::path::Path;

/// Inspects a package file, the release of that name on this node, or an app of a checkout.
pub fn run(args: &cli::Inspect, say: Say) -> Result<Answer, Failure> {
    let inspection = during(say, format!("reading `{}`", args.bundle), || inspect(args, say))?;
    Ok(Answer::Inspected(Box::new(inspection)))
}

fn inspect(args: &cli::Inspect, say: Say) -> Result<Inspection, Failure> {
    let path = Path::new(&args.bundle);
    let is_package = path.extension().is_some_and(|end| end == "deb" || end == "rpm");
    if let (Some(directory), Ok(app), false) = (&args.module_root, args.bundle.parse(), is_package)
    {
        let cache = args.sources.cache.as_deref();
        let root = ModuleRoot::open(directory, cache, args.sources.signatures())?;
        return checkout(&root, &in_checkout(&root, &app)?, args, say);
    }
    let release = args.bundle.parse::<Release>();
    match release {
        Ok(release) if !is_package && fs::kind(path)?.is_none_or(|kind| kind.is_dir()) => {
            installed(&release, args)
        }
        _ => {
            let file = package_file::opened(path).map_err(|failure| {
                let is_app = !is_package
                    && !args.bundle.contains('/')
                    && args.bundle.parse::<AppPath>().is_ok();
                if is_app && fs::kind(path).is_ok_and(|kind| kind.is_none()) {
                    let app = &args.bundle;
                    return failure.hint(format!("is it an app? name a tag: `{app}/tags/…`"));
                }
                instead::of_package(failure, path, |release| {
                    format!("is it a release? type `localpuppet inspect {release}`")
                })
            })?;
            let interface = args.classes.then(|| file.interface()).transpose()?;
            let package = Some(file.facts);
            let found = inspection(args.bundle.clone(), file.bundle, file.problems);
            Ok(Inspection { package, interface, files: args.files, ..found })
        }
    }
}

fn installed(release: &Release, args: &cli::Inspect) -> Result<Inspection, Failure> {
    let state = State::of(&args.node.root)?;
    let directory = release::directory(state.root(), release);
    let Some((bundle, differences)) = release::examine(state.root(), &directory)? else {
        return Err(absent(state.root(), release, &directory));
    };
    let problems = differences.iter().map(ToString::to_string).collect();
    let interface = args.classes.then(|| release::interface(state.root(), &bundle)).transpose()?;
    let found = inspection(directory, bundle, problems);
    Ok(Inspection { interface, files: args.files, ..found })
}

/// Why a release is not there, and which ones of the app are.
fn absent(root: &str, release: &Release, directory: &str) -> Failure {
    if fs::is_directory(Path::new(directory)).unwrap_or(false) {
        return Failure::new(format!("`{directory}` has no {FILE_NAME} and is no release"))
            .exit(Exit::NotVerified)
            .hint(format!("see all that is not as it was: {}", typed(root, "verify --all")));
    }
    let failure = Failure::new(format!("`{release}` is not installed: no `{directory}`"));
    let name = release.name();
    let tags = name.parse().map(|app| release::tags(root, &app)).unwrap_or_default();
    let failure = match (release.tag(), tags.as_slice()) {
        (Some(tag), [_, ..]) => {
            let meant =
                nearest(tag, &tags).map(|tag| format!("; did you mean `{name}/tags/{tag}`?"));
            let meant = meant.unwrap_or_default();
            failure.hint(format!("installed of `{name}` are {}{meant}", listed(&tags)))
        }
        _ => failure,
    };
    failure
        .hint("name a package file, a release that is installed, or one of a checkout: `--module-root DIR`")
        .hint(format!("`{}` installs it", typed(root, &format!("apply {release}"))))
}

/// What `bundle` would make of an app as it is now.
fn checkout(
    root: &ModuleRoot,
    app: &AppPath,
    args: &cli::Inspect,
    say: Say,
) -> Result<Inspection, Failure> {
    // The description has them, beside the module that is taken.
    let quiet = |event: Event| match event {
        Event::Shadowed { .. } => {}
        event => say(event),
    };
    let bundle = bundle::described(root, app, &quiet)?;
    let apps: Vec<AppPath> = bundle.modulepath.iter().map(|entry| entry.app.clone()).collect();
    let interface = || interface::read(&root.directories(&apps)?);
    let interface = args.classes.then(interface).transpose()?;
    let place = root.directory().join(app.as_str()).display().to_string();
    let found = inspection(place, bundle, Vec::new());
    Ok(Inspection { interface, files: args.files, checkout: true, ..found })
}

fn inspection(place: String, bundle: Bundle, problems: Vec<String>) -> Inspection {
    let is_file = |node: &&Node| matches!(node, Node::File { .. });
    Inspection {
        place,
        package: None,
        content_bytes: bundle.size(),
        content_files: bundle.files.iter().filter(is_file).count(),
        whole: problems.is_empty(),
        problems,
        bundle,
        interface: None,
        files: false,
        checkout: false,
    }
}
