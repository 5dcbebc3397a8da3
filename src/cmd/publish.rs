//! `publish`: bundles into a create-only repository, pool first, what clients read first last.

use super::repository::{Site, candidate, check, list, prune, publication};
use crate::cli;
use crate::model::answer::Answer;
use crate::model::event::Say;
use crate::model::failure::Failure;

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
    let (site, head) = Site::look(&args.repository)?;
    let candidates = candidate::read_all(&args.files, args.allow_snapshots, say)?;
    let judged = candidate::judge(&site.store, candidates, say)?;
    publication::make(site, head, judged, (args.dry_run, say))
}
