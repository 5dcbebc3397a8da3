//! Documents about the program: completions, and the manual pages (see `manual.rs`).

use super::manual;
use crate::cli::Cli;
use crate::model::document::{Document, Shell};
use clap::{Command, CommandFactory};
use clap_complete::{Generator, generate, shells};

/// The text of a document.
pub fn text(document: &Document) -> String {
    match document {
        Document::Completions(Shell::Bash) => completions(shells::Bash),
        Document::Completions(Shell::Zsh) => completions(shells::Zsh),
        Document::Completions(Shell::Fish) => completions(shells::Fish),
        Document::Page(name) => manual::page(name.as_deref()),
        Document::Pages => manual::commands(&Cli::command())
            .map(|command| format!("{}\n", command.get_name()))
            .collect(),
    }
}

fn completions(shell: impl Generator) -> String {
    let mut script = Vec::new();
    let typed = Cli::command();
    // clap_complete offers hidden commands too.
    let shown = Command::new("localpuppet")
        .version(env!("CARGO_PKG_VERSION"))
        .args(typed.get_arguments().cloned())
        .subcommands(manual::commands(&typed).cloned());
    generate(shell, &mut shown.clone(), "localpuppet", &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
