//! What can be typed: clap structs only, each argument already a model type.

use crate::model::age::Age;
use crate::model::app::{AppPath, Release};
use crate::model::architecture::Architecture;
use crate::model::certname::Certname;
use crate::model::compression::{Format, Method, Target};
use crate::model::destination::Destination;
use crate::model::digest::Sha256Digest;
use crate::model::document::Shell;
use crate::model::enc_source::EncSource;
use crate::model::exit::Exit;
use crate::model::maintainer::Maintainer;
use crate::model::offer;
use crate::model::package_manager::PackageManager;
use crate::model::run_id::RunId;
use crate::model::source_date::SourceDate;
use crate::model::sources::Signatures;
use crate::model::subject::{self, Subject};
use crate::model::url::Url;
use crate::model::version::Version;
use clap::builder::{BoolishValueParser, PossibleValue, TypedValueParser};
use clap::{Arg, ArgGroup, Args, Command, CommandFactory, Parser, Subcommand, ValueHint};
use std::error::Error;
use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

/// Parses the command line; asking for help is an `Err` of clap's too.
pub fn parse() -> Result<Cli, clap::Error> {
    Cli::try_parse()
}

/// True for a command that `--help` does not show.
pub fn is_hidden(verb: &str) -> bool {
    let command = <Cli as CommandFactory>::command();
    command.find_subcommand(verb).is_some_and(Command::is_hide_set)
}

/// What is known of a command line that was not understood.
pub struct Typed {
    /// It still says how to answer.
    pub json: bool,
    /// Its command, where that is one that `--help` shows.
    verb: Option<Command>,
}

impl Typed {
    /// Looks through all that was typed, the program's own name first.
    pub fn of(line: impl Iterator<Item = OsString>) -> Self {
        let words: Vec<OsString> = line.skip(1).collect();
        // No option before the command has a value.
        let is_option = |word: &&OsString| word.as_encoded_bytes().starts_with(b"-");
        let command = <Cli as CommandFactory>::command();
        let verb = words.iter().find(|word| !is_option(word));
        let verb = verb.and_then(|verb| command.find_subcommand(verb));
        let verb = verb.filter(|verb| !verb.is_hide_set()).cloned();
        Typed { json: words.iter().any(|word| word == "--json"), verb }
    }

    /// The name of the command.
    pub fn verb(&self) -> Option<&str> {
        self.verb.as_ref().map(Command::get_name)
    }

    /// True where an argument of the command may be an app path of a checkout.
    pub fn is_of_checkouts(&self) -> bool {
        // `verify` has a module root for what it builds again alone.
        self.takes("module-root") && !self.takes("rebuild")
    }

    /// True where the command has an option of that name.
    pub fn takes(&self, option: &str) -> bool {
        let is_it = |argument: &Arg| argument.get_long() == Some(option);
        self.verb.as_ref().is_some_and(|verb| verb.get_arguments().any(is_it))
    }
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
    /// Write down what releases are made of, for a review and for `bundle --locked`
    #[command(after_help = LOCK_EXAMPLES)]
    Lock(Lock),
    /// Show what is inside a bundle, and whether it is whole
    #[command(after_help = INSPECT_EXAMPLES)]
    Inspect(Inspect),
    /// Hold an ENC against the classes of a release: would Puppet take the call?
    #[command(after_help = CHECK_EXAMPLES)]
    Check(Check),
    /// Tell what is different between two releases, and what of it breaks calls
    #[command(after_help = DIFF_EXAMPLES)]
    Diff(Diff),
    /// Tell what a release would change on this node beside the one that is applied
    #[command(after_help = PREVIEW_EXAMPLES)]
    Preview(Preview),
    /// Make releases available on this node, and change nothing else
    #[command(after_help = STAGE_EXAMPLES)]
    Stage(Stage),
    /// Remove old releases from this node; never one that is applied, gone back to or in use
    #[command(after_help = PRUNE_EXAMPLES)]
    Prune(Prune),
    /// Check releases on this node, every file, against what they were built as
    #[command(after_help = VERIFY_EXAMPLES)]
    Verify(Verify),
    /// Publish bundles to a create-only apt and yum repository
    #[command(after_help = PUBLISH_EXAMPLES)]
    Publish(Publish),
    /// Copy releases from one repository into another, byte for byte
    #[command(after_help = PROMOTE_EXAMPLES)]
    Promote(Promote),
    /// Install the requested release if need be, verify it, and run Puppet
    #[command(after_help = APPLY_EXAMPLES)]
    Apply(Box<Apply>),
    /// Show a run on this node: the one that goes on, or the last one
    #[command(after_help = STATUS_EXAMPLES)]
    Status(Status),
    /// Print the log of a run
    #[command(after_help = LOGS_EXAMPLES)]
    Logs(Logs),
    /// List the runs on this node, and where `rollback` would go
    #[command(after_help = HISTORY_EXAMPLES)]
    History(History),
    /// End a run that goes on, with all that it started
    #[command(after_help = CANCEL_EXAMPLES)]
    Cancel(Cancel),
    /// Apply the last other release that succeeded here, with the ENC of that run, offline
    #[command(after_help = ROLLBACK_EXAMPLES)]
    Rollback(Rollback),
    /// Take over a run that `--detach` put on record
    #[command(hide = true)]
    Resume(Resume),
    /// Ask whether a catalog is the one of a plan: what Puppet runs before it applies one
    #[command(hide = true)]
    Planned(Planned),
    /// Print what makes a shell complete this program's commands and options
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(Completions),
    /// Print a manual page, for man(1)
    #[command(after_help = MAN_EXAMPLES)]
    Man(Man),
}

impl Verb {
    /// True where the answer is all that the command is for.
    pub fn is_query(&self) -> bool {
        match self {
            Verb::Inspect(_) | Verb::Verify(_) | Verb::Status(_) | Verb::Logs(_) => true,
            Verb::History(_)
            | Verb::Check(_)
            | Verb::Diff(_)
            | Verb::Completions(_)
            | Verb::Man(_) => true,
            Verb::Bundle(_) | Verb::Lock(_) | Verb::Stage(_) => false,
            Verb::Prune(_) | Verb::Publish(_) => false,
            Verb::Promote(_) | Verb::Apply(_) | Verb::Cancel(_) | Verb::Rollback(_) => false,
            Verb::Preview(_) => true,
            Verb::Resume(_) | Verb::Planned(_) => false,
        }
    }
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

/// `localpuppet publish`
#[derive(Debug, Args)]
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

/// `localpuppet check`
#[derive(Debug, Args)]
pub struct Check {
    /// A package file, a release that is installed here, or with --module-root an app path
    /// [default: the ENC's app]
    #[arg(value_name = "FILE|APP/TAG", value_hint = ValueHint::FilePath, value_parser = subject::callable)]
    pub bundle: Option<Subject>,
    /// ENC document; `-` is stdin
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(required_unless_present = "enc_dir")]
    pub enc: Option<PathBuf>,
    /// Check every ENC of a directory, *.yaml and *.yml: each finding once, with the nodes it is of
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    #[arg(conflicts_with = "enc", requires = "bundle")]
    pub enc_dir: Option<PathBuf>,
    /// Check against a checkout
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub module_root: Option<PathBuf>,
    #[command(flatten)]
    pub sources: Sources,
    /// Refuse what only Puppet can tell, too
    #[arg(long)]
    pub strict: bool,
    /// Show values that do not fit, too; they may be secrets
    #[arg(long)]
    pub show_values: bool,
    #[command(flatten)]
    pub node: Node,
}

/// `localpuppet diff`
#[derive(Debug, Args)]
pub struct Diff {
    /// What was: a package file, a release installed on this node, or with --module-root an app path
    #[arg(value_name = "A", value_hint = ValueHint::FilePath)]
    pub from: Subject,
    /// What is, named in the same ways
    #[arg(value_name = "B", value_hint = ValueHint::FilePath)]
    pub to: Subject,
    /// Look for app paths in a checkout first; trunk is allowed
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub module_root: Option<PathBuf>,
    #[command(flatten)]
    pub sources: Sources,
    /// Show what changed in text files, in the form of `diff -u`
    #[arg(long)]
    pub text: bool,
    /// Say whose calls break: a directory of ENC documents, NODE.yaml
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub enc_dir: Option<PathBuf>,
    /// Tell it in Markdown, for a release note or a pull request
    #[arg(long, conflicts_with = "json")]
    pub markdown: bool,
    /// Exit with 20, 21 or 22 where there is a difference, by the worst of them
    #[arg(long)]
    pub exit_code: bool,
    #[command(flatten)]
    pub node: Node,
}

/// `localpuppet preview`
#[derive(Debug, Args)]
pub struct Preview {
    /// Release that is installed here, or with --module-root an app path [default: the ENC's]
    #[arg(value_name = "APP/TAG", value_parser = subject::app)]
    pub app: Option<AppPath>,
    /// ENC document; `-` is stdin [default: /etc/puppet/input.yaml below --root]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub enc: Option<PathBuf>,
    /// Compare with this run, with its ENC, or with this release [default: the run that is applied]
    #[arg(long, value_name = "RUN|APP/TAG")]
    pub against: Option<String>,
    /// Take the release from this package file instead; it is not installed
    #[arg(long, value_name = "FILE", conflicts_with = "module_root", value_hint = ValueHint::FilePath)]
    pub package: Option<PathBuf>,
    /// Take app paths from a checkout; trunk is allowed
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub module_root: Option<PathBuf>,
    #[command(flatten)]
    pub sources: Sources,
    /// Name of this node [default: this host's, as Puppet names it]
    #[arg(long, value_name = "NAME", env = "LOCALPUPPET_CERTNAME")]
    pub certname: Option<Certname>,
    /// Puppet's program [default: on PATH, then /opt/puppetlabs/bin/puppet, then /usr/bin/puppet]
    #[arg(long, value_name = "FILE", env = "LOCALPUPPET_PUPPET")]
    pub puppet: Option<PathBuf>,
    #[command(flatten)]
    pub node: Node,
}

/// `localpuppet planned`
#[derive(Debug, Args)]
pub struct Planned {
    /// The directory of the run that Puppet keeps its catalog in
    pub run: PathBuf,
}

/// `localpuppet stage`
#[derive(Debug, Args)]
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

/// `localpuppet verify`
#[derive(Debug, Args)]
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

/// `localpuppet apply`
#[derive(Debug, Args)]
pub struct Apply {
    /// Release to apply instead of the one that the ENC names: foo/tags/r1, or foo/r1 for short
    #[arg(value_name = "APP/TAG", value_parser = subject::app)]
    pub app: Option<AppPath>,
    #[command(flatten)]
    pub enc: EncOptions,
    /// Install this package file instead of asking the repositories
    #[arg(long, value_name = "FILE", conflicts_with = "module_root")]
    pub package: Option<PathBuf>,
    /// Run straight from a checkout; nothing is installed, trunk is allowed
    #[arg(long, value_name = "DIR")]
    pub module_root: Option<PathBuf>,
    #[command(flatten)]
    pub sources: Sources,
    /// Refuse any other content than this bundle ID
    #[arg(long, value_name = "SHA256", conflicts_with = "module_root")]
    pub bundle_id: Option<Sha256Digest>,
    /// Go on only if the catalog is the one that `preview` told this plan of
    #[arg(long, value_name = "SHA256")]
    pub plan: Option<Sha256Digest>,
    #[command(flatten)]
    pub packages: Packages,
    #[command(flatten)]
    pub run: RunOptions,
}

/// How a run is carried out.
#[derive(Clone, Debug, Args)]
pub struct RunOptions {
    /// Show what Puppet would change; the release is installed if it is not there, all else stays
    #[arg(long)]
    pub noop: bool,
    /// Exit with 2 where something changed
    #[arg(long)]
    pub detailed_exitcodes: bool,
    /// Answer at once with the run's ID, and go on in the background
    #[arg(long)]
    pub detach: bool,
    /// Name of the run; the same name and the same request again is the same run
    #[arg(long, value_name = "ID")]
    pub run_id: Option<RunId>,
    /// Name of this node [default: this host's, as Puppet names it]
    #[arg(long, value_name = "NAME", env = "LOCALPUPPET_CERTNAME")]
    pub certname: Option<Certname>,
    /// Seconds to wait for another run, or for Puppet's own agent, to end
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
    pub wait_lock: u32,
    /// Go on although `puppet agent --disable` was said on this node
    #[arg(long)]
    pub ignore_disabled: bool,
    /// Start Puppet although the ENC may not fit the classes of the release
    #[arg(long)]
    pub no_check: bool,
    /// Puppet's program [default: on PATH, then /opt/puppetlabs/bin/puppet, then /usr/bin/puppet]
    #[arg(long, value_name = "FILE", env = "LOCALPUPPET_PUPPET")]
    pub puppet: Option<PathBuf>,
    /// How many runs stay on record
    #[arg(long, value_name = "N", env = "LOCALPUPPET_KEEP_RUNS", default_value_t = 50)]
    pub keep_runs: u32,
    /// For how many days runs stay on record
    #[arg(long, value_name = "DAYS", env = "LOCALPUPPET_KEEP_DAYS", default_value_t = 90)]
    pub keep_days: u32,
    #[command(flatten)]
    pub node: Node,
}

/// `localpuppet rollback`
#[derive(Debug, Args)]
pub struct Rollback {
    /// Go back to this run instead
    #[arg(long, value_name = "RUN")]
    pub to: Option<RunId>,
    #[command(flatten)]
    pub run: RunOptions,
}

/// Where the ENC comes from.
#[derive(Clone, Debug, Args)]
pub struct EncOptions {
    /// Where the ENC comes from: a file, `-` for stdin, https://HOST/PATH with `{certname}` in it, ec2,
    /// exec:/PROGRAM [default: /etc/puppet/input.yaml below --root]
    #[arg(id = "enc", long, value_name = "SOURCE", env = "LOCALPUPPET_ENC")]
    #[arg(value_hint = ValueHint::AnyPath)]
    pub source: Option<EncSource>,
    /// Show this bearer token to the web service; mode 0600
    #[arg(
        id = "enc_token_file",
        long = "enc-token-file",
        value_name = "FILE",
        env = "LOCALPUPPET_ENC_TOKEN_FILE"
    )]
    pub token_file: Option<PathBuf>,
    /// Show this client certificate to the web service, in PEM
    #[arg(
        id = "enc_client_cert",
        long = "enc-client-cert",
        value_name = "FILE",
        env = "LOCALPUPPET_ENC_CLIENT_CERT"
    )]
    #[arg(requires = "enc_client_key")]
    pub client_cert: Option<PathBuf>,
    /// Key of the client certificate, in PEM; mode 0600
    #[arg(
        id = "enc_client_key",
        long = "enc-client-key",
        value_name = "FILE",
        env = "LOCALPUPPET_ENC_CLIENT_KEY"
    )]
    #[arg(requires = "enc_client_cert")]
    pub client_key: Option<PathBuf>,
    /// Trust this authority of the web service instead of the system's, in PEM
    #[arg(id = "enc_ca", long = "enc-ca", value_name = "FILE", env = "LOCALPUPPET_ENC_CA")]
    pub ca: Option<PathBuf>,
    /// Seconds that a web service, ec2 or a program has for the ENC, all tries together
    #[arg(
        id = "enc_timeout",
        long = "enc-timeout",
        value_name = "SECONDS",
        env = "LOCALPUPPET_ENC_TIMEOUT"
    )]
    #[arg(default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=3600))]
    pub timeout: u32,
    /// Where the source is away, go on with the last good ENC that came from it
    #[arg(id = "enc_cache", long = "enc-cache", env = "LOCALPUPPET_ENC_CACHE")]
    #[arg(value_parser = BoolishValueParser::new())]
    pub cache: bool,
    /// Where instance metadata is, for tests and for clouds that have it elsewhere
    #[arg(long, hide = true, value_name = "URL", env = "AWS_EC2_METADATA_SERVICE_ENDPOINT")]
    #[arg(default_value = "http://169.254.169.254")]
    pub ec2_metadata_endpoint: Url,
}

/// `localpuppet status`
#[derive(Debug, Args)]
pub struct Status {
    /// A run [default: the one that goes on, or the last one]
    pub run: Option<RunId>,
    /// Wait until it has ended
    #[arg(long)]
    pub wait: bool,
    /// Wait no longer than this
    #[arg(long, value_name = "SECONDS", requires = "wait")]
    pub timeout: Option<u32>,
    #[command(flatten)]
    pub node: Node,
}

/// `localpuppet logs`
#[derive(Debug, Args)]
pub struct Logs {
    /// A run [default: the one that goes on, or the last one]
    pub run: Option<RunId>,
    /// Print what comes until the run has ended
    #[arg(short, long)]
    pub follow: bool,
    #[command(flatten)]
    pub node: Node,
}

/// `localpuppet history`
#[derive(Debug, Args)]
pub struct History {
    #[command(flatten)]
    pub node: Node,
}

/// `localpuppet cancel`
#[derive(Debug, Args)]
pub struct Cancel {
    /// The run
    pub run: RunId,
    #[command(flatten)]
    pub node: Node,
}

/// `localpuppet resume`
#[derive(Debug, Args)]
pub struct Resume {
    pub run: RunId,
    #[command(flatten)]
    pub node: Node,
}

/// `localpuppet completions`
#[derive(Debug, Args)]
pub struct Completions {
    /// The shell
    #[arg(value_name = "SHELL", value_parser = OneOf(&Shell::ALL))]
    pub shell: Shell,
}

/// `localpuppet man`
#[derive(Debug, Args)]
pub struct Man {
    /// The command that the page is of [default: the program]
    #[arg(value_name = "COMMAND", conflicts_with = "list")]
    pub command: Option<String>,
    /// Print the names of the commands that have a page
    #[arg(long)]
    pub list: bool,
}

/// Reads a value as the model does, and tells help and completions which there are.
#[derive(Clone, Copy)]
struct OneOf<T: 'static>(&'static [T]);

impl<T> TypedValueParser for OneOf<T>
where
    T: FromStr<Err: Error + Send + Sync + 'static> + Display + Clone + Send + Sync + 'static,
{
    type Value = T;

    fn parse_ref(
        &self,
        command: &Command,
        argument: Option<&Arg>,
        value: &OsStr,
    ) -> Result<T, clap::Error> {
        TypedValueParser::parse_ref(&T::from_str, command, argument, value)
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        Some(Box::new(self.0.iter().map(|value| PossibleValue::new(value.to_string()))))
    }
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

const CHECK_EXAMPLES: &str = "\
Examples:
  localpuppet check --enc node.yaml --module-root modules
  localpuppet check --enc node.yaml foo/r2
  localpuppet check --enc node.yaml dist/localpuppet-foo-r2_2_all.deb
  localpuppet check --enc-dir nodes dist/localpuppet-foo-r2_2_all.deb

Exit codes: 0 nothing is wrong, 10 Puppet would refuse the call, 1 no such release, 64 usage";

const DIFF_EXAMPLES: &str = "\
Examples:
  localpuppet diff dist/localpuppet-foo-r1_1_all.deb dist/localpuppet-foo-r2-2-1.noarch.rpm
  localpuppet diff foo/r1 foo/r2 --text | less
  localpuppet diff foo/tags/r2 foo/trunk --module-root modules --enc-dir nodes --exit-code
  localpuppet diff foo/tags/r1 foo/tags/r2 --module-root modules --markdown > notes.md

breaking    a call that was taken may be refused: a class or a parameter is gone, a parameter has
            to be given, a type takes less or something else
review      someone has to look: another default, dependency or module, data, or only Puppet can tell
compatible  anything else

Exit codes: 0 compared; with --exit-code 0 the same, 20 compatible, 21 review, 22 breaking;
1 a side cannot be read, 12 content differs from bundle.json (--text), 64 usage";

const PREVIEW_EXAMPLES: &str = "\
Examples:
  localpuppet preview foo/r2 --enc node.yaml
  localpuppet preview foo/r2 --enc node.yaml --against foo/r1
  localpuppet preview --enc node.yaml --package ./localpuppet-foo-r2_2_all.deb --json
  localpuppet preview foo/trunk --enc node.yaml --module-root modules --against deploy-41
  localpuppet apply foo/r2 --enc node.yaml --plan SHA256    (the plan that preview told)

Nothing on the node is changed: Puppet compiles both catalogs with this node's facts, in a directory
that is removed again. Sensitive values are not shown, nor is content with `show_diff => false`. What
is in files of modules is compared where a resource has them as its source. A class that comes or
goes, another order and another class around a resource are differences too.

Exit codes: 0 no differences, 2 differences, 10 the ENC was refused, 11 the release is not there,
12 content differs from bundle.json, 13 Puppet did not compile a catalog, 15 a signal, 64 usage";

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

const APPLY_EXAMPLES: &str = "\
Examples:
  localpuppet apply --enc node.yaml
  localpuppet apply --enc node.yaml --noop
  localpuppet apply --enc node.yaml --package ./localpuppet-foo-r1_1_all.deb
  localpuppet apply --enc node.yaml --module-root modules
  localpuppet apply --enc node.yaml --no-check
  localpuppet apply --enc node.yaml --plan SHA256        (as `localpuppet preview` told it)
  localpuppet apply --enc - --detach --run-id deploy-42 < node.yaml
  localpuppet apply --enc 'https://enc.example/nodes/{certname}' --enc-token-file token --enc-cache

ENC sources:
  FILE           a YAML document; a file called `ec2` is `./ec2`
  -              stdin
  https://URL    a web service; `{certname}` stands for the name of this node. Certificates are
                 verified; lost connections, 429 and 5xx are tried again, 5 times at most
  ec2            user-data of the instance, by IMDSv2 only: what stands below `localpuppet:`, or
                 the whole document where it has no such key
  ec2:KEY        user-data of the instance, below KEY and nowhere else
  exec:/PROGRAM  what a program prints that gets the name of this node as its argument

Exit codes: see localpuppet --help";

const COMPLETIONS_EXAMPLES: &str = "\
Examples:
  source <(localpuppet completions bash)
  localpuppet completions zsh > ~/.zfunc/_localpuppet
  localpuppet completions fish > ~/.config/fish/completions/localpuppet.fish

Exit codes: 0 printed, 64 usage";

const MAN_EXAMPLES: &str = "\
Examples:
  localpuppet man apply | man -l -
  localpuppet man bundle > localpuppet-bundle.1
  localpuppet man --list

Exit codes: 0 printed, 64 usage";

const STATUS_EXAMPLES: &str = "\
Examples:
  localpuppet status
  localpuppet status deploy-42 --wait --timeout 600
  localpuppet status --json

Exit codes: that of the run (0 where it went well), 17 it has not ended yet, 18 it is lost,
1 there is no such run";

const LOGS_EXAMPLES: &str = "\
Examples:
  localpuppet logs
  localpuppet logs -f deploy-42
  localpuppet logs --json            (one JSON object a line, as Puppet writes them)

Exit codes: 0 printed; with -f that of the run; 1 there is no such run";

const HISTORY_EXAMPLES: &str = "\
Examples:
  localpuppet history
  localpuppet history --json

Exit codes: 0, also where there was no run";

const CANCEL_EXAMPLES: &str = "\
Examples:
  localpuppet cancel deploy-42

Exit codes: 0 the run is ended; that of the run where it had ended before; 1 there is no such run";

const ROLLBACK_EXAMPLES: &str = "\
Examples:
  localpuppet history                (shows where it would go)
  localpuppet rollback
  localpuppet rollback --to deploy-41 --noop

Exit codes: those of apply, see localpuppet --help; 1 where there is nothing to go back to";
