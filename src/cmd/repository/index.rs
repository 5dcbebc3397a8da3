//! One index of a repository: where it is, and it with a change.

use crate::host::store::Store;
use crate::model::digest::Sha256Digest;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::ledger::{Entry, Index};
use crate::model::repository::{Head, LARGEST_INDEX, Packed, SUITE, Sum};
use crate::package::compress::gunzip;
use crate::package::repository::parts::{Edited, Forms, Made, Old};
use crate::package::repository::yum::Document;
use crate::package::repository::{Words, apt, yum};

/// What makes a head again, and all that it names.
pub const MADE_AGAIN: &str =
    "remove `ledger/head.json` and publish: all indexes are made of the ledger again";

/// Entries to add to the indexes, and to take out of them.
#[derive(Default)]
pub struct Change {
    pub add: Vec<Entry>,
    pub remove: Vec<Entry>,
}

/// One of the indexes.
#[derive(Clone, Copy)]
pub enum Which {
    Packages,
    Document(Document),
}

impl Which {
    /// Every one.
    pub const ALL: [Which; 4] = {
        let [primary, filelists, other] = Document::ALL;
        let document = Which::Document;
        [Which::Packages, document(primary), document(filelists), document(other)]
    };

    /// What it says of a package; none where that is in the other repository.
    pub fn words(self, index: &Index) -> Option<&str> {
        match (self, index) {
            (Which::Packages, Index::Deb { packages }) => Some(packages),
            (Which::Document(document), Index::Rpm { primary, filelists, other }) => {
                Some(match document {
                    Document::Primary => primary,
                    Document::Filelists => filelists,
                    Document::Other => other,
                })
            }
            _ => None,
        }
    }

    fn words_of(self, entries: &[Entry]) -> Words<'_> {
        entries.iter().filter_map(|entry| self.words(&entry.index)).collect()
    }

    /// What it says of each package.
    pub fn read(self, text: &str) -> Words<'_> {
        match self {
            Which::Packages => apt::read(text),
            Which::Document(document) => document.read(text),
        }
    }

    /// Its place among all.
    pub fn at(self) -> usize {
        match self {
            Which::Packages => 0,
            Which::Document(Document::Primary) => 1,
            Which::Document(Document::Filelists) => 2,
            Which::Document(Document::Other) => 3,
        }
    }

    /// Where it is, compressed with gzip.
    pub fn key(self, gzip: &Sum) -> String {
        match self {
            Which::Packages => by_hash("all", gzip),
            Which::Document(document) => format!("yum/{}", document.path(gzip)),
        }
    }

    fn end(self) -> &'static str {
        match self {
            Which::Packages => apt::END,
            Which::Document(_) => yum::END,
        }
    }

    fn compressed(self, edited: Edited) -> Result<Made, Failure> {
        let made = match self {
            Which::Packages => edited.made(Forms::GzipAndXz, |_| Default::default()),
            Which::Document(document) => edited.made(Forms::Gzip, |count| document.around(count)),
        };
        made.map_err(|error| Failure::new("failed to compress an index").because(error))
    }
}

/// Where an index of apt is that clients ask for by its digest.
pub fn by_hash(architecture: &str, sum: &Sum) -> String {
    format!("{SUITE}main/binary-{architecture}/by-hash/SHA256/{}", sum.sha256)
}

/// An index with a change; none where that changes nothing.
pub fn changed(
    store: &Store,
    before: Option<&Head>,
    which: Which,
    change: &Change,
) -> Result<Option<Made>, Failure> {
    let (add, remove) = (which.words_of(&change.add), which.words_of(&change.remove));
    let Some(head) = before else {
        return which.compressed(Edited::first(which.end(), add)).map(Some);
    };
    if add.is_empty() && remove.is_empty() {
        return Ok(None);
    }
    let packed = &head.indexes[which.at()];
    let (text, gzip) = read(store, which, packed)?;
    let xz = match (which, &packed.xz) {
        (Which::Packages, Some(xz)) => object(store, &by_hash("all", xz), xz)?,
        _ => Vec::new(),
    };
    let old = Old { text: &text, gzip: &gzip, xz: &xz, parts: &packed.parts };
    let edited = old
        .edited(which.end(), (add, remove))
        .map_err(|error| bad(&which.key(&packed.gzip)).because(error))?;
    edited.map(|edited| which.compressed(edited)).transpose()
}

/// An index's text, and that compressed with gzip.
pub fn read(store: &Store, which: Which, packed: &Packed) -> Result<(String, Vec<u8>), Failure> {
    let key = which.key(&packed.gzip);
    let gzip = object(store, &key, &packed.gzip)?;
    let text = gunzip(&gzip, LARGEST_INDEX).map_err(|error| bad(&key).because(error))?;
    Ok((text, gzip))
}

/// True where a repository has packages for dnf.
pub fn has_rpm(store: &Store, head: &Head) -> Result<bool, Failure> {
    let which = Which::Document(Document::Primary);
    let (text, _) = read(store, which, &head.indexes[which.at()])?;
    Ok(!which.read(&text).is_empty())
}

/// An object that the head names.
fn object(store: &Store, key: &str, expected: &Sum) -> Result<Vec<u8>, Failure> {
    let Some((bytes, _)) = store.get(key, LARGEST_INDEX)? else {
        return Err(bad(key).because(Failure::new("it is not there")));
    };
    let (expected, found) = (expected.sha256, Sha256Digest::of(&bytes));
    if found != expected {
        let why = Failure::new(format!("expected SHA-256 {expected}, found {found}"));
        return Err(bad(key).because(why));
    }
    Ok(bytes)
}

fn bad(key: &str) -> Failure {
    let what = format!("the index `{key}` is not what the head says");
    Failure::new(what).exit(Exit::NotVerified).hint(MADE_AGAIN)
}
