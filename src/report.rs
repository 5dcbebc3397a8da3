//! Every word to the operator: prose, JSON, errors, hints, exit codes.
//!
//! One voice: lower case, no full stop, values in backticks, the file *and*
//! the key, expected then found; a hint is something to type. stdout carries
//! the answer (and with `--json` nothing but one document); stderr the rest.

mod call;
mod colour;
mod diff;
mod document;
mod inspection;
mod manual;
mod misuse;
mod preview;
mod progress;
mod pruned;
mod publication;
mod run;
mod staged;
mod verified;

use crate::cli;
use crate::model::answer::{Answer, Built, LockedRelease};
use crate::model::app::AppPath;
use crate::model::event::{Event, Stdout};
use crate::model::exit::Exit;
use crate::model::failure::{Failure, plain};
use crate::model::lock::Locked;
use clap::error::ErrorKind;
use colour::Colour;
use progress::Progress;
use serde_json::json;
use std::io::{self, Write};
use std::process::ExitCode;

/// Speaks to the operator.
pub struct Voice {
    json: bool,
    verbose: bool,
    progress: Progress,
}

impl Voice {
    /// A voice as the command line asks for it.
    pub fn new(options: &cli::Voice) -> Self {
        let progress = Progress::new(!options.json);
        Voice { json: options.json, verbose: options.verbose, progress }
    }

    /// Where programs that a command runs may write: stdout is for one JSON document alone.
    pub fn for_programs(&self) -> Stdout {
        if self.json { Stdout::Stderr } else { Stdout::Through }
    }

    /// Says something while a command works.
    pub fn event(&self, event: Event) {
        match event {
            Event::LeftOut { .. } | Event::Record { .. } if !self.verbose => {}
            Event::Began { what } => self.progress.began(what),
            Event::Done => self.progress.done(),
            // As the seed did: the command alone, after a `#`, on stdout.
            Event::Puppet { .. } => self.out(&event.to_string()),
            Event::Log { text, heard } => {
                if let Err(error) = written(&text) {
                    heard.set(false);
                    unheard(&error);
                }
            }
            _ => {
                let text = format!("localpuppet: {event}\n");
                self.progress.aside(|| {
                    let _ = io::stderr().write_all(errors().labels(text).as_bytes());
                });
            }
        }
    }

    /// Prints the answer of a command, which has done its work whoever reads of it.
    pub fn answer(&self, answer: &Answer) -> ExitCode {
        let _ = self.print(answer);
        ExitCode::from(answer.exit().code())
    }

    /// Prints the answer of a command that is for nothing else.
    pub fn must_answer(&self, answer: &Answer) -> ExitCode {
        match self.print(answer) {
            Ok(()) => ExitCode::from(answer.exit().code()),
            Err(error) => {
                unheard(&error);
                ExitCode::from(Exit::Error.code())
            }
        }
    }

    fn print(&self, answer: &Answer) -> io::Result<()> {
        if matches!(answer, Answer::Logged(_) | Answer::Unheard) {
            // Its lines were the answer.
            Ok(())
        } else if self.json {
            let document = match answer {
                Answer::Document(_) => serde_json::to_string(&prose(answer)),
                _ => serde_json::to_string_pretty(answer),
            };
            written(format!("{}\n", document.unwrap_or_default()).as_bytes())
        } else {
            let colour = Colour::of(&io::stdout());
            let text = match answer {
                Answer::Run(record) | Answer::Cancelled(record) => {
                    colour.headline(prose(answer), record)
                }
                _ => prose(answer),
            };
            written(colour.labels(text).as_bytes())
        }
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
        let _ = io::stderr().write_all(errors().labels(text).as_bytes());
        if self.json {
            let mut document = json!({
                "error": failure.to_string(),
                "causes": failure.causes(),
                "hints": failure.hints(),
                "exit": failure.exit_code(),
                "exit_code": failure.exit_code().code(),
            });
            if let Some(run) = failure.run() {
                document["run"] = json!(run);
            }
            let _ = writeln!(io::stdout(), "{document:#}");
        }
        ExitCode::from(failure.exit_code().code())
    }

    fn out(&self, line: &str) {
        self.progress.aside(|| {
            // A reader that went away is no reason to stop a run.
            let _ = if self.json {
                writeln!(io::stderr(), "{line}")
            } else {
                writeln!(io::stdout(), "{line}")
            };
        });
    }
}

/// Writes to stdout, and knows that it is there.
fn written(text: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text).and_then(|()| stdout.flush())
}

/// Tells that an answer could not be written; who read enough of it knows.
fn unheard(error: &io::Error) {
    if error.kind() != io::ErrorKind::BrokenPipe {
        let text = format!("localpuppet: error: failed to write to stdout: {}\n", plain(error));
        let _ = io::stderr().write_all(errors().labels(text).as_bytes());
    }
}

/// The colour of what is said on stderr.
fn errors() -> Colour {
    Colour::of(&io::stderr())
}

fn prose(answer: &Answer) -> String {
    match answer {
        Answer::Built(releases) => releases.iter().map(built).collect(),
        Answer::Locked(releases) => releases.iter().map(locked).collect(),
        Answer::Inspected(inspection) => inspection::prose(inspection),
        Answer::Staged(all) => staged::prose(all),
        Answer::Pruned(all) => pruned::prose(all),
        Answer::Verified(all) => verified::prose(all),
        Answer::Rebuilt(rebuilt) => verified::rebuilt(rebuilt),
        Answer::Run(record) | Answer::Cancelled(record) => run::prose(record),
        Answer::Published(publication) => publication::prose(publication),
        Answer::Listing(listing) => publication::listing(listing),
        Answer::Checked(check) => publication::check(check),
        Answer::PrunedRepository(pruning) => publication::pruning(pruning),
        Answer::Previewed(previewed) => preview::prose(previewed),
        Answer::AsPlanned => String::new(),
        Answer::Diffed(diffed) => diff::told(diffed),
        Answer::Called(called) => call::prose(called),
        Answer::CalledByMany(called) => call::fleet(called),
        Answer::Asked(record) => format!("{}\n", record.id),
        Answer::History(history) => run::history(history),
        Answer::Logged(_) | Answer::Unheard => String::new(),
        Answer::Document(document) => document::text(document),
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
    if !built.checked.is_empty() {
        let varied = built.checked.join(", ");
        text.push_str(&format!("checked: built twice to the same bytes, with another {varied}\n"));
    }
    text.extend(built.proof.iter().map(|path| format!("proof {}\n", path.display())));
    text
}

fn locked(release: &LockedRelease) -> String {
    let state = if release.unchanged { "unchanged" } else { "locked" };
    let mut text = format!("{state} {}\n", release.app);
    for Locked { app, origin, tree } in &release.entries {
        text.push_str(&format!("  {app} {origin} tree {tree}\n"));
    }
    text
}

/// Prints clap's own text for help and version; misuse in our voice.
pub fn usage(error: &clap::Error, typed: &cli::Typed) -> ExitCode {
    if !error.use_stderr() {
        let _ = error.print();
        return ExitCode::from(Exit::Ok.code());
    }
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        let _ = error.print();
        return ExitCode::from(Exit::Usage.code());
    }
    let failure = misuse::told(error, typed).exit(Exit::Usage);
    Voice::new(&cli::Voice { json: typed.json, verbose: false }).failure(&failure)
}
