//! `planned`: Puppet asks before it applies a catalog whether it is the one of a plan.

use crate::cli::Planned;
use crate::host::catalog;
use crate::model::answer::Answer;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::preview::Expected;

/// Ends well where the catalog that Puppet has just compiled is the one that was previewed.
pub fn run(args: &Planned) -> Result<Answer, Failure> {
    let expected = catalog::expected(&args.run)?;
    let text = catalog::read(&args.run)?;
    let none = || Failure::new("Puppet kept no catalog, so that it cannot be compared");
    judge(&expected, &text.ok_or_else(none)?)?;
    Ok(Answer::AsPlanned)
}

/// Refuses a catalog that is not the one of a plan.
pub fn judge(expected: &Expected, text: &[u8]) -> Result<(), Failure> {
    let catalog = expected
        .catalog(text)
        .map_err(|error| Failure::new("Puppet's catalog cannot be read").because(error))?;
    let contents = catalog::contents(&expected.modulepath, catalog.sources().iter());
    let found = catalog.plan(expected.bundle_id, &contents);
    if found == expected.plan {
        return Ok(());
    }
    let what = format!("the catalog is not the one of plan `{}`", expected.plan);
    Err(Failure::new(what)
        .exit(Exit::PlanChanged)
        .because(Failure::new(format!("the plan of this one is `{found}`")))
        .hint("ENC, facts, code or the node's Puppet are not what they were: preview again"))
}
