//! A program that prints one document: within a size and a time, or not at all.
//!
//! What it prints may be secret, and is in no error.

use super::{LAST_WORDS, Problem, ProcessError, Signals, Tail, clock, command, tell};
use crate::host::clock::Deadline;
use crate::model::command::CommandLine;
use rustix::process::Signal;
use std::io::{self, PipeWriter, Read};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver, TryRecvError};
use std::thread;
use std::time::Duration;

/// How much a program may print, and how long it may take.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    pub largest: u64,
    pub time: Duration,
}

/// Runs a program that shall print a document and end well. One that does not
/// is ended with all of its process group; so is it where a signal comes.
pub fn document(
    line: &CommandLine,
    signals: &Signals,
    bounds: Bounds,
) -> Result<Vec<u8>, ProcessError> {
    let fail = |problem| ProcessError { command: line.to_string(), problem };
    let started = start(command(line), bounds.largest);
    let (mut child, stdout, stderr) = started.map_err(|error| fail(Problem::Start(error)))?;
    let found = watch(&mut child, &stdout, signals, bounds);
    if found.is_err() {
        end(&mut child);
    }
    let (status, text) = found.map_err(fail)?;
    match status.success() {
        true => Ok(text),
        false => Err(fail(Problem::Exit { status, stderr: stderr.text() })),
    }
}

type Output = Receiver<io::Result<Vec<u8>>>;

/// Starts a program whose pipes have their readers already.
fn start(mut command: Command, largest: u64) -> io::Result<(Child, Output, Tail)> {
    let (stdout, to_stdout) = read(largest)?;
    let (stderr, to_stderr) = Tail::new(None)?;
    command.stdin(Stdio::null()).stdout(to_stdout).stderr(to_stderr).process_group(0);
    Ok((command.spawn()?, stdout, stderr))
}

/// A pipe that a thread of its own reads to the end, one byte further than is allowed at most.
fn read(largest: u64) -> io::Result<(Output, PipeWriter)> {
    let (pipe, writer) = io::pipe()?;
    let (sender, receiver) = mpsc::channel();
    let read = move || {
        let (mut text, mut pipe) = (Vec::new(), pipe.take(largest + 1));
        let read = pipe.read_to_end(&mut text);
        // Before the pipe goes, which ends a program that still writes.
        let _ = sender.send(read.map(|_| text));
        drop(pipe);
    };
    thread::Builder::new().spawn(read)?;
    Ok((receiver, writer))
}

/// Waits until the program has ended and all of its output is there.
fn watch(
    child: &mut Child,
    stdout: &Output,
    signals: &Signals,
    bounds: Bounds,
) -> Result<(ExitStatus, Vec<u8>), Problem> {
    let deadline = Deadline::after(bounds.time);
    let (mut status, mut text) = (None, None);
    loop {
        if status.is_none() {
            status = child.try_wait().map_err(Problem::Wait)?;
        }
        // After a look at the program: one that was too long is told so, and not how that ended it.
        if text.is_none() {
            match stdout.try_recv() {
                Ok(Ok(read)) if read.len() as u64 > bounds.largest => {
                    return Err(Problem::TooMuch { largest: bounds.largest });
                }
                Ok(read) => text = Some(read.map_err(Problem::Wait)?),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => {}
            }
        }
        match (status, &mut text) {
            // What a program that failed left behind need not be waited for.
            (Some(status), _) if !status.success() => return Ok((status, Vec::new())),
            (Some(status), Some(text)) => return Ok((status, std::mem::take(text))),
            _ => {}
        }
        if let Some(signal) = signals.received() {
            return Err(Problem::Interrupted { signal });
        }
        let Some(left) = deadline.left() else {
            return Err(Problem::Late { seconds: bounds.time.as_secs() });
        };
        // The end of the output is no signal, so it is looked for.
        let pause = left.min(Duration::from_millis(20));
        signals.wait(Some(pause)).map_err(Problem::Wait)?;
    }
}

/// Ends a program and its process group: asked first, and killed soon after.
pub(super) fn end(child: &mut Child) {
    tell(child, Signal::TERM);
    let deadline = Deadline::after(LAST_WORDS);
    while matches!(child.try_wait(), Ok(None)) && deadline.left().is_some() {
        clock::sleep(Duration::from_millis(10));
    }
    tell(child, Signal::KILL);
    let _ = child.wait();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(script: &str, largest: u64, time: u64) -> Result<Vec<u8>, ProcessError> {
        let signals = Signals::catch().unwrap();
        let bounds = Bounds { largest, time: Duration::from_millis(time) };
        document(&CommandLine::new("sh", ["-c", script, "sh", "node"]), &signals, bounds)
    }

    #[test]
    fn a_document_is_whole_or_there_is_none() {
        let plenty = 20_000;
        assert_eq!(run("printf \"app of $1\"", 100, plenty).unwrap(), b"app of node");
        assert_eq!(
            run("(sleep 0.2; echo late) & echo soon", 100, plenty).unwrap(),
            b"soon\nlate\n"
        );
        let told = |script| run(script, 100, plenty).unwrap_err().to_string();
        let failed = told("echo s3cret; echo why >&2; exit 3");
        assert!(failed.ends_with(" exited with 3\n    why"), "{failed}");
        assert!(told("echo s3cret; exit 3").ends_with(" exited with 3"));
        assert!(told("cat /dev/zero").ends_with(" wrote more than 100 bytes"));
    }

    #[test]
    fn a_program_that_hangs_is_ended_with_its_group() {
        let marker = tempfile::tempdir().unwrap();
        let path = marker.path().join("after");
        let script = format!("trap '' TERM; (sleep 2; echo > {}) & wait; sleep 9", path.display());
        let late = run(&script, 100, 200).unwrap_err().to_string();
        assert!(late.ends_with(" did not end within 0 s"), "{late}");
        clock::sleep(Duration::from_millis(2500));
        assert!(!path.try_exists().unwrap());
    }
}
