//! The lock on a node: one localpuppet at a time, whatever it does there.
#![allow(clippy::disallowed_methods)]

use super::{LARGEST_RECORD, State, failed};
use crate::host::clock::{self, Deadline};
use crate::host::process::Signals;
use crate::host::{fs as files, proc};
use crate::model::event::{Event, Say};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::run::{Holder, Process, Record, Stage};
use crate::model::run_id::RunId;
use rustix::fs::OFlags;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// How often a lock that is waited for is tried.
const TRY: Duration = Duration::from_millis(200);

/// How long a lock is waited for, and who is told.
pub struct Patience<'a> {
    pub deadline: Deadline,
    pub signals: &'a Signals,
    pub say: Say<'a>,
}

impl<'a> Patience<'a> {
    /// So many seconds from now.
    pub fn of(seconds: u32, signals: &'a Signals, say: Say<'a>) -> Self {
        let deadline = Deadline::after(Duration::from_secs(u64::from(seconds)));
        Patience { deadline, signals, say }
    }

    /// Tries until `attempt` has it, until the time is over, or until a signal comes.
    pub fn wait_for<T>(
        &self,
        mut attempt: impl FnMut() -> Result<Result<T, Failure>, Failure>,
    ) -> Result<T, Failure> {
        let mut told = false;
        loop {
            let refused = match attempt()? {
                Ok(taken) => return Ok(taken),
                Err(refused) => refused,
            };
            if let Some(signal) = self.signals.received() {
                let what = format!("ended by signal {signal} while it waited");
                return Err(Failure::new(what).exit(Exit::Interrupted).because(refused));
            }
            let Some(left) = self.deadline.left() else { return Err(refused) };
            if !told {
                told = true;
                let text = format!("{refused}; waiting up to {} s", left.as_secs_f64().ceil());
                (self.say)(Event::Waiting { text });
            }
            clock::sleep(left.min(TRY));
        }
    }
}

/// The node, until it is released or this process and its Puppet are gone.
pub struct NodeLock {
    file: File,
    path: String,
}

impl State {
    /// Takes the node, or says who has it.
    pub fn hold(&self, holder: &Holder, patience: &Patience) -> Result<NodeLock, Failure> {
        self.prepare()?;
        let mut lock = NodeLock::open(self)?;
        patience.wait_for(|| match lock.take()? {
            true => Ok(Ok(())),
            false => Ok(Err(self.held(&lock.file, &lock.path))),
        })?;
        lock.tell(holder)?;
        self.tidy();
        Ok(lock)
    }

    /// Takes away what commands were about to give a name when they were
    /// killed. Whoever calls this holds the node, so nobody writes there now.
    fn tidy(&self) {
        for below in ["", "/installing", "/enc"] {
            let directory = format!("{}{below}", self.directory());
            for name in files::names(Path::new(&directory)).unwrap_or_default() {
                if name.starts_with(files::UNNAMED) || name.starts_with("last.") {
                    let _ = fs::remove_file(format!("{directory}/{name}"));
                }
            }
        }
    }

    /// Who works on this node as `verb`, from now on.
    pub fn holder(&self, verb: &str) -> Holder {
        Holder {
            verb: verb.to_owned(),
            process: proc::identify(std::process::id()),
            since: clock::now(),
            run: None,
            app: None,
        }
    }

    /// Who has the lock; what cannot be read of it is left out.
    fn held(&self, lock: &File, path: &str) -> Failure {
        let refused = |what: String| Failure::new(what).exit(Exit::Locked);
        let see = || {
            let status = self.typed("status");
            format!("see what it does: `{status}`; wait for it with `--wait-lock SECONDS`")
        };
        let Some(holder) = read_holder(lock) else {
            // It has the lock and has not yet said who it is.
            return refused("another run holds this node".to_owned()).hint(see());
        };
        if proc::is_alive(&holder.process) {
            return refused(format!("another run holds this node: {holder}")).hint(see());
        }
        let record = holder.run.as_ref().and_then(|run| self.record(run).ok().flatten());
        match record.as_ref().and_then(orphan) {
            Some(Process { pid, .. }) => refused(format!(
                "Puppet of a run that was killed is still at work: pid {pid}, {holder}"
            ))
            .hint(format!("wait for it with `--wait-lock SECONDS`, or `kill {pid}`")),
            None => refused(format!("another run holds this node: {holder}"))
                .hint(format!("it is gone; see what it left behind: `fuser -v {path}`")),
        }
    }

    /// True where the lock is taken and says that it is for this run.
    pub(super) fn is_locked_by(&self, run: &RunId) -> bool {
        let Ok(file) = File::open(format!("{}/lock", self.directory())) else { return false };
        let taken = matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock));
        taken && read_holder(&file).is_some_and(|holder| holder.run.as_ref() == Some(run))
    }
}

fn orphan(record: &Record) -> Option<&Process> {
    record.puppet_process().filter(|_| record.stage == Stage::Orphaned)
}

fn read_holder(mut file: &File) -> Option<Holder> {
    let mut text = Vec::new();
    file.rewind().ok()?;
    file.take(LARGEST_RECORD).read_to_end(&mut text).ok()?;
    serde_json::from_slice(&text).ok()
}

impl NodeLock {
    fn open(state: &State) -> Result<Self, Failure> {
        let path = format!("{}/lock", state.directory());
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        options.custom_flags(OFlags::NOFOLLOW.bits() as i32);
        let file = options.open(&path).map_err(|error| failed("open", &path, error))?;
        Ok(NodeLock { file, path })
    }

    /// `status` holds the lock for an instant to see whether it is free, so one try is not enough.
    fn take(&self) -> Result<bool, Failure> {
        for _ in 0..5 {
            match self.file.try_lock() {
                Ok(()) => return Ok(true),
                Err(TryLockError::WouldBlock) => clock::sleep(Duration::from_millis(10)),
                Err(TryLockError::Error(error)) => return Err(failed("lock", &self.path, error)),
            }
        }
        Ok(false)
    }

    /// Writes who has the lock, for those who are refused.
    pub fn tell(&mut self, holder: &Holder) -> Result<(), Failure> {
        let text = serde_json::to_string(holder).unwrap_or_default();
        let written = self.file.set_len(0).and_then(|()| self.file.rewind());
        written
            .and_then(|()| self.file.write_all(text.as_bytes()))
            .map_err(|error| failed("write", &self.path, error))
    }

    /// The lock, for the program that works under it.
    pub fn fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }

    /// Frees the node, though a daemon that Puppet left behind may have the lock still.
    pub fn release(self) {
        let _ = self.file.unlock();
    }
}
