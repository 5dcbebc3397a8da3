//! The call of a release's classes: `check`, `diff`, `preview`.

use super::node::Node;
use super::release::Sources;
use crate::model::app::AppPath;
use crate::model::certname::Certname;
use crate::model::subject;
use crate::model::subject::Subject;
use clap::{Args, ValueHint};
use std::path::PathBuf;

/// `localpuppet check`
#[derive(Debug, Args)]
#[command(after_help = CHECK_EXAMPLES)]
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
#[command(after_help = DIFF_EXAMPLES)]
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
#[command(after_help = PREVIEW_EXAMPLES)]
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
