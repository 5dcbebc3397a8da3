//! From one head to the next: hashed objects, then the head, then what follows it.

use super::generation::{self, Generation};
use super::index::{Change, MADE_AGAIN};
use super::{Site, unless_overtaken};
use crate::host::store::{Content, Created, Follower, Seen, Store};
use crate::model::digest::Sha256Digest;
use crate::model::failure::Failure;
use crate::model::repository::{
    HEAD, Head, HeadError, LARGEST_HEAD, LARGEST_INDEX, PUBLIC_KEY, Pointer,
};
use rayon::prelude::*;
use std::sync::Arc;

/// The same where it is gone already.
pub const LOST: &str = "publish anything: all indexes are made of the ledger again";

/// The head as it is now.
pub fn head(store: &Store) -> Result<Option<(Head, Seen)>, Failure> {
    let Some((text, seen)) = store.get(HEAD, LARGEST_HEAD)? else { return Ok(None) };
    match Head::from_json(&text) {
        Ok(head) => Ok(Some((head, seen))),
        Err(error) => {
            let is_newer = matches!(error, HeadError::Schema(_));
            let failure = Failure::new(format!("`{HEAD}` is not valid")).because(error);
            Err(if is_newer { failure } else { failure.hint(MADE_AGAIN) })
        }
    }
}

/// Makes a change, whoever else makes others meanwhile; returns the head that has it.
pub fn commit(site: &Site, change: &Change) -> Result<Head, Failure> {
    let _turn = site.store.turn()?;
    publish_keys(site)?;
    unless_overtaken("the repository", || {
        let before = head(&site.store)?;
        let (old, seen) = before.as_ref().map(|(head, seen)| (head, seen)).unzip();
        let Some(made) = generation::make(site, old, change)? else {
            let head = before.map(|(head, _)| head);
            let head = head.ok_or_else(|| Failure::new("the repository has lost its head"))?;
            mend(&site.store, &head)?;
            return Ok(Some(head));
        };
        store_all(&site.store, &made)?;
        let (next, unneeded) = Head::after(old, made.draft);
        if !site.store.swap(HEAD, &next.to_json(), seen)? {
            return Ok(None);
        }
        follow(&site.store, &next, &made.objects)?;
        unneeded.iter().try_for_each(|key| site.store.remove(key))?;
        Ok(Some(next))
    })
}

/// Stores a generation's objects; each waits for the disk or the network, so all do at once.
fn store_all(store: &Store, made: &Generation) -> Result<(), Failure> {
    made.objects.par_iter().try_for_each(|(key, bytes)| {
        match store.create(key, Content::Bytes(bytes))? {
            Created::New | Created::Unchanged => Ok(()),
            // Its name is its digest, so it was damaged since.
            Created::Different => unless_overtaken(&format!("`{key}`"), || {
                let seen = store.get(key, LARGEST_INDEX)?.map(|(_, seen)| seen);
                Ok(store.swap(key, bytes, seen.as_ref())?.then_some(()))
            }),
        }
    })?;
    made.copies.par_iter().try_for_each(|(key, of)| store.copy(key, of))
}

/// Makes what clients read first say what a head says that was there before:
/// whoever made it may have been killed.
fn mend(store: &Store, head: &Head) -> Result<(), Failure> {
    for pointer in &head.pointers {
        let there = store.get(&pointer.path, LARGEST_INDEX)?;
        if there.is_none_or(|(bytes, _)| Sha256Digest::of(bytes) != pointer.of.sha256) {
            return follow(store, head, &[]);
        }
    }
    Ok(())
}

/// Makes what clients read first say what the head says. Where somebody has made
/// another head meanwhile, that is theirs to do. `objects` are those that are at hand.
fn follow(store: &Store, head: &Head, objects: &[(String, Arc<Vec<u8>>)]) -> Result<(), Failure> {
    let files = head.pointers.iter().map(|Pointer { path, of }| {
        // What is named by its digest is the same in every architecture's directory.
        let digest = of.sha256.to_string();
        let at_hand = objects.iter().find(|(key, _)| key.ends_with(&digest));
        Follower { path, of: &of.key, bytes: at_hand.map(|(_, bytes)| bytes.as_slice()) }
    });
    let files: Vec<_> = files.collect();
    let is_current =
        || Ok(self::head(store)?.is_some_and(|(now, _)| now.generation == head.generation));
    store.follow(&files, &is_current)
}

/// The public keys of all who have signed here, for nodes to verify with: there
/// before a signature is.
fn publish_keys(site: &Site) -> Result<(), Failure> {
    let Some(signer) = &site.signer else { return Ok(()) };
    unless_overtaken(&format!("`{PUBLIC_KEY}`"), || {
        let (there, seen) = site.store.get(PUBLIC_KEY, LARGEST_HEAD)?.unzip();
        let others = there.as_deref().into_iter().chain(site.keys.as_deref());
        let keys = signer.public_keys(&others.collect::<Vec<_>>())?;
        let is_there = there.as_ref() == Some(&keys);
        let is_done = is_there || site.store.swap(PUBLIC_KEY, &keys, seen.as_ref())?;
        Ok(is_done.then_some(()))
    })
}
