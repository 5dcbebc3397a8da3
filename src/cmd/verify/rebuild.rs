//! `verify --rebuild`: a package built once more from its tag, and held against the file.

use crate::cli;
use crate::cmd::bundle;
use crate::cmd::package_file;
use crate::host::fs::{self, Created};
use crate::host::source::ModuleRoot;
use crate::model::answer::Answer;
use crate::model::event::{Say, during};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::verified::{Level, RawArchive, Rebuilt};
use crate::model::verify::Differences;
use crate::package::read::streams;
use std::path::{Path, PathBuf};

/// Rebuilds a package file; says at which level it is the same.
pub fn run(file: &Path, args: &cli::Verify, say: Say) -> Result<Answer, Failure> {
    let there = package_file::open(file)?;
    if !there.problems.is_empty() {
        let what = format!("`{}` is not as it was built", file.display());
        let differences = Differences(there.problems);
        return Err(Failure::new(what).exit(Exit::NotVerified).because(differences));
    }
    let scratch = fs::scratch_directory()?;
    let wanted = wanted(&there, args, scratch.path())?;
    let what = format!("building `{}` again", there.bundle.app);
    let (cache, signatures) = (args.sources.cache.as_deref(), args.sources.signatures());
    let root = match &args.sources_file {
        Some(file) => ModuleRoot::of_sources(file, cache, signatures)?,
        None => ModuleRoot::open(&wanted.module_root, cache, signatures)?,
    };
    let built = during(say, what, || bundle::built(&root, &wanted, say))?;
    let again = built.iter().flat_map(|built| &built.packages).next();
    let again = &again.ok_or_else(|| Failure::new("nothing was built"))?.path;
    let (level, streams) = level(again, file)?;
    let again = package_file::open(again)?.bundle;
    let mut problems = again.differences(&there.bundle);
    if again.version != there.bundle.version {
        problems
            .push(format!("the version was `{}` and is `{}`", there.bundle.version, again.version));
    }
    let level = if problems.is_empty() { level } else { Level::Differs };
    let (app, bundle_id) = (there.bundle.app, there.bundle.bundle_id);
    Ok(Answer::Rebuilt(Rebuilt { file: file.to_owned(), app, bundle_id, level, streams, problems }))
}

/// How much of a package is the same, where its files are; with the archives that were compared.
fn level(again: &Path, file: &Path) -> Result<(Level, Vec<RawArchive>), Failure> {
    if fs::would_create(&fs::open(again)?, file)? == Created::Unchanged {
        return Ok((Level::Bytes, Vec::new()));
    }
    let streams = |path: &Path| {
        streams(fs::open(path)?).map_err(|error| {
            Failure::new(format!("failed to read `{}` as a package", path.display())).because(error)
        })
    };
    let there = streams(file)?;
    let is_same = streams(again)? == there;
    Ok((if is_same { Level::Streams } else { Level::Files }, there))
}

/// The bundle that has made the file, as far as the file tells.
fn wanted(
    there: &package_file::PackageFile,
    args: &cli::Verify,
    out: &Path,
) -> Result<cli::Bundle, Failure> {
    let bundle = &there.bundle;
    let facts = &there.facts;
    let method = facts.compression.parse().map_err(|error| {
        let what = format!("a package that is compressed with `{}`", facts.compression);
        Failure::new(format!("cannot build {what}")).because(error)
    })?;
    let root = args.module_root.clone().unwrap_or_else(|| PathBuf::from("."));
    Ok(cli::Bundle {
        apps: vec![bundle.app.clone()],
        module_root: root,
        sources: args.sources.clone(),
        out: out.to_owned(),
        format: vec![facts.format],
        compression: method,
        compression_level: None,
        target: Vec::new(),
        snapshot: bundle.tag.is_none(),
        locked: false,
        version: bundle.tag.is_some().then(|| bundle.version.clone()),
        maintainer: facts.maintainer.parse().ok(),
        source_date_epoch: None,
        proof: cli::Proof::default(),
    })
}
