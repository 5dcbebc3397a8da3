//! What can be typed: clap structs only, each argument already a model type.

mod call;
mod document;
mod node;
mod release;
mod repository;
mod run;
mod typed;
mod value;

pub use call::{Check, Diff, Planned, Preview};
pub use document::{Completions, Man};
pub use node::{Node, Packages, Prune, Stage};
pub use release::{Bundle, Inspect, Lock, Proof, Sources, Verify};
pub use repository::{Promote, Publish, Repository};
pub use run::{Apply, Cancel, EncOptions, History, Logs, Resume, Rollback, RunOptions, Status};
pub use typed::Typed;

use crate::model::exit::Exit;
use clap::{Args, Command, CommandFactory, Parser, Subcommand};

/// Parses the command line; asking for help is an `Err` of clap's too.
pub fn parse() -> Result<Cli, clap::Error> {
    Cli::try_parse()
}

/// True for a command that `--help` does not show.
pub fn is_hidden(verb: &str) -> bool {
    let command = <Cli as CommandFactory>::command();
    command.find_subcommand(verb).is_some_and(Command::is_hide_set)
}

/// Puppet code as releases: bundle a tagged app, install it, apply it
#[derive(Debug, Parser)]
#[command(version, after_help = exit_codes(), max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
    #[command(flatten)]
    pub voice: Voice,
}

/// How to speak.
#[derive(Clone, Debug, Args)]
pub struct Voice {
    /// Print one JSON document on stdout; everything else goes to stderr
    #[arg(long, global = true)]
    pub json: bool,
    /// Say more: what was left out, and why
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Build the .deb and .rpm of a tagged release
    Bundle(Bundle),
    /// Write down what releases are made of, for a review and for `bundle --locked`
    Lock(Lock),
    /// Show what is inside a bundle, and whether it is whole
    Inspect(Inspect),
    /// Hold an ENC against the classes of a release: would Puppet take the call?
    Check(Check),
    /// Tell what is different between two releases, and what of it breaks calls
    Diff(Diff),
    /// Tell what a release would change on this node beside the one that is applied
    Preview(Preview),
    /// Make releases available on this node, and change nothing else
    Stage(Stage),
    /// Remove old releases from this node; never one that is applied, gone back to or in use
    Prune(Prune),
    /// Check releases on this node, every file, against what they were built as
    Verify(Verify),
    /// Publish bundles to a create-only apt and yum repository
    Publish(Publish),
    /// Copy releases from one repository into another, byte for byte
    Promote(Promote),
    /// Install the requested release if need be, verify it, and run Puppet
    Apply(Box<Apply>),
    /// Show a run on this node: the one that goes on, or the last one
    Status(Status),
    /// Print the log of a run
    Logs(Logs),
    /// List the runs on this node, and where `rollback` would go
    History(History),
    /// End a run that goes on, with all that it started
    Cancel(Cancel),
    /// Apply the last other release that succeeded here, with the ENC of that run, offline
    Rollback(Rollback),
    /// Take over a run that `--detach` put on record
    #[command(hide = true)]
    Resume(Resume),
    /// Ask whether a catalog is the one of a plan: what Puppet runs before it applies one
    #[command(hide = true)]
    Planned(Planned),
    /// Print what makes a shell complete this program's commands and options
    Completions(Completions),
    /// Print a manual page, for man(1)
    Man(Man),
}

impl Verb {
    /// True where the answer is all that the command is for.
    pub fn is_query(&self) -> bool {
        match self {
            Verb::Inspect(_) | Verb::Verify(_) | Verb::Status(_) | Verb::Logs(_) => true,
            Verb::History(_)
            | Verb::Check(_)
            | Verb::Diff(_)
            | Verb::Completions(_)
            | Verb::Man(_) => true,
            Verb::Bundle(_) | Verb::Lock(_) | Verb::Stage(_) => false,
            Verb::Prune(_) | Verb::Publish(_) => false,
            Verb::Promote(_) | Verb::Apply(_) | Verb::Cancel(_) | Verb::Rollback(_) => false,
            Verb::Preview(_) => true,
            Verb::Resume(_) | Verb::Planned(_) => false,
        }
    }
}

fn exit_codes() -> String {
    let mut table = String::from("Exit codes:\n");
    for exit in Exit::ALL {
        table.push_str(&format!("  {:>2}  {}\n", exit.code(), exit.meaning()));
    }
    table
}
