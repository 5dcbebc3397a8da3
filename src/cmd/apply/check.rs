//! `apply` holds the ENC against the classes of the release, before anything of the node changes.

use super::Context;
use super::enc::Call;
use crate::host::state::Run;
use crate::model::app::AppPath;
use crate::model::call::{Checker, Severity, Values, Wrong};
use crate::model::event::Event;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::interface::Interface;
use crate::model::request::Check;
use crate::model::run::Checked;

/// Refuses a call that Puppet would refuse; what only Puppet can tell is left to it.
pub fn check(
    context: &Context,
    app: &AppPath,
    call: &Call,
    interface: impl FnOnce() -> Result<Interface, Failure>,
    run: &mut Run,
) -> Result<(), Failure> {
    if context.request.check == Check::Skipped {
        run.record.checked = Some(Checked::Skipped);
        return Ok(());
    }
    let interface = match interface() {
        Ok(interface) => interface,
        Err(failure) => {
            let told = [vec![failure.to_string()], failure.causes()].concat().join(": ");
            (context.say)(Event::Warning { text: format!("the ENC is not checked: {told}") });
            run.record.checked = Some(Checked::Undecided);
            return Ok(());
        }
    };
    let found = Checker::new(&interface, Values::Hidden).check(&call.enc, &call.places);
    let is_open = !found.is_empty();
    let is_wrong = |severity| severity == Severity::Violation;
    let wrong: Vec<_> = found.into_iter().filter(|found| is_wrong(found.severity)).collect();
    run.record.checked = Some(match (wrong.is_empty(), is_open) {
        (false, _) => Checked::Refused,
        (true, true) => Checked::Undecided,
        (true, false) => Checked::Fits,
    });
    if wrong.is_empty() {
        return Ok(());
    }
    let what = format!("the ENC `{}` does not fit the classes of `{app}`", call.source);
    Err(Failure::new(what)
        .exit(Exit::EncRefused)
        .because(Wrong(wrong))
        .hint("`--no-check` leaves it to Puppet"))
}
