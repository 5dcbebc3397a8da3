//! A program that is read while it works, and written to at the same time.

use super::{LAST_WORDS, Problem, ProcessError, Tail, command};
use crate::host::proc::Family;
use crate::model::command::CommandLine;
use crate::model::failure::Failure;
use rustix::process::Signal;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

/// Runs a program in the terminal's own process group, so that it can ask there for a key's
/// passphrase, and so that Ctrl-C is for it as well. It gets `input`, and `read` gets what it
/// prints; the variables `without` are kept from it.
pub fn feed<T>(
    line: &CommandLine,
    without: &[&str],
    input: &[u8],
    read: impl FnOnce(&mut dyn Read) -> Result<T, Failure>,
) -> Result<Result<T, Failure>, ProcessError> {
    fed(line, without, input, None, read)
}

/// The same of a program that shall not take longer; one that does is ended with all that it
/// started.
pub fn feed_within<T>(
    line: &CommandLine,
    without: &[&str],
    time: Duration,
    read: impl FnOnce(&mut dyn Read) -> Result<T, Failure>,
) -> Result<Result<T, Failure>, ProcessError> {
    fed(line, without, b"", Some(time), read)
}

fn fed<T>(
    line: &CommandLine,
    without: &[&str],
    input: &[u8],
    time: Option<Duration>,
    read: impl FnOnce(&mut dyn Read) -> Result<T, Failure>,
) -> Result<Result<T, Failure>, ProcessError> {
    let fail = |problem| ProcessError { command: line.to_string(), problem };
    let (mut child, stderr) =
        start(line, without, input).map_err(|error| fail(Problem::Start(error)))?;
    let (stdin, stdout, pid) = (child.stdin.take(), child.stdout.take(), child.id());
    let (ended, end) = mpsc::channel::<()>();
    let (read, status, late) = thread::scope(|scope| {
        scope.spawn(move || write(stdin, input));
        let late = time.map(|time| scope.spawn(move || end_late(pid, time, &end)));
        // Its end of the pipe goes here: a program that nobody reads ends.
        let read = stdout.map(|mut stdout| read(&mut stdout));
        let status = child.wait();
        drop(ended);
        (read, status, late.and_then(|late| late.join().ok()).flatten())
    });
    let status = status.map_err(|error| fail(Problem::Wait(error)))?;
    let stderr = stderr.text();
    if let Some(seconds) = late {
        return Err(fail(Problem::Late { seconds }));
    }
    match read {
        // Who is not read to the end dies of it; all else is the program's own reason.
        Some(read) if status.success() || (read.is_err() && is_of_pipe(status)) => Ok(read),
        _ => Err(fail(Problem::Exit { status, stderr })),
    }
}

/// Ends a program with all that it started unless it ends in time; then, after how many seconds.
fn end_late(pid: u32, time: Duration, end: &Receiver<()>) -> Option<u64> {
    if end.recv_timeout(time) != Err(RecvTimeoutError::Timeout) {
        return None;
    }
    let mut family = Family::of(pid);
    family.signal_each(Signal::TERM);
    let _ = end.recv_timeout(LAST_WORDS);
    family.look();
    family.signal_each(Signal::KILL);
    Some(time.as_secs())
}

fn is_of_pipe(status: std::process::ExitStatus) -> bool {
    status.signal() == Some(signal_hook::consts::SIGPIPE) || status.code() == Some(141)
}

fn start(line: &CommandLine, without: &[&str], input: &[u8]) -> io::Result<(Child, Tail)> {
    let (stderr, to_stderr) = Tail::new(None)?;
    let mut command = command(line);
    without.iter().for_each(|name| {
        command.env_remove(name);
    });
    let stdin = if input.is_empty() { Stdio::null() } else { Stdio::piped() };
    command.stdin(stdin).stdout(Stdio::piped()).stderr(to_stderr);
    Ok((command.spawn()?, stderr))
}

/// A program that does not want all of it says so by its exit.
fn write(stdin: Option<ChildStdin>, input: &[u8]) {
    if let Some(mut stdin) = stdin {
        let _ = stdin.write_all(input);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run<T>(
        script: &str,
        input: &[u8],
        read: impl FnOnce(&mut dyn Read) -> Result<T, Failure>,
    ) -> Result<Result<T, Failure>, ProcessError> {
        feed(&CommandLine::new("sh", ["-c", script]), &["LANG"], input, read)
    }

    fn all(from: &mut dyn Read) -> Result<Vec<u8>, Failure> {
        let mut bytes = Vec::new();
        from.read_to_end(&mut bytes).map_err(|error| Failure::new(error.to_string()))?;
        Ok(bytes)
    }

    #[test]
    fn more_goes_through_than_a_pipe_holds() {
        let input = vec![b'x'; 1 << 20];
        assert_eq!(run("cat", &input, all).unwrap().unwrap(), input);
        assert_eq!(run("printf \"${LANG-none}\"", b"", all).unwrap().unwrap(), b"none");
    }

    #[test]
    fn a_program_that_is_silent_is_ended_with_all_that_it_started() {
        let place = tempfile::tempdir().unwrap();
        let script = format!(
            "(trap '' TERM; sleep 2; echo > {}/after) & sleep 9; wait",
            place.path().display()
        );
        let line = CommandLine::new("sh", ["-c", &script]);
        let late = feed_within(&line, &[], Duration::from_millis(100), all).unwrap_err();
        assert!(late.to_string().ends_with(" did not end within 0 s"), "{late}");
        let soon = CommandLine::new("echo", ["x"]);
        assert_eq!(feed_within(&soon, &[], Duration::from_secs(60), all).unwrap().unwrap(), b"x\n");
        thread::sleep(Duration::from_millis(2500));
        assert!(!place.path().join("after").exists());
    }

    #[test]
    fn the_reader_s_own_reason_or_the_program_s() {
        let refuse = |_: &mut dyn Read| Err::<(), _>(Failure::new("enough"));
        assert_eq!(run("yes", b"", refuse).unwrap().unwrap_err().to_string(), "enough");
        let told = run("echo why >&2; exit 3", b"x", all).unwrap_err().to_string();
        assert!(told.ends_with(" exited with 3\n    why"), "{told}");
    }
}
