//! Compressed streams whose bytes do not depend on the number of cores.

use crate::model::compression::{Compression, Method};
use flate2::{Compress, Crc, FlushCompress, Status};
use liblzma::stream::{Check, Filters, LzmaOptions, MtStreamBuilder, Stream};
use liblzma::write::XzEncoder;
use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, channel, sync_channel};
use std::thread::JoinHandle;
use zstd::zstd_safe::CParameter;

/// Input that one thread compresses at a time. Fixed, so that it shapes the bytes
/// alike everywhere; large enough that a block's lost history costs little.
const BLOCK: usize = 1 << 20;
const XZ_BLOCK: u64 = 4 << 20;

/// A thread of xz takes some 60 MiB.
const XZ_THREADS: usize = 4;

/// 16 MiB, so that what modules repeat of each other is found again; every
/// reader takes up to 128 MiB (`ZSTD_WINDOWLOG_LIMIT_DEFAULT`).
const ZSTD_WINDOW_LOG: u32 = 24;

/// From here up, finding what is repeated from far away saves time: less is left
/// for the search. Below, it takes longer than it saves.
const ZSTD_LONG_MATCHES_FROM: u8 = 5;

/// How level 5 is other than zstd's own: in Puppet code a match of 5 bytes costs more than it saves,
/// and what is repeated from far away is long and found with fewer looks.
const ZSTD_LEVEL_5: [CParameter; 3] =
    [CParameter::MinMatch(6), CParameter::LdmMinMatch(128), CParameter::LdmHashRateLog(8)];

/// Compresses what is written to it.
pub enum Encoder<W: Write> {
    Gzip(Gzip<W>),
    Xz(XzEncoder<W>),
    Zstd(Zstd<W>),
}

impl<W: Write + Send + 'static> Encoder<W> {
    /// A stream into `to`.
    pub fn new(compression: Compression, to: W) -> io::Result<Self> {
        let level = compression.level();
        match compression.method() {
            Method::Gzip => Ok(Encoder::Gzip(Gzip::new(level, to)?)),
            Method::Xz => {
                let mut options = LzmaOptions::new_preset(u32::from(level))?;
                // A block never looks back further than itself; more is memory for nothing.
                options.dict_size(XZ_BLOCK as u32);
                let threads = rayon::current_num_threads().min(XZ_THREADS) as u32;
                let mut builder = MtStreamBuilder::new();
                builder.threads(threads).check(Check::Crc64);
                let mut filters = Filters::new();
                filters.lzma2(&options);
                builder.filters(filters);
                let stream = builder.block_size(XZ_BLOCK).encoder()?;
                Ok(Encoder::Xz(XzEncoder::new_stream(to, stream)))
            }
            Method::Zstd => Ok(Encoder::Zstd(Zstd::new(level, to)?)),
        }
    }

    /// Ends the stream and gives back what it was written into.
    pub fn finish(self) -> io::Result<W> {
        match self {
            Encoder::Gzip(encoder) => encoder.finish(),
            Encoder::Xz(encoder) => encoder.finish(),
            Encoder::Zstd(encoder) => encoder.finish(),
        }
    }
}

impl<W: Write> Write for Encoder<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Encoder::Gzip(encoder) => encoder.write(bytes),
            Encoder::Xz(encoder) => encoder.write(bytes),
            Encoder::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// zstd (RFC 8878): one frame, as dpkg reads no second, made by one thread of
/// its own. Several threads would cut the window, or take memory for many.
pub struct Zstd<W> {
    block: Vec<u8>,
    blocks: SyncSender<Vec<u8>>,
    thread: JoinHandle<io::Result<W>>,
}

impl<W: Write> Zstd<W> {
    fn new(level: u8, to: W) -> io::Result<Self>
    where
        W: Send + 'static,
    {
        let mut encoder = zstd::Encoder::new(to, i32::from(level))?;
        encoder.window_log(ZSTD_WINDOW_LOG)?;
        encoder.long_distance_matching(level >= ZSTD_LONG_MATCHES_FROM)?;
        if level == 5 {
            ZSTD_LEVEL_5.into_iter().try_for_each(|parameter| encoder.set_parameter(parameter))?;
        }
        let (blocks, received) = sync_channel::<Vec<u8>>(2);
        let thread = std::thread::spawn(move || {
            received.into_iter().try_for_each(|block| encoder.write_all(&block))?;
            encoder.finish()
        });
        Ok(Zstd { block: Vec::with_capacity(BLOCK), blocks, thread })
    }

    fn finish(self) -> io::Result<W> {
        // A thread that is gone says why when it is joined.
        let _ = self.blocks.send(self.block);
        drop(self.blocks);
        self.thread.join().map_err(|_| io::Error::other("the compressor stopped"))?
    }
}

impl<W> Write for Zstd<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..taken]);
        if self.block.len() == BLOCK {
            let block = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK));
            let sent = self.blocks.send(block);
            sent.map_err(|_| io::Error::other("failed to write compressed content"))?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Deflate, no flags, no time; made on Unix.
pub const GZIP_HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3];

/// gzip (RFC 1952): one member of blocks compressed apart, each but the last
/// ended by an empty stored block so that they join on a byte.
pub struct Gzip<W: Write> {
    to: W,
    level: u8,
    block: Vec<u8>,
    waiting: VecDeque<Receiver<io::Result<Block>>>,
    crc: Crc,
}

struct Block {
    deflated: Vec<u8>,
    crc: Crc,
}

impl<W: Write> Gzip<W> {
    fn new(level: u8, mut to: W) -> io::Result<Self> {
        // The "extra flags" of RFC 1952: slowest and fastest say so.
        let extra = match level {
            9 => 2,
            1 => 4,
            _ => 0,
        };
        let mut header = GZIP_HEADER;
        header[8] = extra;
        to.write_all(&header)?;
        let block = Vec::with_capacity(BLOCK);
        Ok(Gzip { to, level, block, waiting: VecDeque::new(), crc: Crc::new() })
    }

    fn hand_over(&mut self, flush: FlushCompress) -> io::Result<()> {
        let block = std::mem::replace(&mut self.block, Vec::with_capacity(BLOCK));
        let (sender, receiver) = channel();
        let level = self.level;
        // A receiver that is gone has failed already.
        rayon::spawn(move || drop(sender.send(deflate(&block, level, flush))));
        self.waiting.push_back(receiver);
        if self.waiting.len() > 2 * rayon::current_num_threads() {
            self.take_back()?;
        }
        Ok(())
    }

    fn take_back(&mut self) -> io::Result<()> {
        let Some(receiver) = self.waiting.pop_front() else { return Ok(()) };
        // On a thread of the pool, waiting means doing the pool's work.
        while rayon::yield_now().is_some() {
            match receiver.try_recv() {
                Err(TryRecvError::Empty) => continue,
                block => return self.append(block.map_err(io::Error::other)??),
            }
        }
        let block = receiver.recv().map_err(io::Error::other)??;
        self.append(block)
    }

    fn append(&mut self, block: Block) -> io::Result<()> {
        self.crc.combine(&block.crc);
        self.to.write_all(&block.deflated)
    }

    fn finish(mut self) -> io::Result<W> {
        self.hand_over(FlushCompress::Finish)?;
        while !self.waiting.is_empty() {
            self.take_back()?;
        }
        self.to.write_all(&self.crc.sum().to_le_bytes())?;
        self.to.write_all(&self.crc.amount().to_le_bytes())?;
        Ok(self.to)
    }
}

impl<W: Write> Write for Gzip<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..taken]);
        if self.block.len() == BLOCK {
            self.hand_over(FlushCompress::Sync)?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn deflate(block: &[u8], level: u8, flush: FlushCompress) -> io::Result<Block> {
    let mut crc = Crc::new();
    crc.update(block);
    let mut compress = Compress::new(flate2::Compression::new(u32::from(level)), false);
    let mut deflated = Vec::with_capacity(block.len() / 2 + 64);
    loop {
        let taken = compress.total_in() as usize;
        let status = compress.compress_vec(&block[taken..], &mut deflated, flush)?;
        let whole = match flush {
            FlushCompress::Finish => status == Status::StreamEnd,
            // Room left over means that the flush was written out.
            _ => {
                compress.total_in() as usize == block.len() && deflated.len() < deflated.capacity()
            }
        };
        if whole {
            return Ok(Block { deflated, crc });
        }
        deflated.reserve(deflated.capacity());
    }
}

/// A whole stream, for what is small.
pub fn compressed(bytes: &[u8], compression: Compression) -> io::Result<Vec<u8>> {
    let mut encoder = Encoder::new(compression, Vec::new())?;
    encoder.write_all(bytes)?;
    encoder.finish()
}

/// One gzip member, for files inside a package.
pub fn gzip(bytes: &[u8], level: u8) -> io::Result<Vec<u8>> {
    let mut gzip = Gzip::new(level, Vec::new())?;
    gzip.write_all(bytes)?;
    gzip.finish()
}

/// Text as a part of a gzip stream: parts that are put in a row are one stream.
pub fn deflated(text: &str, level: u8) -> io::Result<Vec<u8>> {
    deflate(text.as_bytes(), level, FlushCompress::Sync).map(|block| block.deflated)
}

/// One gzip member of parts and of what they are.
pub fn gzip_of<'a>(parts: impl Iterator<Item = &'a [u8]>, text: &str) -> Vec<u8> {
    let mut crc = Crc::new();
    crc.update(text.as_bytes());
    let mut bytes = GZIP_HEADER.to_vec();
    parts.for_each(|part| bytes.extend_from_slice(part));
    // A last block, of nothing.
    bytes.extend([3, 0]);
    bytes.extend(crc.sum().to_le_bytes());
    bytes.extend(crc.amount().to_le_bytes());
    bytes
}

/// Text as a block of an xz stream, and how long that is without its padding.
pub fn xz_block(text: &str, level: u8) -> io::Result<(Vec<u8>, usize)> {
    let mut options = LzmaOptions::new_preset(u32::from(level))?;
    // It never looks back further than to its start; more is memory for nothing.
    options.dict_size(u32::try_from(text.len()).unwrap_or(u32::MAX).clamp(1 << 16, 8 << 20));
    let mut filters = Filters::new();
    filters.lzma2(&options);
    let stream = Stream::new_stream_encoder(&filters, Check::Crc64)?;
    let mut encoder = XzEncoder::new_stream(Vec::new(), stream);
    encoder.write_all(text.as_bytes())?;
    let stream = encoder.finish()?;
    block_of(&stream).ok_or_else(|| io::Error::other("xz made no stream of one block"))
}

/// The block of a stream that has one: between the header and the index, whose one record begins
/// with the block's length without padding (xz's doc/xz-file-format.txt, 2 to 4).
fn block_of(stream: &[u8]) -> Option<(Vec<u8>, usize)> {
    let (rest, footer) = stream.split_last_chunk::<12>()?;
    let index = (u32::from_le_bytes(*footer[4..].first_chunk()?) as usize + 1) * 4;
    let (rest, index) = rest.split_at_checked(rest.len().checked_sub(index)?)?;
    let number = index.get(2..)?.iter().take(9).enumerate();
    let mut unpadded = 0;
    for (at, byte) in number {
        unpadded |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            break;
        }
    }
    let block = rest.get(XZ_HEADER.len()..)?.to_vec();
    (block.len() == unpadded.next_multiple_of(4)).then_some((block, unpadded))
}

/// An xz stream's magic bytes, "checked by CRC64", and the CRC32 of that.
pub const XZ_HEADER: [u8; 12] = [0xfd, b'7', b'z', b'X', b'Z', 0, 0, 4, 0xe6, 0xd6, 0xb4, 0x46];

/// One xz stream of blocks: each one's bytes, its length without padding, and that of its text.
/// apt reads no second stream of a file.
pub fn xz_of(blocks: &[(&[u8], usize, usize)]) -> Vec<u8> {
    let mut bytes = XZ_HEADER.to_vec();
    let mut index = vec![0];
    push_number(&mut index, blocks.len());
    for (block, unpadded, text) in blocks {
        bytes.extend_from_slice(block);
        push_number(&mut index, *unpadded);
        push_number(&mut index, *text);
    }
    index.resize(index.len().next_multiple_of(4), 0);
    let mut footer = (index.len() as u32 / 4).to_le_bytes().to_vec();
    footer.extend([0, 4]);
    let crc = |bytes: &[u8]| {
        let mut crc = Crc::new();
        crc.update(bytes);
        crc.sum().to_le_bytes()
    };
    bytes.extend_from_slice(&index);
    bytes.extend(crc(&index));
    bytes.extend(crc(&footer));
    bytes.extend(footer);
    bytes.extend(b"YZ");
    bytes
}

/// Seven bits a byte, the lowest first.
fn push_number(to: &mut Vec<u8>, mut number: usize) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

/// What a gzip stream holds, which is text of at most `largest` bytes.
pub fn gunzip(bytes: &[u8], largest: u64) -> io::Result<String> {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(bytes).take(largest).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::compression::Format;
    use std::io::Read;

    /// Some text that compresses, and repeats beyond any window.
    fn text(length: usize) -> Vec<u8> {
        (0..length as u32).map(|i| (i.wrapping_mul(i) >> 7) as u8 & 63 | 32).collect()
    }

    fn packed(method: Method, bytes: &[u8], threads: usize) -> Vec<u8> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            let compression = Compression::new(method, None, Format::Deb).unwrap();
            let mut encoder = Encoder::new(compression, Vec::new()).unwrap();
            bytes.chunks(7919).for_each(|chunk| encoder.write_all(chunk).unwrap());
            encoder.finish().unwrap()
        })
    }

    #[test]
    fn bytes_do_not_depend_on_the_number_of_threads() {
        let bytes = text(9 << 20);
        for method in [Method::Gzip, Method::Xz, Method::Zstd] {
            assert!(packed(method, &bytes, 1) == packed(method, &bytes, 3), "{method}");
        }
    }

    #[test]
    fn gzip_is_one_member_and_reads_back() {
        for length in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK] {
            let bytes = text(length);
            let packed = packed(Method::Gzip, &bytes, 2);
            let mut read = Vec::new();
            flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut read).unwrap();
            assert!(read == bytes, "{length}");
        }
    }

    #[test]
    fn xz_of_blocks_is_one_stream() {
        for texts in [&[][..], &["a"], &["some text", "b", &"more ".repeat(5000)]] {
            let blocks: Vec<_> = texts.iter().map(|text| xz_block(text, 6).unwrap()).collect();
            let blocks = blocks.iter().zip(texts);
            let blocks: Vec<_> =
                blocks.map(|((block, bare), text)| (&block[..], *bare, text.len())).collect();
            let mut read = String::new();
            let stream = xz_of(&blocks);
            // It reads the index too.
            let mut decoder = liblzma::read::XzDecoder::new(&stream[..]);
            decoder.read_to_string(&mut read).unwrap();
            assert_eq!((read, decoder.total_in()), (texts.concat(), stream.len() as u64));
        }
    }

    #[test]
    fn what_does_not_compress_reads_back() {
        let mut state = 1u64;
        let noise = (0..2 * BLOCK + 5).map(|_| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 56) as u8
        });
        let noise: Vec<u8> = noise.collect();
        let packed = packed(Method::Gzip, &noise, 2);
        let mut read = Vec::new();
        flate2::read::GzDecoder::new(&packed[..]).read_to_end(&mut read).unwrap();
        assert!(read == noise);
    }
}
