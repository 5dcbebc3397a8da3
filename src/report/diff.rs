//! What is different between two releases: in prose for a pager, and in Markdown.

use crate::model::answer::Diffed;
use crate::model::call;
use crate::model::diff::{Broken, Diff, FileChange, Finding, Form, How, Nodes, Text, Verdict};
use crate::model::tree::Node;

/// A longer default is shown so far.
const LONGEST: usize = 160;

/// Nodes that are named of each thing that breaks; `--json` has all.
const NAMED: usize = 5;

/// The difference in the form that was asked for.
pub fn told(diffed: &Diffed) -> String {
    match diffed.form {
        Form::Prose => prose(&diffed.diff),
        Form::Markdown => markdown(&diffed.diff),
    }
}

fn prose(diff: &Diff) -> String {
    let Diff { from, to, .. } = diff;
    let mut text = format!("{} -> {}\n", from.app, to.app);
    for (word, side) in [("from", from), ("to", to)] {
        let place = printable(&side.place);
        text.push_str(&format!("  {word:<4} {place}, bundle ID {}\n", side.bundle_id));
    }
    for (title, findings) in [("release", &diff.release), ("interface", &diff.interface)] {
        if !findings.is_empty() {
            text.push_str(&format!("{title}\n"));
        }
        for finding in findings {
            let word = finding.verdict.word();
            text.push_str(&format!("  {word}: {}\n", sentence(finding, Quote::Backticks)));
        }
    }
    if let Some(nodes) = &diff.nodes {
        text.push_str("nodes\n");
        text.extend(of_nodes(nodes, Quote::Backticks).iter().map(|line| format!("  {line}\n")));
    }
    if !diff.files.is_empty() {
        text.push_str("files\n");
        text.extend(of_files(&diff.files).iter().map(|line| format!("  {line}\n")));
    }
    text.extend(diff.files.iter().filter_map(of_text));
    text.push_str(&format!("{}\n", summary(diff)));
    text
}

/// How a name is set off.
#[derive(Clone, Copy)]
enum Quote {
    Backticks,
    /// Where a value may have backticks in it.
    Markdown,
}

impl Quote {
    fn around(self, text: &str) -> String {
        let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let short = match words.char_indices().nth(LONGEST) {
            Some((end, _)) => format!("{}…", &words[..end]),
            None => words,
        };
        self.whole(&short)
    }

    /// A path, every character of which counts.
    fn whole(self, text: &str) -> String {
        let short = printable(text);
        match self {
            Quote::Markdown if short.contains('`') => format!("`` {short} ``"),
            _ => format!("`{short}`"),
        }
    }
}

/// A line without what a terminal would obey.
pub(super) fn printable(line: &str) -> String {
    let escape = |c: char| match c {
        '\t' => vec![c],
        c if c.is_control() => c.escape_default().collect(),
        c => vec![c],
    };
    line.chars().flat_map(escape).collect()
}

fn sentence(finding: &Finding, quote: Quote) -> String {
    let place = finding.place.as_ref().map(|place| format!(" ({})", printable(place)));
    finding.told(|text| quote.around(text)) + &place.unwrap_or_default()
}

fn of_nodes(nodes: &Nodes, quote: Quote) -> Vec<String> {
    let mut lines: Vec<String> = nodes.broken.iter().map(|one| broken(one, quote)).collect();
    lines.push(format!(
        "{} of {} break, {} to review, {} untouched{}",
        nodes.breaking.len(),
        nodes.count(),
        nodes.review.len(),
        nodes.untouched.len(),
        match nodes.broken_already.len() {
            0 => String::new(),
            many => format!(", {many} broken already"),
        }
    ));
    for (title, list) in [
        ("to review", &nodes.review),
        ("broken already", &nodes.broken_already),
        ("of another app", &nodes.others),
    ] {
        if !list.is_empty() {
            lines.push(format!("{title}: {}", named(list, quote)));
        }
    }
    // A reason may be a list; each of its lines begins with blanks.
    let in_a_line = |why: &str| why.split('\n').map(str::trim).collect::<Vec<_>>().join("; ");
    let refused = nodes.refused.iter().map(|(node, why)| {
        format!("no ENC: {}: {}", quote.around(node), printable(&in_a_line(why)))
    });
    lines.extend(refused);
    lines
}

fn broken(broken: &Broken, quote: Quote) -> String {
    let Broken { finding, nodes } = broken;
    let call::Finding { path, rule, expected, found, hint, .. } = finding;
    let hint = hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    let of = if nodes.len() == 1 { "1 node".to_owned() } else { format!("{} nodes", nodes.len()) };
    let rule = rule.words();
    let (named, path) = (named(nodes, quote), quote.around(path));
    format!("breaking: {of}: {path}: {rule}: expected {expected}, found {found}{hint}: {named}")
}

fn named(nodes: &[String], quote: Quote) -> String {
    let first: Vec<String> = nodes.iter().take(NAMED).map(|node| quote.around(node)).collect();
    match nodes.len().checked_sub(NAMED) {
        Some(more @ 1..) => format!("{} and {more} more", first.join(", ")),
        _ => first.join(", "),
    }
}

/// A line a change; what came or went with its directory is one line.
fn of_files(files: &[FileChange]) -> Vec<String> {
    let mut lines = Vec::new();
    let mut at = 0;
    while let Some(change) = files.get(at) {
        let same = |other: &&FileChange| change.with.is_some() && other.with == change.with;
        let together = files[at..].iter().take_while(same).count().max(1);
        lines.push(match &change.with {
            Some(directory) if together > 1 => {
                format!("{:<8} {}/ ({together} files)", change.word(), printable(directory))
            }
            _ => format!("{:<8} {}{}", change.word(), shown(change), detail(change)),
        });
        at += together;
    }
    lines
}

fn shown(change: &FileChange) -> String {
    let is_directory =
        matches!(change.after.as_ref().or(change.before.as_ref()), Some(Node::Directory { .. }));
    printable(&change.path) + if is_directory { "/" } else { "" }
}

fn detail(change: &FileChange) -> String {
    let (Some(before), Some(after)) = (&change.before, &change.after) else { return String::new() };
    match (before, after) {
        (Node::File { mode: old, .. }, Node::File { mode: new, .. }) if old != new => {
            format!(" (mode {old} -> {new})")
        }
        (Node::Symlink { target: old, .. }, Node::Symlink { target: new, .. }) => {
            format!(" (link to {} -> {})", printable(&old.to_string()), printable(&new.to_string()))
        }
        (before, after) if change.how == [How::Kind] => {
            format!(" ({} -> {})", kind(before), kind(after))
        }
        _ => String::new(),
    }
}

fn kind(node: &Node) -> String {
    match node {
        Node::Directory { .. } => "directory".to_owned(),
        Node::File { .. } => "file".to_owned(),
        Node::Symlink { target, .. } => format!("link to {}", printable(&target.to_string())),
    }
}

fn of_text(change: &FileChange) -> Option<String> {
    let path = printable(&change.path);
    Some(match change.text.as_ref()? {
        // A carriage return at the end of a line is shown too.
        Text::Unified(text) => {
            text.split_terminator('\n').map(|line| printable(line) + "\n").collect()
        }
        Text::Binary => format!("binary file {path} differs\n"),
        Text::TooLarge => format!("large file {path} differs\n"),
        Text::LeftOut => format!("file {path} differs, and is not shown after so many others\n"),
    })
}

fn summary(diff: &Diff) -> String {
    if diff.verdict == Verdict::Same {
        return "same: nothing is different".to_owned();
    }
    let findings = || diff.release.iter().chain(&diff.interface);
    let count = |verdict| findings().filter(|finding| finding.verdict == verdict).count();
    let files = |how: &[How]| diff.files.iter().filter(|f| f.how == how).count();
    let (added, removed) = (files(&[How::Added]), files(&[How::Removed]));
    let word = match diff.verdict {
        Verdict::Breaking => "BREAKING",
        verdict => verdict.word(),
    };
    format!(
        "{word}: {} breaking, {} to review, {} compatible; {added} files added, {removed} removed, {} changed",
        count(Verdict::Breaking),
        count(Verdict::Review),
        count(Verdict::Compatible),
        diff.files.len() - added - removed
    )
}

fn markdown(diff: &Diff) -> String {
    let (from, to) = (&diff.from, &diff.to);
    let mut text = format!("## `{}` → `{}`\n\n{}\n", from.app, to.app, capital(&summary(diff)));
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            text.push_str(&format!("\n### {title}\n\n"));
            text.extend(lines.iter().map(|line| format!("- {line}\n")));
        }
    };
    let all = || diff.release.iter().chain(&diff.interface);
    for (title, verdict) in [
        ("Breaking", Verdict::Breaking),
        ("To review", Verdict::Review),
        ("Compatible", Verdict::Compatible),
    ] {
        let found = all().filter(|finding| finding.verdict == verdict);
        section(title, found.map(|finding| sentence(finding, Quote::Markdown)).collect());
    }
    if let Some(nodes) = &diff.nodes {
        section("Nodes", of_nodes(nodes, Quote::Markdown));
    }
    let files = of_files(&diff.files).into_iter().map(|line| match line.split_once(' ') {
        Some((word, path)) => format!("{word} {}", Quote::Markdown.whole(path.trim_start())),
        None => line,
    });
    section("Files", files.collect());
    let texts: String = diff.files.iter().filter_map(of_text).collect();
    if !texts.is_empty() {
        let fence = fence(&texts);
        text.push_str(&format!("\n{fence}diff\n{texts}{fence}\n"));
    }
    text
}

/// More backticks than stand together anywhere in a text.
fn fence(text: &str) -> String {
    let runs = text.split(|c| c != '`').map(str::len);
    "`".repeat(runs.max().unwrap_or(0).max(2) + 1)
}

fn capital(text: &str) -> String {
    let (first, rest) = text.split_at(text.len().min(1));
    first.to_uppercase() + rest
}
