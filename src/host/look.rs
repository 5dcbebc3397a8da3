//! A tree as it is: every path below a directory, looked at by all processors at once.
//!
//! Files are opened by their directory: that costs the kernel far less than the whole way to
//! each of thousands. Links are not followed.
#![allow(clippy::disallowed_methods)]

use crate::model::digest::Sha256Digest;
use crate::model::verify::Found;
use rayon::Scope;
use rustix::fd::{AsFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat};
use rustix::fs::{fstat, openat, readlinkat, statat};
use sha2::{Digest as _, Sha256};
use std::ffi::CString;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// A file of more bytes is left to whichever processor is idle.
const LARGE: u64 = 1 << 20;

/// One path of a tree.
#[derive(Debug)]
pub struct Seen {
    /// Relative to the top, which is empty.
    pub path: String,
    pub found: Found,
    /// User and group; none where nobody could look.
    pub owner: Option<(u32, u32)>,
}

/// Every path of a tree in no order, its top among them.
pub fn look(top: &Path) -> Vec<Seen> {
    let tree = Tree { top, seen: Mutex::new(Vec::new()) };
    rayon::scope(|scope| tree.directory(scope, String::new()));
    tree.seen.into_inner().unwrap_or_else(PoisonError::into_inner)
}

struct Tree<'a> {
    top: &'a Path,
    seen: Mutex<Vec<Seen>>,
}

impl Tree<'_> {
    /// Looks at a directory and at what is in it; directories in it are looked at by whoever is idle.
    fn directory<'scope>(&'scope self, scope: &Scope<'scope>, path: String) {
        let (fd, stat, names) = match open(&self.top.join(&path)) {
            Ok(opened) => opened,
            Err(error) => return self.keep([unreadable(path, &error.into())]),
        };
        let mut seen = Vec::with_capacity(names.len() + 1);
        for (name, kind) in names {
            let name_shown = name.to_string_lossy();
            let below = match path.as_str() {
                "" => name_shown.into_owned(),
                path => format!("{path}/{name_shown}"),
            };
            match kind {
                // What is not UTF-8 is in no release: that it is there is enough.
                FileType::Directory if name.to_str().is_ok() => {
                    scope.spawn(move |scope| self.directory(scope, below));
                }
                FileType::RegularFile => seen.extend(self.file(scope, &fd, &name, below)),
                _ => seen.push(other(&fd, &name, below)),
            }
        }
        seen.push(Seen {
            path,
            found: Found::Directory { mode: mode(&stat) },
            owner: owner(&stat),
        });
        self.keep(seen);
    }

    /// Reads a file now, or leaves a large one to others.
    fn file<'scope>(
        &'scope self,
        scope: &Scope<'scope>,
        directory: &OwnedFd,
        name: &CString,
        path: String,
    ) -> Option<Seen> {
        let opened = open_file(directory, name);
        if let Ok((_, stat)) = &opened
            && size(stat) > LARGE
            && name.to_str().is_ok()
        {
            scope.spawn(move |_| {
                let opened = open_file(CWD, self.top.join(&path));
                self.keep([read(path, opened)]);
            });
            return None;
        }
        Some(read(path, opened))
    }

    fn keep(&self, seen: impl IntoIterator<Item = Seen>) {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).extend(seen);
    }
}

type Opened = (OwnedFd, Stat, Vec<(CString, FileType)>);

/// Opens a directory and reads the names in it, each with its kind.
fn open(path: &Path) -> rustix::io::Result<Opened> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = openat(CWD, path, flags, Mode::empty())?;
    let stat = fstat(&fd)?;
    let mut names = Vec::new();
    for entry in Dir::read_from(&fd)? {
        let entry = entry?;
        let name = entry.file_name();
        if name.to_bytes() == b"." || name.to_bytes() == b".." {
            continue;
        }
        // Some file systems do not say.
        let kind = match entry.file_type() {
            FileType::Unknown => {
                let stat = statat(&fd, name, AtFlags::SYMLINK_NOFOLLOW)?;
                FileType::from_raw_mode(stat.st_mode)
            }
            kind => kind,
        };
        names.push((name.to_owned(), kind));
    }
    Ok((fd, stat, names))
}

fn open_file(directory: impl AsFd, name: impl rustix::path::Arg) -> io::Result<(File, Stat)> {
    let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    let file = openat(directory, name, flags, Mode::empty())?;
    let stat = fstat(&file)?;
    match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => Ok((File::from(file), stat)),
        _ => Err(io::Error::other("is no regular file")),
    }
}

fn read(path: String, opened: io::Result<(File, Stat)>) -> Seen {
    let digested = opened.and_then(|(file, stat)| {
        let (size, sha256) = digest(file, size(&stat))?;
        let found = Found::File { mode: mode(&stat), size, sha256 };
        Ok((found, owner(&stat)))
    });
    match digested {
        Ok((found, owner)) => Seen { path, found, owner },
        Err(error) => unreadable(path, &error),
    }
}

/// Reads a file of so many bytes; where it has more, to its end.
fn digest(mut file: File, expected: u64) -> io::Result<(u64, Sha256Digest)> {
    let (mut size, mut hasher) = (0, Sha256::new());
    let mut buffer = [0; 32 << 10];
    loop {
        let read = file.read(&mut buffer)?;
        size += read as u64;
        hasher.update(&buffer[..read]);
        // Asked for more than there was: no need to ask for the end.
        if read == 0 || (size == expected && read < buffer.len()) {
            return Ok((size, Sha256Digest::from_hasher(hasher)));
        }
    }
}

/// Anything but a file, or a directory whose name can be said.
fn other(directory: &OwnedFd, name: &CString, path: String) -> Seen {
    let look = || {
        let stat = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let found = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Symlink => {
                let target = readlinkat(directory, name, Vec::new())?;
                Found::Symlink { target: target.to_string_lossy().into_owned() }
            }
            FileType::Directory => Found::Directory { mode: mode(&stat) },
            _ => Found::Special,
        };
        Ok((found, owner(&stat)))
    };
    match look() {
        Ok((found, owner)) => Seen { path, found, owner },
        Err(error) => unreadable(path, &rustix::io::Errno::into(error)),
    }
}

fn unreadable(path: String, error: &io::Error) -> Seen {
    Seen { path, found: Found::Unreadable(error.to_string()), owner: None }
}

fn mode(stat: &Stat) -> u32 {
    stat.st_mode & 0o7777
}

fn owner(stat: &Stat) -> Option<(u32, u32)> {
    Some((stat.st_uid, stat.st_gid))
}

fn size(stat: &Stat) -> u64 {
    u64::try_from(stat.st_size).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::symlink;

    #[test]
    fn every_path_is_seen_once_and_links_are_not_followed() {
        let top = tempfile::tempdir().unwrap();
        let at = |name: &str| top.path().join(name);
        std::fs::create_dir_all(at("a/b")).unwrap();
        std::fs::write(at("a/b/small"), "x").unwrap();
        let large = vec![7; 3 << 20];
        std::fs::write(at("a/large"), &large).unwrap();
        // As long as the buffer, so that only the next read tells the end.
        std::fs::write(at("a/even"), vec![7; 32 << 10]).unwrap();
        symlink("/etc", at("a/link")).unwrap();
        std::fs::create_dir(top.path().join(std::ffi::OsStr::from_bytes(b"\xff"))).unwrap();
        let mut seen = look(top.path());
        seen.sort_by(|a, b| a.path.cmp(&b.path));
        let paths: Vec<&str> = seen.iter().map(|seen| seen.path.as_str()).collect();
        let expected = ["", "a", "a/b", "a/b/small", "a/even", "a/large", "a/link", "\u{fffd}"];
        assert_eq!(paths, expected);
        let file = |at: usize, content: &[u8]| match &seen[at].found {
            Found::File { size, sha256, .. } => {
                assert_eq!((*size, *sha256), (content.len() as u64, Sha256Digest::of(content)));
            }
            other => panic!("{other:?}"),
        };
        file(3, b"x");
        file(4, &[7; 32 << 10]);
        file(5, &large);
        assert_eq!(seen[6].found, Found::Symlink { target: "/etc".to_owned() });
        assert!(seen.iter().all(|seen| seen.owner.is_some()));

        let absent = look(&at("absent"));
        assert!(matches!(absent[..], [Seen { found: Found::Unreadable(_), .. }]), "{absent:?}");
    }
}
