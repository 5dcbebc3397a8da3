//! What `verify` found, in prose.

use crate::model::verified::{Level, Rebuilt, Verdict, Verified};

/// A line for each release; below one that differs, how.
pub fn prose(all: &[Verified]) -> String {
    all.iter().map(one).collect()
}

/// At which level a package is that of its tag; where it is not, how it differs.
pub fn rebuilt(rebuilt: &Rebuilt) -> String {
    let (file, app) = (rebuilt.file.display(), &rebuilt.app);
    let told = match rebuilt.level {
        Level::Bytes => "the same bytes",
        Level::Content => {
            "the same files, in other bytes: compression, time or a version of a tool differ"
        }
        Level::Differs => "NOT THE SAME",
    };
    let mut text = format!("`{file}` and `{app}` built again: {told}\n");
    text.extend(rebuilt.problems.iter().map(|problem| format!("  {problem}\n")));
    text
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
