//! What a run was asked to do: `request.json` of its directory.
//!
//! Written once, before anything is done. Two requests that are equal are the
//! same call made twice; no parameter of an ENC is ever in one.

use super::app::AppPath;
use super::certname::Certname;
use super::digest::Sha256Digest;
use super::enc_source::EncSource;
use super::package_manager::PackageManager;
use super::run::{DetailedExit, Mode};
use super::run_id::RunId;
use super::sources::Signatures;
use super::url::Url;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// The request of one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The app path of the command line; otherwise the ENC names it.
    pub app: Option<AppPath>,
    /// The node's name, where the operator gives it another than Puppet would.
    pub certname: Option<Certname>,
    pub enc: EncFrom,
    pub code: CodeFrom,
    /// The plan that its catalog has to be that of, as `preview` told it.
    #[serde(default)]
    pub plan: Option<Sha256Digest>,
    pub mode: Mode,
    pub detailed_exitcodes: DetailedExit,
    /// Puppet's program, where the operator says it.
    pub puppet: Option<PathBuf>,
    /// Seconds to wait for another run, or for Puppet's own agent.
    pub wait_lock: u32,
    pub disabled: Disabled,
    #[serde(default)]
    pub check: Check,
    /// How many ended runs are kept, and for how many days.
    pub keep: Keep,
}

/// Where the ENC comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EncFrom {
    /// What the operator named, or the node's own file.
    Source(Box<EncRequest>),
    /// Read from stdin when the run was asked for, and kept with the run.
    Stdin { sha256: Sha256Digest },
    /// That of an earlier run.
    Run(RunId),
}

/// What a source is asked with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EncRequest {
    pub source: EncSource,
    /// Files with a token, with a client certificate and its key, with authorities to trust.
    pub token_file: Option<PathBuf>,
    pub client_cert: Option<PathBuf>,
    pub client_key: Option<PathBuf>,
    pub ca: Option<PathBuf>,
    /// Seconds for all tries together.
    pub timeout: u32,
    pub cache: Cache,
    /// Where the metadata of an EC2 instance is.
    pub ec2_metadata: Url,
}

/// Whether the last good document does where its source is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cache {
    Allowed,
    Refused,
}

/// Where the code comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CodeFrom {
    /// An installed release; installed first where it is not there.
    Release(Install),
    /// An installed release, and no network: of `rollback`.
    Installed,
    /// A checkout.
    Checkout(Checkout),
}

/// Code that is not installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkout {
    pub module_root: PathBuf,
    /// Where what comes from git and Subversion is kept, where the operator says it.
    pub cache: Option<PathBuf>,
    pub signatures: Signatures,
}

/// How a release is installed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Install {
    /// A package file instead of the repositories.
    pub package: Option<PathBuf>,
    /// The only content that is accepted.
    pub bundle_id: Option<Sha256Digest>,
    pub manager: Option<PackageManager>,
    /// Seconds to wait for another program's package manager lock.
    pub lock_timeout: u32,
}

/// What `puppet agent --disable` means to a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Disabled {
    /// The node is left alone.
    Honoured,
    Ignored,
}

/// Whether the ENC is held against the classes of the release before Puppet is started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    #[default]
    Wanted,
    Skipped,
}

/// Which ended runs are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keep {
    pub runs: u32,
    pub days: u32,
}
