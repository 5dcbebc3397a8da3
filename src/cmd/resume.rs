//! `resume`: the process behind `--detach` takes the run over.

use super::apply;
use crate::cli::Resume;
use crate::host::detach;
use crate::host::state::State;
use crate::model::answer::Answer;
use crate::model::event::Say;
use crate::model::failure::Failure;

/// Carries out a run that is on record.
pub fn run(args: &Resume, say: Say) -> Result<Answer, Failure> {
    detach::leave_session();
    let state = State::of(&args.node.root)?;
    let (run, request) = state.adopt(&args.run)?;
    apply::resume(&state, run, &request, say)
}
