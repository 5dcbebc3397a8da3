//! A program whose output streams through, and which ends with all that it started.

use super::{Problem, ProcessError, Signals, Tail, command, start};
use crate::host::clock::{self, Deadline};
use crate::host::proc::{Family, is_alive};
use crate::model::command::CommandLine;
use crate::model::event::{Event, Say, Stdout};
use crate::model::run::Process;
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::Signal;
use signal_hook::consts::{SIGHUP, SIGINT};
use std::io::{self, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::time::Duration;

/// How long a program may take to end after a signal before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// So long after a Ctrl-C another one is the same: `timeout` and some shells send each twice.
const SAME: Duration = Duration::from_millis(500);

/// A program whose output streams through, and which has a process group of its own.
pub struct Streamed {
    child: Child,
    stdout: Tail,
    stderr: Tail,
    command: String,
}

/// How a streamed program ended.
#[derive(Debug)]
pub struct End {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    /// The signal to this process because of which it was ended.
    pub interrupted: Option<i32>,
    /// The tails of what it wrote.
    pub stdout: String,
    pub stderr: String,
}

/// Starts a program. Its output comes through this process: where the reader
/// of it goes away, Puppet would stop in the middle of a catalog. `lock` is the
/// program's as well from its first instant, so that whoever kills this process
/// does not free it.
pub fn stream(
    line: &CommandLine,
    stdout: Stdout,
    lock: BorrowedFd,
) -> Result<Streamed, ProcessError> {
    let out: Box<dyn Write + Send> = match stdout {
        Stdout::Through => Box::new(io::stdout()),
        Stdout::Stderr => Box::new(io::stderr()),
    };
    let started = fcntl_setfd(lock, FdFlags::empty()).map_err(io::Error::from);
    let started =
        started.and_then(|()| start(command(line), Some(out), Some(Box::new(io::stderr()))));
    // No other program is to have it; that it was taken back is no reason to leave this one.
    let _ = fcntl_setfd(lock, FdFlags::CLOEXEC);
    let command = line.to_string();
    match started {
        Ok((child, stdout, stderr)) => Ok(Streamed { child, stdout, stderr, command }),
        Err(error) => Err(ProcessError { command, problem: Problem::Start(error) }),
    }
}

impl Streamed {
    /// Its process ID.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end. A signal to this process is passed on to it and to
    /// all that it started; what has not ended some seconds later is killed,
    /// and at once where Ctrl-C is pressed again.
    pub fn wait(mut self, signals: &Signals, say: Say) -> Result<End, ProcessError> {
        let status = self.wait_for_status(signals, say);
        let (status, interrupted) = status.map_err(|error| ProcessError {
            command: self.command,
            problem: Problem::Wait(error),
        })?;
        let (stdout, stderr) = (self.stdout.text(), self.stderr.text());
        Ok(End { code: status.code(), signal: status.signal(), interrupted, stdout, stderr })
    }

    fn wait_for_status(
        &mut self,
        signals: &Signals,
        say: Say,
    ) -> io::Result<(ExitStatus, Option<i32>)> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok((status, None));
            }
            if let Some(signal) = signals.received() {
                if signal == SIGINT {
                    let text = format!(
                        "Puppet has {} s to end what it is at; Ctrl-C again kills it",
                        GRACE.as_secs()
                    );
                    say(Event::Waiting { text });
                }
                return Ok((self.end(signals, signal)?, Some(signal)));
            }
            signals.wait(None)?;
        }
    }

    fn end(&mut self, signals: &Signals, signal: i32) -> io::Result<ExitStatus> {
        let (deadline, same) = (Deadline::after(GRACE), Deadline::after(SAME));
        let mut family = Family::of(self.pid());
        family.signal(match signal {
            SIGINT => Signal::INT,
            SIGHUP => Signal::HUP,
            _ => Signal::TERM,
        });
        let status = loop {
            if let Some(status) = self.child.try_wait()? {
                break Some(status);
            }
            // What it starts while it ends belongs to it as well.
            family.look();
            let Some(left) = deadline.left() else { break None };
            signals.wait(Some(left.min(Duration::from_millis(100))))?;
            if signals.is_pressed() && same.left().is_none() {
                break None;
            }
        };
        while family.is_alive() && status.is_some() && deadline.left().is_some() {
            clock::sleep(Duration::from_millis(50));
        }
        family.signal(Signal::KILL);
        status.map_or_else(|| self.child.wait(), Ok)
    }
}

/// Ends a process that is not ours with all that it started: asked first, killed some seconds later.
pub fn end_family(process: &Process) {
    if !is_alive(process) {
        return;
    }
    let deadline = Deadline::after(GRACE);
    let mut family = Family::of(process.pid);
    family.signal(Signal::TERM);
    while family.is_alive() && deadline.left().is_some() {
        clock::sleep(Duration::from_millis(50));
        family.look();
    }
    family.signal(Signal::KILL);
}
