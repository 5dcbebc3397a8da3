//! A generation of indexes: the old ones with a change, and what clients read first.

use super::Site;
use super::index::{Change, Which, by_hash, changed};
use crate::host::clock;
use crate::host::gpg::Form;
use crate::model::architecture::Architecture;
use crate::model::failure::Failure;
use crate::model::repository::{
    Draft, Head, Packed, Pointer, STAGED, SUITE, Stored, Sum, TOLERATED_SECONDS,
};
use crate::package::repository::parts::Made;
use crate::package::repository::yum::Document;
use crate::package::repository::{apt, yum};
use std::collections::BTreeSet;
use std::sync::Arc;

/// A generation that is not stored yet.
pub struct Generation {
    pub draft: Draft,
    /// Objects by their keys.
    pub objects: Vec<(String, Arc<Vec<u8>>)>,
    /// Keys of objects that are copies of others, and the keys of those.
    pub copies: Vec<(String, String)>,
}

/// Makes the generation after `before`; none where nothing changes. How long it is valid is
/// said anew wherever that is said.
pub fn make(
    site: &Site,
    before: Option<&Head>,
    change: &Change,
) -> Result<Option<Generation>, Failure> {
    // It may have become signed since this publisher looked.
    site.stays_signed(before)?;
    let mut generation = Generation {
        draft: Draft {
            date: date(before)?,
            signed: site.signer.is_some(),
            architectures: architectures(&site.options.architectures, before),
            indexes: before.map(|head| head.indexes.clone()).unwrap_or_default(),
            pointers: Vec::new(),
            objects: BTreeSet::new(),
        },
        objects: Vec::new(),
        copies: Vec::new(),
    };
    for which in Which::ALL {
        if let Some(made) = changed(&site.store, before, which, change)? {
            generation.take(which, made);
        }
    }
    let draft = &generation.draft;
    let is_same = |before: &Head| {
        (before.signed, &before.architectures) == (draft.signed, &draft.architectures)
    };
    let is_renewed = site.options.valid_days.is_some();
    if generation.objects.is_empty() && before.is_some_and(is_same) && !is_renewed {
        return Ok(None);
    }
    let release = generation.apt(before, site.options.valid_days);
    generation.point_to_release(site, release)?;
    let repomd = generation.yum();
    generation.point_to_repomd(site, repomd)?;
    Ok(Some(generation))
}

/// The date of a generation: now, and never before the last one.
fn date(before: Option<&Head>) -> Result<i64, Failure> {
    let (now, last) = (clock::timestamp().as_second(), before.map_or(0, |head| head.date));
    if now + TOLERATED_SECONDS < last {
        return Err(Failure::new(format!(
            "this clock is {} minutes behind the last publisher's",
            (last - now) / 60
        ))
        .hint("set the clock: `date`, `timedatectl`"));
    }
    Ok(now.max(last))
}

fn architectures(wanted: &[Architecture], before: Option<&Head>) -> Vec<String> {
    let before = before.map(|head| head.architectures.as_slice()).unwrap_or_default();
    let wanted = wanted.iter().map(Architecture::as_str);
    let all: BTreeSet<&str> = wanted.chain(before.iter().map(String::as_str)).collect();
    all.into_iter().map(str::to_owned).collect()
}

impl Generation {
    /// Takes in an index that is new.
    fn take(&mut self, which: Which, made: Made) {
        let packed = Packed {
            text: Sum::of(&made.text),
            gzip: Sum::of(&made.gzip),
            xz: (!made.xz.is_empty()).then(|| Sum::of(&made.xz)),
            parts: made.parts,
        };
        let mut object = |key, bytes| self.objects.push((key, Arc::new(bytes)));
        if let Which::Packages = which {
            object(by_hash("all", &packed.text), made.text.into_bytes());
        }
        object(which.key(&packed.gzip), made.gzip);
        if let Some(xz) = &packed.xz {
            object(by_hash("all", xz), made.xz);
        }
        self.draft.indexes[which.at()] = packed;
    }

    /// Takes in a file that becomes current under its path later.
    fn point(&mut self, path: impl Into<String>, bytes: Vec<u8>) {
        let sum = Sum::of(&bytes);
        let key = format!("{STAGED}{}", sum.sha256);
        self.objects.push((key.clone(), Arc::new(bytes)));
        self.point_at(path.into(), key, sum);
    }

    /// The same with bytes that have a name already.
    fn point_at(&mut self, path: String, key: String, Sum { bytes, sha256 }: Sum) {
        self.draft.objects.insert(key.clone());
        self.draft.pointers.push(Pointer { path, of: Stored { key, bytes, sha256 } });
    }

    /// `Packages` for every architecture; returns `Release`.
    fn apt(&mut self, before: Option<&Head>, valid_days: Option<u32>) -> Vec<u8> {
        let Packed { text, gzip, xz, .. } = self.draft.indexes[Which::Packages.at()];
        let forms = [("", Some(text)), (".gz", Some(gzip)), (".xz", xz)];
        let forms = forms.map(|(extension, sum)| sum.map(|sum| (extension, sum)));
        let mut listed = Vec::new();
        let architectures = self.draft.architectures.clone();
        for architecture in ["all".to_owned()].iter().chain(&architectures) {
            for (extension, sum) in forms.into_iter().flatten() {
                let path = format!("main/binary-{architecture}/Packages{extension}");
                let (key, of) = (by_hash(architecture, &sum), by_hash("all", &sum));
                if key != of && before.is_none_or(|head| !head.objects.contains(&key)) {
                    self.copies.push((key.clone(), of));
                }
                self.point_at(format!("{SUITE}{path}"), key, sum);
                listed.push(apt::Listed { path, sum });
            }
        }
        let date = self.draft.date;
        let valid_until = valid_days.map(|days| date + i64::from(days) * 86_400);
        let suite = apt::Suite { date, valid_until, architectures: &architectures };
        apt::release(&suite, &listed).into_bytes()
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
    fn yum(&mut self) -> Vec<u8> {
        let indexes = &self.draft.indexes;
        let listed = Document::ALL.map(|document| {
            let index = &indexes[Which::Document(document).at()];
            yum::Listed { document, index }
        });
        let keys = listed
            .each_ref()
            .map(|listed| Which::Document(listed.document).key(&listed.index.gzip));
        let repomd = yum::repomd(self.draft.date, &listed);
        self.draft.objects.extend(keys);
        repomd.into_bytes()
    }

    /// The signature last: a client asks for it a moment after what it is of, so whoever comes in
    /// between the two is more likely to see both new than with the other order.
    fn point_to_repomd(&mut self, site: &Site, repomd: Vec<u8>) -> Result<(), Failure> {
        let signature = site.signer.as_ref().map(|signer| signer.sign(&repomd, Form::Armored));
        self.point("yum/repodata/repomd.xml", repomd);
        if let Some(signature) = signature.transpose()? {
            self.point("yum/repodata/repomd.xml.asc", signature);
        }
        Ok(())
    }
}
