//! What the runs of a node say together: which one shaped it, where back is, what may go.

use crate::model::request::Keep;
use crate::model::run::{Outcome, Record};
use crate::model::run_id::RunId;
use jiff::{SignedDuration, Timestamp};

/// The run that shaped the node: the last one whose Puppet was started to change it.
pub fn applied(runs: &[Record]) -> Option<&Record> {
    runs.iter().rev().find(|run| run.has_touched())
}

/// Where `rollback` goes: to the last run that succeeded here with another
/// release, before the one that shaped the node. After a rollback it goes on
/// from where that went, so two of them go two steps.
pub fn rollback_target(runs: &[Record]) -> Option<&Record> {
    let at = runs.iter().rposition(Record::has_touched)?;
    let current = &runs[at];
    let back = current.rollback_to.as_ref();
    let before = back.and_then(|id| runs.iter().position(|run| run.id == *id)).unwrap_or(at);
    runs[..before].iter().rev().find(|run| run.is_good() && is_other_release(run, current))
}

/// A checkout is no release: it may be another one by now.
fn is_other_release(run: &Record, current: &Record) -> bool {
    run.package.is_some() && (&run.app, &run.bundle_id) != (&current.app, &current.bundle_id)
}

/// The runs that are too many or too old. Never one that goes on, the last
/// that went well, the last that did not, the one that shaped the node, nor
/// those that `rollback` needs.
pub fn surplus(runs: &[Record], keep: Keep, now: Timestamp) -> impl Iterator<Item = &RunId> {
    let last = |wanted: fn(&Record) -> bool| runs.iter().rev().find(|run| wanted(run));
    let applied = applied(runs);
    // What a rollback takes, of a run that waits for the node as well.
    let back: Vec<&RunId> = runs
        .iter()
        .filter(|run| !run.is_over() || applied.is_some_and(|applied| applied.id == run.id))
        .filter_map(|run| run.rollback_to.as_ref())
        .collect();
    let kept: Vec<&RunId> =
        [last(Record::is_good), last(has_failed), applied, rollback_target(runs)]
            .into_iter()
            .flatten()
            .map(|run| &run.id)
            .collect();
    let too_many = runs.len().saturating_sub(keep.runs as usize);
    let age = SignedDuration::from_hours(24 * i64::from(keep.days));
    let is_old = move |run: &Record| {
        let started = run.started.parse::<Timestamp>();
        started.is_ok_and(|started| now.duration_since(started) > age)
    };
    let surplus = runs.iter().enumerate().filter(move |(at, run)| {
        run.is_over()
            && (*at < too_many || is_old(run))
            && !kept.contains(&&run.id)
            && !back.contains(&&run.id)
    });
    surplus.map(|(_, run)| &run.id)
}

fn has_failed(run: &Record) -> bool {
    use Outcome::*;
    let told = [Unchanged, Changed, WouldChange, Locked, Disabled];
    run.is_over() && run.outcome.is_some_and(|outcome| !told.contains(&outcome))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::app::Release;
    use crate::model::run::{Mode, Process, Puppet, Stage};

    /// A run as its ID, app and outcome; `N>M` is a rollback to run M, `noop` touches nothing.
    fn run(at: usize, text: &str) -> Record {
        let words: Vec<&str> = text.split(' ').collect();
        let (id, back) = words[0].split_once('>').map_or((words[0], None), |(a, b)| (a, Some(b)));
        let process = Process { pid: 1, start: 1, boot: String::new() };
        let started = format!("2026-01-{:02}T00:00:00Z", at + 1);
        let mut record = Record::new(id.parse().unwrap(), String::new(), started, process);
        record.stage = Stage::Ended;
        record.rollback_to = back.map(|back| back.parse().unwrap());
        record.app = Some(format!("foo/tags/{}", words[1]).parse().unwrap());
        record.package = "foo/r1".parse::<Release>().ok().map(|release| release.package_name());
        record.mode = if words.contains(&"noop") { Mode::Noop } else { Mode::Apply };
        let json = format!("{:?}", words[2]);
        record.outcome = Some(serde_json::from_str(&json).unwrap());
        let started = !words[2].starts_with("refused") && !words[2].ends_with("invalid");
        record.puppet = started.then(|| Puppet {
            program: String::new(),
            command: String::new(),
            process: None,
            version: None,
            exit_code: None,
            signal: None,
        });
        if words.contains(&"running") {
            record.stage = Stage::Running;
        }
        record
    }

    fn runs(lines: &[&str]) -> Vec<Record> {
        lines.iter().enumerate().map(|(at, line)| run(at, line)).collect()
    }

    fn back(lines: &[&str]) -> Option<String> {
        rollback_target(&runs(lines)).map(|run| run.id.to_string())
    }

    #[test]
    fn back_is_the_last_other_release_that_went_well() {
        assert_eq!(back(&[]), None);
        assert_eq!(back(&["1 r1 changed"]), None);
        assert_eq!(back(&["1 r1 changed", "2 r2 changed"]).as_deref(), Some("1"));
        assert_eq!(back(&["1 r1 failed", "2 r2 changed"]), None);
        let r3_failed = ["1 r1 changed", "2 r2 changed", "3 r2 unchanged", "4 r3 failed"];
        assert_eq!(back(&r3_failed).as_deref(), Some("3"));
        // Neither a noop nor a refusal shapes a node.
        let looked = ["1 r1 changed", "2 r2 changed", "3 r3 would-change noop", "4 r3 enc-invalid"];
        assert_eq!(back(&looked).as_deref(), Some("1"));
    }

    #[test]
    fn two_rollbacks_go_two_steps() {
        let once = ["1 r1 changed", "2 r2 changed", "3 r3 changed", "4>2 r2 changed"];
        assert_eq!(back(&once).as_deref(), Some("1"));
        let twice = [&once[..], &["5>1 r1 changed"]].concat();
        assert_eq!(back(&twice), None);
        let onwards = [&twice[..], &["6 r3 changed"]].concat();
        assert_eq!(back(&onwards).as_deref(), Some("5"));
    }

    fn gone(lines: &[&str], keep: u32, days: u32) -> Vec<String> {
        let now = "2026-01-31T00:00:00Z".parse().unwrap();
        let runs = runs(lines);
        surplus(&runs, Keep { runs: keep, days }, now).map(ToString::to_string).collect()
    }

    #[test]
    fn the_oldest_runs_go_but_those_that_tell_something() {
        let lines =
            ["1 r1 changed", "2 r1 failed", "3 r2 changed", "4 r2 unchanged", "5 r2 unchanged"];
        assert_eq!(gone(&lines, 5, 365), [""; 0]);
        // 1 is where back is, 2 the last that failed, 5 the last that went well.
        assert_eq!(gone(&lines, 1, 365), ["3", "4"]);
        assert_eq!(gone(&lines, 50, 27), ["3"]);
        // 3 waits to go back to 1.
        let waiting = ["1 r1 changed", "2 r1 changed", "3>1 r1 refused running"];
        assert_eq!(gone(&waiting, 1, 365), [""; 0]);
        let running = ["1 r1 changed running", "2 r1 changed", "3 r1 changed"];
        assert_eq!(gone(&running, 1, 1), ["2"]);
    }
}
