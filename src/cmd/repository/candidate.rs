//! Packages that are handed in: read whole, and held against the ledger.

use crate::cmd::instead;
use crate::cmd::package_file::{self, PackageFile};
use crate::host::fs;
use crate::host::store::Store;
use crate::model::bundle::Bundle;
use crate::model::compression::Format;
use crate::model::digest::Sha256Digest;
use crate::model::event::{Say, during};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::interface::Interface;
use crate::model::ledger::{Entry, LARGEST, Name};
use crate::model::verify::Differences;
use crate::plan::publish::{Clash, Known, Step, Wanted, decide};
use std::fs::File;
use std::io::Seek;
use std::path::{Path, PathBuf};

/// A package that is whole.
pub struct Candidate {
    /// The file, as it is told of.
    pub shown: PathBuf,
    pub file: File,
    pub name: Name,
    pub bundle: Bundle,
    /// None of a package that an older localpuppet has built.
    pub interface: Option<Interface>,
    pub bytes: u64,
    pub sha256: Sha256Digest,
    /// The repository that it was published in before, and the digest that was handed in there.
    pub promoted: Option<(String, Sha256Digest)>,
}

/// What is to be done with a package.
#[derive(PartialEq)]
pub enum Verdict {
    Add,
    Unchanged(Box<Entry>),
}

/// A package, and what is to be done with it.
pub type Judged = (Candidate, Verdict);

impl Verdict {
    /// The entry of a package that is published already.
    pub fn entry(&self) -> Option<&Entry> {
        match self {
            Verdict::Add => None,
            Verdict::Unchanged(entry) => Some(entry),
        }
    }
}

impl Candidate {
    /// Digest of the file as it was handed in first.
    pub fn given(&self) -> Sha256Digest {
        self.promoted.as_ref().map_or(self.sha256, |(_, given)| *given)
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            name: &self.name,
            bundle_id: self.bundle.bundle_id,
            sha256: self.given(),
            is_release: self.bundle.tag.is_some(),
        }
    }
}

/// Reads all packages; refuses those that are no releases, or not what they say.
pub fn read_all(paths: &[PathBuf], snapshots: bool, say: Say) -> Result<Vec<Candidate>, Failure> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for path in paths {
        let candidate = during(say, format!("reading `{}`", path.display()), || read(path))
            .map_err(|failure| instead::of_package(failure, path, package_file::how_to_make))?;
        if candidate.bundle.tag.is_none() && !snapshots {
            return Err(Failure::new(format!(
                "`{}` is a snapshot of `{}`, not a release",
                path.display(),
                candidate.bundle.app
            ))
            .hint("tag it, and bundle the tag")
            .hint("or publish it all the same, below every release: `--allow-snapshots`"));
        }
        let wanted = candidate.wanted();
        for other in &candidates {
            let (there, same) = (&other.name, other.name == candidate.name);
            let other_bytes = same && other.sha256 != candidate.sha256;
            let other_bundle = *there == candidate.name.other_format()
                && other.bundle.bundle_id != wanted.bundle_id;
            if other_bytes || other_bundle {
                let (one, two) = (other.shown.display(), path.display());
                let failure = Failure::new(format!("`{one}` and `{two}` are not the same release"));
                return Err(failure
                    .because(Differences(candidate.bundle.differences(&other.bundle)))
                    .exit(Exit::NotVerified));
            }
        }
        if !candidates.iter().any(|other| other.name == candidate.name) {
            candidates.push(candidate);
        }
    }
    Ok(candidates)
}

fn read(path: &Path) -> Result<Candidate, Failure> {
    let mut file = fs::open(path)?;
    let failed = |error| fs::failed("read", path, error);
    let (sha256, bytes) = Sha256Digest::of_reader(&file).map_err(failed)?;
    file.rewind().map_err(failed)?;
    let copy = file.try_clone().map_err(failed)?;
    let package = package_file::of_file(copy, &path.display().to_string())?;
    if !package.problems.is_empty() {
        return Err(Failure::new(format!("`{}` is not what its bundle.json says", path.display()))
            .because(Differences(package.problems))
            .exit(Exit::NotVerified));
    }
    let name = Name::of(&package.bundle, package.facts.format);
    let interface = package.interface_if_any()?;
    Ok(Candidate {
        shown: path.to_owned(),
        file,
        name,
        bundle: package.bundle,
        interface,
        bytes,
        sha256,
        promoted: None,
    })
}

/// Holds every package against the ledger; one that is refused stops all.
pub fn judge(store: &Store, candidates: Vec<Candidate>, say: Say) -> Result<Vec<Judged>, Failure> {
    let judged = candidates.into_iter().map(|candidate| {
        let what = format!("looking for `{}`", candidate.name);
        let verdict = during(say, what, || judge_one(store, &candidate))?;
        Ok((candidate, verdict))
    });
    judged.collect()
}

/// Holds one package against the ledger as it is now.
pub fn judge_one(store: &Store, candidate: &Candidate) -> Result<Verdict, Failure> {
    let known = known(store, &candidate.name)?;
    let wanted = candidate.wanted();
    match decide(&wanted, &known) {
        Step::Add => Ok(Verdict::Add),
        Step::Unchanged(entry) => Ok(Verdict::Unchanged(Box::new(entry.clone()))),
        Step::Refuse(clash) => {
            let failure = clash.failure(&wanted, &candidate.shown.display().to_string());
            Err(match differences(store, candidate, &clash) {
                Some(Ok(differences)) => failure.because(differences),
                Some(Err(error)) => failure.because(error),
                None => failure,
            })
        }
    }
}

/// What the ledger knows of all versions and formats of a package.
fn known(store: &Store, name: &Name) -> Result<Vec<Known>, Failure> {
    let keys = store.list(&name.siblings())?;
    let entries = keys.iter().filter(|key| key.ends_with(".json")).map(|key| {
        let entry = entry(store, key)?;
        let removed = keys.contains(&entry.name.removal());
        Ok(Known { entry, removed })
    });
    entries.collect()
}

/// An entry that is there.
pub fn entry(store: &Store, key: &str) -> Result<Entry, Failure> {
    let Some((text, _)) = store.get(key, LARGEST)? else {
        return Err(Failure::new(format!("the ledger has lost `{key}`")).exit(Exit::NotVerified));
    };
    Entry::from_json(&text)
        .map_err(|error| Failure::new(format!("`{key}` is not valid")).because(error))
}

/// How what is handed in differs from what is published, by file.
fn differences(
    store: &Store,
    candidate: &Candidate,
    clash: &Clash,
) -> Option<Result<Differences<String>, Failure>> {
    let (Clash::Bytes(entry) | Clash::Bundle(entry)) = clash else { return None };
    let there = store
        .fetch(&entry.path)
        .and_then(|file| package_file::of_file(file, &entry.path).map(|package| package.bundle));
    Some(there.and_then(|there| {
        let lines = candidate.bundle.differences(&there);
        match lines.is_empty() {
            true => Err(Failure::new(package_file::SAME_RELEASE)),
            false => Ok(Differences(lines)),
        }
    }))
}

/// A ledger is believed only where the package itself says the same: who can write to a
/// repository decides what is in it, and not what a signature here stands for.
pub fn believed(entry: &Entry, package: &PackageFile, shown: &str) -> Result<(), Failure> {
    let PackageFile { bundle, facts, problems, .. } = package;
    let refused = |what: String| Failure::new(what).exit(Exit::NotVerified);
    if !problems.is_empty() {
        return Err(refused(format!("`{shown}` is not what its bundle.json says"))
            .because(Differences(problems.clone())));
    }
    let found = (Name::of(bundle, facts.format), &bundle.app, bundle.bundle_id);
    if found != (entry.name.clone(), &entry.app, entry.bundle_id) {
        let why = format!("the ledger says `{}`, {}", entry.name, entry.bundle_id);
        let found = format!("`{shown}` is `{}`, bundle ID {}", found.0, found.2);
        return Err(refused(found).because(Failure::new(why)));
    }
    // Only an .rpm is another file when it was signed.
    if facts.format == Format::Deb && entry.given != entry.sha256 {
        return Err(refused(format!("`{shown}` is not the file that was handed in"))
            .because(Failure::new(format!("the ledger says {}", entry.given))));
    }
    Ok(())
}
