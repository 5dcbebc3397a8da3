//! What `check` found, a finding a line.

use crate::model::answer::Called;
use crate::model::call::{Finding, Severity};

/// The findings, violations first, and a line that says what they come to.
pub fn prose(called: &Called) -> String {
    let mut findings: Vec<&Finding> = called.findings.iter().collect();
    findings.sort_by_key(|finding| (finding.severity, finding.line, finding.column));
    let mut text: String = findings.iter().map(|finding| line(&called.enc, finding)).collect();
    let count = |severity| findings.iter().filter(|f| f.severity == severity).count();
    let (wrong, open) = (count(Severity::Violation), count(Severity::Undecided));
    let classes = match called.classes {
        1 => "1 class".to_owned(),
        many => format!("{many} classes"),
    };
    let app = &called.app;
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
    let severity = match finding.severity {
        Severity::Violation => "error",
        Severity::Undecided => "undecided",
    };
    let place = match (finding.line, finding.column) {
        (Some(line), Some(column)) => format!("{enc}:{line}:{column}"),
        _ => enc.to_owned(),
    };
    let (path, rule) = (&finding.path, finding.rule.words());
    let hint = finding.hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
    format!(
        "{severity}: {place}: `{path}`: {rule}: expected {}, found {}{hint}\n",
        finding.expected, finding.found
    )
}
