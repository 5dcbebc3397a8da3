//! One shape for every refusal: what failed, why, and what to type next.

use super::exit::Exit;
use super::run_id::RunId;
use std::error::Error;
use std::fmt;
use std::io;

/// What stopped a command, with its causes, hints and exit code.
///
/// The texts follow one voice: lower case, no full stop, values in backticks,
/// expected then found; a hint is something that can be typed.
#[derive(Debug)]
#[must_use]
pub struct Failure {
    exit: Exit,
    what: String,
    cause: Option<Box<dyn Error + Send + Sync>>,
    hints: Vec<String>,
    run: Option<RunId>,
}

impl Failure {
    /// A failure with exit code 1 and neither cause nor hint.
    pub fn new(what: impl Into<String>) -> Self {
        Failure { exit: Exit::Error, what: what.into(), cause: None, hints: Vec::new(), run: None }
    }

    /// The same failure with another exit code.
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The same failure with what caused it; a `Failure` as cause keeps its hints.
    pub fn because(mut self, cause: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.cause = Some(cause.into());
        self
    }

    /// The same failure with one more hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// The same failure as that of a run which is on record.
    pub fn of_run(mut self, id: &RunId) -> Self {
        self.run = Some(id.clone());
        self
    }

    /// The run that it ended.
    pub fn run(&self) -> Option<&RunId> {
        self.run.as_ref()
    }

    /// The exit code that this failure ends the command with.
    pub fn exit_code(&self) -> Exit {
        self.exit
    }

    /// The texts below the first one, outermost first.
    pub fn causes(&self) -> Vec<String> {
        let mut causes = Vec::new();
        let mut next = self.source();
        while let Some(error) = next {
            causes.push(error.to_string());
            next = error.source();
        }
        causes
    }

    /// The hints of this failure and of those that caused it.
    pub fn hints(&self) -> Vec<&str> {
        let mut hints: Vec<&str> = self.hints.iter().map(String::as_str).collect();
        let mut next = self.source();
        while let Some(error) = next {
            if let Some(failure) = error.downcast_ref::<Failure>() {
                hints.extend(failure.hints.iter().map(String::as_str));
            }
            next = error.source();
        }
        hints
    }
}

/// The system's words, without Rust's number after them.
pub fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_owned()
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.what)
    }
}

impl Error for Failure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.cause.as_deref().map(|cause| cause as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::Failure;

    #[test]
    fn a_cause_keeps_its_hints() {
        let inner = Failure::new("no such directory").hint("mkdir it");
        let outer = Failure::new("failed to bundle").because(inner).hint("try again");
        assert_eq!(outer.to_string(), "failed to bundle");
        assert_eq!(outer.causes(), ["no such directory"]);
        assert_eq!(outer.hints(), ["try again", "mkdir it"]);
    }
}
