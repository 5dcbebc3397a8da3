//! An .rpm that anyone may have made.

use super::{
    Entry, EntryKind, Inventory, LONGEST_NAME, Package, ReadError, Visitor, damaged, decompress,
    drain, stream_of,
};
use crate::model::compression::{Format, Method};
use crate::model::digest::Sha256Digest;
use crate::model::verified::RawArchive;
use crate::model::verify::Found;
use ::rpm::{Header, IndexSignatureTag, IndexTag, PackageMetadata};
use sha2::{Digest, Sha256};
use std::io::{self, BufRead, BufReader, Read, Seek};

const LEAD: usize = 96;

/// The limits of rpm's own lib/header.c, and a store of a size that we are ready to hold.
const MOST_TAGS: usize = 0xffff;
const LARGEST_STORE: usize = 64 << 20;

/// The headers of an .rpm, and where they are.
pub struct Headers {
    pub metadata: PackageMetadata,
    /// Lead and signature header, padded.
    pub before: Vec<u8>,
    /// The main header, which is what a signature is of.
    pub main: Vec<u8>,
}

/// Reads the headers of an .rpm from its start.
pub fn headers(file: &mut impl Read) -> Result<Headers, ReadError> {
    let mut before = exactly(file, LEAD)?;
    let signature = header(file)?;
    let padding = exactly(file, (8 - signature.len() % 8) % 8)?;
    before.extend(signature);
    before.extend(padding);
    let main = header(file)?;
    let metadata = PackageMetadata::parse(&mut [before.as_slice(), &main].concat().as_slice())
        .or_else(|error| damaged(format!("its headers cannot be read: {error}")))?;
    Ok(Headers { metadata, before, main })
}

/// Reads an .rpm of `length` bytes.
pub fn read(mut file: impl BufRead + Seek, length: u64) -> Result<Package, ReadError> {
    let Headers { metadata, main, .. } = headers(&mut file)?;
    let main_digest = Sha256Digest::of(&main);
    let at = file.stream_position()?;
    let text = |tag| metadata.header.get_entry_data_as_string(tag).unwrap_or_default().to_owned();
    let mut inventory = Inventory::default();
    check_header(&metadata.signature, main_digest, &mut inventory);
    check_actions(&metadata.header, &mut inventory);
    let mut payload = Counted::new(file);
    let size = length.saturating_sub(at);
    let from = BufReader::new(&mut payload);
    let compression = match show_payload(&metadata.header, from, size, &mut inventory) {
        Ok(method) => method.map_or("none".to_owned(), |method| method.to_string()),
        // No bundle is compressed so; what it is can be told all the same.
        Err(ReadError::Compression(method)) => method,
        Err(error) => return Err(error),
    };
    drain(&mut payload)?;
    check_payload(&metadata.header, payload.finish(), &mut inventory);
    check_files(&metadata.header, &mut inventory);
    Ok(Package {
        format: Format::Rpm,
        name: text(IndexTag::RPMTAG_NAME),
        version: version(&metadata.header),
        provides: provides(&metadata.header),
        architecture: text(IndexTag::RPMTAG_ARCH),
        maintainer: text(IndexTag::RPMTAG_PACKAGER),
        compression,
        paths: inventory.paths,
        bundle: inventory.bundle,
        interface: inventory.interface,
        metadata: inventory.metadata,
        problems: inventory.problems,
    })
}

/// Shows the content of an .rpm of `length` bytes, as far as it is wanted.
pub(super) fn show(
    mut file: impl BufRead + Seek,
    length: u64,
    to: &mut impl Visitor,
) -> Result<(), ReadError> {
    let Headers { metadata, .. } = headers(&mut file)?;
    let size = length.saturating_sub(file.stream_position()?);
    show_payload(&metadata.header, file, size, to).map(drop)
}

/// The version with release and, where there is one, epoch.
fn version(header: &Header<IndexTag>) -> String {
    let text = |tag| header.get_entry_data_as_string(tag).unwrap_or_default();
    let (version, release) = (text(IndexTag::RPMTAG_VERSION), text(IndexTag::RPMTAG_RELEASE));
    match header.get_entry_data_as_u32(IndexTag::RPMTAG_EPOCH) {
        Ok(epoch) => format!("{epoch}:{version}-{release}"),
        Err(_) => format!("{version}-{release}"),
    }
}

fn provides(header: &Header<IndexTag>) -> Vec<String> {
    let texts = |tag| header.get_entry_data_as_string_array(tag).unwrap_or_default();
    let versions = texts(IndexTag::RPMTAG_PROVIDEVERSION);
    let names = texts(IndexTag::RPMTAG_PROVIDENAME).into_iter().enumerate();
    let provided = |(at, name): (usize, &str)| match versions.get(at) {
        Some(version) if !version.is_empty() => format!("{name} (= {version})"),
        _ => name.to_owned(),
    };
    names.map(provided).collect()
}

fn exactly(from: &mut impl Read, length: usize) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    from.take(length as u64).read_to_end(&mut bytes)?;
    if bytes.len() == length { Ok(bytes) } else { damaged("it ends inside its headers") }
}

/// The bytes of one header, in which every tag's data lies inside the store:
/// what the `rpm` crate takes for granted.
fn header(from: &mut impl Read) -> Result<Vec<u8>, ReadError> {
    let mut bytes = exactly(from, 16)?;
    if !bytes.starts_with(&[0x8e, 0xad, 0xe8, 1]) {
        return damaged("it has no header where one must be");
    }
    let (tags, store) = (number(&bytes, 8), number(&bytes, 12));
    if tags > MOST_TAGS || store > LARGEST_STORE {
        return damaged("it has a header larger than any package needs");
    }
    bytes.extend(exactly(from, tags * 16 + store)?);
    let (index, store) = bytes[16..].split_at(tags * 16);
    // Tags may share data, but not so that reading each takes without end.
    let mut budget = 2 * store.len() + 16 * tags;
    for tag in index.chunks_exact(16) {
        let length = data_length(tag, store, budget);
        let rest = length.and_then(|length| budget.checked_sub(length));
        let Some(rest) = rest else {
            return damaged(format!("its header tag {} has no valid data", number(tag, 0)));
        };
        budget = rest;
    }
    Ok(bytes)
}

fn number(bytes: &[u8], at: usize) -> usize {
    let bytes = bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, |bytes| u32::from_be_bytes(bytes) as usize)
}

/// How many bytes of the store a tag's data takes; none where it is not all there.
fn data_length(tag: &[u8], store: &[u8], budget: usize) -> Option<usize> {
    let (kind, offset, count) = (number(tag, 4), number(tag, 8), number(tag, 12));
    let data = store.get(offset..)?;
    let fixed = |size: usize| count.checked_mul(size).filter(|&length| length <= data.len());
    match kind {
        0 => Some(0),
        1 | 2 | 7 => fixed(1),
        3 => fixed(2),
        4 => fixed(4),
        5 => fixed(8),
        6 if count != 1 => None,
        6 | 8 | 9 => {
            let data = &data[..data.len().min(budget)];
            let mut ends = data.iter().enumerate().filter(|(_, byte)| **byte == 0);
            match count.checked_sub(1) {
                Some(last) => ends.nth(last).map(|(at, _)| at + 1),
                None => Some(0),
            }
        }
        _ => None,
    }
}

fn check_header(signature: &Header<IndexSignatureTag>, digest: Sha256Digest, to: &mut Inventory) {
    match signature.get_entry_data_as_string(IndexSignatureTag::RPMSIGTAG_SHA256) {
        Ok(stated) if stated == digest.to_string() => {}
        Ok(_) => to.problem("its header is not the one that its digest is of".to_owned()),
        Err(_) => to.problem("its header has no SHA-256 digest".to_owned()),
    }
}

fn check_payload(header: &Header<IndexTag>, digest: Sha256Digest, to: &mut Inventory) {
    let stated = header.get_entry_data_as_string_array(IndexTag::RPMTAG_PAYLOADSHA256);
    match stated.ok().and_then(|stated| stated.first().map(|text| text.to_string())) {
        Some(stated) if stated == digest.to_string() => {}
        Some(_) => to.problem("its content is not the one that its header is of".to_owned()),
        None => to.problem("its content has no SHA-256 digest".to_owned()),
    }
}

/// Tags with which a package acts on more than its own files, by what they are.
const ACTIONS: [(&str, &[IndexTag]); 5] = [
    (
        "a scriptlet",
        &[
            IndexTag::RPMTAG_PREIN,
            IndexTag::RPMTAG_POSTIN,
            IndexTag::RPMTAG_PREUN,
            IndexTag::RPMTAG_POSTUN,
            IndexTag::RPMTAG_PRETRANS,
            IndexTag::RPMTAG_POSTTRANS,
            IndexTag::RPMTAG_PREUNTRANS,
            IndexTag::RPMTAG_POSTUNTRANS,
            IndexTag::RPMTAG_VERIFYSCRIPT,
            IndexTag::RPMTAG_PREINPROG,
            IndexTag::RPMTAG_POSTINPROG,
            IndexTag::RPMTAG_PREUNPROG,
            IndexTag::RPMTAG_POSTUNPROG,
            IndexTag::RPMTAG_PRETRANSPROG,
            IndexTag::RPMTAG_POSTTRANSPROG,
            IndexTag::RPMTAG_PREUNTRANSPROG,
            IndexTag::RPMTAG_POSTUNTRANSPROG,
        ],
    ),
    (
        "a trigger",
        &[
            IndexTag::RPMTAG_TRIGGERSCRIPTS,
            IndexTag::RPMTAG_FILETRIGGERSCRIPTS,
            IndexTag::RPMTAG_TRANSFILETRIGGERSCRIPTS,
        ],
    ),
    ("conflicts", &[IndexTag::RPMTAG_CONFLICTNAME]),
    ("obsoletes", &[IndexTag::RPMTAG_OBSOLETENAME]),
    ("recommendations", &[IndexTag::RPMTAG_RECOMMENDNAME, IndexTag::RPMTAG_SUPPLEMENTNAME]),
];

fn check_actions(header: &Header<IndexTag>, to: &mut Inventory) {
    for (what, tags) in ACTIONS {
        if tags.iter().any(|&tag| header.entry_is_present(tag)) {
            to.problem(format!("it has {what}, which no bundle has"));
        }
    }
    let needs = header.get_entry_data_as_string_array(IndexTag::RPMTAG_REQUIRENAME);
    for need in needs.unwrap_or_default() {
        if !need.starts_with("rpmlib(") {
            to.problem(format!("it requires `{need:.100}`, which no bundle does"));
        }
    }
}

/// rpm installs by its header, so that has to tell of the same files as the payload.
fn check_files(header: &Header<IndexTag>, to: &mut Inventory) {
    let texts = |tag| header.get_entry_data_as_string_array(tag).unwrap_or_default();
    let numbers = |tag| header.get_entry_data_as_u32_array(tag).unwrap_or_default();
    let (names, directories) =
        (texts(IndexTag::RPMTAG_BASENAMES), texts(IndexTag::RPMTAG_DIRNAMES));
    let indexes = numbers(IndexTag::RPMTAG_DIRINDEXES);
    let modes = header.get_entry_data_as_u16_array(IndexTag::RPMTAG_FILEMODES).unwrap_or_default();
    let (users, groups) =
        (texts(IndexTag::RPMTAG_FILEUSERNAME), texts(IndexTag::RPMTAG_FILEGROUPNAME));
    let (digests, targets) =
        (texts(IndexTag::RPMTAG_FILEDIGESTS), texts(IndexTag::RPMTAG_FILELINKTOS));
    let flags = numbers(IndexTag::RPMTAG_FILEFLAGS);
    let mut told = std::collections::BTreeSet::new();
    for (at, name) in names.iter().enumerate() {
        let directory = indexes.get(at).and_then(|&index| directories.get(index as usize));
        let path = format!("{}{name}", directory.unwrap_or(&"?"));
        let text = |list: &[&str]| list.get(at).map_or(String::new(), |text| (*text).to_owned());
        let mode = modes.get(at).copied().unwrap_or_default();
        let same = match to.paths.get(path.trim_start_matches('/')) {
            Some(Found::Directory { mode: found }) => mode == 0o040_000 | *found as u16,
            Some(Found::File { mode: found, sha256, .. }) => {
                mode == 0o100_000 | *found as u16 && text(&digests) == sha256.to_string()
            }
            Some(Found::Symlink { target }) => mode == 0o120_777 && text(&targets) == *target,
            _ => false,
        };
        if !same {
            to.problem(format!("its header tells otherwise of `{path:.200}` than its content"));
        }
        if (text(&users).as_str(), text(&groups).as_str()) != ("root", "root") {
            to.problem(format!("`{path:.200}` is not owned by root"));
        }
        if flags.get(at).copied().unwrap_or_default() & !DOCUMENT != 0 {
            to.problem(format!("`{path:.200}` is marked as more than a file"));
        }
        told.insert(path.trim_start_matches('/').to_owned());
    }
    if header.entry_is_present(IndexTag::RPMTAG_FILECAPS) {
        to.problem("it has file capabilities, which no bundle has".to_owned());
    }
    let untold: Vec<String> =
        to.paths.keys().filter(|path| !told.contains(*path)).cloned().collect();
    for path in untold {
        to.problem(format!("its header does not tell of `/{path:.200}`"));
    }
}

/// `RPMFILE_DOC` of rpm's rpmfiles.h.
const DOCUMENT: u32 = 1 << 1;

/// Hashes what is read through it.
struct Counted<R> {
    from: R,
    sha256: Sha256,
}

impl<R> Counted<R> {
    fn new(from: R) -> Self {
        Counted { from, sha256: Sha256::new() }
    }

    fn finish(self) -> Sha256Digest {
        Sha256Digest::from_hasher(self.sha256)
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.sha256.update(&buffer[..read]);
        Ok(read)
    }
}

/// Shows the entries of a payload, and tells how it is compressed.
fn show_payload(
    header: &Header<IndexTag>,
    mut from: impl BufRead,
    size: u64,
    to: &mut impl Visitor,
) -> Result<Option<Method>, ReadError> {
    let method = method(header, &mut from)?;
    let mut payload = decompress(method, from, size)?;
    while let Some((entry, size)) = cpio_entry(&mut payload)? {
        let mut content = (&mut payload).take(size);
        if to.entry(entry, &mut content)?.is_break() {
            return Ok(method);
        }
        drain(&mut content)?;
        skip(&mut payload, (4 - size % 4) % 4)?;
    }
    drain(&mut payload)?;
    Ok(method)
}

/// How a payload is compressed, as its header names it. rpmbuild names nothing where it does not
/// compress; others did so where they used gzip.
fn method(header: &Header<IndexTag>, from: &mut impl BufRead) -> Result<Option<Method>, ReadError> {
    let compression = header.get_entry_data_as_string(IndexTag::RPMTAG_PAYLOADCOMPRESSOR);
    match compression.unwrap_or_default() {
        "" if !from.fill_buf()?.starts_with(&[0x1f, 0x8b]) => Ok(None),
        "" | "gzip" => Ok(Some(Method::Gzip)),
        "xz" => Ok(Some(Method::Xz)),
        "zstd" => Ok(Some(Method::Zstd)),
        "none" => Ok(None),
        other => Err(ReadError::Compression(other.to_owned())),
    }
}

/// The archive in an .rpm of `length` bytes, before it was compressed.
pub(super) fn stream(
    mut file: impl BufRead + Seek,
    length: u64,
) -> Result<Vec<RawArchive>, ReadError> {
    let Headers { metadata, .. } = headers(&mut file)?;
    let size = length.saturating_sub(file.stream_position()?);
    let method = method(&metadata.header, &mut file)?;
    let payload = decompress(method, file, size)?;
    Ok(vec![stream_of("cpio", payload)?])
}

fn skip(from: &mut impl Read, length: u64) -> Result<(), ReadError> {
    let skipped = io::copy(&mut from.take(length), &mut io::sink())?;
    if skipped == length { Ok(()) } else { damaged("its content ends too early") }
}

/// The next "newc" header, and how many bytes of content are left to read; none at the trailer.
fn cpio_entry(from: &mut impl Read) -> Result<Option<(Entry, u64)>, ReadError> {
    let mut header = [0; 110];
    from.read_exact(&mut header).or_else(|_| damaged("its content ends too early"))?;
    if !header.starts_with(b"070701") && !header.starts_with(b"070702") {
        return damaged("its content is no cpio archive of the kind that is read here");
    }
    let fields: Option<Vec<u64>> = header[6..].chunks_exact(8).map(hexadecimal).collect();
    let Some(fields) = fields else {
        return damaged("its content has a cpio header with other than hexadecimal digits");
    };
    let (mode, size, name_size) = (fields[1] as u32, fields[6], fields[11]);
    if name_size == 0 || name_size > LONGEST_NAME {
        return damaged(format!("it has a name of more than {LONGEST_NAME} bytes"));
    }
    let mut name = exactly(from, name_size as usize)?;
    name.pop();
    skip(from, (4 - (110 + name_size) % 4) % 4)?;
    if name == b"TRAILER!!!" {
        return Ok(None);
    }
    let kind = match mode & 0o170_000 {
        0o040_000 => EntryKind::Directory,
        0o100_000 => EntryKind::File,
        0o120_000 if size > LONGEST_NAME => {
            return damaged(format!("it has a link target of more than {LONGEST_NAME} bytes"));
        }
        0o120_000 => {
            let target = exactly(from, size as usize)?;
            skip(from, (4 - size % 4) % 4)?;
            EntryKind::Symlink { target }
        }
        _ => EntryKind::Other("special file"),
    };
    let left = if let EntryKind::Symlink { .. } = kind { 0 } else { size };
    let owned_by_root = fields[2] == 0 && fields[3] == 0;
    Ok(Some((Entry { name, kind, mode: mode & 0o7777, size, owned_by_root }, left)))
}

fn hexadecimal(digits: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(digits).ok()?;
    let plain = text.bytes().all(|byte| byte.is_ascii_hexdigit());
    plain.then(|| u64::from_str_radix(text, 16).ok()).flatten()
}
