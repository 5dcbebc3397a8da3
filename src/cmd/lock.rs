//! `lock`: what releases are made of, written down for a review and for `bundle --locked`.

use super::bundle::prepare;
use crate::cli;
use crate::host::fs;
use crate::host::source::ModuleRoot;
use crate::model::answer::{Answer, LockedRelease};
use crate::model::event::{Say, during};
use crate::model::failure::Failure;
use crate::model::lock::FILE_NAME;
use crate::plan::lock::refuse_moved;

/// Locks releases; all are read before the lock is written.
pub fn run(args: &cli::Lock, say: Say) -> Result<Answer, Failure> {
    let cache = args.sources.cache.as_deref();
    let root = ModuleRoot::open(&args.module_root, cache, args.sources.signatures())?;
    let mut lock = prepare::lock_of(&root)?;
    let allowed = prepare::allowed(args.snapshot);
    let mut releases = Vec::new();
    for app in &args.apps {
        let entries = during(say, format!("reading `{app}`"), || {
            let modulepath = prepare::resolved(&root, app, allowed, say)?;
            let (trees, _) = prepare::walk_all(&root, &modulepath, say)?;
            prepare::locked(&root, &trees)
        })?;
        refuse_moved(&lock, &entries)?;
        let unchanged = lock.of(app) == Some(&entries);
        releases.push(LockedRelease { app: app.clone(), unchanged, entries: entries.clone() });
        lock.set(app.clone(), entries);
    }
    if releases.iter().any(|release| !release.unchanged) {
        let path = root.directory().join(FILE_NAME);
        fs::replace(&path, lock.to_string().as_bytes(), 0o644)?;
    }
    Ok(Answer::Locked(releases))
}
