//! `completions` and `man`: what there is to read about the program.

use crate::cli::{Cli, Completions, Man};
use crate::model::answer::Answer;
use crate::model::document::Document;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::suggest;
use clap::CommandFactory;

/// Answers with the completions of a shell.
pub fn completions(args: &Completions) -> Answer {
    Answer::Document(Document::Completions(args.shell))
}

/// Answers with a manual page, or with the names of them all.
pub fn man(args: &Man) -> Result<Answer, Failure> {
    if args.list {
        return Ok(Answer::Document(Document::Pages));
    }
    let command = Cli::command();
    if let Some(name) = &args.command
        && command.find_subcommand(name).is_none()
    {
        let names: Vec<_> = command.get_subcommands().map(|c| c.get_name().to_owned()).collect();
        let failure = Failure::new(format!("unknown command `{name}`")).exit(Exit::Usage);
        return Err(match suggest::nearest(name, &names) {
            Some(meant) => failure.hint(format!("did you mean `{meant}`?")),
            None => failure.hint("localpuppet man --list"),
        });
    }
    Ok(Answer::Document(Document::Page(args.command.clone())))
}
