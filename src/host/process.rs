//! Programs: run, waited for, ended with all that they started.
//!
//! A program's failure is its command line, how it exited, and the tail of
//! what it wrote to stderr. What is kept of its output is bounded.
#![allow(clippy::disallowed_methods)]

mod document;
mod feed;

pub use document::{Bounds, document};
pub use feed::feed;

use super::clock::{self, Deadline};
use super::proc::{Family, ignores, is_alive};
use crate::model::command::{CommandLine, Environment, quote};
use crate::model::event::Stdout;
use crate::model::failure::Failure;
use crate::model::run::Process;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::{FdFlags, fcntl_setfd, ioctl_fionread};
use rustix::process::{Pid, Signal};
use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGTERM};
use std::ffi::OsString;
use std::fmt;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

/// How much of a program's output is kept: its tail.
const KEPT: usize = 64 << 10;

/// How long a program may take to end after a signal before it is killed.
const GRACE: Duration = Duration::from_secs(10);

/// How long the next of the last words of a program are waited for when it has
/// ended; a daemon that it left behind may keep the pipe open for ever.
const LAST_WORDS: Duration = Duration::from_millis(500);

/// What a pipe holds (pipe(7)), and what the thread that reads it has in hand.
const IN_FLIGHT: usize = (64 << 10) + PIECE;

/// So much is read at once.
const PIECE: usize = 8 << 10;

/// So much is written at once: a page of a pipe, so that a slow reader is seen to read.
const PAGE: usize = 4 << 10;

/// A line of an error is not longer.
const LONGEST_LINE: usize = 500;

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
    pub fn catch() -> Result<Self, Failure> {
        let caught = Signals::register();
        caught.map_err(|error| Failure::new("failed to catch signals").because(error))
    }

    fn register() -> io::Result<Self> {
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
    /// and then it is left to itself. An error where no thread can be had.
    pub fn during<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> io::Result<Option<T>> {
        let (sender, receiver) = mpsc::channel();
        thread::Builder::new().spawn(move || sender.send(work()))?;
        while self.received().is_none() {
            match receiver.recv_timeout(Duration::from_millis(50)) {
                Ok(done) => return Ok(self.received().is_none().then_some(done)),
                Err(mpsc::RecvTimeoutError::Timeout) => {}
                Err(mpsc::RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
        Ok(None)
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
                lines[tail..].iter().try_for_each(|line| write!(f, "\n    {}", shown(line)))
            }
        }
    }
}

/// A line of a program as it is shown: what would move the cursor of a terminal is left out, and
/// so is who a URL logs in as.
fn shown(line: &str) -> String {
    let line = without_logins(line.trim_end());
    let mut characters = line.chars().filter(|&c| c == '\t' || !c.is_control());
    let mut shown: String = characters.by_ref().take(LONGEST_LINE).collect();
    if characters.next().is_some() {
        shown.push('…');
    }
    shown
}

/// A line without the passwords in its URLs: those that git was told to use instead of others.
fn without_logins(line: &str) -> String {
    let mut parts = line.split("://");
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        told.push_str("://");
        let end =
            part.find(|c: char| c == '/' || c.is_whitespace() || c == '\'').unwrap_or(part.len());
        match part[..end].rfind('@') {
            Some(at) => told.push_str(&format!("…{}", &part[at..])),
            None => told.push_str(part),
        }
    }
    told
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

    /// The first line that the program wrote to stderr, or how it failed.
    pub fn reason(&self) -> String {
        let line = self.stderr().lines().find(|line| !line.trim().is_empty());
        line.map_or_else(|| self.to_string(), shown)
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
    captured(line, signals, on, None)
}

/// The same of a program that shall not take longer; one that does is ended with its group.
pub fn capture_within(
    line: &CommandLine,
    signals: &Signals,
    on: OnSignal,
    time: Duration,
) -> Result<String, ProcessError> {
    captured(line, signals, on, Some(time))
}

fn captured(
    line: &CommandLine,
    signals: &Signals,
    on: OnSignal,
    time: Option<Duration>,
) -> Result<String, ProcessError> {
    let fail = |problem| ProcessError { command: line.to_string(), problem };
    let started = start(command(line), None, None);
    let (mut child, stdout, stderr) = started.map_err(|error| fail(Problem::Start(error)))?;
    let status = watched(&mut child, signals, on, time);
    if status.is_err() {
        document::end(&mut child);
    }
    let (stdout, stderr) = (stdout.text(), stderr.text());
    let status = status.map_err(fail)?;
    if status.success() {
        return Ok(stdout);
    }
    // Some programs say on stdout why they fail.
    let stderr = if stderr.trim().is_empty() { stdout } else { stderr };
    Err(fail(Problem::Exit { how: how(status), stderr }))
}

/// Waits for the end of a program, which is told of a signal where it shall be.
fn watched(
    child: &mut Child,
    signals: &Signals,
    on: OnSignal,
    time: Option<Duration>,
) -> Result<ExitStatus, Problem> {
    let deadline = time.map(Deadline::after);
    let mut told = on == OnSignal::Finish;
    loop {
        if let Some(status) = child.try_wait().map_err(Problem::Wait)? {
            return Ok(status);
        }
        if signals.received().is_some() && !told {
            told = true;
            tell(child, Signal::INT);
        }
        let left = deadline.map(|deadline| deadline.left());
        if let (Some(None), Some(time)) = (left, time) {
            return Err(Problem::Late { seconds: time.as_secs() });
        }
        signals.wait(left.flatten()).map_err(Problem::Wait)?;
    }
}

/// Starts a program in a process group of its own. Its pipes have their readers
/// before that: where no thread can be had, nothing was started.
fn start(mut command: Command, out: Onward, err: Onward) -> io::Result<(Child, Tail, Tail)> {
    let (stdout, to_stdout) = Tail::new(out)?;
    let (stderr, to_stderr) = Tail::new(err)?;
    command.stdin(Stdio::null()).stdout(to_stdout).stderr(to_stderr).process_group(0);
    // The command goes with its ends of the pipes, else they would never end.
    Ok((command.spawn()?, stdout, stderr))
}

fn tell(child: &Child, signal: Signal) {
    if let Some(pid) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process_group(pid, signal);
    }
}

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
    /// all that it started; what has not ended some seconds later is killed.
    pub fn wait(mut self, signals: &Signals) -> Result<End, ProcessError> {
        let status = self.wait_for_status(signals);
        let (status, interrupted) = status.map_err(|error| ProcessError {
            command: self.command,
            problem: Problem::Wait(error),
        })?;
        let (stdout, stderr) = (self.stdout.text(), self.stderr.text());
        Ok(End { code: status.code(), signal: status.signal(), interrupted, stdout, stderr })
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

/// True where nobody reads any more what this process writes to a pipe as its stdout.
pub fn is_unheard() -> bool {
    let stdout = io::stdout();
    let mut polled = [PollFd::new(&stdout, PollFlags::empty())];
    let now = Timespec::default();
    poll(&mut polled, Some(&now)).is_ok() && polled[0].revents().contains(PollFlags::ERR)
}

/// Which of some variables this process has.
pub fn present(names: &[&'static str]) -> Vec<&'static str> {
    names.iter().copied().filter(|name| std::env::var_os(name).is_some()).collect()
}

/// The command by which Puppet asks this program whether to apply the catalog of a run.
pub fn asks_if_planned(run: &str) -> Result<String, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::new("failed to find this program").because(error))?;
    Ok(format!("{} planned {}", quote(&program.to_string_lossy()), quote(run)))
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

/// Where what a program writes goes on to.
type Onward = Option<Box<dyn Write + Send>>;

/// The tail of a pipe, read by a thread of its own and copied on where asked.
struct Tail {
    copied: Arc<Copied>,
    end: mpsc::Receiver<()>,
}

/// What a thread that reads a pipe shares with who waits for it.
#[derive(Default)]
struct Copied {
    kept: Mutex<Vec<u8>>,
    /// Grows with all that was copied.
    bytes: AtomicUsize,
    /// The program has ended: all that it wrote is in the pipe or was read.
    is_over: AtomicBool,
}

impl Tail {
    /// A pipe that is read from now on, and the end of it that a program writes to.
    fn new(on: Onward) -> io::Result<(Self, PipeWriter)> {
        let (pipe, writer) = io::pipe()?;
        let copied = Arc::new(Copied::default());
        let (ended, end) = mpsc::channel();
        let shared = Arc::clone(&copied);
        thread::Builder::new().spawn(move || shared.copy(pipe, on, &ended))?;
        Ok((Tail { copied, end }, writer))
    }

    /// The tail of what the program wrote, which has ended. A reader that is slow
    /// gets all of it; one that stands still, and a daemon, are not waited for.
    fn text(self) -> String {
        self.copied.is_over.store(true, Ordering::SeqCst);
        let copied = || self.copied.bytes.load(Ordering::SeqCst);
        let mut before = copied();
        while self.end.recv_timeout(LAST_WORDS) == Err(mpsc::RecvTimeoutError::Timeout) {
            let now = copied();
            if now == before {
                break;
            }
            before = now;
        }
        let kept = self.copied.kept.lock().unwrap_or_else(PoisonError::into_inner);
        String::from_utf8_lossy(&kept).into_owned()
    }
}

impl Copied {
    /// Copies to the end of the pipe, and says so; or once all is there that the
    /// program itself can have written. Whoever writes later finds a reader still.
    fn copy(&self, mut pipe: PipeReader, mut on: Onward, ended: &mpsc::Sender<()>) {
        let mut buffer = [0; PIECE];
        let mut since_end = 0;
        while let Ok(read @ 1..) = pipe.read(&mut buffer) {
            for page in buffer[..read].chunks(PAGE) {
                if let Some(on) = &mut on {
                    let _ = on.write_all(page).and_then(|()| on.flush());
                }
                self.bytes.fetch_add(page.len(), Ordering::SeqCst);
            }
            self.keep(&buffer[..read]);
            if self.is_over.load(Ordering::SeqCst) {
                since_end += read;
                if since_end > IN_FLIGHT || ioctl_fionread(&pipe) == Ok(0) {
                    let _ = ended.send(());
                }
            }
        }
        let _ = ended.send(());
    }

    fn keep(&self, piece: &[u8]) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.extend_from_slice(piece);
        let surplus = kept.len().saturating_sub(KEPT);
        kept.drain(..surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_a_url_logs_in_as_is_not_shown() {
        let cases = [
            (
                "fatal: unable to access 'https://me:s3c@ret@git.example/x.git/': refused",
                "fatal: unable to access 'https://…@git.example/x.git/': refused",
            ),
            ("https://token@a ssh://git@b/c@d", "https://…@a ssh://…@b/c@d"),
            ("mail me@example.org, see https://a/b@c", "mail me@example.org, see https://a/b@c"),
        ];
        for (line, expected) in cases {
            assert_eq!(shown(line), expected);
        }
    }

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

    /// Reads 8 KiB in 150 ms.
    struct Slow(mpsc::Sender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            clock::sleep(Duration::from_millis(150) * bytes.len() as u32 / (8 << 10));
            self.0.send(bytes.to_vec()).map(|()| bytes.len()).map_err(io::Error::other)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_slow_reader_gets_the_last_line_too() {
        let line = CommandLine::new("sh", ["-c", "seq -f 'this is line %g of them' 4000"]);
        let (sender, receiver) = mpsc::channel();
        let (mut child, stdout, stderr) =
            start(command(&line), Some(Box::new(Slow(sender))), None).unwrap();
        assert!(child.wait().unwrap().success());
        assert!(stdout.text().ends_with("of them\n") && stderr.text().is_empty());
        let read: Vec<u8> = receiver.try_iter().flatten().collect();
        assert_eq!(read.iter().filter(|&&byte| byte == b'\n').count(), 4000);
    }

    #[test]
    fn a_daemon_that_goes_on_writing_does_not_keep_us() {
        let signals = Signals::catch().unwrap();
        for daemon in ["while echo x; do sleep 0.1; done", "yes"] {
            let script = format!("timeout 9 sh -c '{daemon}' & echo begun");
            let line = CommandLine::new("sh", ["-c", &script]);
            let deadline = Deadline::after(Duration::from_secs(6));
            assert!(capture(&line, &signals, OnSignal::Finish).is_ok());
            assert!(deadline.left().is_some(), "{daemon}");
        }
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended() {
        let signals = Signals::catch().unwrap();
        let line = CommandLine::new("sh", ["-c", "sleep 30"]);
        let deadline = Deadline::after(Duration::from_secs(10));
        let time = Duration::from_millis(200);
        let late = capture_within(&line, &signals, OnSignal::Tell, time).unwrap_err();
        assert_eq!(late.to_string(), "`sh -c 'sleep 30'` did not end within 0 s");
        assert!(deadline.left().is_some());
        let line = CommandLine::new("echo", ["soon"]);
        let time = Duration::from_secs(60);
        assert_eq!(capture_within(&line, &signals, OnSignal::Tell, time).unwrap(), "soon\n");
    }

    #[test]
    fn what_a_program_says_is_shown_within_bounds() {
        let signals = Signals::catch().unwrap();
        let script =
            "printf 'a\\tb\\033[2Jc\\r\\n' >&2; head -c 9999 /dev/zero | tr '\\0' x >&2; exit 1";
        let line = CommandLine::new("sh", ["-c", script]);
        let told = capture(&line, &signals, OnSignal::Finish).unwrap_err().to_string();
        let lines: Vec<&str> = told.lines().skip(1).collect();
        assert_eq!(lines, ["    a\tb[2Jc".to_owned(), format!("    {}…", "x".repeat(500))]);
    }
}
