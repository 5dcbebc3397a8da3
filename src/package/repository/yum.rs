//! An rpm-md repository: what its three documents say of an .rpm, and `repomd.xml`.

use super::Words;
use crate::model::digest::Sha256Digest;
use crate::model::ledger::Index;
use crate::model::repository::{Packed, Sum};
use crate::package::read::rpm::{Headers, headers};
use crate::package::read::{ReadError, damaged};
use ::rpm::{Header, IndexSignatureTag, IndexTag};
use std::fmt::Write as _;
use std::io::{BufReader, Read, Seek};

/// Where an .rpm is in its repository, and what it is there.
pub struct Place<'a> {
    /// Relative to the repository's root.
    pub path: &'a str,
    pub bytes: u64,
    pub sha256: Sha256Digest,
    /// When it was published, in seconds since 1970.
    pub time: i64,
}

/// What the indexes say of an .rpm.
pub fn describe(mut file: impl Read + Seek, place: &Place) -> Result<Index, ReadError> {
    file.rewind()?;
    let headers = headers(&mut BufReader::new(file))?;
    let tags = Tags(&headers.metadata.header);
    let named = format!(
        "<package pkgid=\"{}\" name=\"{}\" arch=\"{}\">\n  {}\n",
        place.sha256,
        tags.text(IndexTag::RPMTAG_NAME)?,
        tags.text(IndexTag::RPMTAG_ARCH)?,
        version(&tags)?,
    );
    Ok(Index::Rpm {
        primary: primary(&headers, &tags, place)?,
        filelists: format!("{named}{}{END}", filelist(&tags)?),
        other: format!("{named}{}{END}", changelog(&tags)?),
    })
}

/// What a package ends with in a document.
pub const END: &str = "</package>\n";

/// The text and numbers of a header, for XML.
struct Tags<'a>(&'a Header<IndexTag>);

impl Tags<'_> {
    /// A text, escaped; empty where there is none.
    fn text(&self, tag: IndexTag) -> Result<String, ReadError> {
        let text = self.0.get_entry_data_as_string(tag);
        let translated = || self.0.get_entry_data_as_i18n_string(tag).unwrap_or_default();
        escaped(text.unwrap_or_else(|_| translated()))
    }

    fn texts(&self, tag: IndexTag) -> Vec<&str> {
        self.0.get_entry_data_as_string_array(tag).unwrap_or_default()
    }

    fn numbers(&self, tag: IndexTag) -> Vec<u32> {
        self.0.get_entry_data_as_u32_array(tag).unwrap_or_default()
    }

    /// A number in 32 bits, or in 64 where they do not suffice.
    fn size(&self, short: IndexTag, long: IndexTag) -> u64 {
        let long = || self.0.get_entry_data_as_u64(long).unwrap_or_default();
        self.0.get_entry_data_as_u32(short).map_or_else(|_| long(), u64::from)
    }
}

/// A text in XML 1.0; what that cannot have, no package of ours has.
fn escaped(text: &str) -> Result<String, ReadError> {
    if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        return damaged(format!("its header has a control character, in {text:.100?}"));
    }
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    Ok(text.replace('"', "&quot;"))
}

fn version(tags: &Tags) -> Result<String, ReadError> {
    let version = tags.text(IndexTag::RPMTAG_VERSION)?;
    let release = tags.text(IndexTag::RPMTAG_RELEASE)?;
    Ok(format!("<version epoch=\"0\" ver=\"{version}\" rel=\"{release}\"/>"))
}

fn primary(headers: &Headers, tags: &Tags, place: &Place) -> Result<String, ReadError> {
    use IndexTag as Tag;
    let mut text = String::from("<package type=\"rpm\">\n");
    let mut line = |line: String| {
        let _ = writeln!(text, "  {line}");
    };
    line(format!("<name>{}</name>", tags.text(Tag::RPMTAG_NAME)?));
    line(format!("<arch>{}</arch>", tags.text(Tag::RPMTAG_ARCH)?));
    line(version(tags)?);
    line(format!("<checksum type=\"sha256\" pkgid=\"YES\">{}</checksum>", place.sha256));
    line(format!("<summary>{}</summary>", tags.text(Tag::RPMTAG_SUMMARY)?));
    line(format!("<description>{}</description>", tags.text(Tag::RPMTAG_DESCRIPTION)?));
    line(format!("<packager>{}</packager>", tags.text(Tag::RPMTAG_PACKAGER)?));
    line(format!("<url>{}</url>", tags.text(Tag::RPMTAG_URL)?));
    let built = tags.0.get_entry_data_as_u32(Tag::RPMTAG_BUILDTIME).unwrap_or_default();
    line(format!("<time file=\"{}\" build=\"{built}\"/>", place.time));
    let installed = tags.size(Tag::RPMTAG_SIZE, Tag::RPMTAG_LONGSIZE);
    let archive = archive_size(&headers.metadata.signature);
    let bytes = place.bytes;
    line(format!("<size package=\"{bytes}\" installed=\"{installed}\" archive=\"{archive}\"/>"));
    line(format!("<location href=\"{}\"/>", escaped(place.path)?));
    line("<format>".to_owned());
    let named = [
        ("license", Tag::RPMTAG_LICENSE),
        ("vendor", Tag::RPMTAG_VENDOR),
        ("group", Tag::RPMTAG_GROUP),
        ("buildhost", Tag::RPMTAG_BUILDHOST),
        ("sourcerpm", Tag::RPMTAG_SOURCERPM),
    ];
    for (name, tag) in named {
        line(format!("  <rpm:{name}>{}</rpm:{name}>", tags.text(tag)?));
    }
    let start = headers.before.len();
    let end = start + headers.main.len();
    line(format!("  <rpm:header-range start=\"{start}\" end=\"{end}\"/>"));
    line("  <rpm:provides>".to_owned());
    for entry in provides(tags)? {
        line(format!("    {entry}"));
    }
    line("  </rpm:provides>".to_owned());
    line("</format>".to_owned());
    Ok(text + END)
}

fn archive_size(signature: &Header<IndexSignatureTag>) -> u64 {
    use IndexSignatureTag as Tag;
    let long = || signature.get_entry_data_as_u64(Tag::RPMSIGTAG_LONGARCHIVESIZE);
    let short = signature.get_entry_data_as_u32(Tag::RPMSIGTAG_PAYLOADSIZE).map(u64::from);
    short.or_else(|_| long()).unwrap_or_default()
}

/// `RPMSENSE_EQUAL` of rpm's rpmds.h.
const EQUAL: u32 = 1 << 3;

/// What it provides; what it requires is features of rpm alone, which are in no index.
fn provides(tags: &Tags) -> Result<Vec<String>, ReadError> {
    let names = tags.texts(IndexTag::RPMTAG_PROVIDENAME);
    let versions = tags.texts(IndexTag::RPMTAG_PROVIDEVERSION);
    let flags = tags.numbers(IndexTag::RPMTAG_PROVIDEFLAGS);
    let entry = |(at, name): (usize, &&str)| {
        let mut entry = format!("<rpm:entry name=\"{}\"", escaped(name)?);
        let version = versions.get(at).copied().unwrap_or_default();
        if flags.get(at).copied().unwrap_or_default() & 0xf == EQUAL {
            let (version, release) = version.split_once('-').unwrap_or((version, ""));
            let _ = write!(entry, " flags=\"EQ\" epoch=\"0\" ver=\"{}\"", escaped(version)?);
            if !release.is_empty() {
                let _ = write!(entry, " rel=\"{}\"", escaped(release)?);
            }
        }
        Ok(entry + "/>")
    };
    names.iter().enumerate().map(entry).collect()
}

fn filelist(tags: &Tags) -> Result<String, ReadError> {
    let names = tags.texts(IndexTag::RPMTAG_BASENAMES);
    let directories = tags.texts(IndexTag::RPMTAG_DIRNAMES);
    let indexes = tags.numbers(IndexTag::RPMTAG_DIRINDEXES);
    let modes = tags.0.get_entry_data_as_u16_array(IndexTag::RPMTAG_FILEMODES).unwrap_or_default();
    let mut text = String::new();
    for (at, name) in names.iter().enumerate() {
        let directory = indexes.get(at).and_then(|&index| directories.get(index as usize));
        let path = escaped(&format!("{}{name}", directory.unwrap_or(&"/")))?;
        let is_directory = modes.get(at).is_some_and(|mode| mode & 0o170_000 == 0o040_000);
        let kind = if is_directory { " type=\"dir\"" } else { "" };
        let _ = writeln!(text, "  <file{kind}>{path}</file>");
    }
    Ok(text)
}

fn changelog(tags: &Tags) -> Result<String, ReadError> {
    let names = tags.texts(IndexTag::RPMTAG_CHANGELOGNAME);
    let texts = tags.texts(IndexTag::RPMTAG_CHANGELOGTEXT);
    let times = tags.numbers(IndexTag::RPMTAG_CHANGELOGTIME);
    let mut text = String::new();
    for (at, name) in names.iter().enumerate() {
        let time = times.get(at).copied().unwrap_or_default();
        let (author, change) = (escaped(name)?, escaped(texts.get(at).unwrap_or(&""))?);
        let _ =
            writeln!(text, "  <changelog author=\"{author}\" date=\"{time}\">{change}</changelog>");
    }
    Ok(text)
}

/// One of the three documents.
#[derive(Clone, Copy)]
pub enum Document {
    Primary,
    Filelists,
    Other,
}

impl Document {
    /// Every one, in the order of `repomd.xml`.
    pub const ALL: [Document; 3] = [Document::Primary, Document::Filelists, Document::Other];

    /// As `repomd.xml` names it.
    pub fn name(self) -> &'static str {
        match self {
            Document::Primary => "primary",
            Document::Filelists => "filelists",
            Document::Other => "other",
        }
    }

    /// The element around the packages, and its name spaces.
    fn element(self) -> (&'static str, &'static str) {
        match self {
            Document::Primary => (
                "metadata",
                "xmlns=\"http://linux.duke.edu/metadata/common\" \
                 xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\"",
            ),
            Document::Filelists => {
                ("filelists", "xmlns=\"http://linux.duke.edu/metadata/filelists\"")
            }
            Document::Other => ("otherdata", "xmlns=\"http://linux.duke.edu/metadata/other\""),
        }
    }

    /// What a document of ours says of each package. All that a package says of
    /// itself is escaped, so that no text is taken for the end of one.
    pub fn read(self, text: &str) -> Words<'_> {
        let start = text.find("<package ").unwrap_or(text.len());
        super::words(&text[start..], END)
    }

    /// Where one of that digest is, relative to the repository's root.
    pub fn path(self, gzip: &Sum) -> String {
        format!("repodata/{}-{}.xml.gz", gzip.sha256, self.name())
    }

    /// What is before and after so many packages.
    pub fn around(self, packages: usize) -> (String, String) {
        let (element, spaces) = self.element();
        let before = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{element} {spaces} packages=\"{packages}\">\n"
        );
        (before, format!("</{element}>\n"))
    }
}

/// A document that `repomd.xml` tells of.
pub struct Listed<'a> {
    pub document: Document,
    pub index: &'a Packed,
}

/// `repomd.xml`; `date` in seconds since 1970.
pub fn repomd(date: i64, documents: &[Listed]) -> String {
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <repomd xmlns=\"http://linux.duke.edu/metadata/repo\" \
         xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\">\n  <revision>{date}</revision>\n"
    );
    for Listed { document, index } in documents {
        let path = document.path(&index.gzip);
        let _ = write!(
            text,
            "  <data type=\"{}\">\n    <checksum type=\"sha256\">{}</checksum>\n    \
             <open-checksum type=\"sha256\">{}</open-checksum>\n    <location href=\"{path}\"/>\n    \
             <timestamp>{date}</timestamp>\n    <size>{}</size>\n    <open-size>{}</open-size>\n  \
             </data>\n",
            document.name(),
            index.gzip.sha256,
            index.text.sha256,
            index.gzip.bytes,
            index.text.bytes,
        );
    }
    text + "</repomd>\n"
}

/// The documents that a `repomd.xml` of ours tells of: path and digest.
pub fn listed(repomd: &str) -> Vec<(String, String)> {
    let between = |text: &str, start: &str, end: char| {
        let text = text.split(start).nth(1)?;
        Some(text.split(end).next()?.to_owned())
    };
    let document = |text: &str| {
        let path = between(text, "<location href=\"", '"')?;
        Some((path, between(text, "<checksum type=\"sha256\">", '<')?))
    };
    repomd.split("<data ").skip(1).filter_map(document).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_read_back() {
        let one = "<package type=\"rpm\">\n  <name>a</name>\n</package>\n";
        let two = "<package type=\"rpm\">\n  <name>b &lt;/package&gt;</name>\n</package>\n";
        for document in Document::ALL {
            let (before, after) = document.around(2);
            assert!(before.ends_with(" packages=\"2\">\n"), "{before}");
            assert_eq!(
                document.read(&[&before, one, two, &after].concat()),
                Words::from([one, two])
            );
            assert!(document.read(&(before + &after)).is_empty(), "{after}");
        }
    }

    #[test]
    fn text_is_escaped_or_refused() {
        assert_eq!(escaped("a <b@c> & \"d\"").unwrap(), "a &lt;b@c&gt; &amp; &quot;d&quot;");
        assert!(escaped("a\u{1}").is_err() && escaped("a\u{7f}").is_err());
        assert_eq!(escaped("é\n").unwrap(), "é\n");
    }
}
