//! What `prune` did, in prose.

use crate::model::pruned::{Pruned, Pruning};

/// A line for each release; below one that should have gone and is there, why.
pub fn prose(all: &[Pruned]) -> String {
    match all {
        [] => "no release is installed\n".to_owned(),
        all => all.iter().map(one).collect(),
    }
}

fn one(pruned: &Pruned) -> String {
    let words = match pruned.pruning {
        Pruning::Kept => "kept",
        Pruning::Removed => "removed",
        Pruning::WouldRemove => "would be removed",
        Pruning::NotRemoved => "not removed",
    };
    let Pruned { release, because, .. } = pruned;
    let mut text = format!("`{release}`: {words}: {because}\n");
    if let Some(reason) = &pruned.reason {
        text.push_str(&format!("  because: {}\n", reason.error));
        let causes = reason.causes.iter().map(|cause| format!("  caused by: {cause}\n"));
        let hints = reason.hints.iter().map(|hint| format!("  hint: {hint}\n"));
        text.extend(causes.chain(hints));
    }
    text
}
