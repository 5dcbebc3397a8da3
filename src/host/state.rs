//! What localpuppet keeps on a node: the lock, and a directory for each run.
//!
//! ```text
//! /var/lib/localpuppet/lock         who works here; a lock of the kernel's, which dies with its
//!                                   holders: localpuppet, and the Puppet that it started
//! /var/lib/localpuppet/last         the last run that held the node, a link
//! /var/lib/localpuppet/runs/<id>/   request.json, record.json, enc.yaml, log.txt, log.jsonl,
//!                                   report.json, …
//! /var/lib/localpuppet/puppet/<app> what Puppet remembers of an app between runs
//! ```
//!
//! All of it is the owner's alone: ENCs, logs and reports have secrets in them.
#![allow(clippy::disallowed_methods)]

mod lock;
mod log;
mod run;

pub use lock::{NodeLock, Patience};
pub use log::{Level, Log, LogReader};
pub use run::{Created, Run};

use super::{fs as files, input, proc};
use crate::model::command::typed;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::request::Request;
use crate::model::run::{Outcome, Record, Stage};
use crate::model::run_id::RunId;
use rustix::process::geteuid;
use serde::de::DeserializeOwned;
use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

const DIRECTORY: &str = "/var/lib/localpuppet";

/// The file in a run's directory that says that it was cancelled.
const CANCELLED: &str = "cancelled";

/// A record is some kilobytes; more is not one.
const LARGEST_RECORD: u64 = 1 << 20;

/// The state of one node.
#[derive(Clone, Debug)]
pub struct State {
    /// Empty for `/`, so that an absolute path can follow.
    root: String,
}

impl State {
    /// The state below a root that exists.
    pub fn of(root: &Path) -> Result<Self, Failure> {
        if !files::is_directory(root)? {
            let root = root.display();
            return Err(Failure::new(format!("the node's root `{root}` is no directory"))
                .hint("leave `--root` out for this machine, or name a directory: `--root DIR`"));
        }
        let real = input::real_path(root)?;
        Ok(State { root: real.trim_end_matches('/').to_owned() })
    }

    /// The root; `/` is empty.
    pub fn root(&self) -> &str {
        &self.root
    }

    /// A command of localpuppet's as it is typed for this node.
    pub fn typed(&self, command: &str) -> String {
        typed(&self.root, command)
    }

    /// An absolute path of the node, below the root.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.root)
    }

    /// Where the state is.
    pub fn directory(&self) -> String {
        self.at(DIRECTORY)
    }

    /// A directory of its own for a neighbour: what apt is told of a root, say.
    pub fn subdirectory(&self, name: &str) -> Result<String, Failure> {
        let directory = format!("{}/{name}", self.directory());
        create_directories(&directory)?;
        Ok(directory)
    }

    /// Where Puppet remembers an app.
    pub fn memory(&self, name: &str) -> Result<String, Failure> {
        // Puppet makes no directory below /dev, where a try may well be.
        self.subdirectory(&format!("puppet/{name}/var/state"))?;
        self.subdirectory(&format!("puppet/{name}"))
    }

    /// Makes the state's directories where there are none, and sees that nobody else can write there.
    fn prepare(&self) -> Result<(), Failure> {
        let directory = self.directory();
        let above = directory.rsplit_once('/').map_or("/", |(above, _)| above);
        files::create_system_directory(Path::new(above)).map_err(as_root)?;
        create_directories(&directory)?;
        ours(&directory)?;
        let runs = format!("{directory}/runs");
        create_directories(&runs)?;
        ours(&runs)
    }

    fn run_directory(&self, id: &RunId) -> String {
        format!("{}/runs/{id}", self.directory())
    }

    /// The record of one run, with what became of it if its process is gone.
    pub fn record(&self, id: &RunId) -> Result<Option<Record>, Failure> {
        let directory = self.run_directory(id);
        if files::kind(Path::new(&directory)).map_err(as_root)?.is_none() {
            return Ok(None);
        }
        ours(&directory)?;
        let record: Option<Record> = document(&format!("{directory}/record.json"))?;
        let Some(record) = record else { return Ok(None) };
        let truth = self.with_true_stage(Record { directory: directory.clone(), ..record.clone() });
        if truth.stage == record.stage {
            return Ok(Some(truth));
        }
        // It may have ended between the two looks, and said so.
        let again = document(&format!("{directory}/record.json"))?.unwrap_or(record);
        Ok(Some(self.with_true_stage(Record { directory, ..again })))
    }

    /// Leaves word that a run is to end, for a process that is not there yet.
    pub fn cancel(&self, id: &RunId) -> Result<(), Failure> {
        let path = format!("{}/{CANCELLED}", self.run_directory(id));
        files::append_own(Path::new(&path), b"").map_err(|error| failed("write", &path, error))
    }

    fn is_cancelled(&self, id: &RunId) -> bool {
        let path = format!("{}/{CANCELLED}", self.run_directory(id));
        files::kind(Path::new(&path)).is_ok_and(|kind| kind.is_some())
    }

    /// What a run was asked to do.
    pub fn request(&self, id: &RunId) -> Result<Option<Request>, Failure> {
        document(&format!("{}/request.json", self.run_directory(id)))
    }

    /// Reads a log of a run from its beginning.
    pub fn log(&self, id: &RunId, name: &str) -> LogReader {
        LogReader::of(&format!("{}/{name}", self.run_directory(id)))
    }

    /// The ENC that a run gave to Puppet.
    pub fn enc_of(&self, id: &RunId, largest: u64) -> Result<Vec<u8>, Failure> {
        let path = format!("{}/enc.yaml", self.run_directory(id));
        let text = files::read_own(Path::new(&path), largest)?;
        text.ok_or_else(|| {
            Failure::new(format!("the ENC of run `{id}` is not on record")).exit(Exit::EncRefused)
        })
    }

    /// Every run that is on record, the oldest first, and what could not be read of others.
    pub fn runs(&self) -> Result<(Vec<Record>, Vec<Failure>), Failure> {
        let directory = format!("{}/runs", self.directory());
        let names = files::names(Path::new(&directory)).map_err(as_root)?;
        let (mut runs, mut unreadable) = (Vec::new(), Vec::new());
        for id in names.iter().filter_map(|name| name.parse().ok()) {
            match self.record(&id) {
                Ok(record) => runs.extend(record),
                Err(failure) => unreadable.push(failure),
            }
        }
        runs.sort_by_key(|run| (run.sequence, run.started.clone()));
        Ok((runs, unreadable))
    }

    /// The run that holds the node, or the last one that did; one that was
    /// refused for another says nothing of the node. Where that one cannot be
    /// read, no other is taken for it.
    pub fn last(&self) -> Result<Option<Record>, Failure> {
        let (runs, mut unreadable) = self.runs()?;
        let damaged = match self.named_last() {
            Some(id) => self.record(&id).err(),
            None if runs.is_empty() => unreadable.pop(),
            None => None,
        };
        if let Some(failure) = damaged {
            return Err(failure.hint(format!("see what else ran: `{}`", self.typed("history"))));
        }
        let told = |run: &&Record| run.outcome != Some(Outcome::Locked);
        let working = runs.iter().rev().find(|run| !run.is_over() && run.stage != Stage::Waiting);
        Ok(working.or_else(|| runs.iter().rev().find(told)).or(runs.last()).cloned())
    }

    /// The run that was the last to take the node, as its link says.
    fn named_last(&self) -> Option<RunId> {
        let link = fs::read_link(format!("{}/last", self.directory())).ok()?;
        link.file_name()?.to_str()?.parse().ok()
    }

    fn with_true_stage(&self, mut record: Record) -> Record {
        if record.stage == Stage::Ended || proc::is_alive(&record.process) {
            return record;
        }
        if record.puppet_process().is_some_and(proc::is_alive) {
            record.stage = Stage::Orphaned;
            return record;
        }
        // Killed between the start of its Puppet and the record of it: the lock knows.
        let held = record.stage == Stage::Running && record.puppet_process().is_none();
        if held && self.is_locked_by(&record.id) {
            return record;
        }
        match self.is_cancelled(&record.id) {
            true => {
                record.stage = Stage::Ended;
                record.outcome = Some(Outcome::Interrupted);
                record.exit_code = Some(Exit::Interrupted.code());
            }
            false => {
                record.stage = Stage::Lost;
                record.outcome = Some(Outcome::Lost);
            }
        }
        record
    }
}

/// A JSON document of ours; none where there is no file. No link is followed.
fn document<T: DeserializeOwned>(path: &str) -> Result<Option<T>, Failure> {
    let read = files::read_own(Path::new(path), LARGEST_RECORD);
    let Some(text) = read.map_err(as_root)? else { return Ok(None) };
    let document = serde_json::from_slice(&text);
    document
        .map(Some)
        .map_err(|error| Failure::new(format!("`{path}` is not what was written")).because(error))
}

const AS_ROOT: &str = "run it as root: `sudo localpuppet …`";

/// Sees that a directory is one, is this user's, and is nobody else's to write to.
fn ours(path: &str) -> Result<(), Failure> {
    let metadata = fs::symlink_metadata(path).map_err(|error| failed("look at", path, error))?;
    let (user, owner) = (geteuid().as_raw(), metadata.uid());
    if !metadata.is_dir() {
        return Err(Failure::new(format!("`{path}` is no directory"))
            .hint(format!("look at it, then move it away: `ls -ld {path}`")));
    }
    if owner != user {
        let what = format!("expected `{path}` to be of user {user}, found user {owner}");
        return Err(Failure::new(what).hint(match owner {
            // Root's own, and nothing that anyone should move.
            0 => AS_ROOT.to_owned(),
            _ => format!("look into it, then move it away: `ls -la {path}`"),
        }));
    }
    if metadata.mode() & 0o022 != 0 {
        let what = format!("others may write to `{path}`, where secrets and locks are kept");
        return Err(Failure::new(what).hint(format!("chmod go-rwx {path}")));
    }
    Ok(())
}

fn create_directories(path: &str) -> Result<(), Failure> {
    let created = DirBuilder::new().recursive(true).mode(0o700).create(path);
    created.map_err(|error| failed("create directory", path, error))
}

fn failed(deed: &str, path: &str, error: io::Error) -> Failure {
    as_root(files::failed(deed, Path::new(path), error))
}

/// The state is root's on a node: who may not read it is told.
fn as_root(failure: Failure) -> Failure {
    let denied = failure.to_string().ends_with("Permission denied");
    match denied && !geteuid().is_root() {
        true => failure.hint(AS_ROOT),
        false => failure,
    }
}
