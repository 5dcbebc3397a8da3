//! What a node has: `stage`, `prune`, and where it has it.

use super::value::OneOf;
use crate::model::age::Age;
use crate::model::app::Release;
use crate::model::package_manager::PackageManager;
use crate::model::subject;
use clap::{ArgGroup, Args};
use std::path::PathBuf;

/// Where the node's own files are.
#[derive(Clone, Debug, Args)]
pub struct Node {
    /// Work on the node below DIR instead of / (packages, state, input); Puppet itself is not confined
    #[arg(long, value_name = "DIR", env = "LOCALPUPPET_ROOT", default_value = "/")]
    pub root: PathBuf,
}

/// How the node's packages are managed.
#[derive(Clone, Debug, Args)]
pub struct Packages {
    /// Package manager of this node [default: what /etc/os-release says]
    #[arg(long, value_name = "NAME", env = "LOCALPUPPET_PACKAGE_MANAGER", value_parser = OneOf(&PackageManager::ALL))]
    pub package_manager: Option<PackageManager>,
    /// Seconds to wait for another program's package manager lock
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub package_lock_timeout: u32,
}

/// `localpuppet stage`
#[derive(Debug, Args)]
#[command(after_help = STAGE_EXAMPLES)]
pub struct Stage {
    /// Releases to make available: foo/tags/r1, or foo/r1 for short
    #[arg(value_name = "APP/TAG", required_unless_present = "package", value_parser = subject::release)]
    pub releases: Vec<Release>,
    /// Install this package file instead of asking the repositories; may be given several times
    #[arg(long, value_name = "FILE", conflicts_with = "download_only")]
    pub package: Vec<PathBuf>,
    /// Only bring the packages to the package manager's cache
    #[arg(long)]
    pub download_only: bool,
    #[command(flatten)]
    pub packages: Packages,
    /// Seconds to wait for another command that works on this node
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub wait_lock: u32,
    #[command(flatten)]
    pub node: Node,
}

/// `localpuppet prune`
#[derive(Debug, Args)]
#[command(after_help = PRUNE_EXAMPLES)]
#[command(group(ArgGroup::new("old").required(true).multiple(true).args(["keep", "older_than"])))]
pub struct Prune {
    /// Keep so many releases of each app, those that were used last
    #[arg(long, value_name = "N")]
    pub keep: Option<u32>,
    /// Keep releases that were used within this time: 12h, 30d, 2w
    #[arg(long, value_name = "AGE")]
    pub older_than: Option<Age>,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub packages: Packages,
    /// Seconds to wait for another command that works on this node
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub wait_lock: u32,
    #[command(flatten)]
    pub node: Node,
}

const STAGE_EXAMPLES: &str = "\
Examples:
  localpuppet stage foo/tags/r1 foo/tags/r2
  localpuppet stage --download-only foo/r2
  localpuppet stage --package ./localpuppet-foo-r1_1_all.deb

Exit codes: 0 staged, 11 not installed, 12 content differs from bundle.json,
14 another run holds this node, 15 ended by a signal, 64 usage; of several, that of the first failure";

const PRUNE_EXAMPLES: &str = "\
Examples:
  localpuppet prune --keep 3 --dry-run
  localpuppet prune --keep 3 --older-than 30d

A release is removed where all that was given agrees: --keep 3 --older-than 30d keeps the three
releases of each app that were used last, and any that was used within 30 days.

Exit codes: 0 done, 1 refused, 11 a package could not be removed, 14 another run holds this node,
64 usage";
