//! Programs: run, waited for, ended with all that they started.
//!
//! A program's failure is its command line, how it exited, and the tail of
//! what it wrote to stderr. What is kept of its output is bounded.
#![allow(clippy::disallowed_methods)]

mod document;
mod environment;
mod error;
mod feed;
mod signals;
mod streamed;
mod tail;

pub use document::{Bounds, document};
pub use environment::{USUAL_PATH, asks_if_planned, home, present};
pub use error::ProcessError;
pub use feed::{feed, feed_within};
pub use signals::Signals;
pub use streamed::{End, Streamed, end_family, stream};

use super::clock::{self, Deadline};
use crate::model::command::CommandLine;
use environment::command;
use error::Problem;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal};
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use tail::{LAST_WORDS, Onward, Tail};

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
    Err(fail(Problem::Exit { status, stderr }))
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

/// True where nobody reads any more what this process writes to a pipe as its stdout.
pub fn is_unheard() -> bool {
    let stdout = io::stdout();
    let mut polled = [PollFd::new(&stdout, PollFlags::empty())];
    let now = Timespec::default();
    poll(&mut polled, Some(&now)).is_ok() && polled[0].revents().contains(PollFlags::ERR)
}

#[cfg(test)]
mod tests {
    use super::tail::KEPT;
    use super::*;
    use std::io::Write;
    use std::sync::mpsc;

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
        assert_eq!(lines, ["    a\tbc".to_owned(), format!("    {}…", "x".repeat(500))]);
    }
}
