//! What was published, in prose.

use crate::model::publication::{Publication, Published};

/// A line for each package.
pub fn prose(publication: &Publication) -> String {
    let mut text: String =
        publication.packages.iter().map(|package| line(package, publication.dry_run)).collect();
    for name in &publication.completed {
        text.push_str(&format!("completed {name}, which another publisher had begun\n"));
    }
    let (to, generation) = (&publication.to, publication.generation);
    let signed = if publication.signed { "signed" } else { "not signed" };
    match publication.dry_run {
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
