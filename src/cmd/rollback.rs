//! `rollback`: an earlier release that succeeded here, with the ENC of that run, offline.

use super::apply::{ask, rollback_request};
use super::status::find;
use crate::cli::Rollback;
use crate::host::state::State;
use crate::model::answer::Answer;
use crate::model::event::{Event, Say, Stdout};
use crate::model::failure::Failure;
use crate::model::request::Check;
use crate::model::run::Record;
use crate::plan::history::rollback_target;

/// Applies the release of an earlier run.
pub fn run(args: &Rollback, stdout: Stdout, say: Say) -> Result<Answer, Failure> {
    let state = State::of(&args.run.node.root)?;
    let target = match &args.to {
        Some(id) => find(&state, Some(id))?,
        None => latest(&state)?,
    };
    let id = &target.id;
    if !target.is_good() {
        let how = target.outcome.map_or("not ended", |outcome| outcome.words());
        return Err(Failure::new(format!("run `{id}` did not succeed: {how}"))
            .hint(format!("name one that did, as `{}` shows them", state.typed("history"))));
    }
    if target.package.is_none() {
        return Err(Failure::new(format!("run `{id}` applied a checkout, which is no release"))
            .hint(format!(
                "name a run that applied a release, as `{}` shows them",
                state.typed("history")
            )));
    }
    let text = target.app.as_ref().map(|app| format!("back to `{app}` of run `{id}`"));
    text.into_iter().for_each(|text| say(Event::Back { text }));
    let mut request = rollback_request(&args.run, &target)?;
    if let Some(asked) = state.request(id)? {
        request.certname = request.certname.or(asked.certname);
        // What went well without a check goes back without one.
        if asked.check == Check::Skipped {
            request.check = Check::Skipped;
        }
    }
    ask(&state, &args.run, &request, None, stdout, say)
}

/// Where back is, of runs that can all be read: one that cannot may be the one.
fn latest(state: &State) -> Result<Record, Failure> {
    let (runs, unreadable) = state.runs()?;
    if let Some(failure) = unreadable.into_iter().next() {
        return Err(Failure::new("a run cannot be read, and may be the one to go back to")
            .because(failure)
            .hint(format!(
                "name one: `{}`, as `{}` shows them",
                state.typed("rollback --to RUN"),
                state.typed("history")
            )));
    }
    rollback_target(&runs).cloned().ok_or_else(|| {
        Failure::new("no other release has succeeded on this node, so there is no way back")
            .hint(format!("see what ran here: `{}`", state.typed("history")))
    })
}
