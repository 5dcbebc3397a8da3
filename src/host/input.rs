//! What the operator hands in: a file, stdin, a directory.
#![allow(clippy::disallowed_methods)]

use super::fs::{bounded, failed};
use crate::model::failure::Failure;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// Reads a whole document of at most `largest` bytes; `-` is stdin, and a pipe
/// will do too, as a shell makes of `<(…)`.
pub fn read(path: &Path, largest: u64) -> Result<Vec<u8>, Failure> {
    if path == Path::new("-") {
        return bounded(io::stdin().lock(), Path::new("stdin"), largest);
    }
    let file = File::open(path).map_err(|error| failed("read", path, error))?;
    bounded(file, path, largest)
}

/// The same path from wherever it is looked at; links stay.
pub fn absolute(path: &Path) -> Result<PathBuf, Failure> {
    std::path::absolute(path).map_err(|error| match std::env::current_dir() {
        Ok(_) => failed("find", path, error),
        Err(_) => {
            let path = path.display();
            Failure::new(format!("`{path}` is relative, and the current directory is gone"))
                .hint("name it by its whole path, or `cd` to a directory that is there")
        }
    })
}

/// Where a path really is, without links.
pub fn real_path(path: &Path) -> Result<String, Failure> {
    let real = std::fs::canonicalize(path).map_err(|error| failed("find", path, error))?;
    let text = real.into_os_string().into_string();
    text.map_err(|_| Failure::new(format!("`{}` is not UTF-8", path.display())))
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
