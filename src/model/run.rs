//! Runs: one `apply` on one node, how it ended, and the record it leaves.

use super::app::{AppPath, PackageName};
use super::digest::Sha256Digest;
use super::exit::Exit;
use super::failure::Failure;
use super::puppet_report::Resources;
use super::version::Version;
use serde::{Deserialize, Serialize};

/// The version of the record's format.
const SCHEMA: u32 = 1;

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The node was as the release wants it.
    Unchanged,
    /// The node is now as the release wants it.
    Changed,
    /// `--noop`: something would change.
    WouldChange,
    /// Resources failed, none changed.
    Failed,
    /// Resources failed, others changed.
    ChangedAndFailed,
    /// Puppet did not compile a catalog, or did not begin to apply it.
    NotCompiled,
    /// Puppet ended in a way that says nothing of the node.
    Errored,
    /// A signal ended the run.
    Interrupted,
    /// The ENC was refused.
    EncRefused,
    /// The release could not be installed.
    InstallFailed,
    /// Content is not what it should be.
    NotVerified,
    /// Refused before Puppet was started, for another reason.
    Refused,
}

impl Outcome {
    /// The outcome of a run that was refused with this exit code before Puppet started.
    pub fn of_refusal(exit: Exit) -> Self {
        match exit {
            Exit::EncRefused => Outcome::EncRefused,
            Exit::InstallFailed => Outcome::InstallFailed,
            Exit::NotVerified => Outcome::NotVerified,
            Exit::Interrupted => Outcome::Interrupted,
            _ => Outcome::Refused,
        }
    }

    /// The exit code of `apply`; Puppet's 2 for a change is asked for by flag.
    pub fn exit(self, detailed: DetailedExit) -> Exit {
        match self {
            Outcome::Unchanged => Exit::Ok,
            Outcome::Changed if detailed == DetailedExit::No => Exit::Ok,
            Outcome::Changed | Outcome::WouldChange => Exit::Changed,
            Outcome::Failed => Exit::Failed,
            Outcome::ChangedAndFailed => Exit::ChangedAndFailed,
            Outcome::NotCompiled => Exit::NotCompiled,
            Outcome::Interrupted => Exit::Interrupted,
            Outcome::EncRefused => Exit::EncRefused,
            Outcome::InstallFailed => Exit::InstallFailed,
            Outcome::NotVerified => Exit::NotVerified,
            Outcome::Errored | Outcome::Refused => Exit::Error,
        }
    }

    /// The outcome in words.
    pub fn words(self) -> &'static str {
        match self {
            Outcome::Unchanged => "unchanged",
            Outcome::Changed => "changed",
            Outcome::WouldChange => "would change",
            Outcome::Failed => "resources failed",
            Outcome::ChangedAndFailed => "resources failed, others changed",
            Outcome::NotCompiled => {
                "not applied: Puppet did not compile a catalog or could not start"
            }
            Outcome::Errored => "Puppet failed",
            Outcome::Interrupted => "interrupted",
            Outcome::EncRefused => "ENC refused",
            Outcome::InstallFailed => "not installed",
            Outcome::NotVerified => "not verified",
            Outcome::Refused => "refused",
        }
    }
}

/// Whether a change has an exit code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DetailedExit {
    Yes,
    No,
}

/// Whether Puppet changes the node or only says what it would change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    Apply,
    Noop,
}

/// Where a run is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    Running,
    Ended,
    /// Its process is gone, and the Puppet that it started still works; found
    /// when read, never written.
    Orphaned,
    /// Its process is gone and never wrote how it ended; found when read, never written.
    Lost,
}

/// One process of one boot: a pid alone is given to others later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Process {
    pub pid: u32,
    /// Clock ticks from boot to its start.
    pub start: u64,
    pub boot: String,
}

/// What Puppet was, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Puppet {
    /// Its real path.
    pub program: String,
    /// The line to paste for the same run.
    pub command: String,
    pub process: Option<Process>,
    /// What its report says of itself; none where it wrote no report.
    pub version: Option<String>,
    /// Its exit code; none where a signal ended it.
    pub exit_code: Option<i32>,
    pub signal: Option<i32>,
}

/// Why a run did not go well, as the operator was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub error: String,
    pub causes: Vec<String>,
    pub hints: Vec<String>,
}

impl From<&Failure> for Reason {
    fn from(failure: &Failure) -> Self {
        Reason {
            error: failure.to_string(),
            causes: failure.causes(),
            hints: failure.hints().into_iter().map(str::to_owned).collect(),
        }
    }
}

/// `record.json` of a run. No parameter of an ENC is ever in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub schema: u32,
    pub id: String,
    pub stage: Stage,
    pub outcome: Option<Outcome>,
    /// What `apply` exited with.
    pub exit_code: Option<u8>,
    pub mode: Mode,
    pub started: String,
    pub ended: Option<String>,
    /// The app path that was asked for.
    pub app: Option<AppPath>,
    pub package: Option<PackageName>,
    pub version: Option<Version>,
    pub bundle_id: Option<Sha256Digest>,
    /// The checkout that was applied, in source mode.
    pub module_root: Option<String>,
    pub resources: Option<Resources>,
    pub puppet: Option<Puppet>,
    pub reason: Option<Reason>,
    /// Where log, report and ENC of the run are.
    pub directory: String,
    pub process: Process,
}

impl Record {
    /// The record of a run that begins.
    pub fn begin(id: String, directory: String, started: String, process: Process) -> Self {
        Record {
            schema: SCHEMA,
            id,
            stage: Stage::Running,
            outcome: None,
            exit_code: None,
            mode: Mode::Apply,
            started,
            ended: None,
            app: None,
            package: None,
            version: None,
            bundle_id: None,
            module_root: None,
            resources: None,
            puppet: None,
            reason: None,
            directory,
            process,
        }
    }

    /// Its Puppet's process, where one was started.
    pub fn puppet_process(&self) -> Option<&Process> {
        self.puppet.as_ref()?.process.as_ref()
    }

    /// The exit code of `status`: that of the run; one that still runs holds the node.
    pub fn exit(&self) -> Exit {
        let known =
            self.exit_code.and_then(|code| Exit::ALL.into_iter().find(|e| e.code() == code));
        match self.stage {
            Stage::Running | Stage::Orphaned => Exit::Locked,
            Stage::Lost => Exit::Interrupted,
            Stage::Ended => known.unwrap_or(Exit::Error),
        }
    }
}

/// Who holds a node: the content of the lock file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    pub pid: u32,
    pub since: String,
    pub release: Option<AppPath>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let process = Process { pid: 7, start: 9, boot: "b".into() };
        Record::begin("1".into(), "/runs/1".into(), "2026-01-01T00:00:00Z".into(), process)
    }

    #[test]
    fn a_record_is_read_back_as_written() {
        let mut record = record();
        record.outcome = Some(Outcome::ChangedAndFailed);
        let text = serde_json::to_string(&record).unwrap();
        assert_eq!(serde_json::from_str::<Record>(&text).unwrap(), record);
        assert!(text.contains(r#""outcome":"changed-and-failed""#), "{text}");
    }

    #[test]
    fn status_exits_as_the_run_did() {
        let mut record = record();
        assert_eq!(record.exit(), Exit::Locked);
        record.stage = Stage::Orphaned;
        assert_eq!(record.exit(), Exit::Locked);
        record.stage = Stage::Lost;
        assert_eq!(record.exit(), Exit::Interrupted);
        record.stage = Stage::Ended;
        record.exit_code = Some(6);
        assert_eq!(record.exit(), Exit::ChangedAndFailed);
        record.exit_code = Some(99);
        assert_eq!(record.exit(), Exit::Error);
    }

    #[test]
    fn a_change_is_told_by_the_exit_code_only_where_asked() {
        assert_eq!(Outcome::Changed.exit(DetailedExit::No), Exit::Ok);
        assert_eq!(Outcome::Changed.exit(DetailedExit::Yes), Exit::Changed);
        assert_eq!(Outcome::WouldChange.exit(DetailedExit::No), Exit::Changed);
    }
}
