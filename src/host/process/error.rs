//! Why a program did not do its work: its command line, how it ended, the tail of its stderr.

use crate::model::failure::plain;
use crate::model::redaction::unstyled;
use std::fmt;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;

/// A line of an error is not longer.
const LONGEST_LINE: usize = 500;

/// Why a program did not do its work.
#[derive(Debug)]
pub struct ProcessError {
    pub(super) command: String,
    pub(super) problem: Problem,
}

/// What kept it from that.
#[derive(Debug)]
pub(super) enum Problem {
    Start(io::Error),
    Wait(io::Error),
    Exit { status: ExitStatus, stderr: String },
    TooMuch { largest: u64 },
    Late { seconds: u64 },
    Interrupted { signal: i32 },
}

impl fmt::Display for ProcessError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let command = &self.command;
        match &self.problem {
            Problem::Start(error) => write!(f, "failed to start `{command}`: {}", plain(error)),
            Problem::Wait(error) => write!(f, "failed to wait for `{command}`: {}", plain(error)),
            Problem::TooMuch { largest } => {
                write!(f, "`{command}` wrote more than {largest} bytes")
            }
            Problem::Late { seconds } => write!(f, "`{command}` did not end within {seconds} s"),
            Problem::Interrupted { signal } => {
                write!(f, "`{command}` was ended because signal {signal} came")
            }
            Problem::Exit { status, stderr } => {
                write!(f, "`{command}` {}", how(*status))?;
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
    let line = unstyled(&without_logins(line.trim_end()));
    let mut characters = line.chars();
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

    /// The exit code of the program, where it came so far and was not ended by a signal.
    pub fn code(&self) -> Option<i32> {
        match self.problem {
            Problem::Exit { status, .. } => status.code(),
            _ => None,
        }
    }

    /// The first line that the program wrote to stderr, or how it failed.
    pub fn reason(&self) -> String {
        if let Problem::Late { seconds } = self.problem {
            return format!("no answer within {seconds} s");
        }
        let line = self.stderr().lines().find(|line| !line.trim().is_empty());
        line.map_or_else(|| self.to_string(), shown)
    }

    /// True where the program took too long.
    pub fn is_late(&self) -> bool {
        matches!(self.problem, Problem::Late { .. })
    }

    /// True where there is no such program.
    pub fn is_absent(&self) -> bool {
        matches!(&self.problem, Problem::Start(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

/// How a program ended, in words.
fn how(status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("exited with {code}"),
        (_, Some(signal)) => format!("was ended by signal {signal}"),
        _ => "ended".to_owned(),
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
}
