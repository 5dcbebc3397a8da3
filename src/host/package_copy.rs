//! A package file as it was when it was read: a copy in the state, where nobody but its owner can
//! put another in its place before the package manager opens it.
#![allow(clippy::disallowed_methods)]

use super::fs::{self as files, Beside, Created};
use super::state::State;
use crate::model::failure::Failure;
use std::cell::Cell;
use std::fs::{self, File};
use std::io;
use std::path::Path;

/// A copy that has no name until it is installed, and none afterwards.
pub struct PackageCopy {
    beside: Cell<Option<Beside>>,
    directory: String,
}

impl PackageCopy {
    /// Copies a file that the operator named. Answers with the copy to look at, too.
    pub fn of(state: &State, path: &Path) -> Result<(Self, File), Failure> {
        let mut from = files::open(path)?;
        let directory = state.subdirectory("packages")?;
        let beside = files::beside(Path::new(&directory))?;
        let failed = |error| {
            files::failed(&format!("copy `{}` to", path.display()), Path::new(&directory), error)
        };
        io::copy(&mut from, &mut beside.file()).map_err(failed)?;
        let file = files::again(beside.file())?;
        Ok((PackageCopy { beside: Cell::new(Some(beside)), directory }, file))
    }

    /// Does some work with the copy under a name, once. Who calls it holds the node.
    pub fn named<T>(
        &self,
        name: &str,
        work: impl FnOnce(&str) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let path = format!("{}/{name}", self.directory);
        let failed = |deed, error| files::failed(deed, Path::new(&path), error);
        // A command that was killed may have left one.
        remove(&path).map_err(|error| failed("remove", error))?;
        let named = match self.beside.take() {
            Some(beside) => files::create(beside, Path::new(&path))? == Created::New,
            None => false,
        };
        if !named {
            return Err(Failure::new(format!("`{path}` is somebody else's")));
        }
        let done = work(&path);
        // One that cannot be taken away now is by the next command.
        let _ = remove(&path);
        done
    }
}

/// Does some work with an empty directory of the state, where nobody but its owner can write; who
/// calls it holds the node.
pub fn apart<T>(
    state: &State,
    work: impl FnOnce(&str) -> Result<T, Failure>,
) -> Result<T, Failure> {
    let path = format!("{}/fetched", state.subdirectory("packages")?);
    let clear = || match fs::remove_dir_all(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    };
    // A command that was killed may have left one.
    clear().map_err(|error| files::failed("remove", Path::new(&path), error))?;
    files::create_directory(Path::new(&path))?;
    let done = work(&path);
    let _ = clear();
    done
}

fn remove(path: &str) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn a_copy_is_what_was_read_whatever_becomes_of_the_file() {
        let root = tempfile::tempdir().unwrap();
        let state = State::of(root.path()).unwrap();
        let given = root.path().join("x.deb");
        fs::write(&given, "one").unwrap();
        let (copy, seen) = PackageCopy::of(&state, &given).unwrap();
        fs::write(&given, "two").unwrap();
        assert_eq!(io::read_to_string(seen).unwrap(), "one");
        let directory = format!("{}/packages", state.directory());
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
        fs::write(format!("{directory}/x"), "of a command that was killed").unwrap();
        let read = copy.named("x", |path| Ok(fs::read_to_string(path).unwrap()));
        assert_eq!(read.unwrap(), "one");
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
        assert_eq!(fs::metadata(&directory).unwrap().mode() & 0o777, 0o700);
        assert!(copy.named("x", |_| Ok(())).is_err());
    }
}
