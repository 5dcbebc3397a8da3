//! Documents about the program itself, made from its command line.

use std::fmt;
use std::str::FromStr;

/// What can be read about the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Document {
    /// A script for a shell that completes commands, options and their values.
    Completions(Shell),
    /// The manual page of a command, or of the program.
    Page(Option<String>),
    /// The commands that have a manual page, one a line.
    Pages,
}

/// The shells that completions are made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    Bash,
    Zsh,
    Fish,
}

impl Shell {
    /// Every one.
    pub const ALL: [Shell; 3] = [Shell::Bash, Shell::Zsh, Shell::Fish];
}

impl fmt::Display for Shell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Shell::Bash => "bash",
            Shell::Zsh => "zsh",
            Shell::Fish => "fish",
        })
    }
}

/// Why a text is no shell of these.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `bash`, `zsh` or `fish`, found `{0}`")]
pub struct UnknownShell(String);

impl FromStr for Shell {
    type Err = UnknownShell;

    fn from_str(text: &str) -> Result<Self, UnknownShell> {
        let found = Shell::ALL.into_iter().find(|shell| shell.to_string() == text);
        found.ok_or_else(|| UnknownShell(text.to_owned()))
    }
}
