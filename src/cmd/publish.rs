//! `publish`: bundles into a create-only repository, pool first, what clients read first last.

use super::repository::candidate::{self, Candidate, Verdict};
use super::repository::commit;
use super::repository::generation::Change;
use super::repository::{Site, check, enter, list, pages, prune};
use crate::cli;
use crate::model::answer::Answer;
use crate::model::event::{Say, during};
use crate::model::failure::Failure;
use crate::model::ledger::Entry;
use crate::model::publication::{Publication, Published};

/// Publishes bundles, or looks at a repository, or takes old releases out of it.
pub fn run(args: &cli::Publish, say: Say) -> Result<Answer, Failure> {
    match args {
        _ if args.list => list::run(&args.repository),
        _ if args.verify => check::run(&args.repository, say),
        _ if args.prune => prune::run(args, say),
        _ => publish(args, say),
    }
}

/// Publishes bundles; all are read and checked before anything is written.
fn publish(args: &cli::Publish, say: Say) -> Result<Answer, Failure> {
    let (mut site, head) = Site::look(&args.repository)?;
    let candidates = candidate::read_all(&args.files, args.allow_snapshots, say)?;
    let verdicts = candidate::judge(&site.store, &candidates, say)?;
    let mut publication = Publication {
        to: args.repository.to.to_string(),
        dry_run: args.dry_run,
        packages: Vec::new(),
        completed: Vec::new(),
        signed: args.repository.sign.is_some(),
        generation: head.as_ref().map_or(0, |head| head.generation),
    };
    let mut entries = Vec::new();
    if !args.dry_run {
        site.ready(head.as_ref())?;
        let wanted = candidates.iter().zip(&verdicts);
        let wanted = wanted.filter(|(_, verdict)| **verdict == Verdict::Add);
        let wanted: Vec<&Candidate> = wanted.map(|(candidate, _)| candidate).collect();
        let entered = during(say, "storing packages", || enter::enter(&site, &wanted))?;
        let there = verdicts.iter().filter_map(Verdict::entry);
        let add = entered.entries.iter().chain(there).cloned().collect();
        let mut change = Change { add, remove: Vec::new() };
        let others = enter::begun_by_others(&site, &mut change)?;
        let head = during(say, "writing indexes", || commit::commit(&site, &change))?;
        during(say, "writing pages", || pages::write(&site, &change))?;
        for begun in entered.begun.iter().chain(&others.ended) {
            site.store.remove(begun)?;
        }
        publication.generation = head.generation;
        publication.completed = others.names;
        entries = entered.entries;
    }
    publication.packages = published(candidates, &verdicts, &entries);
    Ok(Answer::Published(publication))
}

fn published(
    candidates: Vec<Candidate>,
    verdicts: &[Verdict],
    entered: &[Entry],
) -> Vec<Published> {
    let path_of = |candidate: &Candidate, verdict: &Verdict| {
        let entered = entered.iter().find(|entry| entry.name == candidate.name);
        entered.or(verdict.entry()).map(|entry| entry.path.clone())
    };
    let published = candidates.into_iter().zip(verdicts).map(|(candidate, verdict)| Published {
        path: path_of(&candidate, verdict),
        unchanged: *verdict != Verdict::Add,
        file: candidate.shown,
        bundle_id: candidate.bundle.bundle_id,
        name: candidate.name,
    });
    published.collect()
}
