//! From one head to the next: hashed objects, then the head, then what follows it.

use super::Site;
use super::generation::{self, Change};
use crate::host::clock;
use crate::host::store::{Content, Created, Seen, Store};
use crate::model::digest::Sha256Digest;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::repository::{HEAD, Head, LARGEST_HEAD, LARGEST_INDEX, PUBLIC_KEY};
use std::borrow::Cow;
use std::rc::Rc;
use std::time::Duration;

/// So many times the head may have been changed by others before we give up.
const TRIES: u32 = 200;

/// The head as it is now.
pub fn head(store: &Store) -> Result<Option<(Head, Seen)>, Failure> {
    let Some((text, seen)) = store.get(HEAD, LARGEST_HEAD)? else { return Ok(None) };
    match Head::from_json(&text) {
        Ok(head) => Ok(Some((head, seen))),
        Err(error) => Err(Failure::new(format!("`{HEAD}` is not valid")).because(error)),
    }
}

/// Makes a change, whoever else makes others meanwhile; returns the head that has it.
pub fn commit(site: &Site, change: &Change) -> Result<Head, Failure> {
    let _turn = site.store.turn()?;
    publish_keys(site, None)?;
    for attempt in 0..TRIES {
        let before = head(&site.store)?;
        let (old, seen) = before.as_ref().map(|(head, seen)| (head, seen)).unzip();
        let Some(made) = generation::make(site, old, change)? else {
            let head = before.map(|(head, _)| head);
            let head = head.ok_or_else(|| Failure::new("the repository has lost its head"))?;
            mend(&site.store, &head)?;
            return Ok(head);
        };
        for (key, bytes) in &made.objects {
            if site.store.create(key, Content::Bytes(bytes))? == Created::Different {
                let what = format!("`{key}` is there already, and is not what its name says");
                return Err(Failure::new(what).exit(Exit::NotVerified));
            }
        }
        let (next, unneeded) = Head::after(old, made.draft);
        if site.store.swap(HEAD, &next.to_json(), seen)? {
            follow(&site.store, &next, &made.objects)?;
            for key in unneeded {
                site.store.remove(&key)?;
            }
            return Ok(next);
        }
        clock::sleep(Duration::from_millis(u64::from(10 + attempt.min(50) * 7)));
    }
    Err(Failure::new(format!("the repository was changed by others {TRIES} times meanwhile"))
        .hint("the packages are stored; publish them again"))
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
/// another head meanwhile, that is theirs to do; no file ever goes back: it is
/// replaced only as it was before the head was seen to be this one. `objects` are
/// those that are at hand.
fn follow(store: &Store, head: &Head, objects: &[(String, Rc<Vec<u8>>)]) -> Result<(), Failure> {
    for pointer in &head.pointers {
        let at_hand = objects.iter().find(|(key, _)| *key == pointer.of.key);
        let bytes = match at_hand {
            Some((_, bytes)) => Cow::Borrowed(bytes.as_slice()),
            None => Cow::Owned(staged(store, &pointer.of.key)?),
        };
        loop {
            let seen = store.seen(&pointer.path)?;
            if self::head(store)?.is_none_or(|(now, _)| now.generation != head.generation) {
                return Ok(());
            }
            if store.swap(&pointer.path, &bytes, seen.as_ref())? {
                break;
            }
        }
    }
    Ok(())
}

fn staged(store: &Store, key: &str) -> Result<Vec<u8>, Failure> {
    let there = store.get(key, LARGEST_INDEX)?;
    there.map(|(bytes, _)| bytes).ok_or_else(|| {
        Failure::new(format!("`{key}` is gone, which the head names")).exit(Exit::NotVerified)
    })
}

/// The public keys of all who have signed here, for nodes to verify with: there
/// before a signature is. `more` are those of another repository.
pub fn publish_keys(site: &Site, more: Option<&[u8]>) -> Result<(), Failure> {
    let Some(signer) = &site.signer else { return Ok(()) };
    loop {
        let (there, seen) = site.store.get(PUBLIC_KEY, LARGEST_HEAD)?.unzip();
        let others: Vec<&[u8]> = there.as_deref().into_iter().chain(more).collect();
        let keys = signer.public_keys(&others)?;
        if there.as_ref() == Some(&keys) || site.store.swap(PUBLIC_KEY, &keys, seen.as_ref())? {
            return Ok(());
        }
    }
}
