//! `promote`: the same bytes from one repository into another.

use super::package_file;
use super::repository::candidate::{self, Candidate};
use super::repository::{Site, commit, list, publication};
use crate::cli;
use crate::host::fs;
use crate::host::gpg::Verifier;
use crate::host::store::Store;
use crate::model::answer::Answer;
use crate::model::app::{AppPath, Line, Release};
use crate::model::event::{Say, during};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::ledger::Entry;
use crate::model::repository::{LARGEST_HEAD, PUBLIC_KEY};

/// Copies what the ledger of one repository has, and records where it came from.
pub fn run(args: &cli::Promote, say: Say) -> Result<Answer, Failure> {
    let from = Store::open(&args.from)?;
    if commit::head(&from)?.is_none() {
        return Err(Failure::new(format!("`{}` is no repository of ours", args.from))
            .hint("name one that `localpuppet publish` has made"));
    }
    let entries = wanted(args, list::entries(&from)?)?;
    let (mut site, head) = Site::look(&args.repository)?;
    let candidates = entries.iter().map(|entry| {
        let what = format!("reading `{}`", entry.path);
        during(say, what, || open(&from, entry, args))
    });
    let candidates = candidates.collect::<Result<Vec<_>, _>>()?;
    let judged = candidate::judge(&site.store, candidates, say)?;
    site.keys = from.get(PUBLIC_KEY, LARGEST_HEAD)?.map(|(keys, _)| keys);
    site.verifier = site.keys.as_deref().map(Verifier::new).transpose()?;
    publication::make(site, head, judged, (args.dry_run, say))
}

/// The entries of the named releases, or of all.
fn wanted(args: &cli::Promote, entries: Vec<list::Known>) -> Result<Vec<Entry>, Failure> {
    let entries: Vec<Entry> =
        entries.into_iter().filter(|known| !known.removed).map(|known| known.entry).collect();
    // `foo/r1` names `foo/tags/r1`, as elsewhere.
    let wanted = |app: &AppPath| match app.as_str().parse::<Release>() {
        Ok(release) => release.path().clone(),
        Err(_) => app.clone(),
    };
    let apps: Vec<AppPath> = args.apps.iter().map(wanted).collect();
    for app in &apps {
        if !entries.iter().any(|entry| entry.app == *app) {
            return Err(Failure::new(format!("`{}` has no release `{app}`", args.from))
                .hint(format!("localpuppet publish --list --to {}", args.from)));
        }
    }
    let is_release = |entry: &Entry| matches!(entry.app.line(), Line::Tag { .. });
    let named = |entry: &&Entry| apps.contains(&entry.app);
    if let Some(entry) = entries.iter().filter(named).find(|entry| !is_release(entry))
        && !args.allow_snapshots
    {
        return Err(Failure::new(format!("`{}` is a snapshot, not a release", entry.app))
            .hint("promote it all the same, below every release: `--allow-snapshots`"));
    }
    let is_wanted = |entry: &Entry| match apps.is_empty() {
        true => args.allow_snapshots || is_release(entry),
        false => apps.contains(&entry.app),
    };
    Ok(entries.into_iter().filter(is_wanted).collect())
}

/// A package of a repository, which is still what its ledger says.
fn open(from: &Store, entry: &Entry, args: &cli::Promote) -> Result<Candidate, Failure> {
    let file = from.fetch(&entry.path)?;
    let shown = format!("{}/{}", args.from, entry.path);
    let (sha256, bytes) = fs::digest(&file)?;
    if sha256 != entry.sha256 {
        let what = format!("`{shown}` is not what the ledger says");
        let why = format!("expected SHA-256 {}, found {sha256}", entry.sha256);
        return Err(Failure::new(what).because(Failure::new(why)).exit(Exit::NotVerified));
    }
    let package = package_file::of_file(fs::again(&file)?, &shown)?;
    candidate::believed(entry, &package, &shown)?;
    let interface = package.interface_if_any()?;
    Ok(Candidate {
        shown: shown.into(),
        file,
        name: entry.name.clone(),
        bundle: package.bundle,
        interface,
        bytes,
        sha256,
        promoted: Some((args.from.to_string(), entry.given)),
    })
}
