//! `bundle`'s second half: packages beside their place, then named; none is ever replaced.

use super::prepare::Prepared;
use crate::cli;
use crate::cmd::package_file::{self, PackageFile};
use crate::host::again::Again;
use crate::host::fs::{self, Beside, Created};
use crate::host::source::{ModuleRoot, place};
use crate::model::answer::{Built, BuiltPackage};
use crate::model::bundle::Bundle;
use crate::model::compression::{Compression, Format};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::tree::TreePath;
use crate::model::verify::Differences;
use crate::package::build::{BuildError, Job, build};
use crate::package::layout;
use std::io::{self, BufWriter};
use std::path::Path;

/// Writes the packages of one release beside their place, then names them all.
pub fn write(
    root: &ModuleRoot,
    prepared: &Prepared,
    args: &cli::Bundle,
    formats: &[(Format, Compression)],
    again: Option<&Again>,
) -> Result<Built, Failure> {
    let bundle = &prepared.bundle;
    let maintainer = args.maintainer.clone().unwrap_or_default();
    let time = args.source_date_epoch.unwrap_or_default().seconds();
    let meta = layout::meta(bundle, prepared.release.provides(), maintainer.as_str(), time);
    let failed = |error: BuildError| {
        let failure = Failure::new(format!("failed to bundle `{}`", bundle.app));
        match error {
            BuildError::Io(full) if full.kind() == io::ErrorKind::StorageFull => {
                failure.because(fs::failed("write in", &args.out, full))
            }
            error => failure.because(error),
        }
    };
    let items = layout::items(bundle, &prepared.interface, &meta, &prepared.md5sums);
    let items = items.map_err(|error| failed(error.into()))?;
    let mut files = Vec::new();
    let mut jobs = Vec::new();
    for &(format, compression) in formats {
        let file = fs::beside(&args.out)?;
        let to = file.file().try_clone().map_err(|error| failed(error.into()))?;
        let (spool, to) = (fs::spool(&args.out)?, BufWriter::new(to));
        jobs.push(Job { format, compression, spool, to });
        files.push((format, file));
    }
    let apps = bundle.modulepath.iter().map(|entry| Ok((entry.app.clone(), root.app(&entry.app)?)));
    let directories = apps.collect::<Result<Vec<_>, Failure>>()?;
    let open = |path: &TreePath| {
        let at = place(&directories, path.as_str());
        let at = at.ok_or_else(|| io::Error::other("is of no app of the release"))?;
        fs::open_regular(&at).map(|(file, _)| file)
    };
    build(jobs, &meta, &items, open).map_err(failed)?;
    refuse_other_content(bundle, args)?;
    for (format, file) in &files {
        if let Some(again) = again {
            refuse_irreproducible(file, &again.out().join(bundle.file_name(*format)))?;
        }
        let path = args.out.join(bundle.file_name(*format));
        if fs::would_create(file.file(), &path)? == Created::Different {
            return Err(different(bundle, args, &path));
        }
    }
    let packages = files.into_iter().map(|(format, file)| name(format, file, bundle, args));
    Ok(Built::new(bundle, packages.collect::<Result<_, _>>()?))
}

/// Refuses a package that is another where it is built again.
fn refuse_irreproducible(file: &Beside, again: &Path) -> Result<(), Failure> {
    if fs::would_create(file.file(), again)? == Created::Unchanged {
        return Ok(());
    }
    let name = again.file_name().unwrap_or_default().display();
    Err(Failure::new(format!("`{name}` is not the same where it is built again"))
        .exit(Exit::NotVerified)
        .hint(
            "nothing was written; this is an error of localpuppet's, or the tree changed meanwhile",
        ))
}

/// Refuses a release that is there in the other format, or at another version, with other content.
fn refuse_other_content(bundle: &Bundle, args: &cli::Bundle) -> Result<(), Failure> {
    for name in fs::names(&args.out)?.into_iter().filter(|name| bundle.is_package_name(name)) {
        let path = args.out.join(name);
        let is_same = |there: &Bundle| {
            (there.bundle_id, &there.version) == (bundle.bundle_id, &bundle.version)
        };
        if !package_file::opened(&path).is_ok_and(|there| is_same(&there.bundle)) {
            return Err(different(bundle, args, &path));
        }
    }
    Ok(())
}

/// Gives a package its name; what has that name already is never replaced.
fn name(
    format: Format,
    file: Beside,
    bundle: &Bundle,
    args: &cli::Bundle,
) -> Result<BuiltPackage, Failure> {
    let path = args.out.join(bundle.file_name(format));
    let bytes = file.file().metadata().map_err(|error| fs::failed("look at", &path, error))?;
    let bytes = bytes.len();
    match fs::create(file, &path)? {
        Created::New => Ok(BuiltPackage { path, format, bytes, unchanged: false }),
        Created::Unchanged => Ok(BuiltPackage { path, format, bytes, unchanged: true }),
        Created::Different => Err(different(bundle, args, &path)),
    }
}

/// Tells how a release differs from the package that is there under its name.
fn different(bundle: &Bundle, args: &cli::Bundle, path: &Path) -> Failure {
    let what = format!("`{}` is there already, with other bytes", path.display());
    let (failure, elsewhere) = (Failure::new(what), "write to another directory with `--out`");
    let away = format!("move it away, or {elsewhere}");
    let there = match package_file::opened(path) {
        Ok(there) => there,
        Err(error) => return failure.because(error).hint(away),
    };
    let lines = bundle.differences(&there.bundle);
    if !lines.is_empty() {
        let hint = format!("a release never changes: tag a new one, or {elsewhere}");
        return failure.because(Differences(lines)).hint(hint);
    }
    if !there.problems.is_empty() {
        return failure.because(Differences(there.problems)).hint(away);
    }
    let failure =
        failure.hint(format!("the release is the same: keep what is there, or {elsewhere}"));
    match packed_otherwise(bundle, args, &there) {
        lines if lines.is_empty() => {
            failure.because(Failure::new("the time or the level of the compression is another"))
        }
        lines => failure.because(Differences(lines)),
    }
}

/// How the package of the same release was made otherwise.
fn packed_otherwise(bundle: &Bundle, args: &cli::Bundle, there: &PackageFile) -> Vec<String> {
    let maintainer = args.maintainer.clone().unwrap_or_default();
    let told = [
        ("compression", there.facts.compression.clone(), args.compression.to_string()),
        ("maintainer", there.facts.maintainer.clone(), maintainer.as_str().to_owned()),
        ("tool", there.bundle.tool.clone(), bundle.tool.clone()),
    ];
    let others = told.into_iter().filter(|(_, was, is)| was != is);
    others.map(|(what, was, is)| format!("the {what} was `{was}` and is `{is}`")).collect()
}
