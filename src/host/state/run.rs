//! The directory of a run: made whole or not at all, written to, ended.
#![allow(clippy::disallowed_methods)]

use super::log::{Level, Log};
use super::{State, create_directories, failed};
use crate::host::{clock, fs as files, proc};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::request::{EncFrom, Request};
use crate::model::run::{Outcome, Record, Stage};
use crate::model::run_id::RunId;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::path::Path;
use std::time::Duration;

/// So much room on the disk is kept for the record of how a run ended.
static RESERVE: [u8; 32 << 10] = [0; 32 << 10];

/// How many names of its own a run is given before the clock is blamed.
const TRIES: usize = 1000;

/// Directories of runs that are being made begin with this, which no run ID does.
const UNNAMED: &str = files::UNNAMED_DIRECTORY;

/// Directories of runs that are being removed begin with this.
const GONE: &str = ".gone-";

/// The file in a run's directory that offers it to the process that goes on with it.
const OFFERED: &str = "offered";

/// One run of this process.
pub struct Run {
    state: State,
    /// What is told of the run; written by [`Run::save`].
    pub record: Record,
}

/// What became of a run that was to be created.
pub enum Created {
    New(Box<Run>),
    /// The same ID was given to the same request before.
    Known(Box<Record>),
}

impl State {
    /// Puts a run on record, before anything of it is done. `document` is the
    /// ENC that came through stdin, which can be read but once.
    pub fn create(
        &self,
        asked: Option<&RunId>,
        request: &Request,
        document: Option<&[u8]>,
    ) -> Result<Created, Failure> {
        self.prepare()?;
        if let Some(known) = asked.map(|id| self.known(id, request)).transpose()?.flatten() {
            return Ok(known);
        }
        let new = Unnamed::make(self)?;
        if let Some(document) = document {
            new.put("input.yaml", document)?;
        }
        new.put("request.json", &json(request)?)?;
        new.put("reserve", &RESERVE)?;
        let sequence = self.runs()?.0.last().map_or(1, |run| run.sequence.saturating_add(1));
        for _ in 0..TRIES {
            let id = asked.cloned().map_or_else(own_id, Ok)?;
            let process = proc::identify(std::process::id());
            let mut record =
                Record::new(id.clone(), self.run_directory(&id), clock::now(), process);
            record.sequence = sequence;
            record.app = request.app.clone();
            record.mode = request.mode;
            if let EncFrom::Run(target) = &request.enc {
                record.rollback_to = Some(target.clone());
            }
            new.put("record.json", &json(&record)?)?;
            if new.name(&record.directory)? == Named::Yes {
                return Ok(Created::New(Box::new(Run { state: self.clone(), record })));
            }
            // Another process was quicker; an ID of our own is the time, which goes on.
            let Some(asked) = asked else {
                clock::sleep(Duration::from_millis(1));
                continue;
            };
            return self.known(asked, request)?.ok_or_else(|| {
                let directory = self.run_directory(asked);
                Failure::new(format!("`{directory}` is there, and holds no run"))
                    .hint(format!("look into it, then move it away: `ls -la {directory}`"))
            });
        }
        Err(Failure::new(
            "found no name for the run that is not taken; does the clock stand still?",
        )
        .hint("name it: `--run-id ID`"))
    }

    /// The run of an ID, which has to have been asked for the same.
    fn known(&self, id: &RunId, request: &Request) -> Result<Option<Created>, Failure> {
        let Some(record) = self.record(id)? else { return Ok(None) };
        if self.request(id)?.as_ref() != Some(request) {
            let directory = &record.directory;
            return Err(Failure::new(format!("run `{id}` was asked for something else"))
                .hint(format!("take another run ID, or compare: cat {directory}/request.json")));
        }
        if !is_to_begin(&record) {
            return Ok(Some(Created::Known(Box::new(record))));
        }
        let begun = self.take_over(id, is_to_begin)?;
        Ok(Some(match begun {
            Some(run) => Created::New(Box::new(run)),
            None => Created::Known(Box::new(self.record(id)?.unwrap_or(record))),
        }))
    }

    /// Takes over a run that another process has put on record, and has not begun.
    pub fn adopt(&self, id: &RunId) -> Result<(Run, Request), Failure> {
        let unknown = || Failure::new(format!("no run `{id}` in `{}/runs`", self.directory()));
        let request = self.request(id)?.ok_or_else(unknown)?;
        let offered = format!("{}/{OFFERED}", self.run_directory(id));
        let run = self.take_over(id, |_| fs::remove_file(&offered).is_ok())?;
        let run = run.ok_or_else(|| Failure::new(format!("run `{id}` is not to be taken over")))?;
        Ok((run, request))
    }

    /// Makes a run that of this process, where `may` says so; one of several processes gets it.
    fn take_over(
        &self,
        id: &RunId,
        may: impl FnOnce(&Record) -> bool,
    ) -> Result<Option<Run>, Failure> {
        let path = format!("{}/request.json", self.run_directory(id));
        let (one_at_a_time, _) =
            files::open_regular(Path::new(&path)).map_err(|error| failed("read", &path, error))?;
        one_at_a_time.lock().map_err(|error| failed("lock", &path, error))?;
        let Some(mut record) = self.record(id)?.filter(may) else { return Ok(None) };
        record.stage = Stage::Waiting;
        record.outcome = None;
        record.exit_code = None;
        record.reason = None;
        record.process = proc::identify(std::process::id());
        let mut run = Run { state: self.clone(), record };
        run.save()?;
        Ok(Some(run))
    }

    /// Removes runs; what cannot be removed now is tried again by the next run.
    pub fn forget<'a>(&self, runs: impl Iterator<Item = &'a RunId>) {
        let directory = format!("{}/runs", self.directory());
        let own = std::process::id();
        for run in runs {
            // At once no run any more, whatever becomes of the removal.
            let gone = format!("{directory}/{GONE}{own}-{run}");
            if fs::rename(self.run_directory(run), &gone).is_ok() {
                let _ = fs::remove_dir_all(&gone);
            }
        }
        for name in files::names(Path::new(&directory)).unwrap_or_default() {
            // `.new-PID-…` and `.gone-PID-…`, of a process that was killed.
            let rest = [UNNAMED, GONE].iter().find_map(|begin| name.strip_prefix(begin));
            let pid = rest.and_then(|rest| rest.split('-').next()?.parse().ok());
            if pid.is_some_and(|pid| !proc::exists(pid)) {
                let _ = fs::remove_dir_all(format!("{directory}/{name}"));
            }
        }
    }
}

/// True for a run that came to nothing yet: the process that was to begin it
/// is gone, or it was refused for what passes.
fn is_to_begin(record: &Record) -> bool {
    let refused = matches!(record.outcome, Some(Outcome::Locked | Outcome::Disabled));
    let never_held = record.stage == Stage::Lost && !record.held;
    never_held || record.stage == Stage::Ended && refused
}

/// An ID that sorts by time.
fn own_id() -> Result<RunId, Failure> {
    let id = format!("{}-{}", clock::now_as_name(), std::process::id());
    id.parse().map_err(|error| Failure::new("failed to name the run").because(error))
}

fn json(document: &impl serde::Serialize) -> Result<Vec<u8>, Failure> {
    let text = serde_json::to_string_pretty(document);
    // A path that is not UTF-8 can be no JSON.
    text.map(|text| (text + "\n").into_bytes())
        .map_err(|error| Failure::new("failed to put the run on record").because(error))
}

/// A run's directory before it has its name, gone with this value.
struct Unnamed {
    path: String,
}

#[derive(PartialEq, Eq)]
enum Named {
    Yes,
    Taken,
}

impl Unnamed {
    fn make(state: &State) -> Result<Self, Failure> {
        let (pid, time) = (std::process::id(), clock::now_as_name());
        let path = format!("{}/runs/{UNNAMED}{pid}-{time}", state.directory());
        create_directories(&path)?;
        Ok(Unnamed { path })
    }

    fn put(&self, name: &str, content: &[u8]) -> Result<(), Failure> {
        let path = format!("{}/{name}", self.path);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true).mode(0o600);
        let written = options.open(&path).and_then(|mut file| {
            file.write_all(content)?;
            file.sync_data()
        });
        written.map_err(|error| failed("write", &path, error))
    }

    fn name(&self, path: &str) -> Result<Named, Failure> {
        match renameat_with(CWD, self.path.as_str(), CWD, path, RenameFlags::NOREPLACE) {
            Ok(()) => {
                files::sync_parent(Path::new(path))?;
                Ok(Named::Yes)
            }
            Err(Errno::EXIST | Errno::NOTEMPTY) => Ok(Named::Taken),
            // A file system that knows no such flag; a directory with files in it is not replaced.
            Err(Errno::INVAL) => match fs::rename(&self.path, path) {
                Ok(()) => Ok(Named::Yes),
                Err(error) if Errno::from_io_error(&error) == Some(Errno::NOTEMPTY) => {
                    Ok(Named::Taken)
                }
                Err(error) => Err(failed("create directory", path, error)),
            },
            Err(error) => Err(failed("create directory", path, error.into())),
        }
    }
}

impl Drop for Unnamed {
    fn drop(&mut self) {
        // It has its name, or is not wanted.
        let _ = fs::remove_dir_all(&self.path);
    }
}

impl Run {
    /// The directory of this run.
    pub fn directory(&self) -> &str {
        &self.record.directory
    }

    /// The log of this run.
    pub fn log(&self) -> Log {
        Log::of(self.directory())
    }

    /// Offers the run to another process.
    pub fn offer(&self) -> Result<(), Failure> {
        let path = format!("{}/{OFFERED}", self.directory());
        files::append_own(Path::new(&path), b"").map_err(|error| failed("write", &path, error))
    }

    /// True where it was cancelled before it began.
    pub fn is_cancelled(&self) -> bool {
        self.state.is_cancelled(&self.record.id)
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

    /// The document that came through stdin when this run was asked for.
    pub fn document(&self, largest: u64) -> Result<Vec<u8>, Failure> {
        let path = format!("{}/input.yaml", self.directory());
        let gone = || Failure::new(format!("`{path}` is not there")).exit(Exit::EncRefused);
        files::read_own(Path::new(&path), largest)?.ok_or_else(gone)
    }

    /// Writes the record: beside its place, then renamed into it.
    pub fn save(&mut self) -> Result<(), Failure> {
        let path = format!("{}/record.json", self.directory());
        files::replace(Path::new(&path), &json(&self.record)?, 0o600)
    }

    /// The run holds the node from here on.
    pub fn start(&mut self) -> Result<(), Failure> {
        self.record.stage = Stage::Running;
        self.record.held = true;
        // In the order in which they hold the node, which is not that in which they were asked for.
        let (runs, _) = self.state.runs()?;
        let last = runs.iter().filter(|run| run.id != self.record.id).map(|run| run.sequence).max();
        self.record.sequence = last.unwrap_or(0).saturating_add(1);
        self.save()?;
        self.point_to_last()
    }

    /// Ends the record, on a full disk too.
    pub fn end(&mut self) -> Result<(), Failure> {
        self.record.stage = Stage::Ended;
        self.record.ended = Some(clock::now());
        let _ = fs::remove_file(format!("{}/reserve", self.directory()));
        if let Some(reason) = &self.record.reason {
            let log = self.log();
            log.write(Level::Err, &reason.error);
            reason.causes.iter().for_each(|cause| log.write(Level::Err, cause));
        }
        self.save()
    }

    fn point_to_last(&self) -> Result<(), Failure> {
        let directory = self.state.directory();
        let (new, last) =
            (format!("{directory}/last.{}", self.record.id), format!("{directory}/last"));
        // Left by a run that was killed here.
        let _ = fs::remove_file(&new);
        symlink(format!("runs/{}", self.record.id), &new)
            .and_then(|()| fs::rename(&new, &last))
            .map_err(|error| failed("write", &last, error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::process::Signals;
    use crate::host::state::Patience;
    use crate::model::digest::Sha256Digest;
    use crate::model::request::{Check, CodeFrom, Disabled, EncFrom, Keep};
    use crate::model::run::{DetailedExit, Holder, Mode, Outcome, Puppet};
    use std::os::unix::fs::PermissionsExt;

    fn request(text: &str) -> Request {
        Request {
            app: text.parse().ok(),
            certname: None,
            enc: EncFrom::Stdin { sha256: Sha256Digest::of("") },
            code: CodeFrom::Installed,
            plan: None,
            mode: Mode::Apply,
            detailed_exitcodes: DetailedExit::No,
            puppet: None,
            wait_lock: 0,
            disabled: Disabled::Honoured,
            check: Check::Wanted,
            keep: Keep { runs: 50, days: 90 },
        }
    }

    fn node() -> (tempfile::TempDir, State) {
        let root = tempfile::tempdir().unwrap();
        let state = State::of(root.path()).unwrap();
        (root, state)
    }

    fn create(state: &State, id: Option<&str>) -> Run {
        let id = id.map(|id| id.parse().unwrap());
        match state.create(id.as_ref(), &request("foo/tags/r1"), None).unwrap() {
            Created::New(run) => *run,
            Created::Known(record) => panic!("{record:?}"),
        }
    }

    fn hold(state: &State, run: &Run) -> Result<crate::host::state::NodeLock, Failure> {
        let signals = Signals::catch().unwrap();
        let deadline = clock::Deadline::after(Duration::ZERO);
        let patience = Patience { deadline, signals: &signals, say: &|_| () };
        let holder = Holder {
            run: Some(run.record.id.clone()),
            app: run.record.app.clone(),
            ..state.holder("apply")
        };
        state.hold(&holder, &patience)
    }

    #[test]
    fn one_run_holds_the_node_and_the_next_is_told_who() {
        let (_root, state) = node();
        assert!(state.last().unwrap().is_none());
        let mut run = create(&state, None);
        let lock = hold(&state, &run).unwrap();
        run.start().unwrap();
        let second = create(&state, None);
        let refused = hold(&state, &second).err().unwrap();
        assert_eq!(refused.exit_code(), Exit::Locked);
        let told = format!(
            "another run holds this node: `apply` of `foo/tags/r1`, run `{}`, pid {}, since ",
            run.record.id,
            std::process::id()
        );
        assert!(refused.to_string().starts_with(&told), "{refused}");
        assert_eq!(state.last().unwrap().unwrap().id, run.record.id);
        run.end().unwrap();
        lock.release();
        assert_eq!(state.last().unwrap().unwrap().stage, Stage::Waiting);
        assert!(hold(&state, &second).is_ok());
    }

    #[test]
    fn a_run_whose_process_is_gone_is_lost() {
        let (_root, state) = node();
        let mut run = create(&state, Some("a"));
        run.record.process.start += 1;
        run.start().unwrap();
        let record = state.record(&run.record.id).unwrap().unwrap();
        assert_eq!((record.stage, record.outcome), (Stage::Lost, Some(Outcome::Lost)));
    }

    #[test]
    fn what_a_killed_command_was_about_to_name_goes() {
        let (_root, state) = node();
        let run = create(&state, None);
        let directory = state.subdirectory("installing").unwrap();
        let left = [format!("{directory}/.localpuppet-x"), format!("{}/last.a", state.directory())];
        left.iter().for_each(|path| fs::write(path, "").unwrap());
        fs::write(format!("{directory}/localpuppet-foo-r1"), "").unwrap();
        drop(hold(&state, &run).unwrap());
        assert!(left.iter().all(|path| !Path::new(path).exists()));
        assert!(Path::new(&format!("{directory}/localpuppet-foo-r1")).exists());
    }

    #[test]
    fn a_puppet_whose_localpuppet_was_killed_keeps_the_node() {
        let (_root, state) = node();
        let mut run = create(&state, None);
        let lock = hold(&state, &run).unwrap();
        let inherited = lock.fd().try_clone_to_owned().unwrap();
        // Killed here, before its record knows of any Puppet.
        run.record.process.start += 1;
        run.start().unwrap();
        drop(lock);
        let second = create(&state, None);
        assert_eq!(hold(&state, &second).err().unwrap().exit_code(), Exit::Locked);
        let stage = |run: &Run| state.record(&run.record.id).unwrap().unwrap().stage;
        assert_eq!(stage(&run), Stage::Running);
        // Killed later.
        run.record.puppet = Some(Puppet {
            program: String::new(),
            command: String::new(),
            process: Some(proc::identify(std::process::id())),
            version: None,
            exit_code: None,
            signal: None,
        });
        run.save().unwrap();
        assert_eq!(stage(&run), Stage::Orphaned);
        assert_eq!(hold(&state, &second).err().unwrap().exit_code(), Exit::Locked);
        drop(inherited);
        assert!(hold(&state, &second).is_ok());
    }

    #[test]
    fn the_same_id_and_request_are_the_same_run_and_another_request_is_refused() {
        let (_root, state) = node();
        let run = create(&state, Some("deploy-1"));
        let id = Some(&run.record.id);
        match state.create(id, &request("foo/tags/r1"), None).unwrap() {
            Created::Known(record) => assert_eq!(*record, run.record),
            Created::New(_) => panic!("it is the same"),
        }
        let refused = state.create(id, &request("foo/tags/r2"), None).err().unwrap();
        assert_eq!(refused.to_string(), "run `deploy-1` was asked for something else");
    }

    #[test]
    fn everything_is_the_owners_alone_and_a_stranger_is_not_trusted() {
        let (root, state) = node();
        let run = create(&state, None);
        run.put("enc.yaml", b"secret").unwrap();
        let mode = |path: &str| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let directory = run.directory();
        assert_eq!(mode(&format!("{directory}/enc.yaml")), 0o600);
        assert_eq!(mode(&format!("{directory}/record.json")), 0o600);
        assert_eq!(mode(directory), 0o700);
        fs::set_permissions(state.directory(), fs::Permissions::from_mode(0o777)).unwrap();
        let refused = state.create(None, &request("foo/tags/r1"), None).err().unwrap();
        assert!(refused.to_string().starts_with("others may write to "), "{refused}");
        let link = root.path().join("elsewhere");
        fs::rename(state.directory(), &link).unwrap();
        symlink(&link, state.directory()).unwrap();
        let refused = state.create(None, &request("foo/tags/r1"), None).err().unwrap();
        assert!(refused.to_string().ends_with(" is no directory"), "{refused}");
    }

    #[test]
    fn no_earlier_run_is_taken_for_a_last_one_whose_record_is_damaged() {
        let (_root, state) = node();
        let mut first = create(&state, Some("a"));
        first.start().and_then(|()| first.end()).unwrap();
        let mut last = create(&state, Some("b"));
        last.start().and_then(|()| last.end()).unwrap();
        let record = format!("{}/record.json", last.directory());
        fs::write(&record, "{").unwrap();
        let refused = state.last().err().unwrap();
        assert_eq!(refused.to_string(), format!("`{record}` is not what was written"));
        assert_eq!(
            refused.hints(),
            [format!("see what else ran: `localpuppet history --root {}`", state.root())]
        );
        let mut next = create(&state, Some("c"));
        next.start().and_then(|()| next.end()).unwrap();
        assert_eq!(state.last().unwrap().unwrap().id, next.record.id);
        fs::remove_dir_all(format!("{}/runs/c", state.directory())).unwrap();
        assert_eq!(state.last().unwrap().unwrap().id, first.record.id);
        // The only run, refused before it took the node.
        let (_root, state) = node();
        let only = create(&state, None);
        fs::write(format!("{}/record.json", only.directory()), "").unwrap();
        assert!(state.last().is_err());
    }

    #[test]
    fn runs_are_counted_whatever_the_clock_says() {
        let (_root, state) = node();
        let mut first = create(&state, Some("z"));
        first.record.started = "2999-01-01T00:00:00.000Z".into();
        first.end().unwrap();
        create(&state, Some("a")).end().unwrap();
        let (runs, _) = state.runs().unwrap();
        let ids: Vec<&str> = runs.iter().map(|run| run.id.as_str()).collect();
        assert_eq!(ids, ["z", "a"]);
    }
}
