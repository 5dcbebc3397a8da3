//! Every word to the operator: prose, JSON, errors, hints, exit codes.
//!
//! One voice: lower case, no full stop, values in backticks, the file *and*
//! the key, expected then found; a hint is something to type. stdout carries
//! the answer (and with `--json` nothing but one document); stderr the rest.

mod inspection;
mod run;

use crate::cli;
use crate::model::answer::{Answer, Built};
use crate::model::app::AppPath;
use crate::model::event::{Event, Stdout};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use serde_json::json;
use std::io::{self, Write};
use std::process::ExitCode;

/// Speaks to the operator.
pub struct Voice {
    json: bool,
    verbose: bool,
}

impl Voice {
    /// A voice as the command line asks for it.
    pub fn new(options: &cli::Voice) -> Self {
        Voice { json: options.json, verbose: options.verbose }
    }

    /// Where programs that a command runs may write: stdout is for one JSON document alone.
    pub fn for_programs(&self) -> Stdout {
        if self.json { Stdout::Stderr } else { Stdout::Through }
    }

    /// Says something while a command works.
    pub fn event(&self, event: Event) {
        let line = match event {
            Event::LeftOut { path, reason } if self.verbose => {
                format!("localpuppet: left out `{path}`: {reason}")
            }
            Event::LeftOut { .. } => return,
            Event::Shadowed { module, taken, ignored } => format!(
                "localpuppet: warning: module `{module}` is in `{taken}` and in `{ignored}`; \
                 Puppet takes the first whole, but loads custom facts of both"
            ),
            Event::PackageManager { command } => format!("localpuppet: running {command}"),
            Event::WaitingForLock { seconds } => format!(
                "localpuppet: another program holds the package manager's lock; waiting up to {seconds} s"
            ),
            Event::Warning { text } => format!("localpuppet: warning: {text}"),
            Event::Record { directory } if self.verbose => {
                format!("localpuppet: recording in `{}`", directory.display())
            }
            Event::Record { .. } => return,
            // As the seed did: the command alone, after a `#`, on stdout.
            Event::Puppet { command } => return self.out(&format!("# {command}")),
        };
        let _ = writeln!(io::stderr(), "{line}");
    }

    /// Prints the answer of a command.
    pub fn answer(&self, answer: &Answer) -> ExitCode {
        if self.json {
            let document = serde_json::to_string_pretty(answer).unwrap_or_default();
            let _ = writeln!(io::stdout(), "{document}");
        } else {
            let _ = io::stdout().write_all(prose(answer).as_bytes());
        }
        ExitCode::from(answer.exit().code())
    }

    /// Prints why a command failed.
    pub fn failure(&self, failure: &Failure) -> ExitCode {
        let mut text = format!("localpuppet: error: {failure}\n");
        for cause in failure.causes() {
            text.push_str(&format!("  caused by: {cause}\n"));
        }
        for hint in failure.hints() {
            text.push_str(&format!("  hint: {hint}\n"));
        }
        let _ = io::stderr().write_all(text.as_bytes());
        if self.json {
            let document = json!({
                "error": failure.to_string(),
                "causes": failure.causes(),
                "hints": failure.hints(),
                "exit": failure.exit_code(),
                "exit_code": failure.exit_code().code(),
            });
            let _ = writeln!(io::stdout(), "{document:#}");
        }
        ExitCode::from(failure.exit_code().code())
    }

    fn out(&self, line: &str) {
        // A reader that went away is no reason to stop a run.
        let _ = if self.json {
            writeln!(io::stderr(), "{line}")
        } else {
            writeln!(io::stdout(), "{line}")
        };
    }
}

fn prose(answer: &Answer) -> String {
    match answer {
        Answer::Built(releases) => releases.iter().map(built).collect(),
        Answer::Inspected(inspection) => inspection::prose(inspection),
        Answer::Run(record) => run::prose(record),
    }
}

fn built(built: &Built) -> String {
    let mut text = format!(
        "{} version {}\nbundle ID {}\nmodulepath {}\n",
        built.app,
        built.version,
        built.bundle_id,
        built.modulepath.iter().map(AppPath::as_str).collect::<Vec<_>>().join(":"),
    );
    for package in &built.packages {
        let state = if package.unchanged { "unchanged" } else { "written" };
        let (path, bytes) = (package.path.display(), package.bytes);
        text.push_str(&format!("{state} {path} ({bytes} bytes)\n"));
    }
    text
}

/// Prints clap's own text: help and version on stdout, misuse on stderr in our voice.
pub fn usage(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::from(Exit::Ok.code());
    }
    let text = error.render().to_string();
    let text = text.strip_prefix("error: ").unwrap_or(&text);
    let _ = io::stderr().write_all(format!("localpuppet: error: {text}").as_bytes());
    ExitCode::from(Exit::Usage.code())
}
