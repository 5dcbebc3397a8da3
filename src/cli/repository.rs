//! Repositories: `publish`, `promote`.

use crate::model::app::AppPath;
use crate::model::architecture::Architecture;
use crate::model::destination::Destination;
use crate::model::offer;
use crate::model::url::Url;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// `localpuppet publish`
#[derive(Debug, Args)]
#[command(after_help = PUBLISH_EXAMPLES)]
pub struct Publish {
    /// Packages that `bundle` has made
    #[arg(value_name = "FILE", required_unless_present = "mode", value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Publish snapshots too, which sort below every release
    #[arg(long, conflicts_with = "mode")]
    pub allow_snapshots: bool,
    /// Say what would be published or removed, and write nothing
    #[arg(long, conflicts_with_all = ["list", "verify"])]
    pub dry_run: bool,
    /// List what was published, and what was removed since
    #[arg(long, group = "mode", conflicts_with = "files")]
    pub list: bool,
    /// Check the repository as a client would, with every package and the ledger
    #[arg(long, group = "mode", conflicts_with = "files")]
    pub verify: bool,
    /// Remove old releases; their names and versions stay taken
    #[arg(long, group = "mode", conflicts_with = "files")]
    pub prune: bool,
    /// How many of each app stay: releases of the highest versions, and snapshots published last
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub keep: u32,
    /// Releases younger than this stay
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u32).range(..=36500))]
    pub min_days: u32,
    #[command(flatten)]
    pub repository: Repository,
}

/// `localpuppet promote`
#[derive(Debug, Args)]
#[command(after_help = PROMOTE_EXAMPLES)]
pub struct Promote {
    /// The repository that has the releases
    #[arg(value_name = "REPOSITORY")]
    pub from: Destination,
    /// Releases to promote: foo/tags/r1 [default: all]
    #[arg(value_name = "APP_PATH")]
    pub apps: Vec<AppPath>,
    /// Promote snapshots too, which sort below every release
    #[arg(long)]
    pub allow_snapshots: bool,
    /// Say what would be promoted, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    #[command(flatten)]
    pub repository: Repository,
}

/// A repository, and how its indexes are written.
#[derive(Clone, Debug, Args)]
pub struct Repository {
    /// The repository: a directory, made if need be, or s3://BUCKET/PREFIX
    #[arg(long, value_name = "DIR|s3://BUCKET", env = "LOCALPUPPET_REPOSITORY")]
    pub to: Destination,
    /// Key that signs indexes and .rpm: a file, or what gpg calls a user ID
    #[arg(long, value_name = "KEY", env = "LOCALPUPPET_SIGN_KEY")]
    pub sign: Option<String>,
    /// File with the key's passphrase [default: what LOCALPUPPET_SIGN_PASSPHRASE says]
    #[arg(long, value_name = "FILE", requires = "sign")]
    pub passphrase_file: Option<PathBuf>,
    /// Where nodes read the repository, for the page that tells them how [default: as it was]
    #[arg(long, value_name = "URL", value_parser = offer::address)]
    pub url: Option<Url>,
    /// Let nodes refuse indexes that are older than this (`Valid-Until`); renewed each time it is said
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..=36500))]
    pub valid_days: Option<u32>,
    /// Architectures of dpkg that have indexes of their own; any other reads that of `all`
    #[arg(long, value_name = "NAME", value_delimiter = ',', default_value = "amd64,arm64")]
    pub architectures: Vec<Architecture>,
}

const PUBLISH_EXAMPLES: &str = "\
Examples:
  localpuppet publish dist/*.deb dist/*.rpm --to /srv/repository --sign release@example.org
  LOCALPUPPET_SIGN_PASSPHRASE=... localpuppet publish dist/* --to repository --sign key.asc
  localpuppet publish dist/* --to /srv/repository --dry-run
  localpuppet publish dist/* --to s3://bucket/prefix --sign KEY    (AWS_* variables as usual)
  localpuppet publish --list --to /srv/repository
  localpuppet publish --verify --to /srv/repository
  localpuppet publish --prune --keep 20 --min-days 180 --to /srv/repository --sign KEY

Exit codes: 0 published, or there already; 1 failed; 12 refused, as the name stands for other bytes,
or the repository is not whole; 64 usage";

const PROMOTE_EXAMPLES: &str = "\
Examples:
  localpuppet promote /srv/staging foo/tags/r1 --to /srv/production --sign release@example.org
  localpuppet promote /srv/staging --to /srv/production --dry-run

Exit codes: those of publish";
