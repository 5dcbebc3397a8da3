//! Puppet modules of a release: what Puppet takes for one, and which one it takes.

use super::app::AppPath;
use super::links::Links;
use super::tree::Node;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fmt;

/// The file in a module that names it, by its path in the module.
pub const METADATA: &str = "metadata.json";

/// More bytes than this, and a metadata.json is not read.
pub const LARGEST_METADATA: u64 = 4 << 20;

/// A Puppet module of a release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Module {
    /// The name of its directory, which is its name for Puppet.
    pub name: String,
    /// The directory of the modulepath that it is in.
    pub app: AppPath,
    /// `name` in its metadata.json: `puppetlabs-stdlib`.
    pub full_name: Option<Line>,
    /// `version` in its metadata.json.
    pub version: Option<Line>,
    /// `license` in its metadata.json.
    pub license: Option<Line>,
    /// The directory of the modulepath whose module of the same name Puppet takes instead.
    /// Puppet still loads custom facts from this one.
    pub shadowed_by: Option<AppPath>,
}

/// What a metadata.json tells of a module; anything else in it is the module's own affair.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Metadata {
    pub name: Option<Line>,
    pub version: Option<Line>,
    pub license: Option<Line>,
}

impl Module {
    /// Where a metadata.json tells otherwise, a line each.
    pub fn differences(&self, metadata: &Metadata) -> Vec<String> {
        let told = [
            ("name", &self.full_name, &metadata.name),
            ("version", &self.version, &metadata.version),
            ("license", &self.license, &metadata.license),
        ];
        let shown =
            |line: &Option<Line>| line.as_ref().map_or("none".to_owned(), |l| format!("`{l}`"));
        let others = told.into_iter().filter(|(_, said, found)| said != found);
        let line = |(what, said, found)| {
            let (module, app, said, found) = (&self.name, &self.app, shown(said), shown(found));
            format!(
                "{what} of module `{module}` in `{app}`: expected {said}, found {found} in its {METADATA}"
            )
        };
        others.map(line).collect()
    }
}

impl Metadata {
    /// Bytes of its texts.
    pub fn bytes(&self) -> usize {
        [&self.name, &self.version, &self.license].into_iter().flatten().map(|l| l.0.len()).sum()
    }
}

/// A text that a package can carry: one line, not empty, of at most 256 bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Line(String);

impl Line {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Why a text is no [`Line`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected one line of 1 to 256 bytes, found {0:?}")]
pub struct NotALine(String);

impl TryFrom<String> for Line {
    type Error = NotALine;

    fn try_from(text: String) -> Result<Self, NotALine> {
        if text.is_empty() || text.len() > 256 || text.chars().any(char::is_control) {
            return Err(NotALine(text.chars().take(256).collect()));
        }
        Ok(Line(text))
    }
}

impl From<Line> for String {
    fn from(line: Line) -> String {
        line.0
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The modules directly below a directory of the modulepath: directories, and links to them,
/// named as `Puppet::Module.is_module_directory_name?` wants (lib/puppet/module.rb).
pub fn names<'a>(
    directory: &str,
    nodes: impl Iterator<Item = &'a Node>,
    links: &Links,
) -> Vec<String> {
    let prefix = format!("{directory}/");
    let name = |node: &Node| {
        let name = node.path().as_str().strip_prefix(&prefix)?;
        let is_directory = || match node {
            Node::Directory { .. } => true,
            Node::File { .. } => false,
            Node::Symlink { path, target } => links.leads_to_directory(path, target),
        };
        (is_module_name(name) && is_directory()).then(|| name.to_owned())
    };
    nodes.filter_map(name).collect()
}

/// True for what Puppet takes as the name of a module's directory.
pub fn is_module_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Puts modules together in the order of the modulepath; the first of a name is
/// taken whole, the others are shadowed by it (lib/puppet/node/environment.rb).
pub fn shadow(found: Vec<(AppPath, String, Metadata)>) -> Vec<Module> {
    let mut taken: HashMap<String, AppPath> = HashMap::new();
    let module = |(app, name, metadata): (AppPath, String, Metadata)| {
        let shadowed_by = taken.get(&name).cloned();
        if shadowed_by.is_none() {
            taken.insert(name.clone(), app.clone());
        }
        Module {
            name,
            app,
            full_name: metadata.name,
            version: metadata.version,
            license: metadata.license,
            shadowed_by,
        }
    };
    found.into_iter().map(module).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_puppet_takes_for_a_module_is_one() {
        let directory = |path: &str| Node::Directory { path: path.parse().unwrap() };
        let nodes =
            ["a/tags/1/ntp", "a/tags/1/ntp/lib", "a/tags/1/Big", "a/tags/1/x-y"].map(directory);
        let link = |path: &str, target: &str| Node::Symlink {
            path: path.parse().unwrap(),
            target: target.parse().unwrap(),
        };
        let file: Node = serde_json::from_value(serde_json::json!({
            "kind": "file", "path": "a/tags/1/readme", "mode": "0644", "size": 0,
            "sha256": crate::model::digest::Sha256Digest::of(""),
        }))
        .unwrap();
        let links = [link("a/tags/1/time", "ntp"), link("a/tags/1/read", "readme"), file];
        let nodes: Vec<Node> = nodes.into_iter().chain(links).collect();
        let among = Links::among(nodes.iter());
        assert_eq!(names("a/tags/1", nodes.iter(), &among), ["ntp", "time"]);
    }

    #[test]
    fn the_first_of_a_name_is_taken() {
        let (a, b): (AppPath, AppPath) = ("a".parse().unwrap(), "b".parse().unwrap());
        let found = [(&a, "ntp"), (&b, "ntp"), (&b, "apt")];
        let found = found.map(|(app, name)| (app.clone(), name.to_owned(), Metadata::default()));
        let shadows: Vec<_> = shadow(found.to_vec()).into_iter().map(|m| m.shadowed_by).collect();
        assert_eq!(shadows, [None, Some(a), None]);
    }
}
