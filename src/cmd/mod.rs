//! One file a verb: first this, then that. Returns an answer, never prints.

mod bundle;

use crate::cli::Verb;
use crate::model::answer::Answer;
use crate::model::event::Event;
use crate::model::failure::Failure;

/// Runs one command, which speaks through `say` while it works.
pub fn run(verb: Verb, say: &dyn Fn(Event)) -> Result<Answer, Failure> {
    match verb {
        Verb::Bundle(args) => bundle::run(&args, say),
        Verb::Inspect(_) | Verb::Apply(_) | Verb::Status(_) => {
            let _ = say;
            Err(Failure::new("not built yet"))
        }
    }
}
