//! What `stage` did, in prose.

use crate::model::staged::{Staged, Staging};

/// A line for each release; below one that failed, why.
pub fn prose(all: &[Staged]) -> String {
    all.iter().map(one).collect()
}

fn one(staged: &Staged) -> String {
    let words = match staged.staging {
        Staging::AlreadyStaged => "already staged",
        Staging::Staged => "staged",
        Staging::Downloaded => "downloaded",
        Staging::NotStaged => "not staged",
    };
    let mut text = format!("`{}`: {words}\n", staged.app);
    if let Some(id) = &staged.bundle_id {
        text.push_str(&format!("  bundle ID: {id}\n"));
    }
    if let Some(reason) = &staged.reason {
        text.push_str(&format!("  because: {}\n", reason.error));
        let causes = reason.causes.iter().map(|cause| format!("  caused by: {cause}\n"));
        let hints = reason.hints.iter().map(|hint| format!("  hint: {hint}\n"));
        text.extend(causes.chain(hints));
    }
    text
}
