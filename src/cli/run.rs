//! Runs: `apply`, `rollback`, and those that were.

use super::node::{Node, Packages};
use super::release::Sources;
use crate::model::app::AppPath;
use crate::model::certname::Certname;
use crate::model::digest::Sha256Digest;
use crate::model::enc_source::EncSource;
use crate::model::run_id::RunId;
use crate::model::subject;
use crate::model::url::Url;
use clap::builder::BoolishValueParser;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// `localpuppet apply`
#[derive(Debug, Args)]
#[command(after_help = APPLY_EXAMPLES)]
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
#[command(after_help = ROLLBACK_EXAMPLES)]
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
#[command(after_help = STATUS_EXAMPLES)]
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
#[command(after_help = LOGS_EXAMPLES)]
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
#[command(after_help = HISTORY_EXAMPLES)]
pub struct History {
    #[command(flatten)]
    pub node: Node,
}

/// `localpuppet cancel`
#[derive(Debug, Args)]
#[command(after_help = CANCEL_EXAMPLES)]
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
