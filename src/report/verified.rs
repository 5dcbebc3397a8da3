//! What `verify` found, in prose.

use crate::model::verified::{Level, RawArchive, Rebuilt, Verdict, Verified};

/// A line for each release; below one that differs, how.
pub fn prose(all: &[Verified]) -> String {
    all.iter().map(one).collect()
}

/// At which level a package is that of its tag; where it is not, how it differs.
pub fn rebuilt(rebuilt: &Rebuilt) -> String {
    let (file, app) = (rebuilt.file.display(), &rebuilt.app);
    let told = match rebuilt.level {
        Level::Bytes => "the same bytes",
        Level::Streams => "the same before compression, in other bytes: the compressor differs",
        Level::Files => {
            "the same files, in other archives: the time or the version of the tool differs"
        }
        Level::Differs => "NOT THE SAME",
    };
    let mut text = format!("`{file}` and `{app}` built again: {told}\n");
    if rebuilt.level == Level::Streams {
        let line = |stream: &RawArchive| format!("  {} SHA-256 {}\n", stream.name, stream.sha256);
        text.extend(rebuilt.streams.iter().map(line));
    }
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
