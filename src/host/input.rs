//! What the operator hands in: a file, stdin, a directory.
#![allow(clippy::disallowed_methods)]

use super::fs::{failed, read_bounded};
use crate::model::failure::Failure;
use std::io::{self, Read};
use std::path::Path;

/// Reads a whole document of at most `largest` bytes; `-` is stdin.
pub fn read(path: &Path, largest: u64) -> Result<Vec<u8>, Failure> {
    if path == Path::new("-") {
        return bounded(io::stdin().lock(), largest);
    }
    let absent = || failed("read", path, rustix::io::Errno::NOENT.into());
    read_bounded(path, largest)?.ok_or_else(absent)
}

/// Where a path really is, without links.
pub fn real_path(path: &Path) -> Result<String, Failure> {
    let real = std::fs::canonicalize(path).map_err(|error| failed("find", path, error))?;
    let text = real.into_os_string().into_string();
    text.map_err(|_| Failure::new(format!("`{}` is not UTF-8", path.display())))
}

/// Reads to the end of stdin, which has one within `largest` bytes.
fn bounded(stdin: impl Read, largest: u64) -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    let read = stdin.take(largest.saturating_add(1)).read_to_end(&mut content);
    read.map_err(|error| failed("read", Path::new("stdin"), error))?;
    if content.len() as u64 > largest {
        return Err(Failure::new(format!(
            "expected at most {largest} bytes in `stdin`, found more"
        )));
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
