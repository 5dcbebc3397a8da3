//! Packages that anyone may have made: what is in them, within bounds of
//! memory and time, and nothing written anywhere.

pub(super) mod deb;
mod pick;
pub(super) mod rpm;

pub use pick::{Choice, pick};

use crate::model::bundle;
use crate::model::compression::{Format, Method};
use crate::model::digest::Sha256Digest;
use crate::model::interface::document;
use crate::model::module::{LARGEST_METADATA, METADATA, Metadata};
use crate::model::value::printable;
use crate::model::verified::RawArchive;
use crate::model::verify::Found;
use flate2::bufread::MultiGzDecoder;
use liblzma::bufread::XzDecoder;
use liblzma::stream::{CONCATENATED, Stream};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::ControlFlow;

/// More paths than this are not read.
const MOST_PATHS: usize = 2_000_000;

/// Bytes of all paths and targets together; a large release has some millions.
const MOST_NAMES: usize = 128 << 20;

/// Longest name or link target of an entry; Linux opens no longer path.
const LONGEST_NAME: u64 = 4096;

/// How much compressed content may grow: a fixed allowance, and so many times its size.
/// Zeros of a sparse file become some thousand times smaller, so the allowance is what bounds
/// them; it is read in seconds.
const EXPANSION: (u64, u64) = (4 << 30, 300);

/// Memory that a decompressor may take: more than any level of xz or of
/// `zstd --long=27` needs.
const DECOMPRESSOR_MEMORY: u64 = 256 << 20;
const ZSTD_WINDOW_LOG: u32 = 27;

/// A package as it was found.
#[derive(Debug)]
pub struct Package {
    pub format: Format,
    pub name: String,
    /// With epoch and revision, as the package manager shows it.
    pub version: String,
    pub architecture: String,
    /// What it provides, as `NAME (= VERSION)` where it has a version.
    pub provides: Vec<String>,
    /// Maintainer or packager; may be empty.
    pub maintainer: String,
    /// Compression of the content, as the format names it.
    pub compression: String,
    /// Every path, without a leading `/`.
    pub paths: BTreeMap<String, Found>,
    /// The release's directory and the text of its `bundle.json`, where there is one.
    pub bundle: Option<(String, Vec<u8>)>,
    /// The same of its `interface.json`.
    pub interface: Option<(String, Vec<u8>)>,
    /// What each metadata.json of it tells of a module, by its path.
    pub metadata: BTreeMap<String, Metadata>,
    /// What makes the package other than it says it is, or dangerous to install.
    pub problems: Vec<String>,
}

/// Why a file cannot be read as a package.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("expected a .deb or an .rpm, found neither")]
    Neither,
    #[error("{0}")]
    Damaged(String),
    #[error("its content is compressed with `{0}`, which is not read here")]
    Compression(String),
    #[error("{what} cannot be read: {why}", what = .0, why = shown(.1))]
    Header(&'static str, io::Error),
    #[error("{}", shown(.0))]
    Io(io::Error),
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        ReadError::Io(error)
    }
}

/// What a library says of bytes that anyone may have chosen, on one line.
fn shown(error: &io::Error) -> String {
    let text = error.to_string();
    let short: String = text.chars().take(100).collect();
    printable(&short) + if short.len() < text.len() { "…" } else { "" }
}

/// An error of a header of the archive in a package.
fn header_of(what: &'static str) -> impl Fn(io::Error) -> ReadError {
    move |error| ReadError::Header(what, error)
}

pub(super) fn damaged<T>(what: impl Into<String>) -> Result<T, ReadError> {
    Err(ReadError::Damaged(what.into()))
}

/// Reads a package.
pub fn read(mut file: impl Read + Seek) -> Result<Package, ReadError> {
    let (format, length) = format(&mut file)?;
    match format {
        Format::Deb => deb::read(BufReader::new(file), length),
        Format::Rpm => rpm::read(BufReader::new(file), length),
    }
}

/// The archives in a package, before they were compressed.
pub fn streams(mut file: impl Read + Seek) -> Result<Vec<RawArchive>, ReadError> {
    let (format, length) = format(&mut file)?;
    match format {
        Format::Deb => deb::streams(BufReader::new(file), length),
        Format::Rpm => rpm::stream(BufReader::new(file), length),
    }
}

/// What a file is, and how long; it is at its start again.
fn format(file: &mut (impl Read + Seek)) -> Result<(Format, u64), ReadError> {
    let length = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    let mut magic = Vec::new();
    file.take(8).read_to_end(&mut magic)?;
    file.rewind()?;
    match magic.as_slice() {
        b"!<arch>\n" => Ok((Format::Deb, length)),
        [0xed, 0xab, 0xee, 0xdb, ..] => Ok((Format::Rpm, length)),
        _ => Err(ReadError::Neither),
    }
}

fn stream_of(name: &'static str, from: impl Read) -> Result<RawArchive, ReadError> {
    Ok(RawArchive { name, sha256: Sha256Digest::of_reader(from)?.0 })
}

/// A decompressor of at most `size` compressed bytes that gives no more than
/// [`EXPANSION`] allows.
fn decompress<'a>(
    method: Option<Method>,
    from: impl BufRead + 'a,
    size: u64,
) -> Result<Bounded<Box<dyn Read + 'a>>, ReadError> {
    let limit = size.saturating_mul(EXPANSION.1).saturating_add(EXPANSION.0);
    let from: Box<dyn Read + 'a> = match method {
        None => Box::new(from),
        Some(Method::Gzip) => Box::new(MultiGzDecoder::new(from)),
        Some(Method::Xz) => {
            let stream = Stream::new_stream_decoder(DECOMPRESSOR_MEMORY, CONCATENATED);
            Box::new(XzDecoder::new_stream(from, stream.map_err(io::Error::other)?))
        }
        Some(Method::Zstd) => {
            let mut decoder = zstd::Decoder::with_buffer(from)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG)?;
            Box::new(decoder)
        }
    };
    Ok(Bounded { from, is_compressed: method.is_some(), rest: limit })
}

/// Reads up to a limit; more is an error and not an end.
struct Bounded<R> {
    from: R,
    is_compressed: bool,
    rest: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer).map_err(|error| {
            let what = format!("its content cannot be decompressed: {error}");
            if self.is_compressed { io::Error::new(error.kind(), what) } else { error }
        })?;
        self.rest = self.rest.checked_sub(read as u64).ok_or_else(|| {
            io::Error::other(format!(
                "its content grows to more than {} GiB, and {} times its size",
                EXPANSION.0 >> 30,
                EXPANSION.1
            ))
        })?;
        Ok(read)
    }
}

/// Reads what is left, so that the decompressor comes to its own checks.
fn drain(from: &mut impl Read) -> io::Result<u64> {
    io::copy(from, &mut io::sink())
}

/// An entry of an archive, apart from its content.
struct Entry {
    name: Vec<u8>,
    kind: EntryKind,
    mode: u32,
    size: u64,
    owned_by_root: bool,
}

enum EntryKind {
    Directory,
    File,
    Symlink { target: Vec<u8> },
    Other(&'static str),
}

/// Who is shown the entries of an archive, one after the other.
trait Visitor {
    /// Looks at an entry, and says whether to go on.
    fn entry(&mut self, entry: Entry, content: &mut dyn Read)
    -> Result<ControlFlow<()>, ReadError>;

    /// Hears what is wrong with the archive itself.
    fn problem(&mut self, text: String);
}

impl Visitor for Inventory {
    fn entry(
        &mut self,
        entry: Entry,
        content: &mut dyn Read,
    ) -> Result<ControlFlow<()>, ReadError> {
        self.take(entry, content).map(ControlFlow::Continue)
    }

    fn problem(&mut self, text: String) {
        // As many as anyone reads; what is hostile may have millions.
        if self.problems.len() < 100 {
            self.problems.push(text);
        }
    }
}

/// Takes in the entries of an archive.
#[derive(Default)]
struct Inventory {
    paths: BTreeMap<String, Found>,
    bundle: Option<(String, Vec<u8>)>,
    interface: Option<(String, Vec<u8>)>,
    metadata: BTreeMap<String, Metadata>,
    problems: Vec<String>,
    /// Bytes of names taken in.
    names: usize,
}

impl Inventory {
    /// Takes in one entry; reads all its content.
    fn take(&mut self, entry: Entry, content: &mut dyn Read) -> Result<(), ReadError> {
        if self.paths.len() >= MOST_PATHS {
            return damaged(format!("it has more than {MOST_PATHS} paths"));
        }
        self.names += entry.name.len();
        if let EntryKind::Symlink { target } = &entry.kind {
            self.names += target.len();
        }
        if self.names > MOST_NAMES {
            return damaged(format!("its paths have more than {MOST_NAMES} bytes"));
        }
        let path = self.clean(&entry.name);
        let found = match entry.kind {
            EntryKind::Directory => Found::Directory { mode: entry.mode },
            EntryKind::File => self.file(&path, &entry, content)?,
            EntryKind::Symlink { target } => {
                Found::Symlink { target: String::from_utf8_lossy(&target).into_owned() }
            }
            EntryKind::Other(kind) => {
                self.problem(format!("`{path}` is a {kind}"));
                Found::Special
            }
        };
        if !entry.owned_by_root {
            self.problem(format!("`{path}` is not owned by root"));
        }
        if self.paths.insert(path.clone(), found).is_some() {
            self.problem(format!("`{path}` is in the package twice"));
        }
        Ok(())
    }

    fn file(
        &mut self,
        path: &str,
        entry: &Entry,
        content: &mut dyn Read,
    ) -> Result<Found, ReadError> {
        let (document, largest) = match path.rsplit('/').next() {
            Some(bundle::FILE_NAME) => (&mut self.bundle, bundle::LARGEST),
            _ => (&mut self.interface, document::LARGEST),
        };
        let directory = release_directory(path).filter(|_| document.is_none());
        let is_metadata =
            path.rsplit('/').next() == Some(METADATA) && entry.size <= LARGEST_METADATA;
        let mut kept = Vec::new();
        if directory.is_some() && entry.size > largest {
            return damaged(format!("`{path}` has more than {largest} bytes"));
        }
        let (mut size, mut sha256) = (0, Sha256::new());
        let mut buffer = [0; 16 << 10];
        loop {
            let read = content.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            sha256.update(&buffer[..read]);
            size += read as u64;
            if directory.is_some() || is_metadata {
                kept.extend_from_slice(&buffer[..read]);
            }
        }
        if size != entry.size {
            return damaged(format!("it ends inside `{path}`"));
        }
        if is_metadata {
            // What cannot be read tells nothing, as where the bundle was made.
            let metadata: Metadata = serde_json::from_slice(&kept).unwrap_or_default();
            self.names += path.len() + metadata.bytes();
            self.metadata.insert(path.to_owned(), metadata);
        } else if let Some(directory) = directory {
            *document = Some((directory, kept));
        }
        Ok(Found::File { mode: entry.mode, size, sha256: Sha256Digest::from_hasher(sha256) })
    }

    /// The path without `./`, `/` before it and `/` after it; a name that leads elsewhere is a problem.
    fn clean(&mut self, name: &[u8]) -> String {
        let text = String::from_utf8_lossy(name).into_owned();
        let path = relative(&text);
        let odd = path.split('/').any(|part| part.is_empty() || part == "." || part == "..");
        if (odd && !path.is_empty() && path != ".") || path.chars().any(char::is_control) {
            self.problem(format!("{text:?} is no path for a package"));
        }
        path.to_owned()
    }
}

/// A name of an archive without `./` or `/` before it and `/` after it.
fn relative(name: &str) -> &str {
    let relative = name.strip_prefix("./").or(name.strip_prefix('/')).unwrap_or(name);
    relative.strip_suffix('/').unwrap_or(relative)
}

/// The directory of a release whose `bundle.json` or `interface.json` this is:
/// `usr/share/localpuppet/foo/r1`.
fn release_directory(path: &str) -> Option<String> {
    release_document(path)?;
    path.rsplit_once('/').map(|(directory, _)| directory.to_owned())
}

/// The name of a document that describes a release, where this is the path of one.
pub fn release_document(path: &str) -> Option<&'static str> {
    let (directory, name) = path.rsplit_once('/')?;
    let below =
        directory.strip_prefix(bundle::INSTALL_ROOT.strip_prefix('/')?)?.strip_prefix('/')?;
    let known = [bundle::FILE_NAME, document::FILE_NAME].into_iter().find(|known| *known == name);
    known.filter(|_| below.split('/').count() == 2)
}
