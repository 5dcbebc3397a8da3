//! What can be typed: clap structs only, each argument already a model type.

use crate::model::app::AppPath;
use crate::model::compression::{Format, Method, Target};
use crate::model::digest::Sha256Digest;
use crate::model::exit::Exit;
use crate::model::maintainer::Maintainer;
use crate::model::package_manager::PackageManager;
use crate::model::source_date::SourceDate;
use crate::model::version::Version;
use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Parses the command line; asking for help is an `Err` of clap's too.
pub fn parse() -> Result<Cli, clap::Error> {
    Cli::try_parse()
}

/// Puppet code as releases: bundle a tagged app, install it, apply it
#[derive(Debug, Parser)]
#[command(version, after_help = exit_codes(), max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    pub verb: Verb,
    #[command(flatten)]
    pub voice: Voice,
}

/// How to speak.
#[derive(Clone, Debug, Args)]
pub struct Voice {
    /// Print one JSON document on stdout; everything else goes to stderr
    #[arg(long, global = true)]
    pub json: bool,
    /// Say more: what was left out, and why
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Build the .deb and .rpm of a tagged release
    #[command(after_help = BUNDLE_EXAMPLES)]
    Bundle(Bundle),
    /// Show what is inside a bundle, and whether it is whole
    #[command(after_help = INSPECT_EXAMPLES)]
    Inspect(Inspect),
    /// Install the requested release if need be, verify it, and run Puppet
    #[command(after_help = APPLY_EXAMPLES)]
    Apply(Apply),
    /// Show the last run on this node
    #[command(after_help = STATUS_EXAMPLES)]
    Status(Status),
}

/// `localpuppet bundle`
#[derive(Debug, Args)]
pub struct Bundle {
    /// Releases to bundle, relative to the module root: foo/tags/r1
    #[arg(required = true, value_name = "APP_PATH")]
    pub apps: Vec<AppPath>,
    /// Directory that app paths are relative to
    #[arg(long, value_name = "DIR", env = "LOCALPUPPET_MODULE_ROOT", default_value = ".")]
    pub module_root: PathBuf,
    /// Directory to write packages to
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// Package formats to write
    #[arg(long, value_delimiter = ',', default_value = "deb,rpm")]
    pub format: Vec<Format>,
    /// How the packages are compressed
    #[arg(long, value_name = "METHOD", default_value = "gzip")]
    pub compression: Method,
    /// Compression level: gzip 1-9 (5), xz 0-9 (6), zstd 1-19 (.deb 6, .rpm 3)
    #[arg(long, value_name = "LEVEL")]
    pub compression_level: Option<u8>,
    /// Systems that must be able to install the packages: debian11,el8,…
    #[arg(long, value_name = "SYSTEM", value_delimiter = ',')]
    pub target: Vec<Target>,
    /// Bundle trunk or a branch all the same, below every release
    #[arg(long)]
    pub snapshot: bool,
    /// Package version of a tag that has none of its own
    #[arg(long, value_name = "VERSION")]
    pub version: Option<Version>,
    /// Who answers for the packages
    #[arg(long, value_name = "NAME <MAIL>", env = "LOCALPUPPET_MAINTAINER")]
    pub maintainer: Option<Maintainer>,
    /// Time of everything in a package, in seconds since 1970 [default: that of 2012-01-01]
    #[arg(long, value_name = "SECONDS", env = "SOURCE_DATE_EPOCH")]
    pub source_date_epoch: Option<SourceDate>,
}

/// `localpuppet inspect`
#[derive(Debug, Args)]
pub struct Inspect {
    /// A package file, or a release installed on this node: foo/tags/r1
    #[arg(value_name = "FILE|APP/TAG")]
    pub bundle: String,
    /// List every file
    #[arg(long)]
    pub files: bool,
    #[command(flatten)]
    pub node: Node,
}

/// Where the node's own files are.
#[derive(Clone, Debug, Args)]
pub struct Node {
    /// Work on the node below DIR instead of / (packages, state, input); Puppet itself is not confined
    #[arg(long, value_name = "DIR", env = "LOCALPUPPET_ROOT", default_value = "/")]
    pub root: PathBuf,
}

/// `localpuppet apply`
#[derive(Debug, Args)]
pub struct Apply {
    /// Release to apply instead of the one that the ENC names: foo/tags/r1, or foo/r1 for short
    #[arg(value_name = "APP/TAG")]
    pub app: Option<AppPath>,
    /// ENC document; `-` is stdin [default: /etc/puppet/input.yaml below --root]
    #[arg(long, value_name = "FILE", env = "LOCALPUPPET_ENC")]
    pub enc: Option<PathBuf>,
    /// Install this package file instead of asking the repositories
    #[arg(long, value_name = "FILE", conflicts_with = "module_root")]
    pub package: Option<PathBuf>,
    /// Run straight from a checkout; nothing is installed, trunk is allowed
    #[arg(long, value_name = "DIR")]
    pub module_root: Option<PathBuf>,
    /// Refuse any other content than this bundle ID
    #[arg(long, value_name = "SHA256", conflicts_with = "module_root")]
    pub bundle_id: Option<Sha256Digest>,
    /// Show what Puppet would change; the release is installed if it is not there, all else stays
    #[arg(long)]
    pub noop: bool,
    /// Exit with 2 where something changed
    #[arg(long)]
    pub detailed_exitcodes: bool,
    /// Package manager of this node [default: what /etc/os-release says]
    #[arg(long, value_name = "NAME", env = "LOCALPUPPET_PACKAGE_MANAGER")]
    pub package_manager: Option<PackageManager>,
    /// Seconds to wait for another program's package manager lock
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    pub package_lock_timeout: u32,
    /// Puppet's program [default: on PATH, then /opt/puppetlabs/bin/puppet, then /usr/bin/puppet]
    #[arg(long, value_name = "FILE", env = "LOCALPUPPET_PUPPET")]
    pub puppet: Option<PathBuf>,
    #[command(flatten)]
    pub node: Node,
}

/// `localpuppet status`
#[derive(Debug, Args)]
pub struct Status {
    #[command(flatten)]
    pub node: Node,
}

fn exit_codes() -> String {
    let mut table = String::from("Exit codes:\n");
    for exit in Exit::ALL {
        table.push_str(&format!("  {:>2}  {}\n", exit.code(), exit.meaning()));
    }
    table
}

const BUNDLE_EXAMPLES: &str = "\
Examples:
  localpuppet bundle foo/tags/r1 --module-root modules --out dist
  localpuppet bundle foo/tags/r1 --module-root modules --out dist --compression xz --target debian11,el8
  localpuppet bundle foo/trunk --snapshot --module-root modules --out dist

Exit codes: 0 built or unchanged, 1 refused, 64 usage";

const INSPECT_EXAMPLES: &str = "\
Examples:
  localpuppet inspect dist/localpuppet-foo-r1_1_all.deb
  localpuppet inspect --files foo/tags/r1

Exit codes: 0 whole, 1 not a bundle or not readable, 12 content differs from bundle.json, 64 usage";

const APPLY_EXAMPLES: &str = "\
Examples:
  localpuppet apply --enc node.yaml
  localpuppet apply --enc node.yaml --noop
  localpuppet apply --enc node.yaml --package ./localpuppet-foo-r1_1_all.deb
  localpuppet apply --enc node.yaml --module-root modules

Exit codes: see localpuppet --help";

const STATUS_EXAMPLES: &str = "\
Examples:
  localpuppet status
  localpuppet status --json

Exit codes: that of the run it shows (0 where it went well), 1 where there was no run";
