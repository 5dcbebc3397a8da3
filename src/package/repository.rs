//! The indexes of apt and rpm-md repositories: a package's words, and documents
//! made of old documents and new words. No package is read for them again.

pub mod apt;
pub mod page;
pub mod parts;
pub mod yum;

use std::collections::BTreeSet;

/// The words of each package in an index, in order; no two are the same.
pub type Words<'a> = BTreeSet<&'a str>;

/// Takes a text apart after each `end`.
fn words<'a>(text: &'a str, end: &str) -> Words<'a> {
    text.split_inclusive(end).filter(|words| words.ends_with(end)).collect()
}
