//! `bundle`'s second half: packages beside their place, then named; none is ever replaced.

use super::prepare::Prepared;
use crate::cli;
use crate::cmd::package_file;
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
        Failure::new(format!("failed to bundle `{}`", bundle.app)).because(error)
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
    refuse_other_content(bundle, &args.out)?;
    for (format, file) in &files {
        if let Some(again) = again {
            refuse_irreproducible(file, &again.out().join(bundle.file_name(*format)))?;
        }
        let path = args.out.join(bundle.file_name(*format));
        if fs::would_create(file.file(), &path)? == Created::Different {
            return Err(different(bundle, &path));
        }
    }
    let packages = files.into_iter().map(|(format, file)| name(format, file, bundle, &args.out));
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
    if lines.is_empty() {
        return failure.because(Failure::new(package_file::SAME_RELEASE));
    }
    failure.because(Differences(lines))
}
