//! `diff --enc-dir`: each node's call, held against both releases.

use crate::host::fs;
use crate::model::call::{Checker, Values};
use crate::model::diff::{Diff, Nodes, Releases, Side, Verdict};
use crate::model::enc::{self, Enc};
use crate::model::failure::Failure;
use std::path::Path;

/// Judges every ENC of a directory: `*.yaml` and `*.yml`, each a node's.
pub fn judge(directory: &Path, from: &Side, to: &Side, diff: &Diff) -> Result<Nodes, Failure> {
    if !fs::is_directory(directory)? {
        let is_there = fs::kind(directory)?.is_some();
        let why = if is_there { "is no directory" } else { "does not exist" };
        let what = format!("`{}` {why}", directory.display());
        return Err(Failure::new(what).hint("name a directory of `NODE.yaml`: `--enc-dir DIR`"));
    }
    let mut releases = Releases {
        app: &to.bundle.app,
        from: Checker::new(&from.interface, Values::Hidden),
        to: Checker::new(&to.interface, Values::Hidden),
        findings: &diff.interface,
    };
    let mut nodes = Nodes::default();
    let names = fs::names(directory)?;
    let documents = names.iter().filter_map(|name| {
        let node = name.strip_suffix(".yaml").or(name.strip_suffix(".yml"))?;
        Some((name, node))
    });
    for (name, node) in documents {
        let path = directory.join(name);
        let text = match fs::open(&path).and_then(|file| fs::bounded(file, &path, enc::LARGEST)) {
            Ok(text) => text,
            Err(failure) => {
                let it = format!("`{}`", path.display());
                nodes.refuse(node, failure.to_string().replace(&it, "it"));
                continue;
            }
        };
        match Enc::parse_with_places(&text) {
            Ok((enc, places)) => nodes.add(node, &enc, &places, &mut releases),
            Err(error) => nodes.refuse(node, error.to_string()),
        }
    }
    if nodes.is_empty() {
        let what = format!("no ENC in `{}`", directory.display());
        return Err(Failure::new(what).hint("name a directory of `NODE.yaml`: `--enc-dir DIR`"));
    }
    nodes.sort();
    Ok(nodes)
}

/// What it comes to for the worst of them.
pub fn verdict(nodes: &Nodes) -> Verdict {
    match (nodes.breaking.is_empty(), nodes.review.is_empty()) {
        (false, _) => Verdict::Breaking,
        (true, false) => Verdict::Review,
        (true, true) => Verdict::Same,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_breaks_is_a_breaking_difference() {
        let named = || vec!["a".to_owned()];
        let review = Nodes { review: named(), untouched: named(), ..Nodes::default() };
        assert_eq!(verdict(&Nodes { untouched: named(), ..Nodes::default() }), Verdict::Same);
        assert_eq!(verdict(&review), Verdict::Review);
        assert_eq!(verdict(&Nodes { breaking: named(), ..review }), Verdict::Breaking);
    }
}
