//! `bundle`: resolve, walk, freeze, write.

use super::package_file;
use crate::cli;
use crate::host::fs::{self, Beside, Created};
use crate::host::{source::ModuleRoot, walk};
use crate::model::answer::{Answer, Built, BuiltPackage};
use crate::model::app::{AppPath, LONGEST_COMPONENT, Line, Release};
use crate::model::bundle::{Bundle, Module};
use crate::model::compression::{Compression, Format};
use crate::model::event::{Event, Say};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::links::Links;
use crate::model::module;
use crate::model::tree::Node;
use crate::package::build::{BuildError, Job, build};
use crate::package::layout::{self, Md5Sums};
use crate::plan::{resolve, resolve::Allowed, version};
use std::collections::BTreeSet;
use std::io::BufWriter;
use std::path::Path;

/// The directories of a modulepath in order, each with what is below it.
type Trees = Vec<(AppPath, Vec<Node>)>;

/// A release, read and checked, of which nothing is written yet.
struct Prepared {
    release: Release,
    bundle: Bundle,
    md5sums: Md5Sums,
}

/// Builds the packages of releases.
pub fn run(args: &cli::Bundle, say: Say) -> Result<Answer, Failure> {
    let formats = formats(args)?;
    refuse_targets(args)?;
    if args.version.is_some() && args.apps.len() > 1 {
        return Err(Failure::new("`--version` is for one release, found several").exit(Exit::Usage));
    }
    let root = ModuleRoot::open(&args.module_root)?;
    let prepared = args.apps.iter().map(|app| prepare(&root, app, args, say));
    let prepared = prepared.collect::<Result<Vec<_>, _>>()?;
    fs::create_directory(&args.out)?;
    let built = prepared.iter().map(|prepared| write(&root, prepared, args, &formats));
    Ok(Answer::Built(built.collect::<Result<_, _>>()?))
}

/// The formats to write, each once, with how it is compressed.
fn formats(args: &cli::Bundle) -> Result<Vec<(Format, Compression)>, Failure> {
    let formats: BTreeSet<Format> = args.format.iter().copied().collect();
    let compressed = |format| {
        let compression = Compression::new(args.compression, args.compression_level, format);
        compression
            .map(|compression| (format, compression))
            .map_err(|error| Failure::new(error.to_string()).exit(Exit::Usage))
    };
    formats.into_iter().map(compressed).collect()
}

fn refuse_targets(args: &cli::Bundle) -> Result<(), Failure> {
    for target in &args.target {
        let format = target.format();
        if !args.format.contains(&format) {
            return Err(Failure::new(format!("`{target}` installs .{format}, which is not built"))
                .exit(Exit::Usage)
                .hint(format!("add it: `--format {format}`")));
        }
        if !target.reads(args.compression) {
            let method = args.compression;
            let what = format!("`{target}` cannot install packages compressed with {method}");
            return Err(Failure::new(what)
                .exit(Exit::Usage)
                .hint("every target reads `--compression gzip` and `--compression xz`"));
        }
    }
    Ok(())
}

/// Reads all that a release is made of; refuses what cannot be released.
fn prepare(
    root: &ModuleRoot,
    app: &AppPath,
    args: &cli::Bundle,
    say: Say,
) -> Result<Prepared, Failure> {
    let allowed = if args.snapshot { Allowed::Anything } else { Allowed::Tags };
    let modulepath = resolve::resolve(app, allowed, |path| root.manifest(path, path != app))?;
    let release = release_of(app, &modulepath)?;
    let siblings = root.tags(release.name())?;
    let version = version::choose(&release, &siblings, args.version.as_ref())?;
    refuse_out_inside(root, &modulepath, &args.out)?;
    let (trees, md5sums) = walk_all(root, &modulepath, say)?;
    let modules = modules(root, &trees, say)?;
    let bundle = Bundle::new(&release, version, &trees, modules);
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
    Ok(Prepared { release, bundle, md5sums })
}

/// A release where all that it is made of is tagged; else a snapshot, which says so.
fn release_of(app: &AppPath, modulepath: &[AppPath]) -> Result<Release, Failure> {
    let tagged = |app: &AppPath| matches!(app.line(), Line::Tag { .. });
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
fn walk_all(
    root: &ModuleRoot,
    modulepath: &[AppPath],
    say: Say,
) -> Result<(Trees, Md5Sums), Failure> {
    let (mut trees, mut md5sums, mut offenders) = (Vec::new(), Md5Sums::new(), Vec::new());
    for app in modulepath {
        root.refuse_links(app)?;
        let walked = walk::walk(root.directory(), app)?;
        for (path, reason) in walked.left_out {
            say(Event::LeftOut { path, reason });
        }
        offenders.extend(walked.offenders);
        md5sums.extend(walked.md5sums);
        trees.push((app.clone(), walked.nodes));
    }
    let nodes = || trees.iter().flat_map(|(_, nodes): &(AppPath, Vec<Node>)| nodes);
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

/// The modules of a release, in the order of its modulepath.
fn modules(
    root: &ModuleRoot,
    trees: &[(AppPath, Vec<Node>)],
    say: Say,
) -> Result<Vec<Module>, Failure> {
    let links = Links::among(trees.iter().flat_map(|(_, nodes)| nodes));
    let mut found = Vec::new();
    for (app, nodes) in trees {
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

/// Writes the packages of one release beside their place, then names them all.
fn write(
    root: &ModuleRoot,
    prepared: &Prepared,
    args: &cli::Bundle,
    formats: &[(Format, Compression)],
) -> Result<Built, Failure> {
    let bundle = &prepared.bundle;
    let maintainer = args.maintainer.clone().unwrap_or_default();
    let time = args.source_date_epoch.unwrap_or_default().seconds();
    let meta = layout::meta(bundle, prepared.release.provides(), maintainer.as_str(), time);
    let failed = |error: BuildError| {
        Failure::new(format!("failed to bundle `{}`", bundle.app)).because(error)
    };
    let items =
        layout::items(bundle, &meta, &prepared.md5sums).map_err(|error| failed(error.into()))?;
    let mut files = Vec::new();
    let mut jobs = Vec::new();
    for &(format, compression) in formats {
        let file = fs::beside(&args.out)?;
        let to = file.file().try_clone().map_err(|error| failed(error.into()))?;
        let (spool, to) = (fs::spool(&args.out)?, BufWriter::new(to));
        jobs.push(Job { format, compression, spool, to });
        files.push((format, file));
    }
    let open = |path: &_| {
        let path = root.directory().join(AsRef::<Path>::as_ref(path));
        fs::open_regular(&path).map(|(file, _)| file)
    };
    build(jobs, &meta, &items, open).map_err(failed)?;
    refuse_other_content(bundle, &args.out)?;
    for (format, file) in &files {
        let path = args.out.join(bundle.file_name(*format));
        if fs::would_create(file.file(), &path)? == Created::Different {
            return Err(different(bundle, &path));
        }
    }
    let packages = files.into_iter().map(|(format, file)| name(format, file, bundle, &args.out));
    Ok(Built::new(bundle, packages.collect::<Result<_, _>>()?))
}

/// Refuses a release that is there in the other format, or at another version, with other content.
fn refuse_other_content(bundle: &Bundle, out: &Path) -> Result<(), Failure> {
    for name in fs::names(out)?.into_iter().filter(|name| bundle.is_package_name(name)) {
        let path = out.join(name);
        let there = package_file::open(&path)?.bundle;
        if (there.bundle_id, &there.version) != (bundle.bundle_id, &bundle.version) {
            return Err(different(bundle, &path));
        }
    }
    Ok(())
}

/// Gives a package its name; what has that name already is never replaced.
fn name(
    format: Format,
    file: Beside,
    bundle: &Bundle,
    out: &Path,
) -> Result<BuiltPackage, Failure> {
    let path = out.join(bundle.file_name(format));
    let bytes = file.file().metadata().map_err(|error| fs::failed("look at", &path, error))?;
    let bytes = bytes.len();
    match fs::create(file, &path)? {
        Created::New => Ok(BuiltPackage { path, format, bytes, unchanged: false }),
        Created::Unchanged => Ok(BuiltPackage { path, format, bytes, unchanged: true }),
        Created::Different => Err(different(bundle, &path)),
    }
}

/// Tells how a release differs from the package that is there under its name.
fn different(bundle: &Bundle, path: &Path) -> Failure {
    let what = format!("`{}` is there already, with other bytes", path.display());
    let failure = Failure::new(what)
        .hint("a release never changes: tag a new one, or write to another directory with `--out`");
    let there = match package_file::open(path) {
        Ok(file) => file.bundle,
        Err(error) => return failure.because(error),
    };
    let lines = bundle.differences(&there);
    let cause = if lines.is_empty() {
        "the release is the same; compression, maintainer, time or the tool's version differ"
            .to_owned()
    } else {
        let shown: String = lines.iter().take(20).map(|line| format!("\n    {line}")).collect();
        let rest = lines.len().saturating_sub(20);
        let more = if rest > 0 { format!("\n    and {rest} more") } else { String::new() };
        format!("since that one was built:{shown}{more}")
    };
    failure.because(Failure::new(cause))
}
