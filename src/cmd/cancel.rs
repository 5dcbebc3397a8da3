//! `cancel`: end a run that goes on, with all that it started.

use super::status::{find, wait};
use crate::cli::Cancel;
use crate::host::process::Signals;
use crate::host::state::State;
use crate::host::{proc, process};
use crate::model::answer::Answer;
use crate::model::event::Say;
use crate::model::failure::Failure;
use crate::model::run::Stage;
use std::time::Duration;

/// A run ends its Puppet within ten seconds of being told, and needs a moment to say so.
const PATIENCE: Duration = Duration::from_secs(15);

/// Ends a run, and answers with how it ended.
pub fn run(args: &Cancel, say: Say) -> Result<Answer, Failure> {
    let state = State::of(&args.node.root)?;
    let signals = Signals::catch()?;
    let mut record = find(&state, Some(&args.run))?;
    let has_begun = record.held || record.stage != Stage::Lost;
    if record.is_over() && has_begun {
        return Ok(Answer::Run(Box::new(record)));
    }
    // For a process that is still to take it over, and for whoever asks how it ended.
    state.cancel(&record.id)?;
    if record.stage != Stage::Orphaned {
        proc::tell_to_end(&record.process)?;
        record = wait(&state, &record.id, Some(PATIENCE), &signals, say)?;
    }
    if !record.is_over() {
        for process in record.puppet_process().into_iter().chain([&record.process]) {
            process::end_family(process);
        }
        record = wait(&state, &record.id, Some(PATIENCE), &signals, say)?;
    }
    if !record.is_over() {
        let (id, pid) = (&record.id, record.process.pid);
        return Err(Failure::new(format!("run `{id}` does not end"))
            .hint(format!("look at its processes: `ps --forest -g {pid}`")));
    }
    Ok(Answer::Cancelled(Box::new(record)))
}
