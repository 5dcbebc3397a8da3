//! `manifest.yaml`: the dependencies of an app.

use super::app::{AppPath, AppPathError};
use super::scalar;
use super::suggest::nearest;
use super::value;
use super::yaml::{self, Finding, Limits, Node, Value};
use serde::Deserialize;
use std::rc::Rc;

/// The file in an app path that lists its dependencies.
pub const FILE_NAME: &str = "manifest.yaml";

/// The only key of a manifest.
const KEY: &str = "modulepath";

/// More bytes than this, and a manifest is not read.
pub const LARGEST: u64 = 1 << 20;

/// What a `manifest.yaml` says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Manifest {
    /// The dependencies in order, each with its line.
    pub modulepath: Vec<Listed>,
}

/// A dependency as a manifest lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The app path of the dependency.
    pub app: AppPath,
    /// The line in the manifest, from 1.
    pub line: u64,
}

/// Why a text is not a manifest; every variant names its line.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    #[error(transparent)]
    Yaml(#[from] Finding),
    #[error("line {line}, column {column}: {problem}")]
    Shape { line: u64, column: u64, problem: String },
    #[error("line {line}: `modulepath` entry {number}: expected an app path, found {found}")]
    Entry { line: u64, number: usize, found: &'static str },
    #[error("line {line}: `modulepath` has `{app}` a second time")]
    Twice { line: u64, app: AppPath },
    #[error("line {line}: `modulepath` entry {number}: {problem}")]
    Path { line: u64, number: usize, problem: AppPathError },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a map with the key `modulepath`")]
struct Raw {
    modulepath: Option<Vec<String>>,
}

impl Manifest {
    /// Reads the text of an app's manifest; an empty one has no dependencies. `./modules` is a
    /// directory of the app itself.
    pub fn parse(text: &[u8], of: &AppPath) -> Result<Self, ManifestError> {
        let lines = entry_lines(text)?;
        let raw: Option<Raw> = serde_yaml::from_slice(text).map_err(|error| {
            let location = error.location();
            let at = |of: fn(&serde_yaml::Location) -> usize| location.as_ref().map_or(1, of);
            let problem = error.to_string();
            let problem = problem.split(" at line ").next().unwrap_or(&problem).to_owned();
            let (line, column) = (at(|l| l.line()) as u64, at(|l| l.column()) as u64);
            ManifestError::Shape { line, column, problem }
        })?;
        let listed = raw.and_then(|raw| raw.modulepath).unwrap_or_default();
        let mut modulepath: Vec<Listed> = Vec::new();
        for (index, text) in listed.iter().enumerate() {
            let line = lines.get(index).copied().unwrap_or(1);
            let below = text.strip_prefix("./").filter(|below| !below.is_empty());
            let below = below.map(|below| format!("{of}/{below}"));
            let app: AppPath = below
                .as_ref()
                .unwrap_or(text)
                .parse()
                .map_err(|problem| ManifestError::Path { line, number: index + 1, problem })?;
            if modulepath.iter().any(|listed| listed.app == app) {
                return Err(ManifestError::Twice { line, app });
            }
            modulepath.push(Listed { app, line });
        }
        Ok(Manifest { modulepath })
    }
}

/// The line of each entry below `modulepath`; says what is no manifest in words of its own.
fn entry_lines(text: &[u8]) -> Result<Vec<u64>, ManifestError> {
    let Some(root) = yaml::compose(text, Limits::DEFAULT)? else { return Ok(vec![]) };
    let Some(value) = modulepath(&root)? else { return Ok(vec![]) };
    let Value::Sequence(items) = &value.target().value else {
        let found = Finding::new(value.mark, "a list of app paths", value.target().value.kind());
        let hint = as_list(value).map(|list| format!("type `{list}`"));
        return Err(hint.into_iter().fold(found.at(KEY), Finding::hint).into());
    };
    let line = |(index, item): (usize, &Rc<Node>)| {
        let line = item.mark.line;
        match what_is_no_text(item.target()) {
            None => Ok(line),
            Some(found) => Err(ManifestError::Entry { line, number: index + 1, found }),
        }
    };
    items.iter().enumerate().map(line).collect()
}

/// What stands at the only key that a manifest has; none where nothing does.
fn modulepath(root: &Node) -> Result<Option<&Node>, Finding> {
    if is_null(root) {
        return Ok(None);
    }
    let mut found = None;
    for (key, value) in root.pairs(&format!("a map with the key `{KEY}`"), "")? {
        let name = key.text("")?;
        if name != KEY {
            let wrong =
                Finding::new(key.mark, format!("the key `{KEY}`"), format!("`{name:.100}`"));
            let meant = nearest(&name.to_lowercase(), &[KEY.to_owned()]).is_some();
            return Err(if meant { wrong.hint(format!("did you mean `{KEY}`?")) } else { wrong });
        }
        if found.replace(value).is_some() {
            return Err(Finding::new(key.mark, "each key once", format!("`{KEY}` a second time")));
        }
    }
    Ok(found.map(|value| &**value).filter(|value| !is_null(value.target())))
}

fn is_null(node: &Node) -> bool {
    let Value::Scalar { text, plain: true } = &node.value else { return false };
    node.tag.is_none() && matches!(scalar::untagged(text), Ok(value::Value::Null))
}

/// A text of app paths, with `:` between them as Puppet has it, as the list that it should be.
fn as_list(node: &Node) -> Option<String> {
    let Value::Scalar { text, .. } = &node.target().value else { return None };
    let apps: Result<Vec<AppPath>, _> = text.trim().split(':').map(str::parse).collect();
    let apps: Vec<String> = apps.ok()?.iter().map(ToString::to_string).collect();
    Some(format!("[{}]", apps.join(", ")))
}

/// What a node is that is no text; serde_yaml would take a number for one.
fn what_is_no_text(node: &Node) -> Option<&'static str> {
    match &node.value {
        _ if node.tag.is_some() => Some("a tag"),
        Value::Sequence(_) => Some("a list"),
        Value::Mapping(_) => Some("a map"),
        Value::Scalar { text, plain: true } => match scalar::untagged(text) {
            Ok(value::Value::String(_)) => None,
            Ok(value) => Some(value.kind()),
            Err(_) => Some("a date or a symbol"),
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Manifest;

    fn parsed(text: &str) -> String {
        match Manifest::parse(text.as_bytes(), &"a/tags/r1".parse().unwrap()) {
            Ok(manifest) => {
                let listed = manifest.modulepath.iter().map(|l| format!("{}:{}", l.line, l.app));
                listed.collect::<Vec<_>>().join(" ")
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn dependencies_keep_their_order_and_their_lines() {
        let text = "---\nmodulepath:\n  - dist/tags/r7\n  # why\n  - base/tags/v1.2\n";
        assert_eq!(parsed(text), "3:dist/tags/r7 5:base/tags/v1.2");
    }

    #[test]
    fn a_directory_of_the_app_itself_is_below_it() {
        assert_eq!(parsed("modulepath:\n- ./modules\n- x/y\n"), "2:a/tags/r1/modules 3:x/y");
        for text in ["modulepath: [./]", "modulepath: [./../x]", "modulepath: [././x]"] {
            assert!(parsed(text).starts_with("line 1: `modulepath` entry 1: expected"), "{text}");
        }
    }

    #[test]
    fn an_empty_manifest_has_no_dependencies() {
        for text in [
            "",
            "# nothing\n",
            "---\n",
            "modulepath:\n",
            "modulepath: []\n",
            "modulepath: ~\n",
            "null",
            "{}",
        ] {
            assert_eq!(parsed(text), "", "{text:?}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let cases = [
            (
                "modulpath:\n- a\n",
                "line 1, column 1: expected the key `modulepath`, found `modulpath`; \
                 did you mean `modulepath`?",
            ),
            ("name: foo\n", "line 1, column 1: expected the key `modulepath`, found `name`"),
            (
                "modulepath: [a/tags/1]\nmodulepath: [b/tags/1]\n",
                "line 2, column 1: expected each key once, found `modulepath` a second time",
            ),
            (
                "modulepath:\n  a/tags/1: b\n",
                "line 2, column 3: `modulepath`: expected a list of app paths, found a map",
            ),
            (
                "modulepath: dist/tags/r7\n",
                "line 1, column 13: `modulepath`: expected a list of app paths, found a text; \
                 type `[dist/tags/r7]`",
            ),
            (
                "modulepath: a/tags/1:b/tags/1\n",
                "line 1, column 13: `modulepath`: expected a list of app paths, found a text; \
                 type `[a/tags/1, b/tags/1]`",
            ),
            (
                "- dist/tags/r7\n",
                "line 1, column 1: expected a map with the key `modulepath`, found a list",
            ),
            (
                "modulepath:\n- a/tags/1\n- /etc\n",
                "line 3: `modulepath` entry 2: expected a path relative to the module root, \
                 found the absolute path `/etc`",
            ),
            (
                "modulepath:\n- a/tags/1\n- [b]\n",
                "line 3: `modulepath` entry 2: expected an app path, found a list",
            ),
            (
                "modulepath: [1.0]\n",
                "line 1: `modulepath` entry 1: expected an app path, found a float",
            ),
            (
                "modulepath: [!foo a/b]\n",
                "line 1: `modulepath` entry 1: expected an app path, found a tag",
            ),
            (
                "modulepath:\n- a/tags/1\n- a/tags/1\n",
                "line 3: `modulepath` has `a/tags/1` a second time",
            ),
        ];
        for (text, told) in cases {
            assert_eq!(parsed(text), told);
        }
    }
}
