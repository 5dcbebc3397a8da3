//! Runs: one `apply` on one node, how it ended, and the record it leaves.

use super::app::{AppPath, PackageName};
use super::digest::Sha256Digest;
use super::exit::Exit;
use super::failure::Failure;
use super::puppet_report::Resources;
use super::run_id::RunId;
use super::version::Version;
use serde::{Deserialize, Serialize};
use std::fmt;

/// The version of the record's format.
const SCHEMA: u32 = 2;

/// How a run ended. There are no other words for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The node was as the release wants it.
    Unchanged,
    /// The node is now as the release wants it.
    Changed,
    /// `--noop`: something would change.
    WouldChange,
    /// Resources failed, none changed; or Puppet ended in a way that says nothing of the node.
    Failed,
    /// Resources failed, others changed.
    ChangedAndFailed,
    /// The catalog was applied, and the command that Puppet runs afterwards failed.
    PostrunFailed,
    /// Puppet did not compile a catalog, or did not begin to apply it.
    CompileFailed,
    /// The ENC could not be had, or was refused.
    EncInvalid,
    /// The release could not be installed.
    InstallFailed,
    /// Another run, or Puppet's own agent, held the node.
    #[serde(rename = "refused-locked")]
    Locked,
    /// Puppet's agent is disabled on this node.
    #[serde(rename = "refused-disabled")]
    Disabled,
    /// Content is not what it should be.
    #[serde(rename = "refused-not-verified")]
    NotVerified,
    /// The catalog is not the one that was previewed; nothing was applied.
    #[serde(rename = "refused-plan-changed")]
    PlanChanged,
    /// Refused before Puppet was started, for another reason.
    Refused,
    /// A signal ended the run.
    Interrupted,
    /// Its process is gone and did not say how it ended; found when read.
    Lost,
}

impl Outcome {
    /// The outcome of a run that was refused with this exit code before Puppet started.
    pub fn of_refusal(exit: Exit) -> Self {
        match exit {
            Exit::EncRefused => Outcome::EncInvalid,
            Exit::InstallFailed => Outcome::InstallFailed,
            Exit::NotVerified => Outcome::NotVerified,
            Exit::Interrupted => Outcome::Interrupted,
            Exit::Locked => Outcome::Locked,
            Exit::Disabled => Outcome::Disabled,
            Exit::PlanChanged => Outcome::PlanChanged,
            _ => Outcome::Refused,
        }
    }

    /// The exit code of `apply`; Puppet's 2 for a change is asked for by flag.
    pub fn exit(self, detailed: DetailedExit) -> Exit {
        match self {
            Outcome::Unchanged => Exit::Ok,
            Outcome::Changed if detailed == DetailedExit::No => Exit::Ok,
            Outcome::Changed | Outcome::WouldChange => Exit::Changed,
            Outcome::Failed | Outcome::PostrunFailed => Exit::Failed,
            Outcome::ChangedAndFailed => Exit::ChangedAndFailed,
            Outcome::CompileFailed => Exit::NotCompiled,
            Outcome::EncInvalid => Exit::EncRefused,
            Outcome::InstallFailed => Exit::InstallFailed,
            Outcome::Locked => Exit::Locked,
            Outcome::Disabled => Exit::Disabled,
            Outcome::NotVerified => Exit::NotVerified,
            Outcome::PlanChanged => Exit::PlanChanged,
            Outcome::Refused => Exit::Error,
            Outcome::Interrupted => Exit::Interrupted,
            Outcome::Lost => Exit::Lost,
        }
    }

    /// True where the node is as the release wants it.
    pub fn is_good(self) -> bool {
        matches!(self, Outcome::Unchanged | Outcome::Changed)
    }

    /// The outcome in words.
    pub fn words(self) -> &'static str {
        match self {
            Outcome::Unchanged => "unchanged",
            Outcome::Changed => "changed",
            Outcome::WouldChange => "would change",
            Outcome::Failed => "failed",
            Outcome::ChangedAndFailed => "changed and failed",
            Outcome::PostrunFailed => "postrun failed",
            Outcome::CompileFailed => "compile failed",
            Outcome::EncInvalid => "ENC invalid",
            Outcome::InstallFailed => "install failed",
            Outcome::Locked => "refused: locked",
            Outcome::Disabled => "refused: disabled",
            Outcome::NotVerified => "refused: not verified",
            Outcome::PlanChanged => "refused: plan changed",
            Outcome::Refused => "refused",
            Outcome::Interrupted => "interrupted",
            Outcome::Lost => "lost",
        }
    }
}

/// Whether a change has an exit code of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
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
    /// It was asked for, and does not hold the node yet.
    Waiting,
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

/// The document that a run was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncRecord {
    /// Where it came from.
    pub source: String,
    /// The digest of its bytes as they came.
    pub sha256: Sha256Digest,
    /// When it came, where its source is away now and the last good document was taken.
    #[serde(default)]
    pub kept_since: Option<String>,
}

/// What came of holding the ENC against the classes of the release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Checked {
    Fits,
    /// Only Puppet can tell.
    Undecided,
    Refused,
    /// By `--no-check`.
    Skipped,
}

/// `record.json` of a run. No parameter of an ENC is ever in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    pub schema: u32,
    pub id: RunId,
    /// Counts the runs of a node, whatever its clock says.
    pub sequence: u64,
    pub stage: Stage,
    /// True once it had the node.
    pub held: bool,
    pub outcome: Option<Outcome>,
    /// What `apply` exited with.
    pub exit_code: Option<u8>,
    pub mode: Mode,
    /// The earlier run whose release and ENC this one takes, of `rollback`.
    pub rollback_to: Option<RunId>,
    pub started: String,
    pub ended: Option<String>,
    /// The app path that was asked for.
    pub app: Option<AppPath>,
    pub package: Option<PackageName>,
    pub version: Option<Version>,
    pub bundle_id: Option<Sha256Digest>,
    /// The checkout that was applied, in source mode.
    pub module_root: Option<String>,
    pub enc: Option<EncRecord>,
    /// None where the run did not come so far.
    #[serde(default)]
    pub checked: Option<Checked>,
    /// The plan that its catalog had to be that of.
    #[serde(default)]
    pub plan: Option<Sha256Digest>,
    pub resources: Option<Resources>,
    pub puppet: Option<Puppet>,
    pub reason: Option<Reason>,
    /// Where log, report and ENC of the run are.
    pub directory: String,
    pub process: Process,
}

impl Record {
    /// The record of a run that was asked for just now.
    pub fn new(id: RunId, directory: String, started: String, process: Process) -> Self {
        Record {
            schema: SCHEMA,
            id,
            sequence: 0,
            stage: Stage::Waiting,
            held: false,
            outcome: None,
            exit_code: None,
            mode: Mode::Apply,
            rollback_to: None,
            started,
            ended: None,
            app: None,
            package: None,
            version: None,
            bundle_id: None,
            module_root: None,
            enc: None,
            checked: None,
            plan: None,
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

    /// The exit code of `status` and its kin: that of the run, where it has ended.
    pub fn exit(&self) -> Exit {
        let known =
            self.exit_code.and_then(|code| Exit::ALL.into_iter().find(|e| e.code() == code));
        match self.stage {
            Stage::Waiting | Stage::Running | Stage::Orphaned => Exit::Running,
            Stage::Lost => Exit::Lost,
            Stage::Ended => known.unwrap_or(Exit::Error),
        }
    }

    /// True where nothing more will come of it.
    pub fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Ended | Stage::Lost)
    }

    /// True where the node was left as a release wants it, by Puppet and not by a look at it.
    pub fn is_good(&self) -> bool {
        self.mode == Mode::Apply && self.outcome.is_some_and(Outcome::is_good)
    }

    /// True where Puppet came to change the node, or may have.
    pub fn has_touched(&self) -> bool {
        let none = [Some(Outcome::CompileFailed), Some(Outcome::PlanChanged)];
        let applied = !none.contains(&self.outcome);
        self.mode == Mode::Apply && self.puppet.is_some() && applied
    }
}

/// Who holds a node: the content of the lock file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// What it does: `apply`, `stage`, `prune`.
    pub verb: String,
    pub process: Process,
    pub since: String,
    pub run: Option<RunId>,
    pub app: Option<AppPath>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Holder { verb, process, since, run, app } = self;
        write!(f, "`{verb}`")?;
        if let Some(app) = app {
            write!(f, " of `{app}`")?;
        }
        if let Some(run) = run {
            write!(f, ", run `{run}`")?;
        }
        write!(f, ", pid {}, since {since}", process.pid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> Record {
        let process = Process { pid: 7, start: 9, boot: "b".into() };
        Record::new("1".parse().unwrap(), "/runs/1".into(), "2026-01-01T00:00:00Z".into(), process)
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
        assert_eq!(record.exit(), Exit::Running);
        record.stage = Stage::Orphaned;
        assert_eq!(record.exit(), Exit::Running);
        record.stage = Stage::Lost;
        assert_eq!(record.exit(), Exit::Lost);
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
