//! `status`: a run on this node, now or when it has ended.

use crate::cli::Status;
use crate::host::clock::{self, Deadline};
use crate::host::process::Signals;
use crate::host::state::State;
use crate::model::answer::Answer;
use crate::model::event::{Say, during};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::run::Record;
use crate::model::run_id::RunId;
use std::time::Duration;

/// How often a run that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Answers with the record of a run.
pub fn run(args: &Status, say: Say) -> Result<Answer, Failure> {
    let state = State::of(&args.node.root)?;
    let mut record = find(&state, args.run.as_ref())?;
    if args.wait {
        let signals = Signals::catch()?;
        let timeout = args.timeout.map(|seconds| Duration::from_secs(u64::from(seconds)));
        record = wait(&state, &record.id, timeout, &signals, say)?;
    }
    Ok(Answer::Run(Box::new(record)))
}

/// The run of an ID; without one, that which goes on, or the last one.
pub fn find(state: &State, id: Option<&RunId>) -> Result<Record, Failure> {
    let directory = state.directory();
    let Some(id) = id else {
        let none = || {
            Failure::new(format!("no run was recorded on this node, in `{directory}`"))
                .hint(state.typed("apply --enc FILE"))
        };
        return state.last()?.ok_or_else(none);
    };
    state.record(id)?.ok_or_else(|| {
        Failure::new(format!("no run `{id}` is on record, in `{directory}/runs`"))
            .hint(state.typed("history"))
    })
}

/// Waits until a run has ended, or for so long, or until a signal comes.
pub fn wait(
    state: &State,
    id: &RunId,
    timeout: Option<Duration>,
    signals: &Signals,
    say: Say,
) -> Result<Record, Failure> {
    let deadline = timeout.map(Deadline::after);
    let wait = || loop {
        let record = find(state, Some(id))?;
        if record.is_over() || deadline.is_some_and(|deadline| deadline.left().is_none()) {
            return Ok(record);
        }
        if let Some(signal) = signals.received() {
            let what = format!("ended by signal {signal}; run `{id}` goes on");
            return Err(Failure::new(what).exit(Exit::Running));
        }
        clock::sleep(LOOK);
    };
    during(say, format!("waiting for run `{id}`"), wait)
}
