//! What was published, in prose.

use crate::model::publication::{Check, Listed, Listing, Pruning, Publication, Published};

/// A line for each package.
pub fn prose(publication: &Publication) -> String {
    let mut text: String =
        publication.packages.iter().map(|package| line(package, publication.dry_run)).collect();
    for name in &publication.completed {
        text.push_str(&format!("completed {name}, which another publisher had begun\n"));
    }
    let (to, generation) = (&publication.to, publication.generation);
    let signed = if publication.signed { "signed" } else { "not signed" };
    // A repository that is there has a generation.
    match publication.dry_run || generation == 0 {
        true => text.push_str("nothing was written\n"),
        false => text.push_str(&format!("repository {to}, generation {generation}, {signed}\n")),
    }
    text
}

fn line(package: &Published, dry_run: bool) -> String {
    let name = &package.name;
    let state = match (package.unchanged, dry_run) {
        (true, _) => "already published",
        (false, true) => "would publish",
        (false, false) => "published",
    };
    match &package.path {
        Some(path) => format!("{state} {name}: {path}\n"),
        None => format!("{state} {name}\n"),
    }
}

/// A line for each package that was ever published.
pub fn listing(listing: &Listing) -> String {
    let line = |package: &Listed| {
        let (name, app, time) = (&package.name, &package.app, &package.published_at);
        let from = package.promoted_from.as_ref().map(|from| format!(", promoted from {from}"));
        let removed = if package.removed { ", removed" } else { "" };
        format!("{time} {name} of {app}{}{removed}\n", from.unwrap_or_default())
    };
    let mut text: String = listing.packages.iter().map(line).collect();
    text.push_str(&format!("repository {}, generation {}\n", listing.to, listing.generation));
    text
}

/// What is wrong, or that nothing is.
pub fn check(check: &Check) -> String {
    let Check { to, generation, packages, signed, problems } = check;
    let mut text: String = problems.iter().map(|problem| format!("{problem}\n")).collect();
    let signed = if *signed { "signed" } else { "not signed" };
    let state = match problems.len() {
        0 => "whole".to_owned(),
        1 => "NOT WHOLE: 1 problem".to_owned(),
        count => format!("NOT WHOLE: {count} problems"),
    };
    text.push_str(&format!(
        "repository {to}, generation {generation}, {signed}, {packages} packages: {state}\n"
    ));
    text
}

/// What is gone.
pub fn pruning(pruning: &Pruning) -> String {
    let verb = if pruning.dry_run { "would remove" } else { "removed" };
    let mut text: String = pruning.removed.iter().map(|name| format!("{verb} {name}\n")).collect();
    for path in &pruning.deleted {
        text.push_str(&format!("deleted {path}\n"));
    }
    match pruning.dry_run {
        true => text.push_str("nothing was changed\n"),
        false => text
            .push_str(&format!("repository {}, generation {}\n", pruning.to, pruning.generation)),
    }
    text
}
