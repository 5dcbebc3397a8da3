//! One pass over the content of a release, into every format at once.

use super::compress::Encoder;
use super::deb::{self, DataTar};
use super::item::{Content, Item, Kind, Meta, Payload};
use super::rpm::{self, Cpio, Sums};
use crate::model::compression::{Compression, Format};
use crate::model::digest::Sha256Digest;
use crate::model::tree::TreePath;
use sha2::{Digest, Sha256};
use std::io::{self, Read, Seek, Write};
use std::thread;

/// Content that changed between the first reading and the second.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("`{0}` changed while it was bundled")]
    Changed(TreePath),
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// A package under construction: its payload goes to `spool`, the whole to `to`.
pub struct Job<S, W> {
    pub format: Format,
    pub compression: Compression,
    pub spool: S,
    pub to: W,
}

/// Writes the packages of one release. `open` opens a file of the module root.
///
/// Content streams: a chunk at a time is read, checked against the digest that
/// `bundle.json` has of it, and handed to all formats.
pub fn build<S: Read + Write + Seek + Send + 'static, W: Write + Send, R: Read>(
    jobs: Vec<Job<S, W>>,
    meta: &Meta,
    items: &[Item],
    mut open: impl FnMut(&TreePath) -> io::Result<R>,
) -> Result<(), BuildError> {
    let mut streams = Vec::new();
    let mut ends = Vec::new();
    for Job { format, compression, spool, to } in jobs {
        streams.push(Stream::new(format, spool, meta.time, compression)?);
        ends.push((to, compression));
    }
    let mut buffer = vec![0; 64 << 10];
    for item in items {
        streams.iter_mut().try_for_each(|stream| stream.item(item))?;
        let mut give = |bytes: &[u8]| streams.iter_mut().try_for_each(|to| to.content(bytes));
        match &item.kind {
            Kind::File { content: Content::Bytes(bytes), .. } => give(bytes)?,
            Kind::File { content: Content::Tree(path), size, sha256, .. } => {
                let read = copy(&mut open(path)?, *size, &mut buffer, give)?;
                if read != Some(*sha256) {
                    return Err(BuildError::Changed(path.clone()));
                }
            }
            Kind::Directory | Kind::SystemDirectory | Kind::Symlink { .. } => {}
        }
    }
    // What is left of each waits for its compressor first.
    thread::scope(|scope| {
        let ends = streams.into_iter().zip(ends).map(|(stream, (mut to, compression))| {
            scope.spawn(move || {
                stream.finish(&mut to, meta, items, compression)?;
                to.flush()
            })
        });
        let ends: Vec<_> = ends.collect();
        ends.into_iter()
            .try_for_each(|end| end.join().map_err(|_| io::Error::other("a packer stopped"))?)
    })?;
    Ok(())
}

/// Gives `size` bytes away; answers with their digest, or none where there are more or fewer.
fn copy(
    from: &mut impl Read,
    size: u64,
    buffer: &mut [u8],
    mut give: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<Option<Sha256Digest>> {
    let mut sha256 = Sha256::new();
    let mut rest = size;
    loop {
        let read = from.read(buffer)?;
        if read as u64 > rest {
            return Ok(None);
        }
        if read == 0 {
            return Ok((rest == 0).then(|| Sha256Digest::from_hasher(sha256)));
        }
        sha256.update(&buffer[..read]);
        give(&buffer[..read])?;
        rest -= read as u64;
    }
}

type Compressed<S> = Hashing<Encoder<Hashing<S>>>;

/// The payload of one package on its way to the spool.
enum Stream<S: Write> {
    Deb(DataTar<Encoder<Hashing<S>>>),
    Rpm(Cpio<Compressed<S>>),
}

impl<S: Read + Write + Seek + Send + 'static> Stream<S> {
    fn new(format: Format, spool: S, time: u32, compression: Compression) -> io::Result<Self> {
        let encoder = Encoder::new(compression, Hashing::new(spool))?;
        Ok(match format {
            Format::Deb => Stream::Deb(DataTar::new(encoder, time)?),
            Format::Rpm => Stream::Rpm(Cpio::new(Hashing::new(encoder), time)),
        })
    }

    fn finish(
        self,
        to: &mut impl Write,
        meta: &Meta,
        items: &[Item],
        compression: Compression,
    ) -> io::Result<()> {
        match self {
            Stream::Deb(tar) => {
                // The last blocks of the data are still being compressed.
                let control = deb::control_member(meta, items, compression)?;
                let mut spooled = tar.finish()?.finish()?;
                spooled.to.rewind()?;
                let (data, size) = (&mut spooled.to, spooled.size);
                deb::write(to, meta.time, &control, data, size, compression.method())
            }
            Stream::Rpm(cpio) => {
                let archive = cpio.finish()?;
                let (archive_size, digest) = (archive.size, archive.sha256);
                let spooled = archive.to.finish()?;
                let sums = Sums {
                    archive_size,
                    archive: Sha256Digest::from_hasher(digest),
                    size: spooled.size,
                    compressed: Sha256Digest::from_hasher(spooled.sha256),
                };
                rpm::write(to, meta, items, sums, compression, &mut { spooled.to })
            }
        }
    }
}

impl<S: Write> Payload for Stream<S> {
    fn item(&mut self, item: &Item) -> io::Result<()> {
        match self {
            Stream::Deb(tar) => tar.item(item),
            Stream::Rpm(cpio) => cpio.item(item),
        }
    }

    fn content(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Stream::Deb(tar) => tar.content(bytes),
            Stream::Rpm(cpio) => cpio.content(bytes),
        }
    }
}

/// Counts and hashes what passes.
struct Hashing<W> {
    to: W,
    size: u64,
    sha256: Sha256,
}

impl<W> Hashing<W> {
    fn new(to: W) -> Self {
        Hashing { to, size: 0, sha256: Sha256::new() }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.sha256.update(&bytes[..written]);
        self.size += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}
