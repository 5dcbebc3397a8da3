//! `prune`: releases that nobody needs any more are removed, by the package manager.

use super::install::Installer;
use crate::cli;
use crate::host::clock;
use crate::host::journal::Journal;
use crate::host::package_manager::{Site, Wanted};
use crate::host::process::Signals;
use crate::host::state::{Patience, State};
use crate::host::{install as packages, release};
use crate::model::answer::Answer;
use crate::model::app::{PackageName, Release};
use crate::model::bundle::Bundle;
use crate::model::event::{Event, Say, during};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::package_manager::Recorded;
use crate::model::pruned::{Pruned, Pruning, Why};
use crate::model::run::Record;
use crate::plan::history::{applied, rollback_target};
use crate::plan::prune::{Decision, Installed, Policy, Protected, decide};

/// Removes old releases, and answers with what became of each that is there.
pub fn run(args: &cli::Prune, say: Say) -> Result<Answer, Failure> {
    let state = State::of(&args.node.root)?;
    let signals = Signals::catch()?;
    let patience = Patience::of(args.wait_lock, &signals, say);
    let node = during(say, "taking the node", || state.hold(&state.holder("prune"), &patience))?;
    let installer = Installer {
        manager: args.packages.package_manager,
        lock_timeout: args.packages.package_lock_timeout,
        state: &state,
        signals: &signals,
        say,
    };
    let site = installer.site()?;
    if !args.dry_run {
        for (_, failure) in installer.mend_all(&site)? {
            say(Event::Warning { text: failure.to_string() });
        }
    }
    let runs = runs(&state)?;
    let (found, mut pruned) = found(&state)?;
    let facts = found.iter().map(|bundle| facts(&state, bundle, &runs));
    let facts = facts.collect::<Result<Vec<_>, _>>()?;
    let policy = Policy { keep: args.keep, older_than: args.older_than.clone() };
    let decisions = decide(&facts, &protected(&runs), &policy, clock::timestamp());
    for (bundle, decision) in found.iter().zip(decisions) {
        pruned.push(match decision {
            Decision::Keep(why) => one(bundle, Pruning::Kept, &why),
            Decision::Remove(why) => match packages::recorded(&site, &wanted(bundle))? {
                Recorded::Absent => one(bundle, Pruning::Kept, &Why::NotOfAPackage),
                _ if args.dry_run => one(bundle, Pruning::WouldRemove, &why),
                _ => remove(&installer, &site, bundle, &why),
            },
        });
    }
    node.release();
    pruned.sort_by(|a, b| a.release.cmp(&b.release));
    Ok(Answer::Pruned(pruned))
}

/// All that is known of runs. What cannot be read may be the run that shaped the node.
fn runs(state: &State) -> Result<Vec<Record>, Failure> {
    let (runs, unreadable) = state.runs()?;
    match unreadable.into_iter().next() {
        None => Ok(runs),
        Some(failure) => Err(Failure::new("a run cannot be read, and may need any release")
            .because(failure)
            .hint(state.typed("history"))),
    }
}

/// The releases that are there; and what is there beside them, which is told and left.
fn found(state: &State) -> Result<(Vec<Bundle>, Vec<Pruned>), Failure> {
    let (mut found, mut left) = (Vec::new(), Vec::new());
    for directory in release::all(state.root())? {
        let why = match release::read_in(state.root(), &directory) {
            Ok(Some(bundle)) => {
                found.push(bundle);
                continue;
            }
            Ok(None) => Why::Unreadable("it has no bundle.json and is no release".to_owned()),
            Err(failure) => Why::Unreadable(failure.to_string()),
        };
        left.push(Pruned::new(directory, None, Pruning::Kept, &why));
    }
    Ok((found, left))
}

fn facts(state: &State, bundle: &Bundle, runs: &[Record]) -> Result<Installed, Failure> {
    let of_it = runs.iter().filter(|run| run.package.as_ref() == Some(&bundle.package));
    let used = of_it.flat_map(|run| [Some(&run.started), run.ended.as_ref()]).flatten();
    Ok(Installed {
        source: bundle.app.source().to_owned(),
        package: bundle.package.clone(),
        installed: release::installed_at(state.root(), bundle)?,
        used: used.filter_map(|time| time.parse().ok()).max(),
    })
}

fn protected(runs: &[Record]) -> Protected {
    let in_use = runs.iter().filter(|run| !run.is_over());
    Protected {
        applied: applied(runs).and_then(package),
        rollback: rollback_target(runs).and_then(package),
        in_use: in_use.filter_map(package).collect(),
    }
}

/// The package of a run; one that waits has only said which app it wants.
fn package(run: &Record) -> Option<PackageName> {
    let named = || {
        let release = Release::of(run.app.as_ref()?).ok()?;
        Some(release.package_name())
    };
    run.package.clone().or_else(named)
}

fn wanted(bundle: &Bundle) -> Wanted {
    Wanted { package: bundle.package.clone(), version: Some(bundle.version.clone()) }
}

fn one(bundle: &Bundle, pruning: Pruning, why: &Why) -> Pruned {
    Pruned::new(bundle.app.to_string(), Some(bundle.package.clone()), pruning, why)
}

/// Removes one release; where that is cut off, the next command ends it.
fn remove(installer: &Installer, site: &Site, bundle: &Bundle, why: &Why) -> Pruned {
    let pruned = one(bundle, Pruning::Removed, why);
    let what = format!("removing `{}` with {}", bundle.package, site.manager);
    match during(installer.say, what, || try_to_remove(installer, site, bundle)) {
        Ok(()) => pruned,
        Err(failure) => pruned.failed(&failure),
    }
}

fn try_to_remove(installer: &Installer, site: &Site, bundle: &Bundle) -> Result<(), Failure> {
    let release = bundle.release().map_err(|error| Failure::new(error.to_string()))?;
    let wanted = wanted(bundle);
    Journal::of(installer.state).open(&release)?;
    let removed = packages::remove(site, &wanted);
    let recorded = packages::recorded(site, &wanted)?;
    if matches!(recorded, Recorded::Installed(_))
        && installer.whole(&release).is_ok_and(|it| it.is_some())
    {
        // It was not begun: another package needs it, or it is on hold.
        installer.settle_on_disk(&release)?;
        let there = || Failure::new(format!("afterwards, `{}` is still installed", wanted.package));
        return removed.and_then(|()| Err(there().exit(Exit::InstallFailed)));
    }
    if installer.signals.received().is_some() {
        // The mark stays, and the next command ends it.
        return removed;
    }
    // What was added to it by hand goes with it, and what a removal that was cut off has left.
    packages::clear(site, &wanted, &release)?;
    installer.settle_on_disk(&release)
}
