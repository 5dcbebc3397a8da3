//! The log of a run, as text and as JSON lines; Puppet writes to the same two files.

use crate::host::clock;
use crate::host::fs;
use crate::model::failure::Failure;
use serde_json::json;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

/// How grave a line of a log is, in Puppet's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    Notice,
    Warning,
    Err,
}

impl Level {
    fn as_str(self) -> &'static str {
        match self {
            Level::Notice => "notice",
            Level::Warning => "warning",
            Level::Err => "err",
        }
    }
}

/// Writes to the log of one run.
#[derive(Clone, Debug)]
pub struct Log {
    directory: String,
}

impl Log {
    /// The log in a run's directory.
    pub fn of(directory: &str) -> Self {
        Log { directory: directory.to_owned() }
    }

    /// Adds one message in the form that Puppet gives its own. A log that
    /// cannot be written to is no reason to stop a run.
    pub fn write(&self, level: Level, message: &str) {
        let (time, level) = (clock::now(), level.as_str());
        let entry =
            json!({"level": level, "message": message, "source": "localpuppet", "time": time});
        let text = format!("{} localpuppet ({level}): {message}\n", clock::now_as_puppet());
        for (name, line) in [("log.txt", text), ("log.jsonl", format!("{entry}\n"))] {
            let path = format!("{}/{name}", self.directory);
            let _ = fs::append_own(Path::new(&path), line.as_bytes());
        }
    }
}

/// A log is read in pieces of this size.
const PIECE: u64 = 64 << 10;

/// Reads a log that may still grow.
#[derive(Debug)]
pub struct LogReader {
    path: String,
    file: Option<File>,
}

impl LogReader {
    pub(super) fn of(path: &str) -> Self {
        LogReader { path: path.to_owned(), file: None }
    }

    /// What comes next; none where there is no more at the moment.
    pub fn next_piece(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let path = Path::new(&self.path);
        let fail = |error| fs::failed("read", path, error);
        let file = match &mut self.file {
            Some(file) => file,
            None => match fs::open_regular(path) {
                Ok((file, _)) => self.file.insert(file),
                Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
                Err(error) => return Err(fail(error)),
            },
        };
        let mut piece = Vec::new();
        file.take(PIECE).read_to_end(&mut piece).map_err(fail)?;
        Ok((!piece.is_empty()).then_some(piece))
    }
}
