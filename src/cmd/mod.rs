//! One file a verb: first this, then that. Returns an answer, never prints.

mod apply;
mod bundle;
mod cancel;
mod check;
mod diff;
mod document;
mod history;
mod inspect;
mod install;
mod instead;
mod interface;
mod lock;
mod logs;
mod package_file;
mod planned;
mod policy;
mod preview;
mod promote;
mod prune;
mod publish;
mod repository;
mod resume;
mod rollback;
mod stage;
mod status;
mod verify;

use crate::cli::Verb;
use crate::model::answer::Answer;
use crate::model::event::{Event, Stdout};
use crate::model::failure::Failure;

/// Runs one command, which speaks through `say` while it works; `stdout` is
/// where programs that it runs may write theirs.
pub fn run(verb: Verb, stdout: Stdout, say: &dyn Fn(Event)) -> Result<Answer, Failure> {
    match verb {
        Verb::Bundle(args) => bundle::run(&args, say),
        Verb::Lock(args) => lock::run(&args, say),
        Verb::Check(args) => check::run(&args, say),
        Verb::Diff(args) => diff::run(&args, say),
        Verb::Inspect(args) => inspect::run(&args, say),
        Verb::Preview(args) => preview::run(&args, say),
        Verb::Planned(args) => planned::run(&args),
        Verb::Stage(args) => stage::run(&args, say),
        Verb::Prune(args) => prune::run(&args, say),
        Verb::Verify(args) => verify::run(&args, say),
        Verb::Apply(args) => apply::run(&args, stdout, say),
        Verb::Status(args) => status::run(&args, say),
        Verb::Logs(args) => logs::run(&args, stdout, say),
        Verb::History(args) => history::run(&args, say),
        Verb::Cancel(args) => cancel::run(&args, say),
        Verb::Rollback(args) => rollback::run(&args, stdout, say),
        Verb::Resume(args) => resume::run(&args, say),
        Verb::Promote(args) => promote::run(&args, say),
        Verb::Publish(args) => publish::run(&args, say),
        Verb::Completions(args) => Ok(document::completions(&args)),
        Verb::Man(args) => document::man(&args),
    }
}
