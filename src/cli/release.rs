//! What is released and what was: `bundle`, `lock`, `inspect`, `verify`.

use super::node::Node;
use super::value::OneOf;
use crate::model::app::AppPath;
use crate::model::compression::{Format, Method, Target};
use crate::model::maintainer::Maintainer;
use crate::model::source_date::SourceDate;
use crate::model::sources::Signatures;
use crate::model::subject::Subject;
use crate::model::version::Version;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// `localpuppet bundle`
#[derive(Debug, Args)]
#[command(after_help = BUNDLE_EXAMPLES)]
pub struct Bundle {
    /// Releases to bundle, relative to the module root: foo/tags/r1
    #[arg(required = true, value_name = "APP_PATH")]
    pub apps: Vec<AppPath>,
    /// Directory that app paths are relative to
    #[arg(long, value_name = "DIR", env = "LOCALPUPPET_MODULE_ROOT", default_value = ".")]
    pub module_root: PathBuf,
    #[command(flatten)]
    pub sources: Sources,
    /// Directory to write packages to
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub out: PathBuf,
    /// Package formats to write
    #[arg(long, value_delimiter = ',', default_value = "deb,rpm", value_parser = OneOf(&Format::ALL))]
    pub format: Vec<Format>,
    /// How the packages are compressed
    #[arg(long, value_name = "METHOD", default_value = "gzip", value_parser = OneOf(&Method::ALL))]
    pub compression: Method,
    /// Compression level: gzip 1-9 (5), xz 0-9 (6), zstd 1-19 (.deb 5, .rpm 3)
    #[arg(long, value_name = "LEVEL")]
    pub compression_level: Option<u8>,
    /// Systems that must be able to install the packages
    #[arg(long, value_name = "SYSTEM", value_delimiter = ',', value_parser = OneOf(&Target::ALL))]
    pub target: Vec<Target>,
    /// Bundle trunk or a branch all the same, below every release
    #[arg(long)]
    pub snapshot: bool,
    /// Refuse all but what `bundle.lock` of the module root says
    #[arg(long)]
    pub locked: bool,
    /// Package version of a tag that has none of its own
    #[arg(long, value_name = "VERSION")]
    pub version: Option<Version>,
    /// Who answers for the packages
    #[arg(long, value_name = "NAME <MAIL>", env = "LOCALPUPPET_MAINTAINER")]
    pub maintainer: Option<Maintainer>,
    /// Time of everything in a package, in seconds since 1970 [default: that of 2012-01-01]
    #[arg(long, value_name = "SECONDS", env = "SOURCE_DATE_EPOCH")]
    pub source_date_epoch: Option<SourceDate>,
    #[command(flatten)]
    pub proof: Proof,
}

/// What proves where a release came from.
#[derive(Clone, Debug, Default, Args)]
pub struct Proof {
    /// Build the packages twice, under other conditions, and refuse what is not the same
    #[arg(long)]
    pub check: bool,
    /// Write where it came from beside the packages: an in-toto statement and a CycloneDX SBOM
    #[arg(long)]
    pub provenance: bool,
    /// Who builds, in the statement [default: this program]
    #[arg(long, value_name = "URI", env = "LOCALPUPPET_BUILDER", requires = "provenance")]
    pub builder: Option<String>,
    /// Key that signs both: a file, or what gpg calls a user ID
    #[arg(long, value_name = "KEY", requires = "provenance")]
    pub sign: Option<String>,
    /// File with the key's passphrase [default: what LOCALPUPPET_SIGN_PASSPHRASE says]
    #[arg(long, value_name = "FILE", requires = "sign")]
    pub passphrase_file: Option<PathBuf>,
}

/// `localpuppet lock`
#[derive(Debug, Args)]
#[command(after_help = LOCK_EXAMPLES)]
pub struct Lock {
    /// Releases to lock, relative to the module root: foo/tags/r1
    #[arg(required = true, value_name = "APP_PATH")]
    pub apps: Vec<AppPath>,
    /// Directory that app paths are relative to, and that `bundle.lock` is in
    #[arg(long, value_name = "DIR", env = "LOCALPUPPET_MODULE_ROOT", default_value = ".")]
    pub module_root: PathBuf,
    #[command(flatten)]
    pub sources: Sources,
    /// Lock trunk or a branch all the same
    #[arg(long)]
    pub snapshot: bool,
}

/// How a module root is read whose `sources.yaml` names repositories.
#[derive(Clone, Debug, Default, Args)]
pub struct Sources {
    /// Directory that keeps what came from git and Subversion [default: ~/.cache/localpuppet]
    #[arg(long, value_name = "DIR", env = "LOCALPUPPET_CACHE", value_hint = ValueHint::DirPath)]
    pub cache: Option<PathBuf>,
    /// Refuse all that is not at a git tag which `git verify-tag` accepts
    #[arg(long)]
    pub require_signed_tags: bool,
}

impl Sources {
    /// Which tags are taken.
    pub fn signatures(&self) -> Signatures {
        if self.require_signed_tags { Signatures::Required } else { Signatures::NotLookedAt }
    }
}

/// `localpuppet inspect`
#[derive(Debug, Args)]
#[command(after_help = INSPECT_EXAMPLES)]
pub struct Inspect {
    /// A package file, a release installed on this node, or with --module-root an app path
    #[arg(value_name = "FILE|APP/TAG", value_hint = ValueHint::FilePath)]
    pub bundle: String,
    /// Tell what `bundle` would make of an app of a checkout; trunk is allowed
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub module_root: Option<PathBuf>,
    #[command(flatten)]
    pub sources: Sources,
    /// List every file
    #[arg(long)]
    pub files: bool,
    /// List every class with its parameters: type, required or default, what it is for
    #[arg(long)]
    pub classes: bool,
    #[command(flatten)]
    pub node: Node,
}

/// `localpuppet verify`
#[derive(Debug, Args)]
#[command(after_help = VERIFY_EXAMPLES)]
pub struct Verify {
    /// Releases on this node: foo/tags/r1, or foo/r1 for short; or package files
    #[arg(value_name = "APP/TAG|FILE", required_unless_present_any = ["all", "rebuild"])]
    pub releases: Vec<Subject>,
    /// Verify every release that is there
    #[arg(long, conflicts_with = "releases")]
    pub all: bool,
    /// Refuse a package file that this policy does not take: its signers, sources, builders
    #[arg(long, value_name = "FILE", requires = "releases", value_hint = ValueHint::FilePath)]
    pub policy: Option<PathBuf>,
    /// Build this package file again from its tag, and compare
    #[arg(long, value_name = "FILE", conflicts_with_all = ["releases", "all"])]
    #[arg(value_hint = ValueHint::FilePath)]
    pub rebuild: Option<PathBuf>,
    /// Directory that app paths are relative to [default: .]
    #[arg(long, value_name = "DIR", requires = "rebuild", value_hint = ValueHint::DirPath)]
    pub module_root: Option<PathBuf>,
    /// Where apps come from, instead: a sources.yaml of any name
    #[arg(long = "sources", value_name = "FILE", requires = "rebuild")]
    #[arg(conflicts_with = "module_root", value_hint = ValueHint::FilePath)]
    pub sources_file: Option<PathBuf>,
    #[command(flatten)]
    pub sources: Sources,
    #[command(flatten)]
    pub node: Node,
}

const BUNDLE_EXAMPLES: &str = "\
Examples:
  localpuppet bundle foo/tags/r1 --module-root modules --out dist
  localpuppet bundle foo/tags/r1 --module-root modules --out dist --compression xz --target debian11,el8
  localpuppet bundle foo/trunk --snapshot --module-root modules --out dist
  localpuppet bundle foo/tags/r1 --module-root modules --provenance --sign release@example.org
  localpuppet bundle foo/tags/r1 --locked --require-signed-tags --module-root modules

Where the module root has a `sources.yaml`, apps come from git and Subversion:
  foo: { git: https://git.example/foo.git }
  dist: { git: git@git.example:puppet.git, path: dist, tag: 'dist-{tag}', branch: main }
  old: { svn: https://svn.example/puppet/old }

Exit codes: 0 built or unchanged, 1 refused, 64 usage";

const LOCK_EXAMPLES: &str = "\
Examples:
  localpuppet lock foo/tags/r1 --module-root modules
  localpuppet bundle foo/tags/r1 --locked --module-root modules --out dist

`bundle.lock` has a line for each directory of a modulepath: its source, its commit or revision, the
digest of its tree. Other releases in it stay as they are.

Exit codes: 0 locked, or so already; 1 refused, as where a tag was moved since; 64 usage";

const INSPECT_EXAMPLES: &str = "\
Examples:
  localpuppet inspect dist/localpuppet-foo-r1_1_all.deb
  localpuppet inspect --files foo/tags/r1
  localpuppet inspect foo/tags/r1 --module-root modules
  localpuppet inspect --classes dist/localpuppet-foo-r1-1-1.noarch.rpm

Exit codes: 0 whole, 1 not a bundle or not readable, 12 content differs from bundle.json, 64 usage";

const VERIFY_EXAMPLES: &str = "\
Examples:
  localpuppet verify foo/tags/r1
  localpuppet verify --all --json
  localpuppet verify dist/localpuppet-foo-r1_1_all.deb --policy policy.yaml
  localpuppet verify --rebuild dist/localpuppet-foo-r1_1_all.deb --module-root modules
  localpuppet verify --rebuild dist/localpuppet-foo-r1_1_all.deb --sources sources.yaml

A policy is YAML: `keys` (files with public keys, of which one has signed the provenance that lies
beside a package), `builders` and `sources` (those that are taken; any where nothing is said), and for
apply `statements` (a directory with the provenance of releases that repositories have).

Exit codes: 0 whole, 1 not installed, 12 content differs from bundle.json, or is not that of the tag,
or not what the policy takes; 64 usage";
