//! `logs`: what a run said, and with `--follow` what it says until it has ended.

use super::status::find;
use crate::cli::Logs;
use crate::host::clock;
use crate::host::process::is_unheard;
use crate::host::state::State;
use crate::model::answer::Answer;
use crate::model::event::{Event, Say, Stdout};
use crate::model::failure::Failure;
use std::cell::Cell;
use std::rc::Rc;
use std::time::Duration;

/// How often a log that is followed is looked at.
const LOOK: Duration = Duration::from_millis(200);

/// Prints the log of a run, as text or as JSON lines.
pub fn run(args: &Logs, stdout: Stdout, say: Say) -> Result<Answer, Failure> {
    let state = State::of(&args.node.root)?;
    let mut record = find(&state, args.run.as_ref())?;
    let name = match stdout {
        Stdout::Through => "log.txt",
        Stdout::Stderr => "log.jsonl",
    };
    let mut reader = state.log(&record.id, name);
    let heard = Rc::new(Cell::new(true));
    loop {
        // Looked at before the log is read: what is said in between is read as well.
        let is_over = record.is_over();
        while let Some(text) = reader.next_piece()? {
            say(Event::Log { text, heard: Rc::clone(&heard) });
            if !heard.get() {
                return Ok(Answer::Unheard);
            }
        }
        match (args.follow, is_over) {
            (false, _) => return Ok(Answer::Logged(None)),
            (true, true) => return Ok(Answer::Logged(Some(Box::new(record)))),
            // While nothing is said, nothing is written that would tell.
            (true, false) if is_unheard() => return Ok(Answer::Unheard),
            (true, false) => clock::sleep(LOOK),
        }
        record = find(&state, Some(&record.id))?;
    }
}
