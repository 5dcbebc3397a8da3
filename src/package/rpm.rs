//! The bytes of an .rpm, format 4 (rpm's docs/manual/format_v4.md): headers by
//! the `rpm` crate, the payload as a stream.

use super::item::{Item, Kind, Meta, Payload};
use crate::model::compression::{Compression, Method};
use crate::model::digest::{Sha256Digest, hex};
use crate::model::version::RPM_RELEASE;
use ::rpm::{Header, HeaderEntry, IndexData, IndexSignatureTag, IndexTag, Lead, PackageMetadata};
use md5::Md5;
use sha1::Sha1;
use sha2::Digest;
use std::collections::HashMap;
use std::io::{self, Read, Seek, Write};

/// The build host of every package, so that no machine's name is in one.
const BUILD_HOST: &str = "localpuppet";

/// Room for signatures made later, as rpmbuild leaves.
const RESERVED: usize = 4096;

/// The payload of an .rpm: cpio, "newc" headers.
pub struct Cpio<W: Write> {
    to: W,
    time: u32,
    inode: u32,
    padding: usize,
}

impl<W: Write> Cpio<W> {
    /// An archive into `to` whose entries all have one time.
    pub fn new(to: W, time: u32) -> Self {
        Cpio { to, time, inode: 0, padding: 0 }
    }

    /// Ends the archive and gives back what it was written into.
    pub fn finish(mut self) -> io::Result<W> {
        self.pad()?;
        self.header("TRAILER!!!", 0, 0, 0)?;
        self.pad()?;
        Ok(self.to)
    }

    fn pad(&mut self) -> io::Result<()> {
        let padding = std::mem::take(&mut self.padding);
        self.to.write_all(&[0; 4][..padding])
    }

    fn header(&mut self, name: &str, inode: u32, mode: u16, size: u32) -> io::Result<()> {
        let time = if inode == 0 { 0 } else { self.time };
        let length = name.len() as u32 + 1;
        let fields = [inode, mode.into(), 0, 0, 1, time, size, 0, 0, 0, 0, length, 0];
        let fields = fields.map(u32::to_be_bytes);
        let mut header = format!("070701{}{name}\0", hex(fields.as_flattened()));
        while header.len() % 4 != 0 {
            header.push('\0');
        }
        self.padding = (4 - size as usize % 4) % 4;
        self.to.write_all(header.as_bytes())
    }
}

impl<W: Write> Payload for Cpio<W> {
    fn item(&mut self, item: &Item) -> io::Result<()> {
        if let Kind::SystemDirectory = item.kind {
            return Ok(());
        }
        self.pad()?;
        let size = u32::try_from(item.size()).map_err(|_| {
            let path = &item.path;
            io::Error::other(format!(
                "an .rpm has files of less than 4 GiB, found `{path}` with more"
            ))
        })?;
        self.inode += 1;
        self.header(&format!("./{}", item.path), self.inode, mode(&item.kind), size)?;
        if let Kind::Symlink { target } = &item.kind {
            self.to.write_all(target.as_str().as_bytes())?;
        }
        Ok(())
    }

    fn content(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)
    }
}

fn mode(kind: &Kind) -> u16 {
    match kind {
        Kind::Directory | Kind::SystemDirectory => 0o040_755,
        Kind::Symlink { .. } => 0o120_777,
        Kind::File { mode, .. } => 0o100_000 | mode.bits() as u16,
    }
}

/// Facts of a payload that only its writing tells.
#[derive(Clone, Copy, Debug)]
pub struct Sums {
    /// Bytes before compression.
    pub archive_size: u64,
    /// Digest before compression.
    pub archive: Sha256Digest,
    /// Bytes after compression.
    pub size: u64,
    /// Digest after compression.
    pub compressed: Sha256Digest,
}

/// Writes an .rpm around a payload that is compressed already, from the start of `payload`.
pub fn write(
    to: &mut impl Write,
    meta: &Meta,
    items: &[Item],
    sums: Sums,
    compression: Compression,
    payload: &mut (impl Read + Seek),
) -> io::Result<()> {
    let lead = Lead::new(&format!("{}-{}-{RPM_RELEASE}", meta.name, meta.version));
    let header = Header::from_entries(
        main_tags(meta, items, sums, compression),
        IndexTag::RPMTAG_HEADERIMMUTABLE,
    );
    let unsigned = Header::from_entries(vec![], IndexSignatureTag::HEADER_SIGNATURES);
    let mut package = PackageMetadata { lead, signature: unsigned, header };
    let header = package.header_bytes().map_err(io::Error::other)?;
    let mut md5 = Md5::new();
    md5.update(&header);
    payload.rewind()?;
    io::copy(payload, &mut HashInto(&mut md5))?;
    let signature = signature_tags(&header, md5, sums);
    package.signature = Header::from_entries(signature, IndexSignatureTag::HEADER_SIGNATURES);
    package.write(to).map_err(io::Error::other)?;
    payload.rewind()?;
    io::copy(payload, to).map(drop)
}

struct HashInto<'a, D: Digest>(&'a mut D);

impl<D: Digest> Write for HashInto<'_, D> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn signature_tags(header: &[u8], md5: Md5, sums: Sums) -> Vec<HeaderEntry> {
    use IndexSignatureTag as Tag;
    let size = header.len() as u64 + sums.size;
    let mut tags = Tags::default();
    tags.text(Tag::RPMSIGTAG_SHA1 as u32, &hex(&Sha1::digest(header)));
    tags.text(Tag::RPMSIGTAG_SHA256 as u32, &Sha256Digest::of(header).to_string());
    tags.size(Tag::RPMSIGTAG_SIZE as u32, Tag::RPMSIGTAG_LONGSIZE as u32, size);
    tags.bytes(Tag::RPMSIGTAG_MD5 as u32, md5.finalize().to_vec());
    let (short, long) = (Tag::RPMSIGTAG_PAYLOADSIZE as u32, Tag::RPMSIGTAG_LONGARCHIVESIZE as u32);
    tags.size(short, long, sums.archive_size);
    tags.bytes(Tag::RPMSIGTAG_RESERVEDSPACE as u32, vec![0; RESERVED]);
    tags.0
}

fn main_tags(
    meta: &Meta,
    items: &[Item],
    sums: Sums,
    compression: Compression,
) -> Vec<HeaderEntry> {
    let mut tags = Tags::default();
    describe(&mut tags, meta, items);
    relate(&mut tags, meta, compression.method());
    list_files(&mut tags, meta, items);
    describe_payload(&mut tags, sums, compression);
    tags.0
}

fn describe(tags: &mut Tags, meta: &Meta, items: &[Item]) {
    use IndexTag as Tag;
    tags.texts(Tag::RPMTAG_HEADERI18NTABLE, ["C"]);
    tags.text(Tag::RPMTAG_NAME as u32, &meta.name);
    tags.text(Tag::RPMTAG_VERSION as u32, meta.version.as_str());
    tags.text(Tag::RPMTAG_RELEASE as u32, RPM_RELEASE);
    tags.translated(Tag::RPMTAG_SUMMARY, &capitalised(&meta.synopsis));
    tags.translated(Tag::RPMTAG_DESCRIPTION, &meta.description.join("\n"));
    tags.translated(Tag::RPMTAG_GROUP, "System Environment/Base");
    tags.numbers(Tag::RPMTAG_BUILDTIME, vec![meta.time]);
    tags.text(Tag::RPMTAG_BUILDHOST as u32, BUILD_HOST);
    let installed = items.iter().filter(|item| !matches!(item.kind, Kind::SystemDirectory));
    let size = installed.map(Item::size).sum();
    tags.size(Tag::RPMTAG_SIZE as u32, Tag::RPMTAG_LONGSIZE as u32, size);
    tags.text(Tag::RPMTAG_LICENSE as u32, &meta.license);
    tags.text(Tag::RPMTAG_PACKAGER as u32, &meta.maintainer);
    tags.text(Tag::RPMTAG_VENDOR as u32, BUILD_HOST);
    tags.text(Tag::RPMTAG_URL as u32, &meta.homepage);
    tags.text(Tag::RPMTAG_OS as u32, "linux");
    tags.text(Tag::RPMTAG_ARCH as u32, "noarch");
    tags.text(Tag::RPMTAG_PLATFORM as u32, "noarch-redhat-linux-gnu");
    tags.text(Tag::RPMTAG_ENCODING as u32, "utf-8");
    // The rpm whose format this is; readers take no version for older than they need.
    tags.text(Tag::RPMTAG_RPMVERSION as u32, "4.18.0");
    // What marks a package as binary is the name of a source package.
    tags.text(
        Tag::RPMTAG_SOURCERPM as u32,
        &format!("{}-{}-{RPM_RELEASE}.src.rpm", meta.name, meta.version),
    );
    tags.numbers(Tag::RPMTAG_CHANGELOGTIME, vec![meta.time]);
    let who = format!("{} - {}-{RPM_RELEASE}", meta.maintainer, meta.version);
    tags.texts(Tag::RPMTAG_CHANGELOGNAME, [who.as_str()]);
    tags.texts(Tag::RPMTAG_CHANGELOGTEXT, [format!("- {}", meta.change).as_str()]);
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

const EQUAL: u32 = 1 << 3;
const RPMLIB_AT_MOST: u32 = 1 << 24 | 1 << 1 | EQUAL;

/// What it provides, and the features that rpm needs to read it.
fn relate(tags: &mut Tags, meta: &Meta, method: Method) {
    use IndexTag as Tag;
    let own = format!("{}-{RPM_RELEASE}", meta.version);
    tags.texts(Tag::RPMTAG_PROVIDENAME, [meta.provides.as_str(), &meta.name]);
    tags.texts(Tag::RPMTAG_PROVIDEVERSION, [meta.version.as_str(), &own]);
    tags.numbers(Tag::RPMTAG_PROVIDEFLAGS, vec![EQUAL, EQUAL]);
    let mut needs = vec![
        ("rpmlib(CompressedFileNames)", "3.0.4-1"),
        ("rpmlib(FileDigests)", "4.6.0-1"),
        ("rpmlib(PayloadFilesHavePrefix)", "4.0-1"),
    ];
    match method {
        Method::Gzip => {}
        Method::Xz => needs.push(("rpmlib(PayloadIsXz)", "5.2-1")),
        Method::Zstd => needs.push(("rpmlib(PayloadIsZstd)", "5.4.18-1")),
    }
    if meta.version.as_str().contains('~') {
        needs.push(("rpmlib(TildeInVersions)", "4.10.0-1"));
    }
    tags.texts(Tag::RPMTAG_REQUIRENAME, needs.iter().map(|need| need.0));
    tags.texts(Tag::RPMTAG_REQUIREVERSION, needs.iter().map(|need| need.1));
    tags.numbers(Tag::RPMTAG_REQUIREFLAGS, vec![RPMLIB_AT_MOST; needs.len()]);
}

fn list_files(tags: &mut Tags, meta: &Meta, items: &[Item]) {
    use IndexTag as Tag;
    let items: Vec<&Item> =
        items.iter().filter(|item| !matches!(item.kind, Kind::SystemDirectory)).collect();
    let count = items.len();
    let split: Vec<(&str, &str)> =
        items.iter().map(|item| item.path.rsplit_once('/').unwrap_or(("", &item.path))).collect();
    let mut directories: Vec<String> = Vec::new();
    let mut index_of: HashMap<&str, u32> = HashMap::new();
    let indexes = split.iter().map(|&(directory, _)| {
        *index_of.entry(directory).or_insert_with(|| {
            directories.push(format!("/{directory}/"));
            directories.len() as u32 - 1
        })
    });
    let indexes = indexes.collect();
    tags.texts(Tag::RPMTAG_BASENAMES, split.iter().map(|names| names.1));
    tags.texts(Tag::RPMTAG_DIRNAMES, directories.iter().map(String::as_str));
    tags.numbers(Tag::RPMTAG_DIRINDEXES, indexes);
    // A payload with a file of 4 GiB is refused before its header is written.
    tags.numbers(Tag::RPMTAG_FILESIZES, items.iter().map(|item| item.size() as u32).collect());
    tags.shorts(Tag::RPMTAG_FILEMODES, items.iter().map(|item| mode(&item.kind)).collect());
    tags.shorts(Tag::RPMTAG_FILERDEVS, vec![0; count]);
    tags.numbers(Tag::RPMTAG_FILEMTIMES, vec![meta.time; count]);
    let digests: Vec<String> = items.iter().map(|item| digest(&item.kind)).collect();
    tags.texts(Tag::RPMTAG_FILEDIGESTS, digests.iter().map(String::as_str));
    tags.numbers(Tag::RPMTAG_FILEDIGESTALGO, vec![SHA256]);
    tags.texts(Tag::RPMTAG_FILELINKTOS, items.iter().map(|item| target(&item.kind)));
    let flags = |item: &&Item| u32::from(item.is_document) << 1;
    tags.numbers(Tag::RPMTAG_FILEFLAGS, items.iter().map(flags).collect());
    tags.texts(Tag::RPMTAG_FILEUSERNAME, std::iter::repeat_n("root", count));
    tags.texts(Tag::RPMTAG_FILEGROUPNAME, std::iter::repeat_n("root", count));
    tags.numbers(Tag::RPMTAG_FILEDEVICES, vec![1; count]);
    tags.numbers(Tag::RPMTAG_FILEINODES, (1..=count as u32).collect());
    tags.texts(Tag::RPMTAG_FILELANGS, std::iter::repeat_n("", count));
    tags.numbers(Tag::RPMTAG_FILEVERIFYFLAGS, vec![u32::MAX; count]);
}

/// `PGPHASHALGO_SHA256` of rpm's rpmpgp.h.
const SHA256: u32 = 8;

fn target(kind: &Kind) -> &str {
    if let Kind::Symlink { target } = kind { target.as_str() } else { "" }
}

fn digest(kind: &Kind) -> String {
    match kind {
        Kind::File { sha256, .. } => sha256.to_string(),
        _ => String::new(),
    }
}

fn describe_payload(tags: &mut Tags, sums: Sums, compression: Compression) {
    use IndexTag as Tag;
    tags.text(Tag::RPMTAG_PAYLOADFORMAT as u32, "cpio");
    tags.text(Tag::RPMTAG_PAYLOADCOMPRESSOR as u32, &compression.method().to_string());
    tags.text(Tag::RPMTAG_PAYLOADFLAGS as u32, &compression.level().to_string());
    tags.texts(Tag::RPMTAG_PAYLOADSHA256, [sums.compressed.to_string().as_str()]);
    tags.texts(Tag::RPMTAG_PAYLOADSHA256ALT, [sums.archive.to_string().as_str()]);
    tags.numbers(Tag::RPMTAG_PAYLOADSHA256ALGO, vec![SHA256]);
}

/// Header entries under construction.
#[derive(Default)]
struct Tags(Vec<HeaderEntry>);

impl Tags {
    fn put(&mut self, tag: u32, data: IndexData) {
        self.0.push(HeaderEntry::new(tag, data));
    }

    fn text(&mut self, tag: u32, text: &str) {
        self.put(tag, IndexData::StringTag(text.to_owned()));
    }

    fn translated(&mut self, tag: IndexTag, text: &str) {
        self.put(tag as u32, IndexData::I18NString(vec![text.to_owned()]));
    }

    fn texts<'a>(&mut self, tag: IndexTag, texts: impl IntoIterator<Item = &'a str>) {
        let texts = texts.into_iter().map(str::to_owned).collect();
        self.put(tag as u32, IndexData::StringArray(texts));
    }

    fn numbers(&mut self, tag: IndexTag, numbers: Vec<u32>) {
        self.put(tag as u32, IndexData::Int32(numbers));
    }

    fn shorts(&mut self, tag: IndexTag, numbers: Vec<u16>) {
        self.put(tag as u32, IndexData::Int16(numbers));
    }

    fn bytes(&mut self, tag: u32, bytes: Vec<u8>) {
        self.put(tag, IndexData::Bin(bytes));
    }

    /// 32 bits where they suffice, as old readers expect.
    fn size(&mut self, short: u32, long: u32, size: u64) {
        match u32::try_from(size) {
            Ok(size) => self.put(short, IndexData::Int32(vec![size])),
            Err(_) => self.put(long, IndexData::Int64(vec![size])),
        }
    }
}
