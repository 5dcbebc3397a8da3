//! A repository as a client sees it, and its ledger: what is not as it should be.

use super::index::{self, Which};
use super::list::{self, Known};
use super::{Site, candidate, commit};
use crate::cli::Repository;
use crate::cmd::package_file;
use crate::host::gpg::Verifier;
use crate::host::store::Store;
use crate::host::{clock, fs};
use crate::model::answer::Answer;
use crate::model::compression::Format;
use crate::model::digest::Sha256Digest;
use crate::model::event::{Say, during};
use crate::model::failure::Failure;
use crate::model::ledger::{BEGUN, Entry, LARGEST};
use crate::model::publication::Check;
use crate::model::repository::{Head, LARGEST_INDEX, PUBLIC_KEY, SUITE};
use crate::package::repository::{apt, yum};
use crate::package::sign::{self, Signed};
use rayon::prelude::*;
use std::collections::HashSet;
use std::time::Duration;

/// So often what is not as it should be is looked at again while somebody publishes.
const LOOKS: u32 = 10;

/// Checks all that clients read, and every package.
pub fn run(options: &Repository, say: Say) -> Result<Answer, Failure> {
    let (site, head) = Site::look(options)?;
    let store = &site.store;
    let Seen { head, known, problems } = during(say, "checking indexes", || {
        let head = site.there(head)?;
        steady(&site, head)
    })?;
    let there: Vec<&Known> = known.iter().filter(|known| !known.removed).collect();
    let mut check = Check {
        to: options.to.to_string(),
        generation: head.generation,
        signed: head.signed,
        packages: there.len(),
        problems,
    };
    let keys = match head.signed {
        true => store.get(PUBLIC_KEY, LARGEST_INDEX)?.map(|(keys, _)| keys),
        false => None,
    };
    let problems = during(say, "checking packages", || {
        let verifier = || keys.as_deref().and_then(|keys| Verifier::new(keys).ok());
        let packages = there
            .par_iter()
            .map_init(verifier, |verifier, known| package(store, verifier.as_ref(), &known.entry));
        packages.flatten_iter().collect::<Vec<_>>()
    });
    check.problems.extend(problems);
    // What clients read under several names is told once.
    let mut told = HashSet::new();
    check.problems.retain(|problem| told.insert(problem.clone()));
    Ok(Answer::Checked(check))
}

/// What there is apart from the packages, and what is wrong with it.
struct Seen {
    head: Head,
    known: Vec<Known>,
    problems: Vec<String>,
}

/// Looks until all is well, or nobody changes anything meanwhile.
fn steady(site: &Site, mut head: Head) -> Result<Seen, Failure> {
    let mut looks = 0;
    loop {
        looks += 1;
        let (known, problems) = look(&site.store, &head)?;
        let now = site.there(commit::head(&site.store)?.map(|(head, _)| head))?;
        let moves = now.generation != head.generation || !site.store.list(BEGUN)?.is_empty();
        if problems.is_empty() || !moves || looks == LOOKS {
            return Ok(Seen { head, known, problems });
        }
        head = now;
        clock::sleep(Duration::from_millis(500));
    }
}

fn look(store: &Store, head: &Head) -> Result<(Vec<Known>, Vec<String>), Failure> {
    let mut problems = Vec::new();
    indexes(store, head, &mut problems)?;
    if head.signed
        && let Err(error) = signatures(store, &mut problems)
    {
        problems.push(format!("`{PUBLIC_KEY}`: {error}"));
    }
    let mut known = Vec::new();
    for (key, read) in list::each(store)? {
        match read {
            Ok(there) if there.entry.name.key() == key => known.push(there),
            Ok(there) => {
                problems.push(format!("`{key}` is of `{}`", there.entry.name));
                known.push(there);
            }
            Err(error) => problems.push(in_full(&error)),
        }
    }
    if let Err(error) = ledger(store, head, &known, &mut problems) {
        problems.push(in_full(&error));
    }
    Ok((known, problems))
}

/// A failure with its causes, in a line.
fn in_full(failure: &Failure) -> String {
    let mut told = failure.to_string();
    let mut cause = std::error::Error::source(failure);
    while let Some(error) = cause {
        told.push_str(&format!(": {error}"));
        cause = error.source();
    }
    told
}

/// One package of the pool; `verifier` is there where the repository is signed.
fn package(store: &Store, verifier: Option<&Verifier>, entry: &Entry) -> Option<String> {
    let (path, expected) = (&entry.path, entry.sha256);
    let file = match store.fetch(path) {
        Ok(file) => file,
        Err(error) => return Some(format!("`{path}`: {error}")),
    };
    match fs::digest(&file) {
        Ok(found) if found == (expected, entry.bytes) => {}
        Ok((found, bytes)) if found == expected => {
            return Some(format!("`{path}`: expected {} bytes, found {bytes}", entry.bytes));
        }
        Ok((found, _)) => {
            return Some(format!("`{path}`: expected SHA-256 {expected}, found {found}"));
        }
        Err(error) => return Some(format!("`{path}`: {error}")),
    }
    if let Err(error) = as_entered(store, entry, &file) {
        return Some(in_full(&error));
    }
    let verifier = verifier.filter(|_| entry.name.format == Format::Rpm)?;
    match sign::signed(&file) {
        Ok(Some(Signed { header, signature })) => {
            let refused = verifier.verify_package(&header, &signature).err();
            refused.map(|error| format!("`{path}`: {error}"))
        }
        Ok(None) => Some(format!("`{path}` has no signature, and dnf and zypper want one here")),
        Err(error) => Some(format!("`{path}`: {error}")),
    }
}

/// A package says of itself what its entry does, and its release was taken for its bundle.
fn as_entered(store: &Store, entry: &Entry, file: &std::fs::File) -> Result<(), Failure> {
    let package = package_file::of_file(fs::again(file)?, &entry.path)?;
    candidate::believed(entry, &package, &entry.path)?;
    let key = entry.name.claim(package.bundle.tag.is_some());
    let there = store.get(&key, LARGEST)?.map(|(text, _)| text);
    let text = format!("{} {}\n", entry.name.version, entry.bundle_id);
    match there {
        Some(there) if there != text.as_bytes() => {
            let there = String::from_utf8_lossy(&there).trim_end().to_owned();
            Err(Failure::new(format!("`{key}`: expected `{}`, found `{there}`", text.trim_end())))
        }
        _ => Ok(()),
    }
}

/// What clients read first, what that names, and what it is.
fn indexes(store: &Store, head: &Head, problems: &mut Vec<String>) -> Result<(), Failure> {
    for pointer in &head.pointers {
        is_there(store, &pointer.path, &pointer.of.sha256.to_string(), problems)?;
    }
    let text = |path: &str| {
        let there = store.get(path, LARGEST_INDEX)?;
        Ok::<_, Failure>(there.map(|(bytes, _)| String::from_utf8_lossy(&bytes).into_owned()))
    };
    let release = text(&format!("{SUITE}Release"))?.unwrap_or_default();
    for (path, sha256) in apt::listed(&release) {
        let (directory, _) = path.rsplit_once('/').unwrap_or_default();
        for key in [path.clone(), format!("{directory}/by-hash/SHA256/{sha256}")] {
            is_there(store, &format!("{SUITE}{key}"), &sha256, problems)?;
        }
    }
    if let Some(until) = apt::valid_until(&release).filter(|until| *until < clock::timestamp()) {
        problems.push(format!(
            "`{SUITE}Release` was valid until {until}; publish, promote or prune with `--valid-days`"
        ));
    }
    let repomd = text("yum/repodata/repomd.xml")?.unwrap_or_default();
    for (path, sha256) in yum::listed(&repomd) {
        is_there(store, &format!("yum/{path}"), &sha256, problems)?;
    }
    // Of this generation and of those before it that clients may still hold; each is named by its digest.
    for key in head.needed() {
        let name = key.rsplit('/').next().unwrap_or_default();
        is_there(store, key, name.split('-').next().unwrap_or_default(), problems)?;
    }
    Ok(())
}

fn is_there(
    store: &Store,
    key: &str,
    expected: &str,
    problems: &mut Vec<String>,
) -> Result<(), Failure> {
    match store.get(key, LARGEST_INDEX)?.map(|(bytes, _)| Sha256Digest::of(bytes).to_string()) {
        None => problems.push(format!("`{key}` is not there")),
        Some(found) if found != expected => {
            problems.push(format!("`{key}`: expected SHA-256 {expected}, found {found}"));
        }
        Some(_) => {}
    }
    Ok(())
}

fn signatures(store: &Store, problems: &mut Vec<String>) -> Result<(), Failure> {
    let get = |path: &str| {
        let there = store.get(path, LARGEST_INDEX)?;
        Ok::<_, Failure>(there.map(|(bytes, _)| bytes).unwrap_or_default())
    };
    let verifier = Verifier::new(&get(PUBLIC_KEY)?)?;
    let release = get(&format!("{SUITE}Release"))?;
    let apart = [
        (format!("{SUITE}Release.gpg"), &release),
        ("yum/repodata/repomd.xml.asc".to_owned(), &get("yum/repodata/repomd.xml")?),
    ];
    for (path, signed) in apart {
        if let Err(error) = verifier.verify(signed, &get(&path)?) {
            problems.push(format!("`{path}`: {error}"));
        }
    }
    let path = format!("{SUITE}InRelease");
    match verifier.text(&get(&path)?) {
        Ok(text) if text.trim_ascii_end() == release.trim_ascii_end() => {}
        Ok(_) => problems.push(format!("`{path}` has another text than `Release`")),
        Err(error) => problems.push(format!("`{path}`: {error}")),
    }
    Ok(())
}

/// Every entry is in the indexes as it says, and nothing else is.
fn ledger(
    store: &Store,
    head: &Head,
    known: &[Known],
    problems: &mut Vec<String>,
) -> Result<(), Failure> {
    let text = |which: Which| index::read(store, which, &head.indexes[which.at()]);
    let [packages, primary, filelists, other] = Which::ALL.map(text);
    let texts = [packages?.0, primary?.0, filelists?.0, other?.0];
    let mut untold = Which::ALL.map(|which| which.read(&texts[which.at()]));
    problems.extend(known.iter().filter_map(|one| two_bundles(&one.entry, known)));
    for Known { entry, removed } in known {
        let mut is_there = false;
        for which in Which::ALL {
            let words = which.words(&entry.index);
            is_there |= words.is_some_and(|words| untold[which.at()].remove(words));
        }
        match (is_there, removed) {
            (false, false) => problems.push(format!(
                "`{}` is in the ledger and in no index; publish it again",
                entry.name
            )),
            (true, true) => {
                problems.push(format!("`{}` was removed and is in an index", entry.name))
            }
            _ => {}
        }
    }
    let first = |words: &&str| words.lines().take(2).collect::<Vec<_>>().join(" ");
    problems.extend(
        untold
            .iter()
            .flatten()
            .map(|words| format!("an index tells of `{}`, and the ledger does not", first(words))),
    );
    Ok(())
}

/// A `.deb` whose `.rpm` is another bundle.
fn two_bundles(entry: &Entry, known: &[Known]) -> Option<String> {
    let other = (entry.name.format == Format::Deb).then(|| entry.name.other_format())?;
    let other = known.iter().map(|known| &known.entry).find(|known| known.name == other)?;
    (other.bundle_id != entry.bundle_id).then(|| {
        format!(
            "`{}` and `{}` are not the same bundle: {} and {}",
            entry.name, other.name, entry.bundle_id, other.bundle_id
        )
    })
}
