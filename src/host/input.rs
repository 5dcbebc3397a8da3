//! What the operator hands in: a file, stdin, a directory.
#![allow(clippy::disallowed_methods)]

use super::fs::failed;
use crate::model::failure::Failure;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// Reads a whole document of at most `largest` bytes; `-` is stdin, and a pipe
/// will do too, as a shell makes of `<(…)`.
pub fn read(path: &Path, largest: u64) -> Result<Vec<u8>, Failure> {
    if path == Path::new("-") {
        return bounded(io::stdin().lock(), Path::new("stdin"), largest);
    }
    let file = File::open(path).map_err(|error| failed("read", path, error))?;
    bounded(file, path, largest)
}

/// Where a path really is, without links.
pub fn real_path(path: &Path) -> Result<String, Failure> {
    let real = std::fs::canonicalize(path).map_err(|error| failed("find", path, error))?;
    let text = real.into_os_string().into_string();
    text.map_err(|_| Failure::new(format!("`{}` is not UTF-8", path.display())))
}

/// Reads to the end, which has to come within `largest` bytes.
fn bounded(from: impl Read, path: &Path, largest: u64) -> Result<Vec<u8>, Failure> {
    let mut content = Vec::new();
    let read = from.take(largest.saturating_add(1)).read_to_end(&mut content);
    read.map_err(|error| failed("read", path, error))?;
    if content.len() as u64 > largest {
        let shown = path.display();
        let what = format!("expected at most {largest} bytes in `{shown}`, found more");
        return Err(Failure::new(what));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::bounded;
    use std::path::Path;

    #[test]
    fn what_is_too_long_is_not_read_on() {
        assert_eq!(bounded(&b"abc"[..], Path::new("x"), 3).unwrap(), b"abc");
        assert!(bounded(std::io::repeat(0), Path::new("x"), 3).is_err());
    }
}
