//! Packages into the pool, then into the ledger: an entry is the proof that the package is there.

use super::candidate::{self, Candidate, Verdict};
use super::index::Change;
use super::{Site, pages};
use crate::host::gpg::Form;
use crate::host::store::{Content, Created, Store};
use crate::host::{clock, fs, hostname};
use crate::model::app::PackageName;
use crate::model::compression::Format;
use crate::model::digest::Sha256Digest;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::ledger::{BEGUN, Begun, Entry, Index, LARGEST, Name};
use crate::package::read::ReadError;
use crate::package::repository::{apt, yum};
use crate::package::sign::{self, Signed};
use std::fs::File;

/// Packages that are in the ledger by now.
pub struct Entered {
    pub entries: Vec<Entry>,
    /// What tells others of them until the indexes do.
    pub begun: Option<String>,
}

/// Stores packages and enters them.
pub fn enter(site: &Site, candidates: &[&Candidate]) -> Result<Entered, Failure> {
    if candidates.is_empty() {
        return Ok(Entered { entries: Vec::new(), begun: None });
    }
    let names = candidates.iter().map(|candidate| candidate.name.clone()).collect();
    let begun = Begun { since: clock::now(), by: Some(hostname::process()), names };
    let begun = serde_json::to_vec(&begun).unwrap_or_default();
    let key = format!(
        "{BEGUN}{}-{}.json",
        clock::now_as_name(),
        &Sha256Digest::of(&begun).to_string()[..16]
    );
    site.store.create(&key, Content::Bytes(&begun))?;
    let claimed = candidates.iter().try_for_each(|candidate| claim(&site.store, candidate, &key));
    if let Err(failure) = claimed {
        site.store.remove(&key)?;
        return Err(failure);
    }
    let entries = candidates.iter().map(|candidate| enter_one(site, candidate));
    let entries = entries.collect::<Result<_, _>>()?;
    Ok(Entered { entries, begun: Some(key) })
}

/// Takes the release for one bundle: entries are one a format, and two publishers
/// that look at the same time would each enter theirs. `own` tells that we have begun.
fn claim(store: &Store, candidate: &Candidate, own: &str) -> Result<(), Failure> {
    let (name, bundle) = (&candidate.name, &candidate.bundle);
    let key = name.claim(bundle.tag.is_some());
    let text = format!("{} {}\n", name.version, bundle.bundle_id);
    if store.create(&key, Content::Bytes(text.as_bytes()))? != Created::Different {
        return Ok(());
    }
    candidate::judge_one(store, candidate)?;
    let there = store.get(&key, LARGEST)?.map(|(text, _)| text).unwrap_or_default();
    let there = String::from_utf8_lossy(&there).trim_end().to_owned();
    let (package, shown) = (&name.package, candidate.shown.display());
    let since = begun_with(store, package, own)?;
    let why = format!("`{key}`: expected `{there}`, found `{}` in `{shown}`", text.trim_end());
    Err(Failure::new(format!(
        "`{package}` is taken for another bundle by a publication that has not ended{since}"
    ))
    .because(Failure::new(why))
    .exit(Exit::NotVerified)
    .hint("publish what that began with, which ends it: the package with the bundle ID expected")
    .hint("or tag a new release, and publish that"))
}

/// Since when and by whom a package is being published, as far as that is known.
fn begun_with(store: &Store, package: &PackageName, own: &str) -> Result<String, Failure> {
    for key in store.list(BEGUN)?.iter().filter(|key| *key != own) {
        let begun = store.get(key, LARGEST)?;
        let begun = begun.and_then(|(text, _)| serde_json::from_slice::<Begun>(&text).ok());
        if let Some(Begun { since, by, .. }) =
            begun.filter(|begun| begun.names.iter().any(|name| name.package == *package))
        {
            let by = by.map(|by| format!(", {by}"));
            return Ok(format!(": begun {since}{}", by.unwrap_or_default()));
        }
    }
    Ok(String::new())
}

fn enter_one(site: &Site, candidate: &Candidate) -> Result<Entry, Failure> {
    let signed = signed(site, candidate)?;
    let (file, bytes, sha256) = match &signed {
        Some((file, bytes, sha256)) => (file, *bytes, *sha256),
        None => (&candidate.file, candidate.bytes, candidate.sha256),
    };
    let path = candidate.name.pool(sha256);
    let entry = entry(candidate, file, &path, bytes, sha256)?;
    let stored = site.store.create(&path, Content::File { file, sha256, bytes })?;
    if stored == Created::Different {
        let what = format!("`{path}` is in the pool already, and is not what its name says");
        return Err(Failure::new(what).exit(Exit::NotVerified));
    }
    pages::describe(&site.store, candidate)?;
    let key = candidate.name.key();
    match site.store.create(&key, Content::Bytes(&entry.to_json()))? {
        Created::New | Created::Unchanged => Ok(entry),
        // Somebody was faster; with the same package, that is as good.
        Created::Different => match candidate::judge_one(&site.store, candidate)? {
            Verdict::Unchanged(there) => {
                if there.path != path && stored == Created::New {
                    site.store.remove(&path)?;
                }
                Ok(*there)
            }
            Verdict::Add => Err(Failure::new(format!("the ledger has lost `{key}`"))),
        },
    }
}

/// The same .rpm with a signature, in a file without a name. What is promoted keeps the one that
/// it has by a key of where it comes from, so that it is the same file.
fn signed(
    site: &Site,
    candidate: &Candidate,
) -> Result<Option<(File, u64, Sha256Digest)>, Failure> {
    let (Some(signer), Format::Rpm) = (&site.signer, candidate.name.format) else {
        return Ok(None);
    };
    let failed = |error: ReadError| {
        Failure::new(format!("failed to sign `{}`", candidate.shown.display())).because(error)
    };
    let there = sign::signed(&candidate.file).map_err(failed)?;
    if let (Some(verifier), Some(Signed { header, signature })) = (&site.verifier, there)
        && verifier.verify_package(&header, &signature).is_ok()
    {
        return Ok(None);
    }
    let header = sign::to_be_signed(&candidate.file).map_err(failed)?;
    let signature = signer.sign(&header, Form::Binary)?;
    let mut file = fs::scratch()?;
    sign::write_signed(&candidate.file, &signature, &mut file).map_err(failed)?;
    let (sha256, bytes) = fs::digest(&file)?;
    Ok(Some((file, bytes, sha256)))
}

fn entry(
    candidate: &Candidate,
    file: &File,
    path: &str,
    bytes: u64,
    sha256: Sha256Digest,
) -> Result<Entry, Failure> {
    // Paths in an index are relative to its repository: `apt` or `yum`.
    let below = path.split_once('/').map_or(path, |(_, below)| below);
    let index = match candidate.name.format {
        Format::Deb => {
            apt::stanza(file, below, bytes, sha256).map(|packages| Index::Deb { packages })
        }
        Format::Rpm => {
            let time = clock::timestamp().as_second();
            yum::describe(file, &yum::Place { path: below, bytes, sha256, time })
        }
    };
    let index = index.map_err(|error| {
        Failure::new(format!("failed to describe `{}`", candidate.shown.display())).because(error)
    })?;
    Ok(Entry {
        schema: Entry::schema(),
        name: candidate.name.clone(),
        app: candidate.bundle.app.clone(),
        bundle_id: candidate.bundle.bundle_id,
        given: candidate.given(),
        path: path.to_owned(),
        bytes,
        sha256,
        published_at: clock::now(),
        promoted_from: candidate.promoted.as_ref().map(|(from, _)| from.clone()),
        index,
    })
}

/// What others have begun.
#[derive(Default)]
pub struct Others {
    /// Packages that were taken up.
    pub names: Vec<Name>,
    /// What told of them, and has nothing more to tell once they are in the indexes.
    pub ended: Vec<String>,
}

/// Takes up what other publishers have entered and not yet ended: it may be that
/// nobody else will. Those that are at work find their part done.
pub fn begun_by_others(site: &Site, change: &mut Change) -> Result<Others, Failure> {
    let mut others = Others::default();
    for key in site.store.list(BEGUN)? {
        let Some((text, _)) = site.store.get(&key, LARGEST)? else { continue };
        let Ok(begun) = serde_json::from_slice::<Begun>(&text) else { continue };
        let mut is_ended = true;
        for name in begun.names {
            let known = change.add.iter().any(|entry| entry.name == name);
            if known || site.store.has(&name.removal())? {
                continue;
            }
            let Some((text, _)) = site.store.get(&name.key(), LARGEST)? else {
                // Not entered: never, or not yet.
                is_ended = is_past(&begun.since);
                continue;
            };
            let entry = Entry::from_json(&text).map_err(|error| {
                Failure::new(format!("`{}` is not valid", name.key())).because(error)
            })?;
            change.add.push(entry);
            others.names.push(name);
        }
        if is_ended {
            others.ended.push(key);
        }
    }
    Ok(others)
}

/// Nobody is at work for longer than a day.
fn is_past(since: &str) -> bool {
    const DAY: i64 = 86_400;
    let since = since.parse::<jiff::Timestamp>().unwrap_or_default();
    clock::timestamp().as_second() - since.as_second() > DAY
}
