//! `verify`: whether releases on this node are what they were built as.

mod rebuild;

use super::{package_file, policy};
use crate::cli;
use crate::host::release;
use crate::host::state::State;
use crate::model::answer::Answer;
use crate::model::app::Release;
use crate::model::bundle::{Bundle, INSTALL_ROOT};
use crate::model::command::typed;
use crate::model::event::{Say, during};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::subject::Subject;
use crate::model::verified::{Verdict, Verified};
use crate::model::verify::Difference;
use std::fmt::Display;
use std::path::Path;

/// Verifies the releases that are named, or all that are there.
pub fn run(args: &cli::Verify, say: Say) -> Result<Answer, Failure> {
    if let Some(file) = &args.rebuild {
        return rebuild::run(file, args, say);
    }
    let state = State::of(&args.node.root)?;
    let root = state.root();
    let verified = if args.all {
        let found = release::all(root)?;
        found.iter().map(|directory| there(root, directory, say)).collect()
    } else {
        let named = args.releases.iter().map(|named| subject(root, named, args, say));
        named.collect::<Result<Vec<_>, _>>()?
    };
    if verified.is_empty() {
        let what = format!("no release is installed on this node, in `{}`", state.at(INSTALL_ROOT));
        return Err(Failure::new(what).hint(state.typed("stage APP/TAG")));
    }
    Ok(Answer::Verified(verified))
}

fn subject(root: &str, named: &Subject, args: &cli::Verify, say: Say) -> Result<Verified, Failure> {
    match (named, &args.policy) {
        (Subject::Package(path), policy) => {
            if let Some(policy) = policy {
                policy::refuse_package(policy, path)?;
            }
            package(path, say)
        }
        (Subject::App(app), None) => {
            let release = app.as_str().parse::<Release>();
            let release = release.map_err(|error| {
                Failure::new(error.to_string())
                    .exit(Exit::Usage)
                    .hint(format!("see which are installed: {}", typed(root, "verify --all")))
            })?;
            Ok(self::named(root, &release, say))
        }
        (Subject::App(app), Some(_)) => {
            let what = format!("a policy is for package files, found `{app}`");
            Err(Failure::new(what).exit(Exit::Usage).hint("apply honours that of the node"))
        }
    }
}

/// A package file against its own bundle.json.
fn package(path: &Path, say: Say) -> Result<Verified, Failure> {
    let place = path.display().to_string();
    let file = during(say, format!("verifying `{place}`"), || package_file::open(path))?;
    let whole = file.problems.is_empty();
    Ok(Verified {
        release: place.clone(),
        verdict: if whole { Verdict::Whole } else { Verdict::Differs },
        bundle_id: Some(file.bundle.bundle_id),
        directory: place,
        problems: file.problems,
    })
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
