//! Programs: run, waited for, ended with all that they started.
//!
//! A program's failure is its command line, how it exited, and the tail of
//! what it wrote to stderr. What is kept of its output is bounded.
#![allow(clippy::disallowed_methods)]

mod document;

pub use document::{Bounds, document};

use super::clock::{self, Deadline};
use super::proc::{Family, ignores, is_alive};
use crate::model::command::{CommandLine, Environment};
use crate::model::event::Stdout;
use crate::model::run::Process;
use rustix::io::{FdFlags, fcntl_setfd};
use rustix::process::{Pid, Signal};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Read, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

/// How much of a program's output is kept: its tail.
const KEPT: usize = 64 << 10;

/// How long a program may take to end after a signal before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// How long the last words of a program are waited for when it has ended;
/// a daemon that it left behind may keep the pipe open for ever.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// Where systems have their programs.
const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The signals that tell this process to end, caught from here on, so that a
/// run ends as a record and not as silence.
pub struct Signals {
    wake: UnixStream,
    received: Arc<AtomicUsize>,
}

impl Signals {
    /// Begins to catch; a signal that the parent told this process to ignore stays ignored.
    pub fn catch() -> io::Result<Self> {
        let (wake, sender) = UnixStream::pair()?;
        let received = Arc::new(AtomicUsize::new(0));
        for signal in [SIGTERM, SIGINT, SIGHUP].into_iter().filter(|&signal| !ignores(signal)) {
            let value = usize::try_from(signal).unwrap_or_default();
            signal_hook::flag::register_usize(signal, Arc::clone(&received), value)?;
            signal_hook::low_level::pipe::register(signal, sender.try_clone()?)?;
        }
        signal_hook::low_level::pipe::register(SIGCHLD, sender)?;
        Ok(Signals { wake, received })
    }

    /// The signal that came last.
    pub fn received(&self) -> Option<i32> {
        i32::try_from(self.received.load(Ordering::SeqCst)).ok().filter(|&signal| signal != 0)
    }

    /// Does what takes long in a thread of its own; none where a signal comes first,
    /// and then it is left to itself.
    pub fn during<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || sender.send(work()));
        while self.received().is_none() {
            match receiver.recv_timeout(Duration::from_millis(50)) {
                Ok(done) => return self.received().is_none().then_some(done),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return None,
            }
        }
        None
    }

    /// Waits for a signal, or for the end of a child, or for so long.
    fn wait(&self, time: Option<Duration>) -> io::Result<()> {
        self.wake.set_read_timeout(time)?;
        match (&self.wake).read(&mut [0; 64]) {
            Ok(_) => Ok(()),
            Err(error) if is_no_failure(error.kind()) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

fn is_no_failure(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut | io::ErrorKind::Interrupted)
}

/// Why a program did not do its work.
#[derive(Debug)]
pub struct ProcessError {
    command: String,
    problem: Problem,
}

#[derive(Debug)]
enum Problem {
    Start(io::Error),
    Wait(io::Error),
    Exit { how: String, stderr: String },
    TooMuch { largest: u64 },
    Late { seconds: u64 },
    Interrupted { signal: i32 },
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let command = &self.command;
        match &self.problem {
            Problem::Start(error) => write!(f, "failed to start `{command}`: {error}"),
            Problem::Wait(error) => write!(f, "failed to wait for `{command}`: {error}"),
            Problem::TooMuch { largest } => {
                write!(f, "`{command}` wrote more than {largest} bytes")
            }
            Problem::Late { seconds } => write!(f, "`{command}` did not end within {seconds} s"),
            Problem::Interrupted { signal } => {
                write!(f, "`{command}` was ended because signal {signal} came")
            }
            Problem::Exit { how, stderr } => {
                write!(f, "`{command}` {how}")?;
                let lines: Vec<&str> =
                    stderr.lines().filter(|line| !line.trim().is_empty()).collect();
                let tail = lines.len().saturating_sub(12);
                lines[tail..].iter().try_for_each(|line| write!(f, "\n    {}", line.trim_end()))
            }
        }
    }
}

impl std::error::Error for ProcessError {}

impl ProcessError {
    /// What the program wrote to stderr, or its tail.
    pub fn stderr(&self) -> &str {
        match &self.problem {
            Problem::Exit { stderr, .. } => stderr,
            _ => "",
        }
    }

    /// True where there is no such program.
    pub fn is_absent(&self) -> bool {
        matches!(&self.problem, Problem::Start(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

/// Whether a program hears of a signal that this process got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnSignal {
    /// It is told, once, as a Ctrl-C; what it does then is its own affair.
    Tell,
    /// It may finish its work.
    Finish,
}

/// Runs a program to its end and returns what it wrote to stdout.
pub fn capture(
    line: &CommandLine,
    signals: &Signals,
    on: OnSignal,
) -> Result<String, ProcessError> {
    let fail = |problem| ProcessError { command: line.to_string(), problem };
    let mut command = command(line);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let mut child = command.spawn().map_err(|error| fail(Problem::Start(error)))?;
    let stdout = child.stdout.take().map(|pipe| Tail::of(pipe, None));
    let stderr = child.stderr.take().map(|pipe| Tail::of(pipe, None));
    let mut told = on == OnSignal::Finish;
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) => {}
            Err(error) => return Err(fail(Problem::Wait(error))),
        }
        if signals.received().is_some() && !told {
            told = true;
            tell(&child, Signal::INT);
        }
        signals.wait(None).map_err(|error| fail(Problem::Wait(error)))?;
    };
    let text = |tail: Option<Tail>| tail.map(Tail::text).unwrap_or_default();
    let (stdout, stderr) = (text(stdout), text(stderr));
    if status.success() {
        return Ok(stdout);
    }
    // Some programs say on stdout why they fail.
    let stderr = if stderr.trim().is_empty() { stdout } else { stderr };
    Err(fail(Problem::Exit { how: how(status), stderr }))
}

fn tell(child: &Child, signal: Signal) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process_group(pid, signal);
    }
}

/// A program whose output streams through, and which has a process group of its own.
pub struct Streamed {
    child: Child,
    stdout: Option<Tail>,
    stderr: Option<Tail>,
    command: String,
}

/// How a streamed program ended.
#[derive(Debug)]
pub struct End {
    pub code: Option<i32>,
    pub signal: Option<i32>,
    /// The signal to this process because of which it was ended.
    pub interrupted: Option<i32>,
    /// The tail of its stderr.
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
    let mut command = command(line);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    let command_line = line.to_string();
    let started = fcntl_setfd(lock, FdFlags::empty()).map_err(io::Error::from);
    let started = started.and_then(|()| command.spawn());
    // No other program is to have it; that it was taken back is no reason to leave this one.
    let _ = fcntl_setfd(lock, FdFlags::CLOEXEC);
    match started {
        Ok(mut child) => {
            let on: Box<dyn Write + Send> = match stdout {
                Stdout::Through => Box::new(io::stdout()),
                Stdout::Stderr => Box::new(io::stderr()),
            };
            let stdout = child.stdout.take().map(|pipe| Tail::of(pipe, Some(on)));
            let on: Box<dyn Write + Send> = Box::new(io::stderr());
            let stderr = child.stderr.take().map(|pipe| Tail::of(pipe, Some(on)));
            Ok(Streamed { child, stdout, stderr, command: command_line })
        }
        Err(error) => Err(ProcessError { command: command_line, problem: Problem::Start(error) }),
    }
}

impl Streamed {
    /// Its process ID.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for its end. A signal to this process is passed on to it and to
    /// all that it started; what has not ended some seconds later is killed.
    pub fn wait(mut self, signals: &Signals) -> Result<End, ProcessError> {
        let status = self.wait_for_status(signals);
        let (status, interrupted) = status.map_err(|error| ProcessError {
            command: self.command,
            problem: Problem::Wait(error),
        })?;
        drop(self.stdout.map(Tail::text));
        let stderr = self.stderr.map(Tail::text).unwrap_or_default();
        Ok(End { code: status.code(), signal: status.signal(), interrupted, stderr })
    }

    fn wait_for_status(&mut self, signals: &Signals) -> io::Result<(ExitStatus, Option<i32>)> {
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok((status, None));
            }
            if let Some(signal) = signals.received() {
                return Ok((self.end(signals, signal)?, Some(signal)));
            }
            signals.wait(None)?;
        }
    }

    fn end(&mut self, signals: &Signals, signal: i32) -> io::Result<ExitStatus> {
        let deadline = Deadline::after(GRACE);
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

fn command(line: &CommandLine) -> Command {
    let mut command = Command::new(&line.program);
    command.args(&line.arguments);
    match &line.environment {
        Environment::Inherited(set) => {
            command.env("PATH", path(std::env::var_os("PATH")));
            command.envs(set.iter().map(|(name, value)| (name, value)));
        }
        Environment::Only { set, passed } => {
            command.env_clear().current_dir("/");
            command.envs(set.iter().map(|(name, value)| (name, value)));
            let passed = passed.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
            command.envs(passed);
        }
    }
    command
}

/// Where programs are looked for: as the caller says, then where systems have
/// them. cron and `env -i` leave out what dpkg refuses to work without.
fn path(inherited: Option<OsString>) -> OsString {
    let inherited = inherited.unwrap_or_default();
    let given = std::env::split_paths(&inherited).filter(|directory| directory.is_absolute());
    let mut directories: Vec<PathBuf> = given.collect();
    for usual in USUAL_PATH.split(':').map(PathBuf::from) {
        if !directories.contains(&usual) {
            directories.push(usual);
        }
    }
    std::env::join_paths(directories).unwrap_or_else(|_| USUAL_PATH.into())
}

/// Which of some variables this process has.
pub fn present(names: &[&'static str]) -> Vec<&'static str> {
    names.iter().copied().filter(|name| std::env::var_os(name).is_some()).collect()
}

/// The home directory for programs: always the same for root, whoever became it.
pub fn home(otherwise: &str) -> String {
    if rustix::process::geteuid().is_root() {
        return "/root".to_owned();
    }
    let is_there = |home: &String| home.starts_with('/') && Path::new(home).is_dir();
    let home = std::env::var("HOME").ok().filter(is_there);
    home.unwrap_or_else(|| otherwise.to_owned())
}

fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with {code}"),
        (_, Some(signal)) => format!("was ended by signal {signal}"),
        _ => "ended".to_owned(),
    }
}

/// The tail of a pipe, read by a thread of its own and copied on where asked.
struct Tail {
    kept: Arc<Mutex<Vec<u8>>>,
    end: mpsc::Receiver<()>,
}

impl Tail {
    fn of(mut pipe: impl Read + Send + 'static, mut on: Option<Box<dyn Write + Send>>) -> Self {
        let kept = Arc::new(Mutex::new(Vec::new()));
        let (ended, end) = mpsc::channel();
        let shared = Arc::clone(&kept);
        thread::spawn(move || {
            let mut buffer = [0; 8 << 10];
            while let Ok(read @ 1..) = pipe.read(&mut buffer) {
                if let Some(on) = &mut on {
                    let _ = on.write_all(&buffer[..read]).and_then(|()| on.flush());
                }
                let mut kept = shared.lock().unwrap_or_else(PoisonError::into_inner);
                kept.extend_from_slice(&buffer[..read]);
                let surplus = kept.len().saturating_sub(KEPT);
                kept.drain(..surplus);
            }
            let _ = ended.send(());
        });
        Tail { kept, end }
    }

    fn text(self) -> String {
        let _ = self.end.recv_timeout(LAST_WORDS);
        let kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_whatever_path_the_caller_has() {
        let path = |text: &str| path(Some(text.into())).into_string().unwrap();
        assert_eq!(super::path(None).to_str(), Some(USUAL_PATH));
        assert_eq!(path(""), USUAL_PATH);
        assert_eq!(
            path("/usr/bin:.:/bin:/opt/x"),
            "/usr/bin:/bin:/opt/x:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin"
        );
    }

    #[test]
    fn a_failure_is_the_line_the_exit_and_the_tail() {
        let signals = Signals::catch().unwrap();
        let line = CommandLine::new("sh", ["-c", "echo out; echo no such thing >&2; exit 3"]);
        let error = capture(&line, &signals, OnSignal::Finish).unwrap_err();
        let told =
            "`sh -c 'echo out; echo no such thing >&2; exit 3'` exited with 3\n    no such thing";
        assert_eq!(error.to_string(), told);
        let absent = CommandLine::new("/nonexistent/program", ["x"]);
        assert!(capture(&absent, &signals, OnSignal::Tell).unwrap_err().is_absent());
    }

    #[test]
    fn output_is_read_while_it_comes_and_only_its_tail_is_kept() {
        let signals = Signals::catch().unwrap();
        let line = CommandLine::new("sh", ["-c", "head -c 1000000 /dev/zero; echo end"]);
        let out = capture(&line, &signals, OnSignal::Finish).unwrap();
        assert_eq!(out.len(), KEPT);
        assert!(out.ends_with("end\n"));
    }

    #[test]
    fn a_daemon_that_keeps_the_pipe_does_not_keep_us() {
        let signals = Signals::catch().unwrap();
        let line = CommandLine::new("sh", ["-c", "echo done; sleep 5 &"]);
        let deadline = Deadline::after(Duration::from_secs(4));
        assert_eq!(capture(&line, &signals, OnSignal::Finish).unwrap(), "done\n");
        assert!(deadline.left().is_some());
    }
}
