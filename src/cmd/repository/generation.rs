//! A generation of indexes: the old ones with a change, and what clients read first.

use super::Site;
use crate::host::clock;
use crate::host::gpg::Form;
use crate::host::store::Store;
use crate::model::compression::{Compression, Format, Method};
use crate::model::digest::Sha256Digest;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::ledger::Entry;
use crate::model::ledger::Index;
use crate::model::repository::{
    Draft, Head, Indexes, LARGEST_INDEX, Pointer, STAGED, SUITE, Stored,
};
use crate::package::compress::{compressed, gunzip};
use crate::package::repository::yum::Document;
use crate::package::repository::{Words, apt, yum};
use std::collections::BTreeSet;
use std::rc::Rc;

/// Entries to add to the indexes, and to take out of them.
#[derive(Default)]
pub struct Change {
    pub add: Vec<Entry>,
    pub remove: Vec<Entry>,
}

/// A generation that is not stored yet.
pub struct Generation {
    pub draft: Draft,
    /// Objects by their keys.
    pub objects: Vec<(String, Rc<Vec<u8>>)>,
}

/// The text of each index of a generation.
pub struct Texts {
    packages: String,
    documents: [String; 3],
}

impl Texts {
    /// What they say of each package.
    pub fn words(&self) -> (Words<'_>, [Words<'_>; 3]) {
        let documents = [0, 1, 2].map(|at| Document::ALL[at].read(&self.documents[at]));
        (apt::read(&self.packages), documents)
    }
}

/// Makes the generation after `before`; none where nothing changes.
pub fn make(
    site: &Site,
    before: Option<&Head>,
    change: &Change,
) -> Result<Option<Generation>, Failure> {
    let old = read(&site.store, before)?;
    let Some(new) = changed(&old, change, before.is_none()) else { return Ok(None) };
    let mut generation = Generation {
        draft: Draft {
            date: date(before)?,
            signed: site.signer.is_some(),
            architectures: architectures(&site.options.architectures, before),
            indexes: none(),
            pointers: Vec::new(),
            objects: BTreeSet::new(),
        },
        objects: Vec::new(),
    };
    let release = generation.apt(new.packages, site.options.valid_days)?;
    generation.point_to_release(site, release)?;
    let repomd = generation.yum(new.documents)?;
    generation.point_to_repomd(site, repomd)?;
    Ok(Some(generation))
}

/// A placeholder until the indexes are made.
fn none() -> Indexes {
    let none = || Stored { key: String::new(), bytes: 0, sha256: Sha256Digest::of("") };
    Indexes { packages: none(), primary: none(), filelists: none(), other: none() }
}

/// The texts that a head names, which are none before the first.
pub fn read(store: &Store, head: Option<&Head>) -> Result<Texts, Failure> {
    let Some(Head { indexes, .. }) = head else {
        return Ok(Texts { packages: String::new(), documents: Default::default() });
    };
    let text = |stored: &Stored| {
        let bad = |why: String| {
            let what = format!("the index `{}` is not what the head says", stored.key);
            Failure::new(what).exit(Exit::NotVerified).because(Failure::new(why))
        };
        let Some((bytes, _)) = store.get(&stored.key, LARGEST_INDEX)? else {
            return Err(bad("it is not there".to_owned()));
        };
        let found = Sha256Digest::of(&bytes);
        if found != stored.sha256 {
            return Err(bad(format!("expected SHA-256 {}, found {found}", stored.sha256)));
        }
        gunzip(&bytes, LARGEST_INDEX).map_err(|error| bad(error.to_string()))
    };
    let documents = [&indexes.primary, &indexes.filelists, &indexes.other];
    let [primary, filelists, other] = documents.map(text);
    Ok(Texts { packages: text(&indexes.packages)?, documents: [primary?, filelists?, other?] })
}

/// The texts with a change; none where that changes nothing.
fn changed(old: &Texts, change: &Change, first: bool) -> Option<Texts> {
    let (mut packages, mut documents) = old.words();
    let added = change.add.iter().map(|entry| (&entry.index, true));
    let removed = change.remove.iter().map(|entry| (&entry.index, false));
    let mut is_new = first;
    for (index, added) in added.chain(removed) {
        is_new |= words(index, added, &mut packages, &mut documents);
    }
    if !is_new {
        return None;
    }
    let documents = [0, 1, 2].map(|at| Document::ALL[at].write(&documents[at]));
    Some(Texts { packages: apt::packages(&packages), documents })
}

/// Adds or removes what the indexes say of a package; false where that is so already.
pub fn words<'a>(
    index: &'a Index,
    added: bool,
    packages: &mut Words<'a>,
    documents: &mut [Words<'a>; 3],
) -> bool {
    let change = |words: &mut Words<'a>, text: &'a str| match added {
        true => words.insert(text),
        false => words.remove(text),
    };
    match index {
        Index::Deb { packages: text } => change(packages, text),
        Index::Rpm { primary, filelists, other } => {
            let texts = [primary, filelists, other];
            let [a, b, c] = [0, 1, 2].map(|at| change(&mut documents[at], texts[at]));
            a | b | c
        }
    }
}

/// The date of a generation: now, and never before the last one.
fn date(before: Option<&Head>) -> Result<i64, Failure> {
    /// Clocks differ by some minutes; by hours, one is wrong.
    const TOLERATED: i64 = 600;
    let (now, last) = (clock::timestamp().as_second(), before.map_or(0, |head| head.date));
    if now + TOLERATED < last {
        return Err(Failure::new(format!(
            "this clock is {} minutes behind the last publisher's",
            (last - now) / 60
        ))
        .hint("set the clock: `date`, `timedatectl`"));
    }
    Ok(now.max(last))
}

fn architectures(wanted: &[String], before: Option<&Head>) -> Vec<String> {
    let before = before.map(|head| head.architectures.as_slice()).unwrap_or_default();
    let all: BTreeSet<&String> = wanted.iter().chain(before).collect();
    all.into_iter().filter(|name| *name != "all").cloned().collect()
}

fn compress(text: &str, method: Method, level: u8) -> Result<Vec<u8>, Failure> {
    let failed =
        |error: String| Failure::new("failed to compress an index").because(Failure::new(error));
    let compression = Compression::new(method, Some(level), Format::Deb)
        .map_err(|error| failed(error.to_string()))?;
    compressed(text.as_bytes(), compression).map_err(|error| failed(error.to_string()))
}

impl Generation {
    /// Takes an object in.
    fn object(&mut self, key: String, bytes: Rc<Vec<u8>>, sha256: Sha256Digest) -> Stored {
        let stored = Stored { key: key.clone(), bytes: bytes.len() as u64, sha256 };
        if self.draft.objects.insert(key.clone()) {
            self.objects.push((key, bytes));
        }
        stored
    }

    /// Takes in a file that becomes current under its path later.
    fn point(&mut self, path: impl Into<String>, bytes: Vec<u8>) {
        let sha256 = Sha256Digest::of(&bytes);
        let of = self.object(format!("{STAGED}{sha256}"), Rc::new(bytes), sha256);
        self.draft.pointers.push(Pointer { path: path.into(), of });
    }

    /// `Packages` for every architecture; returns `Release`.
    fn apt(&mut self, packages: String, valid_days: Option<u32>) -> Result<Vec<u8>, Failure> {
        let (gz, xz) = rayon::join(
            || compress(&packages, Method::Gzip, 6),
            || compress(&packages, Method::Xz, 1),
        );
        let forms = [("", packages.into_bytes()), (".gz", gz?), (".xz", xz?)];
        let forms = forms.map(|(extension, bytes)| {
            let sha256 = Sha256Digest::of(&bytes);
            (extension, Rc::new(bytes), sha256)
        });
        let mut listed = Vec::new();
        let architectures = self.draft.architectures.clone();
        for architecture in ["all".to_owned()].iter().chain(&architectures) {
            let directory = format!("main/binary-{architecture}");
            for (extension, bytes, sha256) in &forms {
                let path = format!("{directory}/Packages{extension}");
                let key = format!("{SUITE}{directory}/by-hash/SHA256/{sha256}");
                let stored = self.object(key, Rc::clone(bytes), *sha256);
                if *extension == ".gz" && architecture == "all" {
                    self.draft.indexes.packages = stored.clone();
                }
                self.draft.pointers.push(Pointer { path: format!("{SUITE}{path}"), of: stored });
                listed.push(apt::Listed { path, bytes });
            }
        }
        let date = self.draft.date;
        let valid_until = valid_days.map(|days| date + i64::from(days) * 86_400);
        let suite = apt::Suite { date, valid_until, architectures: &architectures };
        Ok(apt::release(&suite, &listed).into_bytes())
    }

    /// `InRelease` last: apt reads it first, and the others only where it is not there.
    fn point_to_release(&mut self, site: &Site, release: Vec<u8>) -> Result<(), Failure> {
        let signed = site.signer.as_ref().map(|signer| {
            Ok::<_, Failure>((
                signer.sign(&release, Form::Armored)?,
                signer.sign(&release, Form::Clear)?,
            ))
        });
        match signed.transpose()? {
            None => self.point(format!("{SUITE}Release"), release),
            Some((apart, clear)) => {
                self.point(format!("{SUITE}Release.gpg"), apart);
                self.point(format!("{SUITE}Release"), release);
                self.point(format!("{SUITE}InRelease"), clear);
            }
        }
        Ok(())
    }

    /// The three documents; returns `repomd.xml`.
    fn yum(&mut self, documents: [String; 3]) -> Result<Vec<u8>, Failure> {
        let mut listed = Vec::new();
        let mut packed = Vec::new();
        for (document, text) in Document::ALL.into_iter().zip(&documents) {
            let gz = compress(text, Method::Gzip, 6)?;
            let path = format!("repodata/{}-{}.xml.gz", Sha256Digest::of(&gz), document.name());
            packed.push((document, path, text, Rc::new(gz)));
        }
        for (document, path, text, gz) in &packed {
            let stored =
                self.object(format!("yum/{path}"), Rc::clone(gz), Sha256Digest::of(gz.as_slice()));
            let indexes = &mut self.draft.indexes;
            match document {
                Document::Primary => indexes.primary = stored,
                Document::Filelists => indexes.filelists = stored,
                Document::Other => indexes.other = stored,
            }
            let (path, open) = (path.clone(), text.as_bytes());
            listed.push(yum::Listed { document: *document, path, open, compressed: gz });
        }
        Ok(yum::repomd(self.draft.date, &listed).into_bytes())
    }

    /// The signature first: a client that reads both meanwhile asks for it last.
    fn point_to_repomd(&mut self, site: &Site, repomd: Vec<u8>) -> Result<(), Failure> {
        if let Some(signer) = &site.signer {
            let signature = signer.sign(&repomd, Form::Armored)?;
            self.point("yum/repodata/repomd.xml.asc", signature);
        }
        self.point("yum/repodata/repomd.xml", repomd);
        Ok(())
    }
}
