//! `stage`: releases are there and whole afterwards, and nothing else has changed.

use super::install::{Installed, Installer, Request};
use crate::cli;
use crate::cmd::instead;
use crate::host::process::Signals;
use crate::host::state::{Patience, State};
use crate::model::answer::Answer;
use crate::model::app::Release;
use crate::model::event::{Say, during};
use crate::model::failure::Failure;
use crate::model::staged::{Staged, Staging};

/// Makes releases available on this node.
pub fn run(args: &cli::Stage, say: Say) -> Result<Answer, Failure> {
    let state = State::of(&args.node.root)?;
    let signals = Signals::catch()?;
    let requests = requests(args, &state)?;
    let patience = Patience::of(args.wait_lock, &signals, say);
    let node = during(say, "taking the node", || state.hold(&state.holder("stage"), &patience))?;
    // What is there can go only where the node is not held.
    let judged = requests.into_iter().map(|request| request.honouring_policy(&state));
    let requests = judged.collect::<Result<Vec<_>, _>>()?;
    let installer = Installer {
        manager: args.packages.package_manager,
        lock_timeout: args.packages.package_lock_timeout,
        state: &state,
        signals: &signals,
        say,
    };
    let results = if args.download_only {
        installer.download(&requests)
    } else {
        installer.install(&requests).into_iter().map(|result| result.map(Some)).collect()
    };
    node.release();
    let staged = requests.iter().zip(results).map(|(request, result)| staged(request, result));
    let mut staged = staged.collect::<Vec<_>>();
    // A single one that failed is the command that failed.
    match (staged.len(), staged.pop()) {
        (1, Some(Err((_, failure)))) => Err(failure),
        (_, last) => {
            let all = staged.into_iter().chain(last);
            Ok(Answer::Staged(all.map(|one| one.unwrap_or_else(|(failed, _)| *failed)).collect()))
        }
    }
}

/// What is asked for, each release once: a package file goes before the repositories.
fn requests(args: &cli::Stage, state: &State) -> Result<Vec<Request>, Failure> {
    let files = args.package.iter().map(|path| {
        let leave_out = |release: &Release| {
            format!("is it a release? leave `--package` out: localpuppet stage {release}")
        };
        let instead = |failure| instead::of_package(failure, path, leave_out);
        Request::of_file(state, path).map_err(instead)
    });
    let mut requests = files.collect::<Result<Vec<_>, _>>()?;
    for release in &args.releases {
        if requests.iter().all(|request| request.release != *release) {
            requests.push(Request::of(release.clone()));
        }
    }
    Ok(requests)
}

/// What became of a release; of one that failed, the failure too.
fn staged(
    request: &Request,
    result: Result<Option<Installed>, Failure>,
) -> Result<Staged, (Box<Staged>, Failure)> {
    let staged = Staged::new(&request.release, &request.wanted.package);
    match result {
        Ok(None) => Ok(Staged {
            version: request.wanted.version.clone(),
            ..staged.came_to(Staging::Downloaded)
        }),
        Ok(Some(Installed { bundle, directory, was_there })) => {
            let staging = if was_there { Staging::AlreadyStaged } else { Staging::Staged };
            Ok(Staged {
                version: Some(bundle.version),
                bundle_id: Some(bundle.bundle_id),
                directory: Some(directory),
                ..staged.came_to(staging)
            })
        }
        Err(failure) => Err((Box::new(staged.failed(&failure)), failure)),
    }
}
