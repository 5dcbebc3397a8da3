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
    let keys = store.list(DIRECTORY)?;
    let read = |key: &String| {
        let entry = candidate::entry(store, key)?;
        let removed = keys.binary_search(&entry.name.removal()).is_ok();
        Ok(Known { entry, removed })
    };
    let known = keys.par_iter().filter(|key| key.ends_with(".json")).map(read);
    let mut known = known.collect::<Result<Vec<_>, Failure>>()?;
    known.sort_by(|a, b| a.entry.published_at.cmp(&b.entry.published_at));
    Ok(known)
}
