//! Files: read within bounds, written beside their place and renamed into it.
#![allow(clippy::disallowed_methods)]

use crate::model::command::quote;
use crate::model::digest::Sha256Digest;
use crate::model::failure::{Failure, plain};
use rustix::fs::{AtFlags, CWD};
use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempPath};

/// `failed to DEED `PATH`: what the system said`.
pub fn failed(deed: &str, path: &Path, error: io::Error) -> Failure {
    let failure = Failure::new(format!("failed to {deed} `{}`: {}", path.display(), plain(&error)));
    let look = match error.kind() {
        io::ErrorKind::PermissionDenied => "see who may: ls -ld",
        io::ErrorKind::StorageFull => "see what is full: df -h",
        io::ErrorKind::ReadOnlyFilesystem => "see how it is mounted: findmnt --target",
        _ => return failure,
    };
    // What is not there yet cannot be looked at; the directory that it would be in can.
    // Nor can, by the time that this is read, what was about to get its name.
    let is_unnamed = |path: &Path| path.components().any(|c| is_unnamed(c.as_os_str()));
    let is_there = |path: &&Path| fs::symlink_metadata(path).is_ok() && !is_unnamed(path);
    let there = path.ancestors().find(is_there).unwrap_or(Path::new("."));
    failure.hint(format!("{look} {}", quote(&there.to_string_lossy())))
}

/// Where a walk did not get on, in the system's words and not in the walker's.
pub(super) fn not_walked(deed: &str, from: &Path, error: walkdir::Error) -> Failure {
    let path = error.path().unwrap_or(from).to_owned();
    let why = error.into_io_error().unwrap_or_else(|| io::Error::other("a link leads back to it"));
    failed(deed, &path, why)
}

/// True of the names that things have before they have their own: ours, and those of new runs.
fn is_unnamed(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    name.starts_with(UNNAMED.as_bytes()) || name.starts_with(UNNAMED_DIRECTORY.as_bytes())
}

/// What a path names, links not followed; none where there is nothing.
pub fn kind(path: &Path) -> Result<Option<fs::FileType>, Failure> {
    match fs::symlink_metadata(path) {
        Ok(metadata) => Ok(Some(metadata.file_type())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed("look at", path, error)),
    }
}

/// True for a directory, or for a link to one.
pub fn is_directory(path: &Path) -> Result<bool, Failure> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(metadata.is_dir()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(failed("look at", path, error)),
    }
}

/// True for what is neither a file nor a directory, links followed: a pipe, a terminal.
pub fn is_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| !metadata.is_file() && !metadata.is_dir())
}

/// Opens a regular file for reading; never follows a link and never waits for a fifo.
pub fn open_regular(path: &Path) -> io::Result<(File, fs::Metadata)> {
    use rustix::fs::OFlags;
    let flags = (OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::other("is no regular file"));
    }
    Ok((file, metadata))
}

/// Opens a regular file that the operator named; a link is followed, a fifo not waited for.
pub fn open(path: &Path) -> Result<File, Failure> {
    let opened = open_followed(path).map_err(|error| failed("read", path, error))?;
    Ok(opened.0)
}

/// A file and its size.
fn open_followed(path: &Path) -> io::Result<(File, u64)> {
    let flags = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
    let metadata = file.metadata()?;
    match metadata.file_type() {
        kind if kind.is_file() => Ok((file, metadata.len())),
        kind if kind.is_dir() => Err(rustix::io::Errno::ISDIR.into()),
        _ => Err(io::Error::other("is no regular file")),
    }
}

/// The absolute path without links, of what is there; the rest is taken as it stands.
pub fn real(path: &Path) -> Result<PathBuf, Failure> {
    let absolute = std::path::absolute(path).map_err(|error| failed("find", path, error))?;
    let real = absolute.ancestors().find_map(|there| {
        let rest = absolute.strip_prefix(there).ok()?;
        Some(there.canonicalize().ok()?.join(rest))
    });
    Ok(real.unwrap_or(absolute))
}

/// Reads a whole file of at most `limit` bytes; none where there is none.
pub fn read_bounded(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
    let (file, size) = match open_followed(path) {
        Ok(opened) => opened,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read", path, error)),
    };
    // One more, so that the end is found without more room.
    let room = usize::try_from(size.min(limit)).unwrap_or_default() + 1;
    bounded_into(Vec::with_capacity(room), file, path, limit).map(Some)
}

/// Reads to the end, which has to come within `limit` bytes.
pub fn bounded(from: impl Read, path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    bounded_into(Vec::new(), from, path, limit)
}

fn bounded_into(
    mut bytes: Vec<u8>,
    from: impl Read,
    path: &Path,
    limit: u64,
) -> Result<Vec<u8>, Failure> {
    let read = from.take(limit.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| failed("read", path, error))?;
    if bytes.len() as u64 > limit {
        let what = format!("expected at most {limit} bytes in `{}`, found more", path.display());
        return Err(Failure::new(what));
    }
    Ok(bytes)
}

/// Reads a whole file of ours of at most `limit` bytes; none where there is
/// none. A link in its place is somebody else's doing, and an error.
pub fn read_own(path: &Path, limit: u64) -> Result<Option<Vec<u8>>, Failure> {
    let file = match open_regular(path) {
        Ok((file, _)) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("read", path, error)),
    };
    bounded(file, path, limit).map(Some)
}

/// Adds to a file of ours, and makes it where there is none; follows no link.
pub fn append_own(path: &Path, content: &[u8]) -> io::Result<()> {
    let flags = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
    let mut options = OpenOptions::new();
    options.append(true).create(true).mode(0o600).custom_flags(flags);
    options.open(path)?.write_all(content)
}

/// The names in a directory that are UTF-8, in order; none where there is no directory.
pub fn names(directory: &Path) -> Result<Vec<String>, Failure> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed("read directory", directory, error)),
    };
    let names = entries.map(|entry| entry.map(|entry| entry.file_name().into_string().ok()));
    let names = names.collect::<io::Result<Vec<_>>>();
    let names = names.map_err(|error| failed("read directory", directory, error))?;
    let mut names: Vec<String> = names.into_iter().flatten().collect();
    names.sort();
    Ok(names)
}

/// The names of the directories in a directory, in order; links to directories are such.
pub fn directories(of: &Path) -> Result<Vec<String>, Failure> {
    let mut names = names(of)?;
    names.retain(|name| is_directory(&of.join(name)).unwrap_or(false));
    Ok(names)
}

/// Makes a directory and those above it.
pub fn create_directory(path: &Path) -> Result<(), Failure> {
    fs::create_dir_all(path).map_err(|error| failed("create directory", path, error))
}

/// The same of a directory of the system: no umask lets others write there.
pub fn create_system_directory(path: &Path) -> Result<(), Failure> {
    let created = fs::DirBuilder::new().recursive(true).mode(0o755).create(path);
    created.map_err(|error| failed("create directory", path, error))
}

/// What is not to have its own name yet begins with this.
pub const UNNAMED: &str = ".localpuppet-";

/// And so does a directory.
pub const UNNAMED_DIRECTORY: &str = ".new-";

/// A file on its way to a name in one directory; gone with the process until it has it.
pub struct Beside {
    file: File,
    /// Where the file system cannot keep a file without a name: one that is removed when dropped.
    named: Option<TempPath>,
}

impl Beside {
    /// The file, to write to.
    pub fn file(&self) -> &File {
        &self.file
    }
}

/// A file without a name yet, in the directory that it will have one in.
pub fn beside(directory: &Path) -> Result<Beside, Failure> {
    let fail = |error| failed("write in", directory, error);
    let flags = rustix::fs::OFlags::TMPFILE.bits() as i32;
    let unnamed =
        OpenOptions::new().read(true).write(true).mode(0o644).custom_flags(flags).open(directory);
    if let Ok(file) = unnamed {
        return Ok(Beside { file, named: None });
    }
    let (file, named) = named_beside(directory).map_err(fail)?.into_parts();
    Ok(Beside { file, named: Some(named) })
}

fn named_beside(directory: &Path) -> io::Result<NamedTempFile> {
    tempfile::Builder::new().prefix(UNNAMED).tempfile_in(directory)
}

/// Lets this process have as many files open as it may; where that is no more, opening one fails later.
pub fn open_many() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    let _ = setrlimit(Resource::Nofile, limit);
}

/// A file that has no name and goes with the process.
pub fn spool(directory: &Path) -> Result<File, Failure> {
    tempfile::tempfile_in(directory).map_err(|error| failed("write in", directory, error))
}

/// A file that has no name, in the system's own place for such.
pub fn scratch() -> Result<File, Failure> {
    spool(&std::env::temp_dir())
}

/// A directory of this process, gone with what is in it when it is dropped.
pub fn scratch_directory() -> Result<tempfile::TempDir, Failure> {
    tempfile::tempdir().map_err(|error| failed("write in", &std::env::temp_dir(), error))
}

/// The same file once more, from its start; the place in it is shared.
pub fn again(mut file: &File) -> Result<File, Failure> {
    let again = file.rewind().and_then(|()| file.try_clone());
    again.map_err(|error| failed("read", Path::new("a file without a name"), error))
}

/// The digest and the size of a whole file.
pub fn digest(mut file: &File) -> Result<(Sha256Digest, u64), Failure> {
    let digest = file.rewind().and_then(|()| Sha256Digest::of_reader(file));
    digest.map_err(|error| failed("read", Path::new("a file without a name"), error))
}

/// What became of a file that was to be created.
#[derive(Debug, PartialEq, Eq)]
pub enum Created {
    /// It is there now.
    New,
    /// It was there, with the same bytes.
    Unchanged,
    /// It was there, with other bytes, and still is.
    Different,
}

/// Gives a file its name, unless something has that name already.
pub fn create(beside: Beside, path: &Path) -> Result<Created, Failure> {
    let fail = |error| failed("write", path, error);
    beside.file.set_permissions(fs::Permissions::from_mode(0o644)).map_err(fail)?;
    beside.file.sync_all().map_err(fail)?;
    let file = name(beside, path).map_err(fail)?;
    match file {
        Ok(_) => {
            sync_parent(path)?;
            Ok(Created::New)
        }
        Err(file) => would_create(&file, path),
    }
}

/// Gives a file its name; the inner error is the file where something has that name already.
fn name(beside: Beside, path: &Path) -> io::Result<Result<File, File>> {
    let named = match beside.named {
        None => link(&beside.file, path),
        Some(named) => named.persist_noclobber(path).map_err(|error| error.error),
    };
    match named {
        Ok(()) => Ok(Ok(beside.file)),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(Err(beside.file)),
        Err(error) => Err(error),
    }
}

/// Gives a file without a name one (open(2), `O_TMPFILE`); never another file's.
fn link(file: &File, path: &Path) -> io::Result<()> {
    let unnamed = format!("/proc/self/fd/{}", file.as_raw_fd());
    rustix::fs::linkat(CWD, unnamed, CWD, path, AtFlags::SYMLINK_FOLLOW).map_err(Into::into)
}

/// What [`create`] would answer now; nothing is changed.
pub fn would_create(file: &File, path: &Path) -> Result<Created, Failure> {
    Ok(match kind(path)? {
        None => Created::New,
        Some(_) if same_content(file, path)? => Created::Unchanged,
        Some(_) => Created::Different,
    })
}

/// A rename is on disk only once its directory is.
pub fn sync_parent(path: &Path) -> Result<(), Failure> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let sync = File::open(&parent).and_then(|directory| directory.sync_all());
    sync.map_err(|error| failed("sync directory", &parent, error))
}

fn same_content(file: &File, path: &Path) -> Result<bool, Failure> {
    let there = open(path)?;
    let fail = |error| failed("read", path, error);
    let length = file.metadata().map_err(fail)?.len();
    if length != there.metadata().map_err(fail)?.len() {
        return Ok(false);
    }
    let (mut x, mut y) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut at = 0;
    while at < length {
        let piece = (length - at).min(1 << 16) as usize;
        file.read_exact_at(&mut x[..piece], at).map_err(fail)?;
        there.read_exact_at(&mut y[..piece], at).map_err(fail)?;
        if x[..piece] != y[..piece] {
            return Ok(false);
        }
        at += piece as u64;
    }
    Ok(true)
}

/// Makes a file with all its content at once; false where something has its name already.
pub fn create_new(path: &Path, content: &[u8], mode: u32) -> Result<bool, Failure> {
    let parent = path.parent().unwrap_or(Path::new("."));
    let fail = |error| failed("write", path, error);
    let beside = beside(parent)?;
    filled(&beside, content, mode)
        .and_then(|()| name(beside, path))
        .map(|it| it.is_ok())
        .map_err(fail)
}

fn filled(beside: &Beside, content: &[u8], mode: u32) -> io::Result<()> {
    beside.file.set_permissions(fs::Permissions::from_mode(mode))?;
    (&beside.file).write_all(content)
}

/// Replaces a file's content at once: written beside, synced, renamed.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> Result<(), Failure> {
    let parent = path.parent().unwrap_or(Path::new("."));
    let fail = |error| failed("write", path, error);
    let beside = beside(parent)?;
    let filled = filled(&beside, content, mode).and_then(|()| beside.file.sync_all());
    filled.and_then(|()| rename(beside, path, parent)).map_err(fail)?;
    sync_parent(path)
}

/// Puts a file in the place of another. Only a rename does, so it has a name of its own for an
/// instant: who is killed then leaves that behind.
fn rename(beside: Beside, path: &Path, parent: &Path) -> io::Result<()> {
    let named = match beside.named {
        Some(named) => named,
        None => {
            let mut named = tempfile::Builder::new();
            let named = named.prefix(UNNAMED).make_in(parent, |path| link(&beside.file, path))?;
            named.into_temp_path()
        }
    };
    named.persist(path).map_err(|error| error.error)
}

/// Puts another name of a file that is there in the place of another; a copy, where the file system
/// has no other names. Whoever calls syncs the directory.
pub fn replace_by(path: &Path, of: &Path) -> Result<(), Failure> {
    let parent = path.parent().unwrap_or(Path::new("."));
    let fail = |error| failed("write", path, error);
    let mut named = tempfile::Builder::new();
    let named = named.prefix(UNNAMED).make_in(parent, |name| fs::hard_link(of, name));
    match named {
        Ok(named) => named.into_temp_path().persist(path).map_err(|error| fail(error.error)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(failed("read", of, error)),
        Err(_) => {
            let bytes = open(of).and_then(|file| bounded(file, of, u64::MAX - 1))?;
            replace(path, &bytes, 0o644)
        }
    }
}

/// Brings all that was written to the file system of a path to its disk; where the path is not
/// there, to that of the nearest directory above it.
pub fn sync_file_system(path: &Path) -> Result<(), Failure> {
    let there = path.ancestors().find(|path| matches!(kind(path), Ok(Some(_)))).unwrap_or(path);
    let sync = File::open(there).and_then(|file| rustix::fs::syncfs(file).map_err(Into::into));
    sync.map_err(|error| failed("sync the file system of", there, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_full_is_looked_at_where_something_stays() {
        let directory = tempfile::tempdir().unwrap();
        let run = directory.path().join("runs/.new-7-x");
        fs::create_dir_all(&run).unwrap();
        let full = || io::Error::from(io::ErrorKind::StorageFull);
        let told = |path: &Path| failed("write", path, full()).hints()[0].to_owned();
        let stays = format!("see what is full: df -h {}/runs", directory.path().display());
        assert_eq!(told(&run.join("reserve")), stays);
        assert_eq!(told(&run.join("absent/file")), stays);
        assert_eq!(told(&directory.path().join("runs/.localpuppet-x")), stays);
        assert_eq!(told(&directory.path().join("runs/a/b")), stays);
    }
}
