//! A command line that was not understood.

use super::Cli;
use clap::{Arg, Command, CommandFactory};
use std::ffi::OsString;

/// What is known of a command line that was not understood.
pub struct Typed {
    /// It still says how to answer.
    pub json: bool,
    /// Its command, where that is one that `--help` shows.
    verb: Option<Command>,
    words: Vec<OsString>,
}

impl Typed {
    /// Looks through all that was typed, the program's own name first.
    pub fn of(line: impl Iterator<Item = OsString>) -> Self {
        let words: Vec<OsString> = line.skip(1).collect();
        // No option before the command has a value.
        let is_option = |word: &&OsString| word.as_encoded_bytes().starts_with(b"-");
        let command = <Cli as CommandFactory>::command();
        let verb = words.iter().find(|word| !is_option(word));
        let verb = verb.and_then(|verb| command.find_subcommand(verb));
        let verb = verb.filter(|verb| !verb.is_hide_set()).cloned();
        Typed { json: words.iter().any(|word| word == "--json"), verb, words }
    }

    /// The name of the command.
    pub fn verb(&self) -> Option<&str> {
        self.verb.as_ref().map(Command::get_name)
    }

    /// The environment variable that the value of an option comes from, as it was not typed.
    pub fn variable(&self, option: &str) -> Option<String> {
        let option = option.split(' ').next()?;
        let is_it = |word: &OsString| word.to_string_lossy().split('=').next() == Some(option);
        let of = |argument: &&Arg| argument.get_long() == option.strip_prefix("--");
        let argument = self.verb.as_ref()?.get_arguments().find(of)?;
        let variable = argument.get_env().filter(|_| !self.words.iter().any(is_it))?;
        Some(variable.to_string_lossy().into_owned())
    }

    /// True where an argument of the command may be an app path of a checkout.
    pub fn is_of_checkouts(&self) -> bool {
        // `verify` has a module root for what it builds again alone.
        self.takes("module-root") && !self.takes("rebuild")
    }

    /// True where the command has an option of that name.
    pub fn takes(&self, option: &str) -> bool {
        let is_it = |argument: &Arg| argument.get_long() == Some(option);
        self.verb.as_ref().is_some_and(|verb| verb.get_arguments().any(is_it))
    }
}
