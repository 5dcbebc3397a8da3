//! A program that is read while it works, and written to at the same time.

use super::{Problem, ProcessError, Tail, command, how};
use crate::model::command::CommandLine;
use crate::model::failure::Failure;
use std::io::{self, Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ChildStdin, Stdio};
use std::thread;

/// Runs a program in the terminal's own process group, so that it can ask there for a key's
/// passphrase, and so that Ctrl-C is for it as well. It gets `input`, and `read` gets what it
/// prints; the variables `without` are kept from it.
pub fn feed<T>(
    line: &CommandLine,
    without: &[&str],
    input: &[u8],
    read: impl FnOnce(&mut dyn Read) -> Result<T, Failure>,
) -> Result<Result<T, Failure>, ProcessError> {
    let fail = |problem| ProcessError { command: line.to_string(), problem };
    let (mut child, stderr) =
        start(line, without, input).map_err(|error| fail(Problem::Start(error)))?;
    let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
    let read = thread::scope(|scope| {
        scope.spawn(move || write(stdin, input));
        // Its end of the pipe goes here: a program that nobody reads ends.
        stdout.map(|mut stdout| read(&mut stdout))
    });
    let status = child.wait().map_err(|error| fail(Problem::Wait(error)))?;
    let stderr = stderr.text();
    match read {
        // Who is not read to the end dies of it; all else is the program's own reason.
        Some(read) if status.success() || (read.is_err() && is_of_pipe(status)) => Ok(read),
        _ => Err(fail(Problem::Exit { how: how(status), stderr })),
    }
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
    fn the_reader_s_own_reason_or_the_program_s() {
        let refuse = |_: &mut dyn Read| Err::<(), _>(Failure::new("enough"));
        assert_eq!(run("yes", b"", refuse).unwrap().unwrap_err().to_string(), "enough");
        let told = run("echo why >&2; exit 3", b"x", all).unwrap_err().to_string();
        assert!(told.ends_with(" exited with 3\n    why"), "{told}");
    }
}
