//! An .rpm with a signature: its header is signed, its signature header made
//! anew, all else stays. What the package holds is the same, and so is its bundle ID.

use super::read::rpm::{Headers, headers};
use super::read::{ReadError, damaged};
use ::rpm::{Header, HeaderEntry, IndexData, IndexSignatureTag, PackageMetadata};
use std::io::{self, BufReader, Read, Seek, SeekFrom, Write};

/// What a signature of an .rpm is of (rpm's docs/manual/signatures_digests.md).
pub fn to_be_signed(mut file: impl Read + Seek) -> Result<Vec<u8>, ReadError> {
    file.rewind()?;
    Ok(headers(&mut BufReader::new(file))?.main)
}

/// An OpenPGP signature, and what it is of.
pub struct Signed {
    pub header: Vec<u8>,
    pub signature: Vec<u8>,
}

/// The signature of an .rpm, if it has one.
pub fn signed(mut file: impl Read + Seek) -> Result<Option<Signed>, ReadError> {
    use IndexSignatureTag as Tag;
    file.rewind()?;
    let Headers { metadata, main, .. } = headers(&mut BufReader::new(file))?;
    let there = metadata.signature.get_all_entries().or_else(unwritable)?;
    let tags = [Tag::RPMSIGTAG_RSA, Tag::RPMSIGTAG_DSA].map(|tag| tag as u32);
    let signature = there.into_iter().find_map(|(tag, data)| match data {
        IndexData::Bin(bytes) if tags.contains(&tag) => Some(bytes),
        _ => None,
    });
    Ok(signature.map(|signature| Signed { header: main, signature }))
}

/// Writes the same package with an OpenPGP signature of its header.
pub fn write_signed(
    file: impl Read + Seek,
    signature: &[u8],
    to: &mut impl Write,
) -> Result<(), ReadError> {
    let Some(tag) = tag_of(signature) else {
        return damaged("the signature is of a kind that no rpm reads");
    };
    write(file, Some((tag, IndexData::Bin(signature.to_vec()))), to)
}

/// Writes the same package without a signature: as it was before it got one here.
pub fn write_unsigned(file: impl Read + Seek, to: &mut impl Write) -> Result<(), ReadError> {
    write(file, None, to)
}

fn write(
    mut file: impl Read + Seek,
    signature: Option<(u32, IndexData)>,
    to: &mut impl Write,
) -> Result<(), ReadError> {
    file.rewind()?;
    let Headers { metadata, before, main } = headers(&mut BufReader::new(&mut file))?;
    to.write_all(&signed_head(metadata, signature, before.len())?)?;
    to.write_all(&main)?;
    file.seek(SeekFrom::Start((before.len() + main.len()) as u64))?;
    io::copy(&mut file, to)?;
    Ok(())
}

/// Lead and signature header with that signature and no other; they take as much room as
/// before where space was reserved for that.
fn signed_head(
    mut metadata: PackageMetadata,
    signature: Option<(u32, IndexData)>,
    room: usize,
) -> Result<Vec<u8>, ReadError> {
    use IndexSignatureTag as Tag;
    let replaced = [
        Tag::RPMSIGTAG_RSA as u32,
        Tag::RPMSIGTAG_DSA as u32,
        Tag::RPMSIGTAG_RESERVEDSPACE as u32,
        Tag::HEADER_SIGNATURES as u32,
    ];
    let mut kept = metadata.signature.get_all_entries().or_else(unwritable)?;
    kept.retain(|(tag, _)| !replaced.contains(tag));
    kept.extend(signature);
    let main = metadata.header_bytes().or_else(unwritable)?.len();
    let mut head = |reserved: usize| {
        let space = (Tag::RPMSIGTAG_RESERVEDSPACE as u32, IndexData::Bin(vec![0; reserved]));
        let mut entries: Vec<_> = kept.iter().cloned().chain([space]).collect();
        entries.sort_by_key(|(tag, _)| *tag);
        let entries = entries.into_iter().map(|(tag, data)| HeaderEntry::new(tag, data));
        metadata.signature = Header::from_entries(entries, Tag::HEADER_SIGNATURES);
        let mut bytes = Vec::new();
        metadata.write(&mut bytes).or_else(unwritable)?;
        bytes.truncate(bytes.len() - main);
        Ok::<_, ReadError>(bytes)
    };
    // Both are whole multiples of 8 beyond the lead, so what is reserved more makes them the same.
    let least = head(8)?.len();
    head(8 + room.saturating_sub(least))
}

fn unwritable<T>(error: ::rpm::Error) -> Result<T, ReadError> {
    damaged(format!("its headers cannot be read and written: {error}"))
}

/// The tag of a signature by the algorithm of its key (RFC 9580, 5.2): RSA has
/// one, all others share that of DSA.
fn tag_of(signature: &[u8]) -> Option<u32> {
    let [first, rest @ ..] = signature else { return None };
    // Old format: the length of the length in the lowest two bits. New: by the length's first byte.
    let skip = match (first & 0xc0, first & 3, rest.first()?) {
        (0x80, 0, _) => 1,
        (0x80, 1, _) => 2,
        (0x80, 2, _) => 4,
        (0xc0, _, 0..192) => 1,
        (0xc0, _, 192..224) => 2,
        (0xc0, _, 255) => 5,
        _ => return None,
    };
    match rest.get(skip..)? {
        [4 | 6, _, 1 | 3, ..] => Some(IndexSignatureTag::RPMSIGTAG_RSA as u32),
        [4 | 6, _, 17 | 19 | 22 | 27 | 28, ..] => Some(IndexSignatureTag::RPMSIGTAG_DSA as u32),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tag_is_by_the_algorithm() {
        let rsa = IndexSignatureTag::RPMSIGTAG_RSA as u32;
        let dsa = IndexSignatureTag::RPMSIGTAG_DSA as u32;
        assert_eq!((rsa, dsa), (268, 267));
        assert_eq!(tag_of(&[0x89, 1, 0, 4, 0, 1, 8]), Some(rsa));
        assert_eq!(tag_of(&[0x88, 117, 4, 0, 22, 8]), Some(dsa));
        assert_eq!(tag_of(&[0xc2, 100, 4, 0, 22, 8]), Some(dsa));
        assert_eq!(tag_of(&[0xc2, 200, 0, 4, 0, 1, 8]), Some(rsa));
        for nonsense in [&[][..], &[0x88], &[0x88, 1, 3, 0, 1], b"-----BEGIN"] {
            assert_eq!(tag_of(nonsense), None);
        }
    }
}
