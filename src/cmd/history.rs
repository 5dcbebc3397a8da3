//! `history`: the runs of a node, which one shaped it, and where `rollback` would go.

use crate::cli;
use crate::host::state::State;
use crate::model::answer::{Answer, History};
use crate::model::event::{Event, Say};
use crate::model::failure::Failure;
use crate::plan::history::{applied, rollback_target};

/// Answers with every run that is on record.
pub fn run(args: &cli::History, say: Say) -> Result<Answer, Failure> {
    let (runs, unreadable) = State::of(&args.node.root)?.runs()?;
    for failure in unreadable {
        say(Event::Warning { text: format!("a run is left out: {failure}") });
    }
    let applied = applied(&runs).map(|run| run.id.clone());
    let rollback = rollback_target(&runs).map(|run| run.id.clone());
    Ok(Answer::History(History { runs, applied, rollback }))
}
