//! What `verify` found, in prose.

use crate::model::verified::{Verdict, Verified};

/// A line for each release; below one that differs, how.
pub fn prose(all: &[Verified]) -> String {
    all.iter().map(one).collect()
}

fn one(verified: &Verified) -> String {
    let Verified { release, problems, .. } = verified;
    match verified.verdict {
        Verdict::Whole => format!("`{release}`: whole\n"),
        Verdict::NotInstalled => format!("`{release}`: not installed\n"),
        Verdict::Differs => {
            let differences = if problems.len() == 1 { "difference" } else { "differences" };
            let mut text = format!("`{release}`: {} {differences}\n", problems.len());
            text.extend(problems.iter().map(|problem| format!("  {problem}\n")));
            text
        }
    }
}
