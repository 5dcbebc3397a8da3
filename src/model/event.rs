//! What a command says while it works.

use std::cell::Cell;
use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;

/// Something that an operator may want to know before the command ends.
#[derive(Debug)]
pub enum Event {
    /// A path of the tree is not released: version control, editor backups.
    LeftOut { path: String, reason: &'static str },
    /// Two directories of the modulepath have a module of the same name.
    Shadowed { module: String, taken: String, ignored: String },
    /// A program of the package manager runs.
    PackageManager { command: String },
    /// Another program holds the package manager's lock.
    WaitingForLock { seconds: u32 },
    /// Another run, or Puppet's own agent, has the node; or Puppet is to end.
    Waiting { text: String },
    /// Which earlier release is applied again.
    Back { text: String },
    /// The command line of Puppet, ready to paste.
    Puppet { command: String },
    /// Something odd that does not stop the command.
    Warning { text: String },
    /// Where a run keeps its record.
    Record { directory: PathBuf },
    /// Lines of a log, as they are; `heard` turns false where they could not be written.
    Log { text: Vec<u8>, heard: Rc<Cell<bool>> },
    /// A step begins that may take long.
    Began { what: String },
    /// That step is over.
    Done,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Event::LeftOut { path, reason } => write!(f, "left out `{path}`: {reason}"),
            Event::Shadowed { module, taken, ignored } => write!(
                f,
                "warning: module `{module}` is in `{taken}` and in `{ignored}`; \
                 Puppet takes the first whole, but loads custom facts of both"
            ),
            Event::PackageManager { command } => write!(f, "running {command}"),
            Event::WaitingForLock { seconds } => write!(
                f,
                "another program holds the package manager's lock; waiting up to {seconds} s"
            ),
            Event::Waiting { text } | Event::Back { text } => f.write_str(text),
            Event::Puppet { command } => write!(f, "# {command}"),
            Event::Warning { text } => write!(f, "warning: {text}"),
            Event::Log { text, .. } => f.write_str(&String::from_utf8_lossy(text)),
            Event::Record { directory } => write!(f, "recording in `{}`", directory.display()),
            Event::Began { what } => f.write_str(what),
            Event::Done => f.write_str("done"),
        }
    }
}

/// How a command speaks while it works.
pub type Say<'a> = &'a dyn Fn(Event);

/// Takes a step that may take long, and says so before and after it, however it ends.
pub fn during<T>(say: Say, what: impl Into<String>, step: impl FnOnce() -> T) -> T {
    say(Event::Began { what: what.into() });
    let came_of_it = step();
    say(Event::Done);
    came_of_it
}

/// Where the stdout of a program that a command runs goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stdout {
    /// To this process's stdout.
    Through,
    /// To this process's stderr: stdout is for one document alone.
    Stderr,
}
