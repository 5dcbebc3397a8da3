//! What each command answers with; `report` turns it into prose or JSON.

use super::app::AppPath;
use super::bundle::Bundle;
use super::call::fleet::Group;
use super::call::{Finding, Severity};
use super::compression::Format;
use super::diff::{Diff, Form};
use super::digest::Sha256Digest;
use super::document::Document;
use super::exit::Exit;
use super::inspection::Inspection;
use super::lock::Locked;
use super::preview::Preview;
use super::pruned::Pruned;
use super::publication::{Check, Listing, Pruning, Publication};
use super::run::Record;
use super::run_id::RunId;
use super::staged::Staged;
use super::verified::{Rebuilt, Verified};
use super::version::Version;
use serde::Serialize;
use std::path::PathBuf;

/// The answer of a command.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// Of `bundle`, one for each release.
    Built(Vec<Built>),
    /// Of `lock`, one for each release.
    Locked(Vec<LockedRelease>),
    /// Of `inspect`.
    Inspected(Box<Inspection>),
    /// Of `diff`.
    Diffed(Box<Diffed>),
    /// Of `preview`.
    Previewed(Box<Preview>),
    /// Of `planned`, which has nothing to say where all is well.
    #[serde(skip)]
    AsPlanned,
    /// Of `stage`, one for each release.
    Staged(Vec<Staged>),
    /// Of `prune`, one for each release.
    Pruned(Vec<Pruned>),
    /// Of `verify`, one for each release.
    Verified(Vec<Verified>),
    /// Of `verify --rebuild`.
    Rebuilt(Rebuilt),
    /// Of `publish`.
    Published(Publication),
    /// Of `publish --list`.
    Listing(Listing),
    /// Of `publish --verify`.
    Checked(Check),
    /// Of `publish --prune`.
    PrunedRepository(Pruning),
    /// `apply`, `status` and `cancel`: a run, as its record has it.
    Run(Box<Record>),
    /// Of `check`.
    Called(Called),
    /// Of `check --enc-dir`.
    CalledByMany(CalledByMany),
    /// Of `apply --detach`: a run that goes on without this process.
    Asked(Box<Record>),
    /// Of `cancel`: a run that was ended by it.
    Cancelled(Box<Record>),
    /// Of `history`.
    History(History),
    /// Of `logs`, which has printed already; with the run that was followed to its end.
    Logged(Option<Box<Record>>),
    /// Of `logs`, whose reader went away.
    #[serde(skip)]
    Unheard,
    /// Of `completions` and `man`; `report` has the text.
    #[serde(skip)]
    Document(Document),
}

impl Answer {
    /// The exit code that goes with the answer.
    pub fn exit(&self) -> Exit {
        match self {
            Answer::Built(_) | Answer::Locked(_) | Answer::Document(_) => Exit::Ok,
            Answer::Published(_) | Answer::Listing(_) | Answer::PrunedRepository(_) => Exit::Ok,
            Answer::Checked(check) => check.exit(),
            Answer::Inspected(inspection) => inspection.exit(),
            Answer::Diffed(diffed) => diffed.exit,
            Answer::Previewed(preview) => preview.exit(),
            Answer::AsPlanned => Exit::Ok,
            Answer::Called(called) => called.exit(),
            Answer::CalledByMany(called) if called.refused > 0 => Exit::EncRefused,
            Answer::CalledByMany(_) => Exit::Ok,
            Answer::Verified(all) => Verified::exit(all),
            Answer::Rebuilt(rebuilt) => rebuilt.exit(),
            Answer::Pruned(all) => first_failure(all.iter().map(|pruned| pruned.exit)),
            Answer::Staged(all) => first_failure(all.iter().map(|staged| staged.exit)),
            Answer::Run(record) | Answer::Logged(Some(record)) => record.exit(),
            Answer::Asked(_) | Answer::Cancelled(_) | Answer::History(_) | Answer::Logged(None) => {
                Exit::Ok
            }
            Answer::Unheard => Exit::Error,
        }
    }
}

/// Of several exit codes, that of the first failure.
fn first_failure(mut exits: impl Iterator<Item = Exit>) -> Exit {
    exits.find(|&exit| exit != Exit::Ok).unwrap_or(Exit::Ok)
}

/// What is different between two releases, and how it is told.
#[derive(Debug, Serialize)]
pub struct Diffed {
    #[serde(flatten)]
    pub diff: Diff,
    #[serde(skip)]
    pub form: Form,
    #[serde(skip)]
    pub exit: Exit,
}

/// What a call of a release's classes came to.
#[derive(Debug, Serialize)]
pub struct Called {
    /// None where the ENC is refused that would have named it.
    pub app: Option<AppPath>,
    /// Where the ENC asks for another one than it was held against.
    pub pinned: Option<AppPath>,
    /// Where the ENC comes from.
    pub enc: String,
    /// How many classes it calls.
    pub classes: usize,
    pub strict: bool,
    pub findings: Vec<Finding>,
}

impl Called {
    fn exit(&self) -> Exit {
        if is_refused(&self.findings, self.strict) { Exit::EncRefused } else { Exit::Ok }
    }
}

/// True where Puppet would refuse a call, or where that is asked for might.
pub fn is_refused(findings: &[Finding], strict: bool) -> bool {
    findings.iter().any(|finding| strict || finding.severity == Severity::Violation)
}

/// What the calls of many nodes came to.
#[derive(Debug, Serialize)]
pub struct CalledByMany {
    pub app: AppPath,
    /// Where the ENCs come from.
    pub directory: String,
    pub strict: bool,
    pub nodes: usize,
    /// Nodes whose ENC asks for another release of the app; they are checked all the same.
    pub pinned: Vec<String>,
    /// Nodes of another app, which are not.
    pub others: Vec<String>,
    /// How many of them Puppet would refuse, or with `strict` might.
    pub refused: usize,
    pub findings: Vec<Group>,
}

/// The runs of a node, the oldest first.
#[derive(Debug, Serialize)]
pub struct History {
    pub runs: Vec<Record>,
    /// The run that shaped the node.
    pub applied: Option<RunId>,
    /// The run whose release `rollback` would apply.
    pub rollback: Option<RunId>,
}

/// The packages of one release.
#[derive(Debug, Serialize)]
pub struct Built {
    pub app: AppPath,
    pub version: Version,
    pub bundle_id: Sha256Digest,
    pub modulepath: Vec<AppPath>,
    pub packages: Vec<BuiltPackage>,
    /// The documents that tell where it came from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub proof: Vec<PathBuf>,
    /// What was another where it was built a second time, to the same bytes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub checked: Vec<String>,
}

impl Built {
    /// Tells which packages a bundle has.
    pub fn new(bundle: &Bundle, packages: Vec<BuiltPackage>) -> Self {
        Built {
            app: bundle.app.clone(),
            version: bundle.version.clone(),
            bundle_id: bundle.bundle_id,
            modulepath: bundle.searched().into_iter().map(|entry| entry.app.clone()).collect(),
            packages,
            proof: Vec::new(),
            checked: Vec::new(),
        }
    }
}

/// What a release is made of, as it was locked.
#[derive(Debug, Serialize)]
pub struct LockedRelease {
    pub app: AppPath,
    /// True where the lock had it so already.
    pub unchanged: bool,
    pub entries: Vec<Locked>,
}

/// A package file.
#[derive(Debug, Serialize)]
pub struct BuiltPackage {
    pub path: PathBuf,
    pub format: Format,
    /// Its size.
    pub bytes: u64,
    /// True where the same bytes were there already.
    pub unchanged: bool,
}
