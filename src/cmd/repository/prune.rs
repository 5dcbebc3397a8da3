//! Old releases out of a repository: out of the indexes at once, out of the pool
//! when no client can have an index any more that names them. The ledger keeps them.

use super::Site;
use super::index::Change;
use super::list::{self, Known};
use crate::cli;
use crate::host::clock;
use crate::host::store::Content;
use crate::model::answer::Answer;
use crate::model::event::{Say, during};
use crate::model::failure::Failure;
use crate::model::ledger::{BEGUN, Entry, LARGEST, Name, POOLS};
use crate::model::offer;
use crate::model::publication::Pruning;
use crate::model::repository::KEPT_SECONDS;
use crate::plan::prune_repository::choose;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Nobody is at work for longer, in seconds.
const DAY: i64 = 86_400;

/// Removes releases.
pub fn run(args: &cli::Publish, say: Say) -> Result<Answer, Failure> {
    let (mut site, head) = Site::look(&args.repository)?;
    let head = site.there(head)?;
    let known = during(say, "reading the ledger", || list::entries(&site.store))?;
    let chosen = choose(&known, args.keep as usize, args.min_days, clock::timestamp());
    let chosen: Vec<Entry> = chosen.into_iter().cloned().collect();
    let mut pruning = Pruning {
        to: args.repository.to.to_string(),
        dry_run: args.dry_run,
        removed: chosen.iter().map(|entry| entry.name.clone()).collect(),
        deleted: Vec::new(),
        generation: head.generation,
    };
    if !args.dry_run {
        site.ready(Some(&head))?;
        site.store.prepare()?;
        for entry in &chosen {
            let now = clock::now();
            site.store.create(&entry.name.removal(), Content::Bytes(now.as_bytes()))?;
        }
        // Those that were removed before, and still are in an index, as somebody was killed.
        let removed = known.iter().filter(|known| known.removed).map(|known| &known.entry);
        let remove = chosen.iter().chain(removed).cloned().collect();
        let settled = site.settle(Change { add: Vec::new(), remove }, None, say)?;
        pruning.generation = settled.head.generation;
        pruning.deleted = during(say, "deleting packages", || sweep(&site, &known))?;
    }
    Ok(Answer::PrunedRepository(pruning))
}

/// Deletes packages that no client can be asked for by any index that is in force.
fn sweep(site: &Site, known: &[Known]) -> Result<Vec<String>, Failure> {
    let mut deleted = Vec::new();
    for Known { entry, .. } in known.iter().filter(|known| known.removed) {
        let removal = site.store.get(&entry.name.removal(), LARGEST)?;
        let since = removal.and_then(|(text, _)| String::from_utf8(text).ok()?.parse().ok());
        if since.is_some_and(|since: Timestamp| is_past(since)) && site.store.has(&entry.path)? {
            site.store.remove(&entry.path)?;
            deleted.push(entry.path.clone());
        }
    }
    deleted.extend(strays(site)?);
    let leftovers = site.store.leftovers(DAY)?;
    leftovers.iter().try_for_each(|key| site.store.remove(key))?;
    deleted.extend(leftovers);
    Ok(deleted)
}

fn is_past(since: Timestamp) -> bool {
    clock::timestamp().as_second() - since.as_second() > KEPT_SECONDS
}

/// Packages that a publisher stored and did not come to enter, and what was told of them. In this order, as
/// a publisher tells what it begins before it stores, and until it has entered:
/// what was stored and is told of by nobody is entered, or never will be.
fn strays(site: &Site) -> Result<Vec<String>, Failure> {
    let stored = POOLS.iter().map(|pool| site.store.list(pool));
    let stored = stored.collect::<Result<Vec<_>, _>>()?.concat();
    let told = site.store.list(offer::DIRECTORY)?;
    if !site.store.list(BEGUN)?.is_empty() {
        return Ok(Vec::new());
    }
    let known = list::entries(&site.store)?;
    let keys = known.iter().flat_map(|Known { entry, removed }| {
        let Name { package, version, .. } = &entry.name;
        let kept = offer::kept(package, version, entry.bundle_id);
        let kept = kept.into_iter().filter(|_| !*removed);
        kept.chain([entry.path.clone()])
    });
    let keys: BTreeSet<String> = keys.collect();
    let all = stored.into_iter().chain(told.into_iter().filter(|key| offer::is_kept(key)));
    let strays: Vec<String> = all.filter(|key| !keys.contains(key)).collect();
    strays.iter().try_for_each(|key| site.store.remove(key))?;
    Ok(strays)
}
