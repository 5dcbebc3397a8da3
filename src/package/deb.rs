//! The bytes of a .deb: deb(5), deb-control(5), and the tar subset that dpkg reads.

use super::compress::compressed;
use super::item::{Item, Kind, Meta, Payload};
use crate::model::compression::{Compression, Method};
use crate::model::digest::hex;
use std::io::{self, Read, Write};
use tar::{EntryType, Header};

/// The largest member that the ten digits of an ar header can tell.
const LARGEST_MEMBER: u64 = 9_999_999_999;

/// The fields that the control file of a bundle has. dpkg or apt act on most others, and in the index
/// of a repository any could make a stanza say two things.
pub const FIELDS: [&str; 11] = [
    "Package",
    "Version",
    "Architecture",
    "Maintainer",
    "Installed-Size",
    "Suggests",
    "Provides",
    "Section",
    "Priority",
    "Homepage",
    "Description",
];

/// The data.tar of a .deb: GNU names, never PAX headers, which dpkg refuses.
pub struct DataTar<W: Write> {
    to: W,
    time: u32,
    /// Bytes that the file begun last still lacks.
    padding: usize,
    /// Links go last, as dpkg-deb writes them: never before what they lead to.
    links: Vec<u8>,
}

impl<W: Write> DataTar<W> {
    /// An archive into `to` whose entries all have one time.
    pub fn new(mut to: W, time: u32) -> io::Result<Self> {
        to.write_all(&directory("./", time)?)?;
        Ok(DataTar { to, time, padding: 0, links: Vec::new() })
    }

    /// Ends the archive and gives back what it was written into.
    pub fn finish(mut self) -> io::Result<W> {
        self.pad()?;
        self.to.write_all(&self.links)?;
        self.to.write_all(&[0; 1024])?;
        Ok(self.to)
    }

    fn pad(&mut self) -> io::Result<()> {
        let padding = std::mem::take(&mut self.padding);
        self.to.write_all(&[0; 512][..padding])
    }
}

impl<W: Write> Payload for DataTar<W> {
    fn item(&mut self, item: &Item) -> io::Result<()> {
        self.pad()?;
        let name = format!("./{}", item.path);
        match &item.kind {
            Kind::Directory | Kind::SystemDirectory => {
                self.to.write_all(&directory(&format!("{name}/"), self.time)?)
            }
            Kind::Symlink { target } => {
                let entry =
                    entry(EntryType::Symlink, &name, Some(target.as_str()), 0o777, 0, self.time)?;
                self.links.extend(entry);
                Ok(())
            }
            Kind::File { mode, size, .. } => self.file(&name, mode.bits(), *size),
        }
    }

    fn content(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)
    }
}

impl<W: Write> DataTar<W> {
    fn file(&mut self, name: &str, mode: u32, size: u64) -> io::Result<()> {
        self.to.write_all(&entry(EntryType::Regular, name, None, mode, size, self.time)?)?;
        self.padding = (512 - (size % 512) as usize) % 512;
        Ok(())
    }
}

fn directory(name: &str, time: u32) -> io::Result<Vec<u8>> {
    entry(EntryType::Directory, name, None, 0o755, 0, time)
}

/// The header of an entry, after the GNU entries that carry its long name or target.
fn entry(
    kind: EntryType,
    name: &str,
    target: Option<&str>,
    mode: u32,
    size: u64,
    time: u32,
) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(512);
    let mut header = base(kind, mode, size, time)?;
    if let Some(target) = target {
        let field = &mut header.as_old_mut().linkname;
        long_or_short(&mut bytes, EntryType::GNULongLink, target, field)?;
    }
    long_or_short(&mut bytes, EntryType::GNULongName, name, &mut header.as_old_mut().name)?;
    header.set_cksum();
    bytes.extend_from_slice(header.as_bytes());
    Ok(bytes)
}

fn base(kind: EntryType, mode: u32, size: u64, time: u32) -> io::Result<Header> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(u64::from(time));
    header.set_username("root")?;
    header.set_groupname("root")?;
    Ok(header)
}

fn long_or_short(
    before: &mut Vec<u8>,
    kind: EntryType,
    text: &str,
    field: &mut [u8; 100],
) -> io::Result<()> {
    let text = text.as_bytes();
    if text.len() > field.len() {
        let length = text.len() + 1;
        let mut header = base(kind, 0, length as u64, 0)?;
        let name = b"././@LongLink";
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_cksum();
        before.extend_from_slice(header.as_bytes());
        before.extend_from_slice(text);
        before.resize(
            before.len().next_multiple_of(512) + if length % 512 == 1 { 512 } else { 0 },
            0,
        );
    }
    let short = text.len().min(field.len());
    field[..short].copy_from_slice(&text[..short]);
    Ok(())
}

/// The control.tar of a .deb, compressed.
pub fn control_member(
    meta: &Meta,
    items: &[Item],
    compression: Compression,
) -> io::Result<Vec<u8>> {
    compressed(&control_tar(meta, items)?, compression)
}

/// Writes a .deb around a control.tar and a data.tar that are compressed already.
pub fn write(
    to: &mut impl Write,
    time: u32,
    control: &[u8],
    data: &mut (impl Read + ?Sized),
    data_size: u64,
    method: Method,
) -> io::Result<()> {
    if data_size > LARGEST_MEMBER {
        return Err(io::Error::other(format!(
            "a .deb has at most {LARGEST_MEMBER} bytes of compressed content, found {data_size}"
        )));
    }
    let extension = match method {
        Method::Gzip => "gz",
        Method::Xz => "xz",
        Method::Zstd => "zst",
    };
    let mut archive = ar::Builder::new(to);
    let mut member = |name: &str, size: u64, content: &mut dyn Read| {
        let mut header = ar::Header::new(name.as_bytes().to_vec(), size);
        header.set_mode(0o100644);
        header.set_mtime(u64::from(time));
        archive.append(&header, content)
    };
    member("debian-binary", 4, &mut &b"2.0\n"[..])?;
    member(&format!("control.tar.{extension}"), control.len() as u64, &mut &*control)?;
    member(&format!("data.tar.{extension}"), data_size, &mut &mut *data)
}

fn control_tar(meta: &Meta, items: &[Item]) -> io::Result<Vec<u8>> {
    let mut tar = directory("./", meta.time)?;
    for (name, content) in [("./control", control(meta, items)), ("./md5sums", md5sums(items))] {
        let size = content.len() as u64;
        tar.extend(entry(EntryType::Regular, name, None, 0o644, size, meta.time)?);
        tar.extend_from_slice(content.as_bytes());
        tar.resize(tar.len().next_multiple_of(512), 0);
    }
    tar.resize(tar.len() + 1024, 0);
    Ok(tar)
}

/// The control file (deb-control(5)).
fn control(meta: &Meta, items: &[Item]) -> String {
    let mut text = format!(
        "Package: {}\nVersion: {}\nArchitecture: all\nMaintainer: {}\nInstalled-Size: {}\n\
         Suggests: puppet-agent | openvox-agent | puppet\nProvides: {} (= {})\nSection: admin\n\
         Priority: optional\nHomepage: {}\nDescription: {}\n",
        meta.name,
        meta.version,
        meta.maintainer,
        installed_size(items),
        meta.provides,
        meta.version,
        meta.homepage,
        meta.synopsis,
    );
    for line in &meta.description {
        text.push_str(&if line.is_empty() { " .\n".to_owned() } else { format!(" {line}\n") });
    }
    text
}

/// Kibibytes, each file and link rounded up, one for anything else (deb-substvars(5)).
fn installed_size(items: &[Item]) -> u64 {
    let kibibytes = |item: &Item| match item.kind {
        Kind::Directory | Kind::SystemDirectory => 1,
        _ => item.size().div_ceil(1024),
    };
    // One for the root directory.
    1 + items.iter().map(kibibytes).sum::<u64>()
}

/// Digests of regular files (deb-md5sums(5)).
fn md5sums(items: &[Item]) -> String {
    let line = |item: &Item| match &item.kind {
        Kind::File { md5, .. } => Some(format!("{}  {}\n", hex(md5), item.path)),
        _ => None,
    };
    items.iter().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::digest::Sha256Digest;
    use crate::model::tree::Mode;
    use crate::package::item::Content;

    fn items() -> Vec<Item> {
        let file = |path: &str, size: u64| Item {
            path: path.to_owned(),
            kind: Kind::File {
                mode: Mode::Executable,
                size,
                sha256: Sha256Digest::of(""),
                md5: [0xab; 16],
                content: Content::Bytes(vec![b'x'; size as usize]),
            },
            is_document: false,
        };
        let target = "b/".repeat(80).parse().unwrap();
        vec![
            Item { path: "usr".to_owned(), kind: Kind::SystemDirectory, is_document: false },
            Item {
                path: "usr/link".to_owned(),
                kind: Kind::Symlink { target },
                is_document: false,
            },
            file(&format!("usr/{}", "n".repeat(200)), 1500),
            file("usr/short", 0),
        ]
    }

    #[test]
    fn the_archive_reads_back_with_long_names_and_links_last() {
        let mut tar = DataTar::new(Vec::new(), 7).unwrap();
        for item in items() {
            tar.item(&item).unwrap();
            if let Kind::File { content: Content::Bytes(bytes), .. } = &item.kind {
                tar.content(bytes).unwrap();
            }
        }
        let bytes = tar.finish().unwrap();
        assert_eq!(bytes.len() % 512, 0);
        let mut archive = tar::Archive::new(&bytes[..]);
        let entries = archive.entries().unwrap().map(|entry| {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.mtime().unwrap(), header.uid().unwrap()), (7, 0));
            let target = entry.link_name().unwrap();
            let path = entry.path().unwrap().display().to_string();
            format!("{path} {:o} {} {}", header.mode().unwrap(), entry.size(), target.is_some())
        });
        let long = format!("./usr/{} 755 1500 false", "n".repeat(200));
        let read: Vec<String> = entries.collect();
        assert_eq!(
            read,
            [
                "./ 755 0 false",
                "./usr/ 755 0 false",
                &long,
                "./usr/short 755 0 false",
                "./usr/link 777 0 true"
            ]
        );
    }

    #[test]
    fn sizes_and_digests_are_as_dpkg_counts_them() {
        assert_eq!(installed_size(&items()), 1 + 1 + 1 + 2);
        let sums = md5sums(&items());
        assert!(sums.ends_with("abababababababababababababababab  usr/short\n"));
    }
}
