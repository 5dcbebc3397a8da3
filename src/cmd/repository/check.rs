//! A repository as a client sees it, and its ledger: what is not as it should be.

use super::Site;
use super::index::{self, Which};
use super::list::{self, Known};
use crate::cli::Repository;
use crate::host::fs;
use crate::host::gpg::Verifier;
use crate::host::store::Store;
use crate::model::answer::Answer;
use crate::model::compression::Format;
use crate::model::digest::Sha256Digest;
use crate::model::event::{Say, during};
use crate::model::failure::Failure;
use crate::model::ledger::Entry;
use crate::model::publication::Check;
use crate::model::repository::{Head, LARGEST_INDEX, PUBLIC_KEY, SUITE};
use crate::package::repository::{apt, yum};
use crate::package::sign::{self, Signed};
use rayon::prelude::*;

/// Checks all that clients read, and every package.
pub fn run(options: &Repository, say: Say) -> Result<Answer, Failure> {
    let (site, head) = Site::look(options)?;
    let head = site.there(head)?;
    let mut check = Check {
        to: options.to.to_string(),
        generation: head.generation,
        signed: head.signed,
        packages: 0,
        problems: Vec::new(),
    };
    during(say, "checking indexes", || indexes(&site.store, &head, &mut check.problems))?;
    if head.signed {
        signatures(&site.store, &mut check.problems)?;
    }
    let known = during(say, "reading the ledger", || list::entries(&site.store))?;
    ledger(&site.store, &head, &known, &mut check.problems)?;
    let there: Vec<&Known> = known.iter().filter(|known| !known.removed).collect();
    check.packages = there.len();
    let keys = match head.signed {
        true => Some(
            site.store.get(PUBLIC_KEY, LARGEST_INDEX)?.map(|(keys, _)| keys).unwrap_or_default(),
        ),
        false => None,
    };
    let problems = during(say, "checking packages", || {
        let verifier = || keys.as_deref().and_then(|keys| Verifier::new(keys).ok());
        let packages = there
            .par_iter()
            .map_init(verifier, |verifier, known| package(&site.store, verifier.as_ref(), known));
        packages.flatten_iter().collect::<Vec<_>>()
    });
    check.problems.extend(problems);
    Ok(Answer::Checked(check))
}

/// One package of the pool; `verifier` is there where the repository is signed.
fn package(
    store: &Store,
    verifier: Option<&Verifier>,
    Known { entry, .. }: &Known,
) -> Option<String> {
    let (path, expected) = (&entry.path, entry.sha256);
    let file = match store.fetch(path) {
        Ok(file) => file,
        Err(error) => return Some(format!("`{path}`: {error}")),
    };
    match fs::digest(&file) {
        Ok((found, _)) if found == expected => {}
        Ok((found, _)) => {
            return Some(format!("`{path}`: expected SHA-256 {expected}, found {found}"));
        }
        Err(error) => return Some(format!("`{path}`: {error}")),
    }
    let verifier = verifier.filter(|_| entry.name.format == Format::Rpm)?;
    match sign::signed(&file) {
        Ok(Some(Signed { header, signature })) => {
            let refused = verifier.verify(&header, &signature).err();
            refused.map(|error| format!("`{path}`: {error}"))
        }
        Ok(None) => Some(format!("`{path}` has no signature, and dnf and zypper want one here")),
        Err(error) => Some(format!("`{path}`: {error}")),
    }
}

/// What clients read first, what that names, and what it is.
fn indexes(store: &Store, head: &Head, problems: &mut Vec<String>) -> Result<(), Failure> {
    for pointer in &head.pointers {
        let there = store.get(&pointer.path, LARGEST_INDEX)?;
        match there.map(|(bytes, _)| Sha256Digest::of(bytes)) {
            None => problems.push(format!("`{}` is not there", pointer.path)),
            Some(found) if found != pointer.of.sha256 => problems.push(format!(
                "`{}`: expected SHA-256 {}, found {found}",
                pointer.path, pointer.of.sha256
            )),
            Some(_) => {}
        }
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
    let repomd = text("yum/repodata/repomd.xml")?.unwrap_or_default();
    for (path, sha256) in yum::listed(&repomd) {
        is_there(store, &format!("yum/{path}"), &sha256, problems)?;
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
