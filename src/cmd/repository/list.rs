//! What a repository's ledger has.

use super::{Site, candidate};
use crate::cli::Repository;
use crate::host::store::Store;
use crate::model::answer::Answer;
use crate::model::failure::Failure;
use crate::model::ledger::DIRECTORY;
use crate::model::publication::{Listed, Listing};
pub use crate::plan::publish::Known;
use rayon::prelude::*;

/// Lists every package that was ever published.
pub fn run(options: &Repository) -> Result<Answer, Failure> {
    let (site, head) = Site::look(options)?;
    let head = site.there(head)?;
    let listed = entries(&site.store)?.into_iter().map(|Known { entry, removed }| Listed {
        name: entry.name,
        app: entry.app,
        bundle_id: entry.bundle_id,
        sha256: entry.sha256,
        bytes: entry.bytes,
        path: entry.path,
        published_at: entry.published_at,
        promoted_from: entry.promoted_from,
        removed,
    });
    Ok(Answer::Listing(Listing {
        to: options.to.to_string(),
        generation: head.generation,
        packages: listed.collect(),
    }))
}

/// Every entry of a ledger, the oldest first.
pub fn entries(store: &Store) -> Result<Vec<Known>, Failure> {
    let known = each(store)?.into_iter().map(|(_, known)| known);
    let mut known = known.collect::<Result<Vec<_>, Failure>>()?;
    known.sort_by(|a, b| a.entry.published_at.cmp(&b.entry.published_at));
    Ok(known)
}

/// An entry by its key, or why it cannot be read.
type Read = (String, Result<Known, Failure>);

/// Every entry by its key, or why it cannot be read; so too one that is lost, of a package that was removed.
pub fn each(store: &Store) -> Result<Vec<Read>, Failure> {
    let keys = store.list(DIRECTORY)?;
    let lost =
        keys.iter().filter_map(|key| Some(key.strip_suffix(".removed")?.to_owned() + ".json"));
    let lost = lost.filter(|key| keys.binary_search(key).is_err());
    let all = keys.iter().filter(|key| key.ends_with(".json")).cloned().chain(lost);
    let all: Vec<String> = all.collect();
    let read = |key: String| {
        let known = candidate::entry(store, &key).map(|entry| {
            let removed = keys.binary_search(&entry.name.removal()).is_ok();
            Known { entry, removed }
        });
        (key, known)
    };
    Ok(all.into_par_iter().map(read).collect())
}
