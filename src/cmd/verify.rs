//! `verify`: whether releases on this node are what they were built as.

use crate::cli;
use crate::host::release;
use crate::host::state::State;
use crate::model::answer::Answer;
use crate::model::app::Release;
use crate::model::bundle::{Bundle, INSTALL_ROOT};
use crate::model::event::{Say, during};
use crate::model::failure::Failure;
use crate::model::verified::{Verdict, Verified};
use crate::model::verify::Difference;
use std::fmt::Display;

/// Verifies the releases that are named, or all that are there.
pub fn run(args: &cli::Verify, say: Say) -> Result<Answer, Failure> {
    let state = State::of(&args.node.root)?;
    let root = state.root();
    let verified = if args.all {
        let found = release::all(root)?;
        found.iter().map(|directory| there(root, directory, say)).collect()
    } else {
        args.releases.iter().map(|release| named(root, release, say)).collect::<Vec<_>>()
    };
    if verified.is_empty() {
        let what = format!("no release is installed on this node, in `{}`", state.at(INSTALL_ROOT));
        return Err(Failure::new(what).hint("localpuppet stage APP/TAG"));
    }
    Ok(Answer::Verified(verified))
}

fn named(root: &str, release: &Release, say: Say) -> Verified {
    let place = release::directory(root, release);
    let found = examine(root, release, &place, say);
    judge(release.to_string(), place, found)
}

/// A directory among the releases; it may be anything.
fn there(root: &str, directory: &str, say: Say) -> Verified {
    let found = examine(root, directory, directory, say).and_then(|found| {
        let none = || Failure::new(format!("`{directory}` has no bundle.json and is no release"));
        found.map(Some).ok_or_else(none)
    });
    let name = match &found {
        Ok(Some((bundle, _))) => bundle.app.to_string(),
        _ => directory.to_owned(),
    };
    judge(name, directory.to_owned(), found)
}

type Examined = Result<Option<(Bundle, Vec<Difference>)>, Failure>;

fn examine(root: &str, name: impl Display, directory: &str, say: Say) -> Examined {
    during(say, format!("verifying `{name}`"), || release::examine(root, directory))
}

fn judge(release: String, directory: String, found: Examined) -> Verified {
    let (verdict, bundle_id, problems) = match found {
        Ok(None) => (Verdict::NotInstalled, None, Vec::new()),
        Err(failure) => {
            let told = [vec![failure.to_string()], failure.causes()].concat();
            (Verdict::Differs, None, vec![told.join(": ")])
        }
        Ok(Some((bundle, differences))) => {
            let problems: Vec<String> = differences.iter().map(ToString::to_string).collect();
            let verdict = if problems.is_empty() { Verdict::Whole } else { Verdict::Differs };
            (verdict, Some(bundle.bundle_id), problems)
        }
    };
    Verified { release, verdict, bundle_id, directory, problems }
}
