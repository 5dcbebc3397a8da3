//! What is different between two releases, and what of it breaks those who call them.

mod files;
mod interface;
mod nodes;
mod release;
mod text;
mod words;

pub use files::{FileChange, How, Text};
pub use nodes::{Broken, Nodes, Releases};
pub use text::{LARGEST_TEXT, unified};

use super::app::AppPath;
use super::bundle::Bundle;
use super::digest::Sha256Digest;
use super::exit::Exit;
use super::interface::Interface;
use super::version::Version;
use serde::{Deserialize, Serialize};

/// One of the two releases.
#[derive(Debug)]
pub struct Side {
    /// As it was named: a file, a release, an app path.
    pub place: String,
    pub bundle: Bundle,
    pub interface: Interface,
}

/// What is different.
#[derive(Debug, Serialize)]
pub struct Diff {
    pub from: Compared,
    pub to: Compared,
    /// The worst of all findings.
    pub verdict: Verdict,
    /// Of the modulepath and the modules.
    pub release: Vec<Finding>,
    /// Of what can be called, the worst first.
    pub interface: Vec<Finding>,
    pub files: Vec<FileChange>,
    /// Whose calls break, where ENCs were given.
    pub nodes: Option<Nodes>,
}

/// How a difference is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    Prose,
    /// For a release note or a pull request.
    Markdown,
}

/// What was compared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Compared {
    pub place: String,
    pub app: AppPath,
    pub version: Version,
    pub bundle_id: Sha256Digest,
    pub modulepath: Vec<AppPath>,
}

/// What a difference is to those who call the release, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Same,
    /// Every call that was taken is taken still.
    Compatible,
    /// Someone has to look: it may do something else, or it cannot be told.
    Review,
    /// A call that was taken may be refused.
    Breaking,
}

impl Verdict {
    /// The exit code of `--exit-code`.
    pub fn exit(self) -> Exit {
        match self {
            Verdict::Same => Exit::Ok,
            Verdict::Compatible => Exit::Compatible,
            Verdict::Review => Exit::Review,
            Verdict::Breaking => Exit::Breaking,
        }
    }

    /// The verdict in a word.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Same => "same",
            Verdict::Compatible => "compatible",
            Verdict::Review => "review",
            Verdict::Breaking => "breaking",
        }
    }
}

/// One difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    pub verdict: Verdict,
    pub rule: Rule,
    pub of: Of,
    /// `foo::bar` of a class, `stdlib` of a module.
    pub name: String,
    pub parameter: Option<String>,
    pub before: Option<String>,
    pub after: Option<String>,
    /// File and line of a definition, where it is now, or where it was.
    pub place: Option<String>,
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Of {
    Modulepath,
    Dependency,
    Module,
    Class,
    DefinedType,
    TypeAlias,
    Function,
    File,
}

/// Kinds of difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    Added,
    Removed,
    /// A dependency from tag to tag, a module from directory to directory.
    Moved,
    Order,
    Version,
    Shadowing,
    /// Values that data gives may be others.
    Data,
    Private,
    Public,
    Inherits,
    ParameterAdded,
    /// Added, and a call has to give it.
    RequiredParameterAdded,
    ParameterRemoved,
    DefaultAdded,
    DefaultRemoved,
    DefaultChanged,
    TypeWidened,
    TypeNarrowed,
    /// No value but undef is of both types.
    TypeDisjoint,
    /// Each type takes what the other does not.
    TypeIncomparable,
    /// Only Puppet can tell how the two types lie.
    TypeUndecided,
    /// A file that could be read and cannot any more, or the other way round.
    Unreadable,
}

/// Compares two releases; what their text files say is not looked at.
pub fn of(from: &Side, to: &Side) -> Diff {
    let files = files::of(&from.bundle, &to.bundle);
    let release = release::of(&from.bundle, &to.bundle, &files);
    let interface = interface::of(&from.interface, &to.interface, &files);
    let worst = release.iter().chain(&interface).map(|finding| finding.verdict).max();
    let least = if files.is_empty() { Verdict::Same } else { Verdict::Compatible };
    Diff {
        from: Compared::of(from),
        to: Compared::of(to),
        verdict: worst.unwrap_or(Verdict::Same).max(least),
        release,
        interface,
        files,
        nodes: None,
    }
}

impl Compared {
    fn of(side: &Side) -> Self {
        let bundle = &side.bundle;
        Compared {
            place: side.place.clone(),
            app: bundle.app.clone(),
            version: bundle.version.clone(),
            bundle_id: bundle.bundle_id,
            modulepath: bundle.modulepath.iter().map(|entry| entry.app.clone()).collect(),
        }
    }
}

/// The directories of two modulepaths that are each other's: the apps themselves, then those of
/// one source.
fn paired<'a>(from: &'a Bundle, to: &'a Bundle) -> Vec<(Option<&'a AppPath>, Option<&'a AppPath>)> {
    let (mut old, mut new): (Vec<_>, Vec<_>) = (apps(from).collect(), apps(to).collect());
    if old.is_empty() || new.is_empty() {
        return Vec::new();
    }
    let mut pairs = vec![(Some(old.remove(0)), Some(new.remove(0)))];
    for app in new {
        let known = old.iter().position(|old| old.source() == app.source());
        pairs.push((known.map(|at| old.remove(at)), Some(app)));
    }
    pairs.extend(old.into_iter().map(|app| (Some(app), None)));
    pairs
}

fn apps(bundle: &Bundle) -> impl Iterator<Item = &AppPath> {
    bundle.modulepath.iter().map(|entry| &entry.app)
}
