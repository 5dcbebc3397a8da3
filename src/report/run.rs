//! A run in prose.

use crate::model::run::{Mode, Reason, Record, Stage};

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
    let ended = record.ended.as_ref().map(|ended| format!(", ended {ended}"));
    lines.push(format!("  started {}{}", record.started, ended.unwrap_or_default()));
    if record.puppet.is_some() {
        lines.push(format!("  log: {}/log.jsonl", record.directory));
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
