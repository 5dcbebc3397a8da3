//! `diff`: what is different between two releases, and whose calls it breaks.

mod nodes;
mod side;
mod texts;

use crate::cli;
use crate::model::answer::{Answer, Diffed};
use crate::model::diff;
use crate::model::event::{Say, during};
use crate::model::exit::Exit;
use crate::model::failure::Failure;

/// Compares two releases, wherever each is.
pub fn run(args: &cli::Diff, say: Say) -> Result<Answer, Failure> {
    let what = format!("comparing `{}` and `{}`", args.from, args.to);
    let diff = during(say, what, || compare(args, say))?;
    let exit = if args.exit_code { diff.verdict.exit() } else { Exit::Ok };
    let form = if args.markdown { diff::Form::Markdown } else { diff::Form::Prose };
    Ok(Answer::Diffed(Box::new(Diffed { diff, form, exit })))
}

fn compare(args: &cli::Diff, say: Say) -> Result<diff::Diff, Failure> {
    let (from, to) = side::both(args, say)?;
    let mut diff = diff::of(&from.side, &to.side);
    if args.text {
        texts::add(&mut diff, &from.code, &to.code)?;
    }
    if let Some(directory) = &args.enc_dir {
        let nodes = nodes::judge(directory, &from.side, &to.side, &diff)?;
        diff.verdict = diff.verdict.max(nodes::verdict(&nodes));
        diff.nodes = Some(nodes);
    }
    Ok(diff)
}
