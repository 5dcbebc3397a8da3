//! `status`: the last run on this node.

use crate::cli::Status;
use crate::host::state::State;
use crate::model::answer::Answer;
use crate::model::failure::Failure;

/// Answers with the record of the last run.
pub fn run(args: &Status) -> Result<Answer, Failure> {
    let state = State::of(&args.node.root)?;
    let record = state.last()?.ok_or_else(|| {
        Failure::new(format!("no run was recorded on this node, in `{}`", state.directory()))
            .hint("localpuppet apply --enc FILE")
    })?;
    Ok(Answer::Run(Box::new(record)))
}
