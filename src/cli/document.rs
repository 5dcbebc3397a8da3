//! `completions` and `man`.

use super::value::OneOf;
use crate::model::document::Shell;
use clap::Args;

/// `localpuppet completions`
#[derive(Debug, Args)]
#[command(after_help = COMPLETIONS_EXAMPLES)]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL", value_parser = OneOf(&Shell::ALL))]
    pub shell: Shell,
}

/// `localpuppet man`
#[derive(Debug, Args)]
#[command(after_help = MAN_EXAMPLES)]
pub struct Man {
    /// The command that the page is of [default: the program]
    #[arg(value_name = "COMMAND", conflicts_with = "list")]
    pub command: Option<String>,
    /// Print the names of the commands that have a page
    #[arg(long)]
    pub list: bool,
}

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  source <(localpuppet completions bash)
  localpuppet completions zsh > ~/.zfunc/_localpuppet
  localpuppet completions fish > ~/.config/fish/completions/localpuppet.fish

Exit codes: 0 printed, 64 usage";

const MAN_EXAMPLES: &str = "\
Examples:
  localpuppet man apply | man -l -
  localpuppet man bundle > localpuppet-bundle.1
  localpuppet man --list

Exit codes: 0 printed, 64 usage";
