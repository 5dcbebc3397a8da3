//! `bundle`'s first half: all that a release is made of, read and checked.

use crate::cli;
use crate::host::{fs, interface, source::ModuleRoot, walk};
use crate::model::app::{AppPath, LONGEST_COMPONENT, Line, Release, searched};
use crate::model::bundle::Bundle;
use crate::model::compression::Format;
use crate::model::event::{Event, Say};
use crate::model::failure::Failure;
use crate::model::interface::Interface;
use crate::model::links::Links;
use crate::model::lock::{FILE_NAME, LARGEST, Lock, Locked};
use crate::model::module::{self, Module};
use crate::model::tree::{Node, tree_digest};
use crate::package::layout::Md5Sums;
use crate::plan::lock::{self, Strictness};
use crate::plan::{apply, resolve, resolve::Allowed, version};
use std::path::Path;

/// The directories of a modulepath in order, each with what is below it.
pub type Trees = Vec<(AppPath, Vec<Node>)>;

/// A release, read and checked, of which nothing is written yet.
pub struct Prepared {
    pub release: Release,
    pub bundle: Bundle,
    /// The text of its `interface.json`.
    pub interface: String,
    pub md5sums: Md5Sums,
    /// What it is made of, and where that came from.
    pub materials: Vec<Locked>,
}

/// Reads all that a release is made of; refuses what cannot be released.
pub fn prepare(
    root: &ModuleRoot,
    app: &AppPath,
    args: &cli::Bundle,
    say: Say,
) -> Result<Prepared, Failure> {
    let modulepath = resolved(root, app, allowed(args.snapshot), say)?;
    let release = release_of(app, &modulepath)?;
    let siblings = root.tags(release.name())?;
    let version = version::choose(&release, &siblings, args.version.as_ref())?;
    refuse_out_inside(root, &modulepath, &args.out)?;
    let directories = root.directories(&modulepath)?;
    // One core lists the tree and puts the release together; the classes are read beside that.
    let mut interface = Ok((String::new(), Vec::new()));
    let (bundle, md5sums, materials) = rayon::in_place_scope(|scope| {
        scope.spawn(|_| interface = interface::read(&directories).map(|read| written(&read)));
        let (trees, md5sums) = walk_all(root, &modulepath, say)?;
        let materials = locked(root, &trees)?;
        hold_against_lock(root, app, &materials, args.locked, say)?;
        let modules = modules(root, &trees, say)?;
        Ok((Bundle::new(&release, version, &trees, modules), md5sums, materials))
    })?;
    let (interface, unreadable) = interface?;
    unreadable.into_iter().for_each(|text| say(Event::Warning { text }));
    let bundle = bundle.with_interface(&interface);
    let longest = bundle.file_name(Format::Rpm).len();
    if longest > LONGEST_COMPONENT {
        return Err(Failure::new(format!("the name of the package of `{app}` is too long"))
            .because(Failure::new(format!(
                "expected a file name of at most {LONGEST_COMPONENT} bytes, found {longest}"
            )))
            .hint(
                "shorten the names of app and tag; each capital letter and `_` counts three times",
            ));
    }
    Ok(Prepared { release, bundle, interface, md5sums, materials })
}

/// The text of an `interface.json`, and what is told of each manifest that could not be read.
fn written(interface: &Interface) -> (String, Vec<String>) {
    let unreadable = interface.unreadable();
    let told =
        unreadable.map(|(path, why)| format!("`{path}` cannot be read as Puppet reads it: {why}"));
    (interface.to_json(), told.collect())
}

/// Describes an app of a checkout as its bundle would; trunk is allowed, and nothing is written.
pub fn described(root: &ModuleRoot, app: &AppPath, say: Say) -> Result<Bundle, Failure> {
    let modulepath = resolved(root, app, Allowed::Anything, say)?;
    let release = release_of(app, &modulepath)?;
    let (trees, _) = walk_all(root, &modulepath, say)?;
    let modules = modules(root, &trees, say)?;
    Ok(Bundle::new(&release, apply::version(&release), &trees, modules))
}

/// Which app paths may be in what is bundled.
pub fn allowed(snapshot: bool) -> Allowed {
    if snapshot { Allowed::Anything } else { Allowed::Tags }
}

/// The modulepath of an app; says which sources are away.
pub fn resolved(
    root: &ModuleRoot,
    app: &AppPath,
    allowed: Allowed,
    say: Say,
) -> Result<Vec<AppPath>, Failure> {
    let tags_of = |name: &str| root.tags(name).unwrap_or_default();
    let manifest_of = |path: &AppPath| root.manifest(path, path != app);
    let modulepath = resolve::resolve(app, allowed, tags_of, manifest_of)?;
    root.away().into_iter().for_each(|text| say(Event::Warning { text }));
    Ok(modulepath)
}

/// What a release is made of, as a lock has it.
pub fn locked(root: &ModuleRoot, trees: &Trees) -> Result<Vec<Locked>, Failure> {
    let entry = |(app, nodes): &(AppPath, Vec<Node>)| {
        let tree = tree_digest(app.as_str(), nodes);
        Ok(Locked { app: app.clone(), origin: root.origin(app)?, tree })
    };
    trees.iter().map(entry).collect()
}

fn hold_against_lock(
    root: &ModuleRoot,
    app: &AppPath,
    found: &[Locked],
    only_locked: bool,
    say: Say,
) -> Result<(), Failure> {
    let strictness = if only_locked { Strictness::Locked } else { Strictness::Told };
    let module_root = root.directory().to_string_lossy();
    let told = lock::check(&lock_of(root)?, app, found, strictness, &module_root)?;
    told.into_iter().for_each(|text| say(Event::Warning { text }));
    Ok(())
}

/// The lock of a module root; an empty one where there is none.
pub fn lock_of(root: &ModuleRoot) -> Result<Lock, Failure> {
    let path = root.directory().join(FILE_NAME);
    let Some(text) = fs::read_bounded(&path, LARGEST)? else { return Ok(Lock::default()) };
    Lock::parse(&text).map_err(|error| {
        let hint = error.hint();
        Failure::new(format!("`{}` is not valid", path.display())).because(error).hint(hint)
    })
}

/// A release where all that it is made of is tagged; else a snapshot, which says so.
fn release_of(app: &AppPath, modulepath: &[AppPath]) -> Result<Release, Failure> {
    let is_tag = |app: &AppPath| matches!(app.line(), Line::Tag { .. });
    let tagged = |app| modulepath.iter().any(|tag| is_tag(tag) && AppPath::is_within(app, tag));
    let release = match modulepath.iter().all(tagged) {
        true => Release::of(app),
        false => Release::snapshot_of(app),
    };
    release.map_err(|error| {
        Failure::new(error.to_string())
            .hint("a snapshot is of `NAME/trunk` or `NAME/branches/BRANCH`")
    })
}

/// Packages must not become part of the release that they are of.
fn refuse_out_inside(root: &ModuleRoot, modulepath: &[AppPath], out: &Path) -> Result<(), Failure> {
    let out = fs::real(out)?;
    for app in modulepath {
        if out.starts_with(fs::real(&root.app(app)?)?) {
            return Err(Failure::new(format!("`--out` is inside `{app}`, which is being bundled"))
                .hint("write to a directory outside of it: `--out DIR`"));
        }
    }
    Ok(())
}

/// Walks and reads every directory of the modulepath; all offenders are told at once.
pub fn walk_all(
    root: &ModuleRoot,
    modulepath: &[AppPath],
    say: Say,
) -> Result<(Trees, Md5Sums), Failure> {
    let (mut trees, mut md5sums, mut offenders) = (Vec::new(), Md5Sums::new(), Vec::new());
    for app in modulepath {
        root.refuse_links(app)?;
        if let Some(nodes) = below(&trees, app) {
            trees.push((app.clone(), nodes));
            continue;
        }
        let walked = walk::walk(&root.app(app)?, app)?;
        for (path, reason) in walked.left_out {
            say(Event::LeftOut { path, reason });
        }
        offenders.extend(walked.offenders);
        md5sums.extend(walked.md5sums);
        trees.push((app.clone(), walked.nodes));
    }
    let is_whole = |app: &AppPath| !modulepath.iter().any(|a| a != app && app.is_within(a));
    let nodes = || trees.iter().filter(|(app, _)| is_whole(app)).flat_map(|(_, nodes)| nodes);
    let bad_links = Links::among(nodes()).refused(nodes());
    offenders.extend(bad_links.into_iter().map(|link| (link.path.to_string(), link.reason)));
    if offenders.is_empty() {
        return Ok((trees, md5sums));
    }
    let lines = offenders.iter().map(|(path, reason)| format!("\n    {path:?} {reason}"));
    let count = offenders.len();
    let plural = if count == 1 { "path" } else { "paths" };
    Err(Failure::new(format!(
        "{count} {plural} cannot be in a package:{}",
        lines.collect::<String>()
    )))
}

/// What is below a directory of an app that was walked already.
fn below(trees: &[(AppPath, Vec<Node>)], app: &AppPath) -> Option<Vec<Node>> {
    let (_, nodes) = trees.iter().find(|(outer, _)| app.is_within(outer))?;
    let prefix = format!("{app}/");
    Some(nodes.iter().filter(|node| node.path().as_str().starts_with(&prefix)).cloned().collect())
}

/// The modules of a release, in the order of its modulepath.
fn modules(
    root: &ModuleRoot,
    trees: &[(AppPath, Vec<Node>)],
    say: Say,
) -> Result<Vec<Module>, Failure> {
    let links = Links::among(trees.iter().flat_map(|(_, nodes)| nodes));
    let mut found = Vec::new();
    for (app, nodes) in searched(trees, |(app, _)| app) {
        for name in module::names(app.as_str(), nodes.iter(), &links) {
            let metadata = root.metadata(app, &name)?.unwrap_or_else(|problem| {
                say(Event::Warning { text: problem });
                module::Metadata::default()
            });
            found.push((app.clone(), name, metadata));
        }
    }
    let modules = module::shadow(found);
    for module in &modules {
        if let Some(taken) = &module.shadowed_by {
            let (taken, ignored) = (taken.to_string(), module.app.to_string());
            say(Event::Shadowed { module: module.name.clone(), taken, ignored });
        }
    }
    Ok(modules)
}
