//! An index in parts that are compressed apart: a change costs the parts that it
//! is in, and not the whole. Where a part ends is told by its last package
//! alone, so the same packages are the same bytes, in whatever order they came.

use super::Words;
use crate::model::repository::Lengths;
use crate::package::compress::{GZIP_HEADER, XZ_HEADER, deflated, gzip_of, xz_block, xz_of};
use flate2::Crc;
use rayon::prelude::*;
use std::borrow::Cow;
use std::io;

/// One package in so many is the last of its part, by chance.
const PACKAGES: u32 = 128;

/// A part is small, and may take its time.
const GZIP_LEVEL: u8 = 9;
const XZ_LEVEL: u8 = 6;

/// An index as it was stored.
pub struct Old<'a> {
    pub text: &'a str,
    pub gzip: &'a [u8],
    /// Nothing where there is none.
    pub xz: &'a [u8],
    pub parts: &'a [Lengths],
}

/// A part as it was stored.
#[derive(Clone, Copy)]
struct Kept<'a> {
    text: &'a str,
    gzip: &'a [u8],
    xz: &'a [u8],
    /// Bytes of xz without padding.
    bare: usize,
}

/// A part of an index.
enum Part<'a> {
    Kept(Kept<'a>),
    New(String),
}

/// The packages of an index, after a change.
pub struct Edited<'a> {
    parts: Vec<Part<'a>>,
    /// What each package ends with.
    end: &'static str,
}

/// An index, compressed.
pub struct Made {
    pub text: String,
    pub gzip: Vec<u8>,
    /// Nothing where none was asked for.
    pub xz: Vec<u8>,
    pub parts: Vec<Lengths>,
}

impl<'a> Old<'a> {
    /// Its parts, but for what is before and after the packages; none where they are not its own.
    fn parts(&self) -> Option<Vec<Kept<'a>>> {
        let (mut text, mut gzip) = (self.text, self.gzip.get(GZIP_HEADER.len()..)?);
        let mut xz = self.xz.get(XZ_HEADER.len()..).unwrap_or_default();
        let mut parts = Vec::new();
        for &Lengths(of_text, of_gzip, of_xz) in self.parts {
            let mut part = Kept { text: "", gzip: &[], xz: &[], bare: of_xz };
            (part.text, text) = text.split_at_checked(of_text)?;
            (part.gzip, gzip) = gzip.split_at_checked(of_gzip)?;
            (part.xz, xz) = xz.split_at_checked(of_xz.checked_next_multiple_of(4)?)?;
            parts.push(part);
        }
        parts.pop()?;
        // What no part has would be lost.
        text.is_empty().then_some(())?;
        Some(parts.split_off(1.min(parts.len())))
    }

    /// With packages added and removed, whose words all end alike; none where that changes
    /// nothing. Fails where the parts are not those of the index.
    pub fn edited(
        &self,
        end: &'static str,
        (mut add, mut remove): (Words<'a>, Words<'a>),
    ) -> Result<Option<Edited<'a>>, NotItsParts> {
        let old = if self.parts.is_empty() && self.text.is_empty() {
            Vec::new()
        } else {
            self.parts().ok_or(NotItsParts)?
        };
        let (mut parts, mut open, mut is_new) = (Vec::new(), Words::new(), false);
        for (at, part) in old.iter().enumerate() {
            let next = old.get(at + 1).map(|next| first(next.text, end));
            let (add, remove) = (below(&mut add, next), below(&mut remove, next));
            if add.is_empty() && remove.is_empty() && open.is_empty() {
                parts.push(Part::Kept(*part));
                continue;
            }
            open.extend(super::words(part.text, end));
            is_new |= changed(&mut open, add, remove);
            cut(&mut open, &mut parts);
        }
        is_new |= changed(&mut open, add, remove);
        cut(&mut open, &mut parts);
        close(open, &mut parts);
        Ok(is_new.then_some(Edited { parts, end }))
    }
}

/// The lengths of an index's parts do not fit it.
#[derive(Debug, thiserror::Error)]
#[error("its parts are not as long as the head says")]
pub struct NotItsParts;

/// The words of the first package.
fn first<'a>(text: &'a str, end: &str) -> &'a str {
    text.split_inclusive(end).next().unwrap_or_default()
}

/// Takes out the words that come before others.
fn below<'a>(words: &mut Words<'a>, next: Option<&str>) -> Words<'a> {
    let after = next.map(|next| words.split_off(next)).unwrap_or_default();
    std::mem::replace(words, after)
}

fn changed<'a>(words: &mut Words<'a>, add: Words<'a>, remove: Words<'a>) -> bool {
    let before = words.len();
    words.extend(add);
    let added = words.len() > before;
    remove.iter().fold(added, |changed, gone| words.remove(gone) || changed)
}

/// Makes parts of what has come to an end.
fn cut(open: &mut Words, parts: &mut Vec<Part>) {
    let mut text = String::new();
    for word in std::mem::take(open) {
        text.push_str(word);
        open.insert(word);
        if is_last(word) {
            parts.push(Part::New(std::mem::take(&mut text)));
            open.clear();
        }
    }
}

/// The last part, whatever it ends with.
fn close(open: Words, parts: &mut Vec<Part>) {
    if !open.is_empty() {
        parts.push(Part::New(open.into_iter().collect()));
    }
}

/// True for a package that its part ends with.
fn is_last(word: &str) -> bool {
    let mut crc = Crc::new();
    crc.update(word.as_bytes());
    crc.sum().is_multiple_of(PACKAGES)
}

/// Which compressed forms an index has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Forms {
    Gzip,
    GzipAndXz,
}

impl<'a> Edited<'a> {
    /// The packages of an index that was not there before.
    pub fn first(end: &'static str, mut words: Words<'a>) -> Self {
        let mut parts = Vec::new();
        cut(&mut words, &mut parts);
        close(words, &mut parts);
        Edited { parts, end }
    }

    /// Compresses what is new. `around` says what is before and after so many packages.
    pub fn made(
        self,
        forms: Forms,
        around: impl Fn(usize) -> (String, String),
    ) -> io::Result<Made> {
        let Edited { mut parts, end } = self;
        let count = parts.iter().map(|part| part.text().matches(end).count()).sum();
        let (before, after) = around(count);
        parts.insert(0, Part::New(before));
        parts.push(Part::New(after));
        let packed =
            parts.par_iter().map(|part| part.packed(forms)).collect::<io::Result<Vec<_>>>()?;
        let text: String = parts.iter().map(Part::text).collect();
        let all = || parts.iter().map(Part::text).zip(&packed);
        let lengths = all().map(|(text, part)| Lengths(text.len(), part.gzip.len(), part.bare));
        let blocks = all().filter(|(_, part)| !part.xz.is_empty());
        let blocks: Vec<_> =
            blocks.map(|(text, part)| (part.xz.as_ref(), part.bare, text.len())).collect();
        Ok(Made {
            gzip: gzip_of(packed.iter().map(|part| part.gzip.as_ref()), &text),
            xz: if forms == Forms::Gzip { Vec::new() } else { xz_of(&blocks) },
            parts: lengths.collect(),
            text,
        })
    }
}

/// A part, compressed.
#[derive(Default)]
struct Packed<'a> {
    gzip: Cow<'a, [u8]>,
    /// A block; nothing where none was asked for.
    xz: Cow<'a, [u8]>,
    bare: usize,
}

impl Part<'_> {
    fn text(&self) -> &str {
        match self {
            Part::Kept(part) => part.text,
            Part::New(text) => text,
        }
    }

    fn packed(&self, forms: Forms) -> io::Result<Packed<'_>> {
        let text = match self {
            Part::Kept(Kept { gzip, xz, bare, .. }) => {
                return Ok(Packed { gzip: (*gzip).into(), xz: (*xz).into(), bare: *bare });
            }
            Part::New(text) if text.is_empty() => return Ok(Packed::default()),
            Part::New(text) => text,
        };
        let (xz, bare) = match forms {
            Forms::Gzip => Default::default(),
            Forms::GzipAndXz => xz_block(text, XZ_LEVEL)?,
        };
        Ok(Packed { gzip: deflated(text, GZIP_LEVEL)?.into(), xz: xz.into(), bare })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::package::compress::gunzip;
    use proptest::prelude::*;
    use std::collections::BTreeSet;
    use std::io::Read;

    const END: &str = "\n\n";

    fn words(numbers: &[u16]) -> Vec<String> {
        numbers.iter().map(|number| format!("Package: {}\n\n", number % 2000)).collect()
    }

    fn around(count: usize) -> (String, String) {
        (format!("<{count}>\n\n"), "</>".to_owned())
    }

    fn none() -> Made {
        Made { text: String::new(), gzip: Vec::new(), xz: Vec::new(), parts: Vec::new() }
    }

    fn edited(old: &Made, add: &[String], remove: &[String]) -> Option<Made> {
        let set = |words: &[String]| -> BTreeSet<String> { words.iter().cloned().collect() };
        let (add, remove) = (set(add), set(remove));
        let Made { text, gzip, xz, parts } = old;
        let old = Old { text, gzip, xz, parts };
        let change =
            (add.iter().map(String::as_str).collect(), remove.iter().map(String::as_str).collect());
        let edited = old.edited(END, change).unwrap()?;
        Some(edited.made(Forms::GzipAndXz, around).unwrap())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn the_same_packages_are_the_same_bytes_however_they_came(
            numbers in prop::collection::vec(any::<u16>(), 1..1500),
            cuts in prop::collection::vec(0usize..1500, 0..5),
        ) {
            let all = words(&numbers);
            let whole = edited(&none(), &all, &[]).unwrap();
            let gone = words(&[7, 1999]);
            let mut made = edited(&none(), &gone, &[]).unwrap();
            let mut at = 0;
            let mut cuts = cuts;
            cuts.sort_unstable();
            for cut in cuts.into_iter().map(|cut| cut.min(all.len())).chain([all.len()]) {
                made = edited(&made, &all[at..cut], &[]).unwrap_or(made);
                at = cut;
            }
            let gone: Vec<String> = gone.into_iter().filter(|word| !all.contains(word)).collect();
            made = edited(&made, &[], &gone).unwrap_or(made);
            prop_assert!(made.text == whole.text && made.gzip == whole.gzip && made.xz == whole.xz);
            prop_assert_eq!(&made.parts, &whole.parts);
            prop_assert_eq!(gunzip(&made.gzip, 1 << 30).unwrap(), made.text.clone());
            let mut text = String::new();
            liblzma::read::XzDecoder::new(&made.xz[..]).read_to_string(&mut text).unwrap();
            prop_assert_eq!(&text, &made.text);
            prop_assert!(edited(&made, &all, &gone).is_none());
        }
    }

    #[test]
    fn a_change_costs_the_part_that_it_is_in() {
        let numbers: Vec<u16> = (0..2000).collect();
        let all = words(&numbers);
        let made = edited(&none(), &all, &[]).unwrap();
        assert!(made.parts.len() > 8, "{:?}", made.parts);
        let old = Old { text: &made.text, gzip: &made.gzip, xz: &made.xz, parts: &made.parts };
        let add = Words::from(["Package: 1000x\n\n"]);
        let next = old.edited(END, (add, Words::new())).unwrap().unwrap();
        let new = next.parts.iter().filter(|part| matches!(part, Part::New(_))).count();
        assert!((1..=2).contains(&new), "{new}");
    }

    #[test]
    fn lengths_of_another_index_are_refused() {
        let made = edited(&none(), &words(&[1, 2, 3]), &[]).unwrap();
        let longer = format!("{}é", made.text);
        for text in ["é", &longer] {
            let old = Old { text, gzip: &made.gzip, xz: &made.xz, parts: &made.parts };
            assert!(old.edited(END, (Words::from(["x\n\n"]), Words::new())).is_err());
        }
        let odd = [Lengths(0, 0, usize::MAX), Lengths(usize::MAX, 0, 0)];
        let old = Old { text: "", gzip: &made.gzip, xz: &made.xz, parts: &odd };
        assert!(old.edited(END, (Words::new(), Words::new())).is_err());
    }
}
