//! `publish`: bundles into a create-only repository, pool first, what clients read first last.

mod candidate;
mod commit;
mod enter;
mod generation;

use crate::cli;
use crate::host::gpg::Signer;
use crate::host::store::Store;
use crate::model::answer::Answer;
use crate::model::event::{Say, during};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::ledger::{Entry, Name};
use crate::model::publication::{Publication, Published};
use candidate::{Candidate, Verdict};
use commit::Change;

/// A repository, and how it is written to.
struct Site<'a> {
    store: Store,
    signer: Option<Signer>,
    /// dpkg's architectures whose indexes are written.
    architectures: &'a [String],
    /// How many days what is signed is good for.
    valid_days: Option<u32>,
}

/// Publishes bundles; all are read and checked before anything is written.
pub fn run(args: &cli::Publish, say: Say) -> Result<Answer, Failure> {
    let store = Store::open(&args.to)?;
    let candidates = candidate::read_all(&args.files, args.allow_snapshots, say)?;
    let verdicts = candidate::judge(&store, &candidates, say)?;
    let head = commit::head(&store)?.map(|(head, _)| head);
    if head.as_ref().is_some_and(|head| head.signed) && args.sign.is_none() {
        return Err(Failure::new(format!("`{}` is signed, and no key is given", args.to))
            .exit(Exit::Usage)
            .hint("--sign KEY"));
    }
    if args.dry_run {
        let published = published(candidates, &verdicts, &[]);
        return Ok(answer(args, published, Vec::new(), head.map_or(0, |head| head.generation)));
    }
    let passphrase = args.passphrase_file.as_deref();
    let signer = args.sign.as_ref().map(|key| Signer::new(key, passphrase)).transpose()?;
    store.prepare()?;
    let (architectures, valid_days) = (args.architectures.as_slice(), args.valid_days);
    let site = Site { store, signer, architectures, valid_days };
    let wanted = candidates.iter().zip(&verdicts).filter(|(_, verdict)| **verdict == Verdict::Add);
    let wanted = wanted.map(|(candidate, _)| candidate).collect::<Vec<_>>();
    let entered = during(say, "storing packages", || enter::enter(&site, &wanted))?;
    let there = verdicts.iter().filter_map(Verdict::entry);
    let mut change =
        Change { add: entered.entries.iter().chain(there).cloned().collect(), remove: vec![] };
    let completed = enter::begun_by_others(&site, &mut change)?;
    let head = during(say, "writing indexes", || commit::commit(&site, &change))?;
    if let Some(begun) = &entered.begun {
        site.store.remove(begun)?;
    }
    let published = published(candidates, &verdicts, &entered.entries);
    Ok(answer(args, published, completed, head.generation))
}

fn answer(
    args: &cli::Publish,
    packages: Vec<Published>,
    completed: Vec<Name>,
    generation: u64,
) -> Answer {
    Answer::Published(Publication {
        to: args.to.to_string(),
        dry_run: args.dry_run,
        packages,
        completed,
        signed: args.sign.is_some(),
        generation,
    })
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
        file: candidate.path,
        bundle_id: candidate.bundle.bundle_id,
        name: candidate.name,
    });
    published.collect()
}
