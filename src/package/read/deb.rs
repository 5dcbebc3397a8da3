//! A .deb that anyone may have made.

use super::{
    Entry, EntryKind, Inventory, LONGEST_NAME, Package, ReadError, Visitor, damaged, decompress,
    drain, header_of, stream_of,
};
use crate::model::compression::{Format, Method};
use crate::model::verified::RawArchive;
use crate::package::deb::FIELDS;
use std::io::{BufRead, BufReader, Read, Seek, SeekFrom};
use std::ops::ControlFlow;
use tar::{Archive, EntryType};

/// A .deb has three members; some tools add signatures.
const MOST_MEMBERS: usize = 16;

/// A control file is some kilobytes.
const LARGEST_CONTROL: u64 = 1 << 20;

const CONTROL: &str = "control.tar";
const DATA: &str = "data.tar";

/// One of the two archives in a .deb.
struct Member<'a, R: Read> {
    of: &'static str,
    method: Option<Method>,
    size: u64,
    from: BufReader<ar::Entry<'a, R>>,
}

/// Shows both archives of a .deb of `length` bytes, the control.tar first, as far as they are wanted.
fn members<R: BufRead + Seek>(
    mut file: R,
    length: u64,
    mut to: impl FnMut(Member<'_, R>) -> Result<ControlFlow<()>, ReadError>,
) -> Result<(), ReadError> {
    refuse_odd_members(&mut file, length)?;
    file.rewind()?;
    let mut archive = ar::Archive::new(file);
    while let Some(member) = archive.next_entry() {
        let member = member.map_err(header_of("an ar header of it"))?;
        let (name, size) = (member.header().identifier().to_vec(), member.header().size());
        let name = String::from_utf8_lossy(&name);
        if name == "debian-binary" {
            refuse_other_format(member)?;
            continue;
        }
        let is = |of: &&'static str| name.starts_with(*of);
        let Some(of) = [CONTROL, DATA].into_iter().find(is) else { continue };
        let (method, from) = (method(&name[of.len()..])?, BufReader::new(member));
        if to(Member { of, method, size, from })?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Reads a .deb of `length` bytes.
pub fn read(file: impl BufRead + Seek, length: u64) -> Result<Package, ReadError> {
    let mut inventory = Inventory::default();
    let (mut control, mut compression) = (None, None);
    let read = members(file, length, |member| {
        if member.of == CONTROL {
            control = Some(read_control(member, &mut inventory)?);
        } else {
            let named = member.method.map(|method| method.to_string());
            compression = Some(named.unwrap_or_else(|| "none".to_owned()));
            show_data(member, &mut inventory)?;
            // The root is a directory of every system.
            inventory.paths.remove("");
            inventory.paths.remove(".");
        }
        Ok(ControlFlow::Continue(()))
    });
    match read {
        // No bundle is compressed so; what it is can be told all the same.
        Err(ReadError::Compression(method)) if control.is_some() => compression = Some(method),
        read => read?,
    }
    let (Some(control), Some(compression)) = (control, compression) else {
        return damaged("it has no `control.tar` or no `data.tar`");
    };
    let fields = fields(&control);
    for (name, _) in &fields {
        if !FIELDS.iter().any(|known| known.eq_ignore_ascii_case(name)) {
            inventory.problem(format!("it has the field `{name:.100}`, which no bundle has"));
        }
    }
    let field = |name: &str| field(&fields, name).unwrap_or_default();
    Ok(Package {
        format: Format::Deb,
        name: field("Package"),
        version: field("Version"),
        provides: listed(&field("Provides")),
        architecture: field("Architecture"),
        maintainer: field("Maintainer"),
        compression,
        paths: inventory.paths,
        bundle: inventory.bundle,
        interface: inventory.interface,
        metadata: inventory.metadata,
        problems: inventory.problems,
    })
}

/// Shows the content of a .deb of `length` bytes, as far as it is wanted.
pub(super) fn show(
    file: impl BufRead + Seek,
    length: u64,
    to: &mut impl Visitor,
) -> Result<(), ReadError> {
    let mut is_there = false;
    members(file, length, |member| {
        if member.of == CONTROL {
            return Ok(ControlFlow::Continue(()));
        }
        is_there = true;
        show_data(member, to)?;
        Ok(ControlFlow::Break(()))
    })?;
    if is_there { Ok(()) } else { damaged("it has no `data.tar`") }
}

/// The archives in a .deb of `length` bytes, before they were compressed.
pub(super) fn streams(
    file: impl BufRead + Seek,
    length: u64,
) -> Result<Vec<RawArchive>, ReadError> {
    let mut streams = Vec::new();
    members(file, length, |Member { of, method, size, from }| {
        streams.push(stream_of(of, decompress(method, from, size)?)?);
        Ok(ControlFlow::Continue(()))
    })?;
    Ok(streams)
}

/// The text of the control file of a .deb of `length` bytes; its content is not read.
pub fn control(file: impl BufRead + Seek, length: u64) -> Result<String, ReadError> {
    let mut text = None;
    members(file, length, |member| {
        if member.of == CONTROL {
            text = Some(read_control(member, &mut Inventory::default())?);
        }
        Ok(ControlFlow::Break(()))
    })?;
    text.map_or_else(|| damaged("it has no `control.tar`"), Ok)
}

/// Refuses what the `ar` crate would trust: name tables and BSD names of any
/// length, and sizes beyond the file; and an order that dpkg would read
/// otherwise than we do (deb(5): `debian-binary`, control, data, then only
/// names that begin with `_`).
fn refuse_odd_members(file: &mut (impl Read + Seek), length: u64) -> Result<(), ReadError> {
    let mut at = file.seek(SeekFrom::Start(8))?;
    for number in 0..MOST_MEMBERS {
        if at >= length {
            return Ok(());
        }
        let mut header = [0; 60];
        file.seek(SeekFrom::Start(at))?;
        file.read_exact(&mut header).or_else(|_| damaged("it ends inside a member's header"))?;
        let plain = header.iter().all(|&byte| byte == b'\n' || (b' '..=b'~').contains(&byte));
        if !plain || header[0] == b'/' || header[0] == b'#' || !header.ends_with(b"`\n") {
            return damaged(format!("its ar header at byte {at} is of no member that a .deb has"));
        }
        let start = ["debian-binary", "control.tar", "data.tar"].get(number).unwrap_or(&"_");
        if !header.starts_with(start.as_bytes()) {
            return damaged(format!("expected a member `{start}` in its place"));
        }
        let size = String::from_utf8_lossy(&header[48..58]).trim_end().parse::<u64>();
        let Ok(size) = size else {
            return damaged(format!("its ar header at byte {at} has no size"));
        };
        at = at.saturating_add(60).saturating_add(size);
        if at > length {
            return damaged("it ends inside a member");
        }
        at += at % 2;
    }
    damaged(format!("it has more than {MOST_MEMBERS} members"))
}

/// dpkg takes a package of format 2 alone, whichever revision of it.
fn refuse_other_format(member: impl Read) -> Result<(), ReadError> {
    let mut format = Vec::new();
    member.take(16).read_to_end(&mut format)?;
    match format.starts_with(b"2.") {
        true => Ok(()),
        false => damaged("its format is not 2, the one that dpkg reads"),
    }
}

fn method(extension: &str) -> Result<Option<Method>, ReadError> {
    match extension {
        "" => Ok(None),
        ".gz" => Ok(Some(Method::Gzip)),
        ".xz" => Ok(Some(Method::Xz)),
        ".zst" => Ok(Some(Method::Zstd)),
        other => Err(ReadError::Compression(other.trim_start_matches('.').to_owned())),
    }
}

/// The text of the control file; whatever else dpkg would act on is a problem.
fn read_control(
    Member { method, from, size, .. }: Member<'_, impl BufRead>,
    inventory: &mut Inventory,
) -> Result<String, ReadError> {
    let mut text: Option<Vec<u8>> = None;
    let mut archive = Archive::new(decompress(method, from, size)?);
    for entry in archive.entries()?.raw(true) {
        let entry = entry.map_err(header_of("a tar header in `control.tar`"))?;
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        match name.strip_prefix("./").unwrap_or(&name) {
            "control" if text.is_some() => return damaged("it has two control files"),
            "control" => {
                let mut bytes = Vec::new();
                entry.take(LARGEST_CONTROL).read_to_end(&mut bytes)?;
                text = Some(bytes);
            }
            "" | "md5sums" => {}
            other => inventory.problem(format!("it has `{other:.100}`, which dpkg acts on")),
        }
    }
    drain(&mut archive.into_inner())?;
    String::from_utf8(text.unwrap_or_default())
        .or_else(|_| damaged("its control file is not UTF-8"))
}

/// The fields of a control file (deb-control(5)), each with its lines joined.
fn fields(control: &str) -> Vec<(&str, String)> {
    let mut fields: Vec<(&str, String)> = Vec::new();
    for line in control.lines() {
        if let (Some((_, value)), true) = (fields.last_mut(), line.starts_with([' ', '\t'])) {
            value.push_str(line);
        } else if let Some((name, value)) = line.split_once(':') {
            fields.push((name.trim(), value.trim().to_owned()));
        }
    }
    fields
}

fn listed(field: &str) -> Vec<String> {
    let names = field.split(',').map(|name| name.trim().to_owned());
    names.filter(|name| !name.is_empty()).collect()
}

/// The value of a field; dpkg knows no capitals in its name.
fn field(fields: &[(&str, String)], name: &str) -> Option<String> {
    let found = fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.clone())
}

fn show_data(
    Member { method, from, size, .. }: Member<'_, impl BufRead>,
    to: &mut impl Visitor,
) -> Result<(), ReadError> {
    let mut archive = Archive::new(decompress(method, from, size)?);
    let (mut long_name, mut long_target) = (None, None);
    for entry in archive.entries()?.raw(true) {
        let mut entry = entry.map_err(header_of("a tar header in `data.tar`"))?;
        let header = entry.header();
        let kind = match header.entry_type() {
            EntryType::GNULongName => {
                long_name = Some(long(&mut entry)?);
                continue;
            }
            EntryType::GNULongLink => {
                long_target = Some(long(&mut entry)?);
                continue;
            }
            EntryType::Directory => EntryKind::Directory,
            EntryType::Regular | EntryType::Continuous => EntryKind::File,
            EntryType::Symlink => {
                let short = || entry.link_name_bytes().map(|name| name.into_owned());
                EntryKind::Symlink { target: long_target.take().or_else(short).unwrap_or_default() }
            }
            EntryType::Link => EntryKind::Other("hard link"),
            EntryType::Fifo => EntryKind::Other("fifo"),
            EntryType::Char | EntryType::Block => EntryKind::Other("device"),
            EntryType::XHeader | EntryType::XGlobalHeader => {
                to.problem("it has PAX headers, which dpkg refuses".to_owned());
                continue;
            }
            _ => EntryKind::Other("entry of a kind that dpkg refuses"),
        };
        let taken = Entry {
            name: long_name.take().unwrap_or_else(|| entry.path_bytes().into_owned()),
            kind,
            mode: header.mode()? & 0o7777,
            size: entry.size(),
            owned_by_root: header.uid()? == 0 && header.gid()? == 0,
        };
        if to.entry(taken, &mut entry)?.is_break() {
            return Ok(());
        }
    }
    drain(&mut archive.into_inner())?;
    Ok(())
}

fn long(entry: &mut tar::Entry<'_, impl Read>) -> Result<Vec<u8>, ReadError> {
    let mut name = Vec::new();
    entry.take(LONGEST_NAME + 1).read_to_end(&mut name)?;
    if name.len() as u64 > LONGEST_NAME {
        return damaged(format!("it has a name of more than {LONGEST_NAME} bytes"));
    }
    while name.last() == Some(&0) {
        name.pop();
    }
    Ok(name)
}
