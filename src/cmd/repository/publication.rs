//! From packages that were judged to a publication: what `publish` and `promote` have in common.

use super::candidate::{Candidate, Judged, Verdict};
use super::index::Change;
use super::{Site, enter};
use crate::model::answer::Answer;
use crate::model::event::{Say, during};
use crate::model::failure::Failure;
use crate::model::ledger::Entry;
use crate::model::publication::{Publication, Published};
use crate::model::repository::Head;

/// Publishes what is not there yet, or tells what that is.
pub fn make(
    mut site: Site,
    head: Option<Head>,
    judged: Vec<Judged>,
    (dry_run, say): (bool, Say),
) -> Result<Answer, Failure> {
    let mut publication = Publication {
        to: site.options.to.to_string(),
        dry_run,
        packages: Vec::new(),
        completed: Vec::new(),
        signed: site.options.sign.is_some(),
        generation: head.as_ref().map_or(0, |head| head.generation),
    };
    if head.is_none() {
        site.is_free()?;
    }
    let mut entries = Vec::new();
    let is_nothing = judged.is_empty() && head.is_none();
    if dry_run || is_nothing {
        site.try_key()?;
    } else {
        site.ready(head.as_ref())?;
        entries = write(&site, head, &judged, &mut publication, say)?;
    }
    publication.packages = published(judged, &entries);
    Ok(Answer::Published(publication))
}

/// Enters what is new, and makes that current with all that was begun before.
fn write(
    site: &Site,
    head: Option<Head>,
    judged: &[Judged],
    publication: &mut Publication,
    say: Say,
) -> Result<Vec<Entry>, Failure> {
    let new = judged.iter().filter(|(_, verdict)| *verdict == Verdict::Add);
    let new: Vec<&Candidate> = new.map(|(candidate, _)| candidate).collect();
    if head.is_none() || !new.is_empty() {
        site.store.prepare()?;
    }
    let entered = during(say, "storing packages", || enter::enter(site, &new))?;
    let there = judged.iter().filter_map(|(_, verdict)| verdict.entry());
    let add = entered.entries.iter().chain(there).cloned().collect();
    let settled = site.settle(Change { add, remove: Vec::new() }, entered.begun, say)?;
    publication.generation = settled.head.generation;
    publication.signed = settled.head.signed;
    publication.completed = settled.completed;
    Ok(entered.entries)
}

fn published(judged: Vec<Judged>, entered: &[Entry]) -> Vec<Published> {
    let path_of = |(candidate, verdict): &Judged| {
        let entered = entered.iter().find(|entry| entry.name == candidate.name);
        entered.or(verdict.entry()).map(|entry| entry.path.clone())
    };
    let published = judged.into_iter().map(|judged| Published {
        path: path_of(&judged),
        unchanged: judged.1 != Verdict::Add,
        file: judged.0.shown,
        bundle_id: judged.0.bundle.bundle_id,
        name: judged.0.name,
    });
    published.collect()
}
