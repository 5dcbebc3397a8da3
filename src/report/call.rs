//! What `check` found, a finding a line.

use super::diff::printable;
use crate::model::answer::{Called, CalledByMany};
use crate::model::call::{Finding, Severity, fleet};

/// The findings, violations first, and a line that says what they come to.
pub fn prose(called: &Called) -> String {
    let mut findings: Vec<&Finding> = called.findings.iter().collect();
    findings.sort_by_key(|finding| (finding.severity, finding.line, finding.column));
    let mut text: String = findings.iter().map(|finding| line(&called.enc, finding)).collect();
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let (wrong, open) = (count(Severity::Violation), count(Severity::Undecided));
    let classes = many(called.classes, "class", "classes");
    // A document that is refused is of no app.
    let Some(app) = &called.app else {
        return text + &format!("NOT OK: {wrong} wrong in the document\n");
    };
    if let Some(pinned) = &called.pinned {
        text.push_str(&format!("note: the ENC asks for `{pinned}`, checked against `{app}`\n"));
    }
    text.push_str(&match (wrong, open) {
        (0, 0) => format!("ok: the call of {classes} fits `{app}`\n"),
        (0, open) if !called.strict => format!(
            "ok as far as can be told: {open} undecided in the call of {classes} of `{app}`\n"
        ),
        (wrong, open) => {
            format!("NOT OK: {wrong} wrong, {open} undecided in the call of {classes} of `{app}`\n")
        }
    });
    text
}

fn line(enc: &str, finding: &Finding) -> String {
    let place = match (finding.line, finding.column) {
        (Some(line), Some(column)) => format!("{enc}:{line}:{column}"),
        _ => enc.to_owned(),
    };
    printable(&format!("{}: {place}: {finding}", severity(finding))) + "\n"
}

fn severity(finding: &Finding) -> &'static str {
    match finding.severity {
        Severity::Violation => "error",
        Severity::Undecided => "undecided",
    }
}

/// Of more nodes than this, the first are named.
const NAMED: usize = 3;

/// Each finding once, with the nodes that it is of.
pub fn fleet(called: &CalledByMany) -> String {
    let mut text = String::new();
    for group in &called.findings {
        let named = group.nodes.iter().take(NAMED).map(|node| match node.line {
            Some(line) => format!("{}:{line}", node.enc),
            None => node.enc.clone(),
        });
        let named = named.collect::<Vec<_>>().join(", ");
        let more = match group.count.checked_sub(NAMED) {
            Some(more @ 1..) => format!(" and {more} more"),
            _ => String::new(),
        };
        let (finding, nodes) = (&group.finding, many(group.count, "node", "nodes"));
        text.push_str(&printable(&format!("{}: {nodes}: {finding}", severity(finding))));
        text.push_str(&format!("\n    in {}\n", printable(&format!("{named}{more}"))));
    }
    for (title, nodes) in [
        ("asking for another release", &called.pinned),
        ("of another app, not checked", &called.others),
    ] {
        if let Some(first) = nodes.first() {
            let nodes = many(nodes.len(), "node", "nodes");
            text.push_str(&printable(&format!("note: {title}: {nodes}, such as {first}")));
            text.push('\n');
        }
    }
    let (app, nodes) = (&called.app, many(called.nodes, "node", "nodes"));
    let count = |severity| fleet::count(&called.findings, severity);
    let (wrong, open) = (count(Severity::Violation), count(Severity::Undecided));
    let fit = called.nodes - called.refused;
    text.push_str(&match called.refused {
        0 if open == 0 => format!("ok: the calls of {nodes} fit `{app}`\n"),
        0 => format!(
            "ok as far as can be told: {open} undecided in the calls of {nodes} of `{app}`\n"
        ),
        _ => format!("NOT OK: {fit} of {nodes} fit `{app}`: {wrong} wrong, {open} undecided\n"),
    });
    text
}

fn many(count: usize, one: &str, more: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { more })
}
