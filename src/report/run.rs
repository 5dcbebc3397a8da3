//! A run in prose.

use crate::model::answer::History;
use crate::model::run::{Checked, Mode, Reason, Record, Stage};

/// A run, one fact a line.
pub fn prose(record: &Record) -> String {
    let mut lines = vec![format!("localpuppet: {}", headline(record))];
    if let Some(Reason { error, causes, .. }) = &record.reason {
        lines.push(format!("  because: {error}"));
        lines.extend(causes.iter().map(|cause| format!("  caused by: {cause}")));
    }
    if let (Some(package), Some(version)) = (&record.package, &record.version) {
        lines.push(format!("  package: {package} {version}"));
    }
    if let Some(id) = &record.bundle_id {
        lines.push(format!("  bundle ID: {id}"));
    }
    if let Some(root) = &record.module_root {
        lines.push(format!("  checkout: {root}"));
    }
    if let Some(r) = &record.resources {
        lines.push(format!(
            "  resources: {} in all, {} out of sync, {} changed, {} failed, {} skipped",
            r.total, r.out_of_sync, r.changed, r.failed, r.skipped
        ));
    }
    if let Some(enc) = &record.enc {
        let kept = enc.kept_since.as_ref().map(|since| format!(", away; kept since {since}"));
        lines.push(format!("  ENC: {}{}", enc.source, kept.unwrap_or_default()));
    }
    if record.checked == Some(Checked::Skipped) {
        lines.push("  not checked: --no-check".to_owned());
    }
    if let Some(target) = &record.rollback_to {
        lines.push(format!("  back to: run {target}"));
    }
    lines.push(format!("  run: {}", record.id));
    let ended = record.ended.as_ref().map(|ended| format!(", ended {ended}"));
    lines.push(format!("  started {}{}", record.started, ended.unwrap_or_default()));
    if record.puppet.is_some() {
        lines.push(format!("  log: {}/log.txt", record.directory));
    }
    if let Some(Reason { hints, .. }) = &record.reason {
        lines.extend(hints.iter().map(|hint| format!("  hint: {hint}")));
    }
    lines.join("\n") + "\n"
}

fn headline(record: &Record) -> String {
    let app = record.app.as_ref().map_or("a run".to_owned(), |app| format!("`{app}`"));
    let noop = if record.mode == Mode::Noop { " (noop)" } else { "" };
    let how = match (record.stage, record.outcome) {
        (Stage::Waiting, _) => format!("waiting as pid {}", record.process.pid),
        (Stage::Running, _) => format!("running as pid {}", record.process.pid),
        (Stage::Orphaned, _) => {
            let pid = record.puppet_process().map(|process| format!(" as pid {}", process.pid));
            let pid = pid.unwrap_or_default();
            format!("its localpuppet was killed, and Puppet still runs{pid}")
        }
        (Stage::Lost, _) => "lost: its process is gone and did not say how it ended".to_owned(),
        (Stage::Ended, Some(outcome)) => outcome.words().to_owned(),
        (Stage::Ended, None) => "ended".to_owned(),
    };
    format!("{app}{noop}: {how}")
}

/// Every run a line, the newest first, and which of them matter now.
pub fn history(history: &History) -> String {
    if history.runs.is_empty() {
        return "localpuppet: no run is on record\n".to_owned();
    }
    let rows: Vec<[String; 5]> = history.runs.iter().rev().map(|run| row(history, run)).collect();
    let width = |at: usize| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0);
    let widths = [width(0), width(1), width(2), width(3)];
    let mut text = String::new();
    for row in &rows {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("  ");
        text.push_str(format!("{line}  {}", row[4]).trim_end());
        text.push('\n');
    }
    text
}

fn row(history: &History, run: &Record) -> [String; 5] {
    let is = |marked: &Option<_>| marked.as_ref() == Some(&run.id);
    let mark = match (is(&history.applied), is(&history.rollback)) {
        (true, _) => "applied",
        (_, true) => "rollback goes here",
        _ => "",
    };
    let app = run.app.as_ref().map(ToString::to_string).unwrap_or_default();
    let noop = if run.mode == Mode::Noop { " (noop)" } else { "" };
    let how = match (run.stage, run.outcome) {
        (Stage::Waiting, _) => "waiting",
        (Stage::Running, _) => "running",
        (Stage::Orphaned, _) => "running, its localpuppet was killed",
        (Stage::Lost, _) => "lost",
        (Stage::Ended, outcome) => outcome.map_or("ended", |outcome| outcome.words()),
    };
    [
        run.id.to_string(),
        to_seconds(&run.started),
        format!("{app}{noop}"),
        how.to_owned(),
        mark.to_owned(),
    ]
}

/// A time of a record without its milliseconds.
fn to_seconds(time: &str) -> String {
    time.split_once('.').map_or_else(|| time.to_owned(), |(seconds, _)| format!("{seconds}Z"))
}
