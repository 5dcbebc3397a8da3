//! An apt repository: stanzas of `Packages`, and `Release` (wiki.debian.org/DebianRepository/Format).

use super::Words;
use crate::model::digest::Sha256Digest;
use crate::model::repository::Sum;
use crate::package::deb::FIELDS;
use crate::package::read::{ReadError, damaged, deb};
use jiff::Timestamp;
use std::fmt::Write as _;
use std::io::{BufReader, Read, Seek, SeekFrom};

/// What a stanza ends with.
pub const END: &str = "\n\n";

/// The stanza of a .deb that is at `path`, relative to the repository's root.
pub fn stanza(
    mut file: impl Read + Seek,
    path: &str,
    bytes: u64,
    sha256: Sha256Digest,
) -> Result<String, ReadError> {
    let length = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let control = deb::control(BufReader::new(file), length)?;
    check(control.trim_end())?;
    let control = control.trim_end();
    Ok(format!("{control}\nFilename: {path}\nSize: {bytes}\nSHA256: {sha256}\n\n"))
}

/// A control file becomes part of an index of many packages: it must not end a stanza.
fn check(control: &str) -> Result<(), ReadError> {
    let mut seen = Vec::new();
    for line in control.lines() {
        let name = line.split(':').next().unwrap_or_default();
        let goes_on = line.starts_with(' ') && !line.trim().is_empty() && !seen.is_empty();
        let is_field = line.contains(':') && FIELDS.contains(&name) && !seen.contains(&name);
        if !(goes_on || is_field) || line.chars().any(char::is_control) {
            return damaged(format!(
                "its control file has the line `{line:.100}`, which no bundle has"
            ));
        }
        if is_field && !goes_on {
            seen.push(name);
        }
    }
    match seen.first() {
        Some(&"Package") => Ok(()),
        _ => damaged("its control file does not begin with `Package:`"),
    }
}

/// The stanzas of an index.
pub fn read(packages: &str) -> Words<'_> {
    super::words(packages, END)
}

/// A file that `Release` tells of.
pub struct Listed {
    /// Relative to `Release`.
    pub path: String,
    pub sum: Sum,
}

/// What `Release` says beside its files; times in seconds since 1970.
pub struct Suite<'a> {
    pub date: i64,
    pub valid_until: Option<i64>,
    pub architectures: &'a [String],
}

/// `Release`.
pub fn release(suite: &Suite, files: &[Listed]) -> String {
    let mut text =
        String::from("Origin: localpuppet\nLabel: localpuppet\nSuite: stable\nCodename: stable\n");
    let _ = writeln!(text, "Date: {}", date(suite.date));
    if let Some(until) = suite.valid_until {
        let _ = writeln!(text, "Valid-Until: {}", date(until));
    }
    // As Debian's own: every architecture's index has the packages for all, and
    // those that have no index of theirs find them in that of `all`.
    let architectures = suite.architectures.join(" ");
    let _ = writeln!(
        text,
        "Architectures: all {architectures}\nComponents: main\n\
         Description: Releases of Puppet code\nAcquire-By-Hash: yes\nSHA256:"
    );
    for Listed { path, sum } in files {
        let _ = writeln!(text, " {} {} {path}", sum.sha256, sum.bytes);
    }
    text
}

/// The files that a `Release` of ours tells of: path and digest.
pub fn listed(release: &str) -> Vec<(String, String)> {
    let files = release.split("\nSHA256:\n").nth(1).unwrap_or_default();
    let file = |line: &str| {
        let mut words = line.split_whitespace();
        let (sha256, _, path) = (words.next()?, words.next()?, words.next()?);
        Some((path.to_owned(), sha256.to_owned()))
    };
    files.lines().filter_map(file).collect()
}

/// Until when `Release` is valid, where it says so.
pub fn valid_until(release: &str) -> Option<Timestamp> {
    let until = release.lines().find_map(|line| line.strip_prefix("Valid-Until: "))?;
    let until = jiff::civil::DateTime::strptime(DATE, until).ok()?;
    until.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|until| until.timestamp())
}

/// RFC 2822, in UTC, as apt reads it.
const DATE: &str = "%a, %d %b %Y %H:%M:%S UTC";

fn date(seconds: i64) -> String {
    let time = Timestamp::from_second(seconds).unwrap_or_default();
    time.strftime(DATE).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_control_file_cannot_say_more_than_its_stanza() {
        let good = "Package: a\nVersion: 1\nDescription: x\n y\n .\n z";
        assert!(check(good).is_ok());
        let bad = [
            "Package: a\n\nPackage: b",
            "Package: a\nFilename: elsewhere",
            "Package: a\nPackage: b",
            "Package: a\n \nVersion: 1",
            "Version: 1\nPackage: a",
            " x\nPackage: a",
            "Package: a\nnonsense",
            "Package: a\nDescription: x\r",
            "",
        ];
        for control in bad {
            assert!(check(control).is_err(), "{control:?}");
        }
    }

    #[test]
    fn release_lists_its_files() {
        let architectures = ["amd64".to_owned()];
        let suite = Suite { date: 0, valid_until: Some(86400), architectures: &architectures };
        let text = release(&suite, &[Listed { path: "main/x".to_owned(), sum: Sum::of("") }]);
        assert!(text.contains("\nDate: Thu, 01 Jan 1970 00:00:00 UTC\n"), "{text}");
        assert!(text.contains("\nValid-Until: Fri, 02 Jan 1970 00:00:00 UTC\n"), "{text}");
        assert_eq!(valid_until(&text), Timestamp::from_second(86400).ok());
        assert!(text.contains("\nArchitectures: all amd64\n"), "{text}");
        assert_eq!(listed(&text), [("main/x".to_owned(), Sha256Digest::of("").to_string())]);
        assert!(text.ends_with(&format!("\nSHA256:\n {} 0 main/x\n", Sha256Digest::of(""))));
    }
}
