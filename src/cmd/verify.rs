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
    judge(root, release.to_string(), place, release::read(root, release), say)
}

/// A directory among the releases; it may be anything.
fn there(root: &str, directory: &str, say: Say) -> Verified {
    let found = release::read_in(root, directory);
    let name = match &found {
        Ok(Some(bundle)) => bundle.app.to_string(),
        _ => directory.to_owned(),
    };
    let found = found.and_then(|bundle| {
        let none = || Failure::new(format!("`{directory}` has no bundle.json and is no release"));
        bundle.map(Some).ok_or_else(none)
    });
    judge(root, name, directory.to_owned(), found, say)
}

fn judge(
    root: &str,
    name: String,
    directory: String,
    found: Result<Option<Bundle>, Failure>,
    say: Say,
) -> Verified {
    let (verdict, bundle_id, problems) = match found {
        Ok(None) => (Verdict::NotInstalled, None, Vec::new()),
        Err(failure) => {
            let told = [vec![failure.to_string()], failure.causes()].concat();
            (Verdict::Differs, None, vec![told.join(": ")])
        }
        Ok(Some(bundle)) => {
            let what = format!("verifying `{name}`");
            let differences = during(say, what, || release::verify(root, &bundle));
            let problems: Vec<String> = differences.iter().map(ToString::to_string).collect();
            let verdict = if problems.is_empty() { Verdict::Whole } else { Verdict::Differs };
            (verdict, Some(bundle.bundle_id), problems)
        }
    };
    Verified { release: name, verdict, bundle_id, directory, problems }
}
