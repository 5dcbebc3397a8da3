//! What the operator hands in: a file, stdin, a directory.
#![allow(clippy::disallowed_methods)]

use super::fs::failed;
use crate::model::failure::Failure;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Reads a whole document of at most `largest` bytes; `-` is stdin.
pub fn read(path: &Path, largest: u64) -> io::Result<Vec<u8>> {
    match path.to_str() {
        Some("-") => bounded(io::stdin().lock(), largest),
        _ => bounded(File::open(path)?, largest),
    }
}

/// Where a path really is, without links.
pub fn real_path(path: &Path) -> Result<String, Failure> {
    let real = std::fs::canonicalize(path).map_err(|error| failed("find", path, error))?;
    let text = real.into_os_string().into_string();
    text.map_err(|_| Failure::new(format!("`{}` is not UTF-8", path.display())))
}

/// Reads to the end of something that has one within `largest` bytes.
pub fn bounded(reader: impl Read, largest: u64) -> io::Result<Vec<u8>> {
    let mut content = Vec::new();
    reader.take(largest.saturating_add(1)).read_to_end(&mut content)?;
    if content.len() as u64 > largest {
        let told = format!("expected at most {largest} bytes, found more");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, told));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::bounded;

    #[test]
    fn what_is_too_long_is_not_read_on() {
        assert_eq!(bounded(&b"abc"[..], 3).unwrap(), b"abc");
        assert!(bounded(std::io::repeat(0), 3).is_err());
    }
}
