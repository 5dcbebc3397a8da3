//! The pages of a repository, after its indexes: of the apps that a change touches, and of
//! the releases whose neighbour below is another now.
//!
//! What they are made of is compared and swapped first; each page is then made from that,
//! so that the last one is of the last list, whoever writes it. Whoever is killed before
//! leaves what it had begun on record, and the next publisher does all this again.

use super::candidate::Candidate;
use super::index::Change;
use super::{Site, list, unless_overtaken};
use crate::host::store::{Content, Seen, Store};
use crate::model::bundle::{self, Bundle};
use crate::model::diff::{self, Diff, Side};
use crate::model::failure::Failure;
use crate::model::interface::{Interface, document};
use crate::model::ledger::{Entry, Name};
use crate::model::offer::{self, APPS, Apps, INDEX_PAGE, Offer, Releases};
use crate::model::version::Version;
use crate::package::compress::{gunzip, gzip};
use crate::package::repository::page;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// Keeps what a package says of itself, for the pages and for whoever wants to know without the package.
pub fn describe(store: &Store, candidate: &Candidate) -> Result<(), Failure> {
    let Name { package, version, .. } = &candidate.name;
    let [bundle, interface] = offer::documents(package, version, candidate.bundle.bundle_id);
    let interface = candidate.interface.as_ref().map(|told| (interface, told.to_json()));
    for (key, text) in [(bundle, candidate.bundle.to_json())].into_iter().chain(interface) {
        let packed = gzip(text.as_bytes(), 6).map_err(|error| {
            let why = Failure::new(error.to_string());
            Failure::new(format!("failed to compress `{key}`")).because(why)
        })?;
        // The same release, described by another version of this program, is described well enough.
        store.create(&key, Content::Bytes(&packed))?;
    }
    Ok(())
}

/// Writes the pages that a change touches.
pub fn write(site: &Site, change: &Change) -> Result<(), Failure> {
    if let (None, _) = read::<Apps>(&site.store, APPS)? {
        // None yet, or lost: the ledger has all that they are made of.
        let add = there(&site.store, |_| true)?;
        return write_of(site, &Change { add, remove: change.remove.clone() });
    }
    write_of(site, change)
}

/// What a ledger has and was not removed.
fn there(store: &Store, wanted: impl Fn(&Entry) -> bool) -> Result<Vec<Entry>, Failure> {
    let known = list::entries(store)?.into_iter();
    let there = known.filter(|known| !known.removed && wanted(&known.entry));
    Ok(there.map(|known| known.entry).collect())
}

fn write_of(site: &Site, change: &Change) -> Result<(), Failure> {
    let store = &site.store;
    let mut apps: BTreeMap<&str, AppChange> = BTreeMap::new();
    for entry in &change.add {
        apps.entry(entry.app.source()).or_default().add.push(entry);
    }
    for entry in &change.remove {
        apps.entry(entry.app.source()).or_default().remove.push(entry);
    }
    let known = read::<Apps>(store, APPS)?.0.unwrap_or_default();
    for (name, change) in &apps {
        App::of(store, name, &known).write(change)?;
    }
    // Each list is read again: somebody may have added to it and told of that meanwhile.
    let changed = |before: &Apps| {
        let mut after = before.clone();
        after.url = site.options.url.clone().or(after.url);
        after.signed = site.signer.is_some();
        for name in apps.keys() {
            let list = read::<Releases>(store, &Releases::key(name))?.0;
            match list.and_then(|list| list.summary()) {
                Some(summary) => after.apps.insert((*name).to_owned(), summary),
                None => after.apps.remove(*name),
            };
        }
        Ok(after)
    };
    swap(store, APPS, |_| Ok(Apps::default()), changed)?;
    render(store, APPS, INDEX_PAGE, |apps| Some(page::index(apps)))
}

/// Entries of one app.
#[derive(Default)]
struct AppChange<'a> {
    add: Vec<&'a Entry>,
    remove: Vec<&'a Entry>,
}

impl AppChange<'_> {
    fn versions(&self) -> impl Iterator<Item = &Version> {
        self.add.iter().chain(&self.remove).map(|entry| &entry.name.version)
    }
}

/// The list of an app, and its pages.
struct App<'s> {
    name: &'s str,
    key: String,
    /// Where the page of all apps has it, it has a list, or that was lost.
    is_known: bool,
    described: Described<'s>,
}

impl<'s> App<'s> {
    fn of(store: &'s Store, name: &'s str, known: &Apps) -> Self {
        let described = Described { store, known: RefCell::default() };
        let is_known = known.apps.contains_key(name);
        App { name, key: Releases::key(name), is_known, described }
    }

    /// Makes a change, of which that counts which the list does not tell yet, or still tells.
    fn write(&self, change: &AppChange) -> Result<(), Failure> {
        let store = self.described.store;
        let (before, seen) = read::<Releases>(store, &self.key)?;
        if seen.is_none() && !self.is_known && change.add.is_empty() {
            return Ok(());
        }
        let is_told = |entry: &&Entry| before.as_ref().is_none_or(|list| list.has(&entry.name));
        let remove = change.remove.iter().copied().filter(is_told).collect();
        let change = AppChange { add: change.add.clone(), remove };
        let list =
            swap(store, &self.key, |seen| self.first(seen), |list| self.changed(list, &change))?;
        for at in list.touched(change.versions()) {
            self.described.put(&self.key, &list.releases[at])?;
        }
        self.forget(&list, &change)?;
        let html = |list: &Releases| (!list.releases.is_empty()).then(|| page::app(list));
        render(store, &self.key, &Releases::page(self.name), html)?;
        if list.releases.is_empty() { self.end() } else { Ok(()) }
    }

    /// The list before the first change; made of the ledger where there was one.
    fn first(&self, seen: Option<&Seen>) -> Result<Releases, Failure> {
        let mut list = Releases::of(self.name);
        if seen.is_some() || self.is_known {
            self.entries()?.iter().for_each(|entry| list.add(entry));
            (0..list.releases.len()).try_for_each(|at| self.described.tell(&mut list, at))?;
        }
        Ok(list)
    }

    fn entries(&self) -> Result<Vec<Entry>, Failure> {
        there(self.described.store, |entry| entry.app.source() == self.name)
    }

    fn changed(&self, list: &Releases, change: &AppChange) -> Result<Releases, Failure> {
        let mut list = list.clone();
        change.add.iter().for_each(|entry| list.add(entry));
        change.remove.iter().for_each(|entry| list.remove(&entry.name));
        for at in list.touched(change.versions()) {
            self.described.tell(&mut list, at)?;
        }
        Ok(list)
    }

    /// Removes what is kept of releases that have gone.
    fn forget(&self, list: &Releases, change: &AppChange) -> Result<(), Failure> {
        let store = self.described.store;
        for Entry { name: Name { package, version, .. }, bundle_id, .. } in &change.remove {
            let is_it = |offer: &Offer| offer.package == *package && offer.version == *version;
            if !list.releases.iter().any(is_it) {
                let kept = offer::kept(package, version, *bundle_id);
                kept.iter().try_for_each(|key| store.remove(key))?;
            }
        }
        Ok(())
    }

    /// Removes the list of an app that has no release any more. Whoever entered one meanwhile may
    /// have told of it in this list, so it is told once more.
    fn end(&self) -> Result<(), Failure> {
        self.described.store.remove(&self.key)?;
        let entries = self.entries()?;
        if entries.is_empty() {
            return Ok(());
        }
        self.write(&AppChange { add: entries.iter().collect(), remove: Vec::new() })
    }
}

/// What the releases of an app are, each read once.
struct Described<'s> {
    store: &'s Store,
    /// By where that is kept: an app path may have many snapshots.
    known: RefCell<BTreeMap<String, Option<Rc<Inside>>>>,
}

impl Described<'_> {
    /// Lets a release say what it is to those who called the one below.
    fn tell(&self, list: &mut Releases, at: usize) -> Result<(), Failure> {
        let since = self.changes(list, at)?;
        list.releases[at].since = since.map(|diff| (diff.from.app, diff.verdict));
        Ok(())
    }

    /// What is not as in the release below; none where there is none, or it was not described.
    fn changes(&self, list: &Releases, at: usize) -> Result<Option<Diff>, Failure> {
        let (Some(offer), Some(below)) = (list.releases.get(at), list.releases.get(at + 1)) else {
            return Ok(None);
        };
        let (to, from) = (self.inside(offer)?, self.inside(below)?);
        let sides =
            from.as_deref().and_then(Inside::side).zip(to.as_deref().and_then(Inside::side));
        Ok(sides.map(|(from, to)| diff::of(from, to)))
    }

    /// Makes the page of a release as the list has it when the page is replaced; none where it is
    /// in the list no more.
    fn put(&self, list: &str, offer: &Offer) -> Result<(), Failure> {
        let page = offer.page();
        unless_overtaken(&format!("`{page}`"), || {
            let there = self.store.get(&page, offer::LARGEST)?;
            let (Some(now), _) = read::<Releases>(self.store, list)? else { return Ok(Some(())) };
            let Some(at) = now.releases.iter().position(|other| other.page() == page) else {
                return self.store.remove(&page).map(Some);
            };
            let (offer, changes) = (&now.releases[at], self.changes(&now, at)?);
            let inside = self.inside(offer)?;
            let inside = inside.as_deref().map(|inside| (inside.bundle(), inside.interface()));
            let html = page::release(offer, inside, changes.as_ref());
            Ok(swap_page(self.store, &page, &html, there)?.then_some(()))
        })
    }

    fn inside(&self, offer: &Offer) -> Result<Option<Rc<Inside>>, Failure> {
        let [key, interface] = offer::documents(&offer.package, &offer.version, offer.bundle_id);
        if let Some(known) = self.known.borrow().get(&key) {
            return Ok(known.clone());
        }
        let (bundle, interface) =
            (self.text(&key, bundle::LARGEST)?, self.text(&interface, document::LARGEST)?);
        // What cannot be read is not shown; the packages tell the same.
        let bundle = bundle.and_then(|text| Bundle::from_json(text.as_bytes()).ok());
        let bundle = bundle.filter(|bundle| bundle.bundle_id == offer.bundle_id);
        let interface = interface.and_then(|text| Interface::from_json(text.as_bytes()).ok());
        let inside = bundle.map(|bundle| match interface {
            Some(interface) => Inside::Whole(Side { place: offer.shown(), bundle, interface }),
            None => Inside::Bundle(bundle),
        });
        let inside = inside.map(Rc::new);
        self.known.borrow_mut().insert(key, inside.clone());
        Ok(inside)
    }

    fn text(&self, key: &str, largest: u64) -> Result<Option<String>, Failure> {
        let packed = self.store.get(key, largest)?;
        Ok(packed.and_then(|(packed, _)| gunzip(&packed, largest).ok()))
    }
}

/// What is kept of a release.
enum Inside {
    Whole(Side),
    /// Of a package that an older localpuppet has built, which does not tell what can be called.
    Bundle(Bundle),
}

impl Inside {
    fn bundle(&self) -> &Bundle {
        match self {
            Inside::Whole(Side { bundle, .. }) | Inside::Bundle(bundle) => bundle,
        }
    }

    fn side(&self) -> Option<&Side> {
        match self {
            Inside::Whole(side) => Some(side),
            Inside::Bundle(_) => None,
        }
    }

    fn interface(&self) -> Option<&Interface> {
        self.side().map(|side| &side.interface)
    }
}

/// Changes a list, however many others do so meanwhile; returns what it is now. Where none can be
/// read, it is made of `first`, which is told whether one was there.
fn swap<T: Serialize + DeserializeOwned + PartialEq>(
    store: &Store,
    key: &str,
    first: impl Fn(Option<&Seen>) -> Result<T, Failure>,
    changed: impl Fn(&T) -> Result<T, Failure>,
) -> Result<T, Failure> {
    unless_overtaken(&format!("`{key}`"), || {
        let (before, seen) = read(store, key)?;
        let after = match &before {
            Some(before) => changed(before)?,
            None => changed(&first(seen.as_ref())?)?,
        };
        let is_there = before.is_some_and(|before| before == after);
        let is_done = is_there || store.swap(key, &offer::to_json(&after), seen.as_ref())?;
        Ok(is_done.then_some(after))
    })
}

/// A list and what it was; no list where it cannot be read.
fn read<T: DeserializeOwned>(
    store: &Store,
    key: &str,
) -> Result<(Option<T>, Option<Seen>), Failure> {
    let (text, seen) = store.get(key, offer::LARGEST)?.unzip();
    Ok((text.and_then(|text| offer::from_json(&text).ok()), seen))
}

/// Makes a page of a list as it is when the page is replaced, or removes it where it is to have none.
fn render<T: DeserializeOwned>(
    store: &Store,
    list: &str,
    page: &str,
    html: impl Fn(&T) -> Option<String>,
) -> Result<(), Failure> {
    unless_overtaken(&format!("`{page}`"), || {
        let there = store.get(page, offer::LARGEST)?;
        let (Some(now), _) = read(store, list)? else { return Ok(Some(())) };
        let is_done = match html(&now) {
            Some(html) => swap_page(store, page, &html, there)?,
            None => {
                store.remove(page)?;
                // Whoever added to the list meanwhile may have made the page before it was removed.
                read(store, list)?.0.is_none_or(|now| html(&now).is_none())
            }
        };
        Ok(is_done.then_some(()))
    })
}

/// Replaces a page that is `there`, unless it says the same; false where somebody was faster.
fn swap_page(
    store: &Store,
    page: &str,
    html: &str,
    there: Option<(Vec<u8>, Seen)>,
) -> Result<bool, Failure> {
    let (before, seen) = there.unzip();
    if before.as_deref() == Some(html.as_bytes()) {
        return Ok(true);
    }
    store.swap(page, html.as_bytes(), seen.as_ref())
}
