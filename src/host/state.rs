//! What localpuppet keeps on a node: the lock, and a directory for each run.
//!
//! ```text
//! /var/lib/localpuppet/lock         who runs; a lock of the kernel's, which dies with its holders:
//!                                   localpuppet, and the Puppet that it started
//! /var/lib/localpuppet/last         the last run, a link
//! /var/lib/localpuppet/runs/<id>/   record.json, enc.yaml, log.jsonl, report.json, …
//! /var/lib/localpuppet/puppet/<app> what Puppet remembers of an app between runs
//! ```
//!
//! All of it is the owner's alone: ENCs, logs and reports have secrets in them.
#![allow(clippy::disallowed_methods)]

use super::{clock, input, proc};
use crate::model::app::AppPath;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::run::{Holder, Process, Record, Stage};
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;

const DIRECTORY: &str = "/var/lib/localpuppet";

/// So many runs are kept.
const KEPT: usize = 50;

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
        let real = input::real_path(root)?;
        Ok(State { root: real.trim_end_matches('/').to_owned() })
    }

    /// The root; `/` is empty.
    pub fn root(&self) -> &str {
        &self.root
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

    /// Takes the node for one run and begins its record.
    pub fn begin(&self, app: Option<&AppPath>) -> Result<Run, Failure> {
        let directory = self.directory();
        self.create(&directory)?;
        create_directories(&format!("{directory}/runs"))?;
        let started = clock::now();
        let lock = self.lock(&started, app)?;
        let process = proc::identify(std::process::id());
        let (id, run) = self.create_run(process.pid)?;
        let mut record = Record::begin(id, run, started, process);
        record.app = app.cloned();
        let mut run = Run { state: self.clone(), record, lock };
        run.save()?;
        run.point_to_last()?;
        Ok(run)
    }

    /// The state is the owner's alone; the directories above it are everyone's.
    fn create(&self, directory: &str) -> Result<(), Failure> {
        let above = directory.rsplit_once('/').map_or("/", |(above, _)| above);
        fs::create_dir_all(above).map_err(|error| failed("create directory", above, error))?;
        create_directories(directory)
    }

    /// A new directory, whose name sorts by time.
    fn create_run(&self, pid: u32) -> Result<(String, String), Failure> {
        loop {
            let id = format!("{}-{pid}", clock::now_as_name());
            let run = format!("{}/runs/{id}", self.directory());
            match DirBuilder::new().mode(0o700).create(&run) {
                Ok(()) => return Ok((id, run)),
                // Two runs of one process in one millisecond.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                    clock::sleep(Duration::from_millis(1));
                }
                Err(error) => return Err(failed("create directory", &run, error)),
            }
        }
    }

    fn lock(&self, since: &str, app: Option<&AppPath>) -> Result<File, Failure> {
        let path = format!("{}/lock", self.directory());
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let mut file = options.open(&path).map_err(|error| failed("open", &path, error))?;
        if !take(&file, &path)? {
            return Err(self.held(&file, &path));
        }
        let holder =
            Holder { pid: std::process::id(), since: since.to_owned(), release: app.cloned() };
        let text = serde_json::to_string(&holder).unwrap_or_default();
        let written = file.set_len(0).and_then(|()| file.rewind());
        written
            .and_then(|()| file.write_all(text.as_bytes()))
            .map_err(|error| failed("write", &path, error))?;
        Ok(file)
    }

    /// Who has the lock; what cannot be read of it is left out.
    fn held(&self, lock: &File, path: &str) -> Failure {
        let last = self.last().ok().flatten();
        let refused = |what: String| Failure::new(what).exit(Exit::Locked);
        if let Some(record) = last.as_ref().filter(|record| record.stage == Stage::Orphaned)
            && let Some(&Process { pid, .. }) = record.puppet_process()
        {
            let run = &record.id;
            return refused(format!(
                "Puppet of run `{run}`, which was killed, is still at work: pid {pid}"
            ))
            .hint(format!("wait for it, or `kill {pid}`"));
        }
        let mut text = Vec::new();
        let _ = lock.take(LARGEST_RECORD).read_to_end(&mut text);
        let told = match serde_json::from_slice::<Holder>(&text) {
            Ok(Holder { pid, since, release: Some(app) }) => {
                format!(": pid {pid}, since {since}, `{app}`")
            }
            Ok(Holder { pid, since, release: None }) => format!(": pid {pid}, since {since}"),
            // It has the lock and has not yet said who it is.
            Err(_) => String::new(),
        };
        let is_gone = last.is_some_and(|record| !proc::is_alive(&record.process));
        refused(format!("another run holds this node{told}")).hint(match is_gone {
            true => format!("it is gone; see what it left behind: `fuser -v {path}`"),
            false => "see what it does: `localpuppet status`".to_owned(),
        })
    }

    /// The record of the last run, with what became of one whose process is gone.
    pub fn last(&self) -> Result<Option<Record>, Failure> {
        let Some(mut record) = self.read_last()? else { return Ok(None) };
        if record.stage == Stage::Running && !proc::is_alive(&record.process) {
            record.stage = match record.puppet_process().is_some_and(proc::is_alive) {
                true => Stage::Orphaned,
                false if self.is_locked() => Stage::Running,
                false => Stage::Lost,
            };
        }
        Ok(Some(record))
    }

    fn is_locked(&self) -> bool {
        let file = File::open(format!("{}/lock", self.directory()));
        file.is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    fn read_last(&self) -> Result<Option<Record>, Failure> {
        let path = format!("{}/last/record.json", self.directory());
        let read = super::fs::read_bounded(Path::new(&path), LARGEST_RECORD);
        let Some(text) = read.map_err(as_root)? else { return Ok(None) };
        let record = serde_json::from_slice(&text);
        record
            .map(Some)
            .map_err(|error| Failure::new(format!("`{path}` is no record")).because(error))
    }

    /// Removes all but the newest runs. What cannot be removed now is tried again by the next run.
    fn prune(&self, last: &str) {
        let Ok(entries) = fs::read_dir(format!("{}/runs", self.directory())) else { return };
        let mut runs: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        runs.sort();
        let surplus = runs.len().saturating_sub(KEPT);
        for run in runs.iter().take(surplus).filter(|run| !run.ends_with(last)) {
            let _ = fs::remove_dir_all(run);
        }
    }
}

/// One run: holds the node until it is dropped.
pub struct Run {
    state: State,
    /// What is told of the run; written by [`Run::save`].
    pub record: Record,
    lock: File,
}

impl Run {
    /// The directory of this run.
    pub fn directory(&self) -> &str {
        &self.record.directory
    }

    /// The lock on the node, for the program that works under it.
    pub fn lock(&self) -> BorrowedFd<'_> {
        self.lock.as_fd()
    }

    /// Puts a file into this run's directory.
    pub fn put(&self, name: &str, content: &[u8]) -> Result<(), Failure> {
        let path = format!("{}/{name}", self.directory());
        if let Some((parent, _)) = path.rsplit_once('/') {
            create_directories(parent)?;
        }
        let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(content))
            .map_err(|error| failed("write", &path, error))
    }

    /// Writes the record: beside its place, then renamed into it.
    pub fn save(&mut self) -> Result<(), Failure> {
        let path = format!("{}/record.json", self.directory());
        let text = serde_json::to_string_pretty(&self.record).unwrap_or_default() + "\n";
        super::fs::replace(Path::new(&path), text.as_bytes(), 0o600)
    }

    /// Ends the record and makes room for the next.
    pub fn end(&mut self) -> Result<(), Failure> {
        self.record.stage = Stage::Ended;
        self.record.ended = Some(clock::now());
        self.save()?;
        self.state.prune(&self.record.id);
        // A daemon that Puppet left behind may have the lock still, and holds no node.
        if !self.record.puppet_process().is_some_and(proc::is_alive) {
            let _ = self.lock.unlock();
        }
        Ok(())
    }

    fn point_to_last(&self) -> Result<(), Failure> {
        let directory = self.state.directory();
        let (new, last) =
            (format!("{directory}/last.{}", self.record.id), format!("{directory}/last"));
        symlink(format!("runs/{}", self.record.id), &new)
            .and_then(|()| fs::rename(&new, &last))
            .map_err(|error| failed("write", &last, error))
    }
}

/// Takes the lock; false where another has it. `status` holds it for an
/// instant to see whether it is free, so one look is not enough.
fn take(file: &File, path: &str) -> Result<bool, Failure> {
    for _ in 0..5 {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => clock::sleep(Duration::from_millis(10)),
            Err(TryLockError::Error(error)) => return Err(failed("lock", path, error)),
        }
    }
    Ok(false)
}

fn create_directories(path: &str) -> Result<(), Failure> {
    let created = DirBuilder::new().recursive(true).mode(0o700).create(path);
    created.map_err(|error| failed("create directory", path, error))
}

fn failed(deed: &str, path: &str, error: io::Error) -> Failure {
    as_root(super::fs::failed(deed, Path::new(path), error))
}

/// The state is root's on a node: who may not read it is told.
fn as_root(failure: Failure) -> Failure {
    match failure.to_string().ends_with("Permission denied") {
        true => failure.hint("run it as root: `sudo localpuppet …`"),
        false => failure,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::run::Puppet;

    #[test]
    fn one_run_holds_the_node_and_the_next_is_told_who() {
        let root = tempfile::tempdir().unwrap();
        let state = State::of(root.path()).unwrap();
        assert!(state.last().unwrap().is_none());
        let app = "foo/tags/r1".parse().unwrap();
        let mut run = state.begin(Some(&app)).unwrap();
        let refused = state.begin(None).err().unwrap();
        assert_eq!(refused.exit_code(), Exit::Locked);
        let pid = format!("pid {}, since", std::process::id());
        assert!(refused.to_string().contains(&pid), "{refused}");
        assert!(refused.to_string().ends_with("`foo/tags/r1`"), "{refused}");
        assert_eq!(state.last().unwrap().unwrap().stage, Stage::Running);
        run.end().unwrap();
        drop(run);
        assert_eq!(state.last().unwrap().unwrap().stage, Stage::Ended);
        assert!(state.begin(None).is_ok());
    }

    #[test]
    fn a_run_whose_process_is_gone_is_lost() {
        let root = tempfile::tempdir().unwrap();
        let state = State::of(root.path()).unwrap();
        let mut run = state.begin(None).unwrap();
        run.record.process.start += 1;
        run.save().unwrap();
        drop(run);
        assert_eq!(state.last().unwrap().unwrap().stage, Stage::Lost);
    }

    #[test]
    fn a_puppet_whose_localpuppet_was_killed_keeps_the_node() {
        let root = tempfile::tempdir().unwrap();
        let state = State::of(root.path()).unwrap();
        let mut run = state.begin(None).unwrap();
        let inherited = run.lock().try_clone_to_owned().unwrap();
        // Killed here, before its record knows of any Puppet.
        run.record.process.start += 1;
        run.save().unwrap();
        let record = run.record.clone();
        drop(run);
        let refused = state.begin(None).err().unwrap();
        assert_eq!(refused.exit_code(), Exit::Locked);
        assert_eq!(state.last().unwrap().unwrap().exit(), Exit::Locked);

        // Killed later.
        let process = proc::identify(std::process::id());
        let puppet = Puppet {
            program: String::new(),
            command: String::new(),
            process: Some(process),
            version: None,
            exit_code: None,
            signal: None,
        };
        let record = Record { puppet: Some(puppet), ..record };
        let path = format!("{}/last/record.json", state.directory());
        fs::write(path, serde_json::to_string(&record).unwrap()).unwrap();
        let refused = state.begin(None).err().unwrap();
        let pid = std::process::id();
        assert_eq!(refused.hints(), [format!("wait for it, or `kill {pid}`")], "{refused}");
        assert_eq!(state.last().unwrap().unwrap().stage, Stage::Orphaned);
        drop(inherited);
        assert!(state.begin(None).is_ok());
    }

    #[test]
    fn old_runs_go_and_everything_is_the_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let root = tempfile::tempdir().unwrap();
        let state = State::of(root.path()).unwrap();
        for _ in 0..KEPT + 3 {
            let mut run = state.begin(None).unwrap();
            run.put("enc.yaml", b"secret").unwrap();
            run.end().unwrap();
        }
        let runs = format!("{}/runs", state.directory());
        assert_eq!(fs::read_dir(&runs).unwrap().count(), KEPT);
        let last = format!("{}/last", state.directory());
        let mode = |path: String| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(format!("{last}/enc.yaml")), 0o600);
        assert_eq!(mode(format!("{last}/record.json")), 0o600);
        assert_eq!(mode(last), 0o700);
    }
}
