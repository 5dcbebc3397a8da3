//! Puppet modules of a release: what Puppet takes for one, and which one it takes.

use super::app::AppPath;
use super::bundle::Module;
use super::tree::Node;
use serde::Deserialize;
use std::collections::HashMap;

/// The file in a module that names it, by its path in the module.
pub const METADATA: &str = "metadata.json";

/// More bytes than this, and a metadata.json is not read.
pub const LARGEST_METADATA: u64 = 4 << 20;

/// What a metadata.json tells of a module; anything else in it is the module's own affair.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct Metadata {
    pub name: Option<String>,
    pub version: Option<String>,
    pub license: Option<String>,
}

/// The modules directly below an app path: directories, and links to them,
/// named as `Puppet::Module.is_module_directory_name?` wants (lib/puppet/module.rb).
pub fn names(app: &AppPath, nodes: &[Node]) -> Vec<String> {
    let prefix = format!("{app}/");
    let name = |node: &Node| {
        let name = node.path().as_str().strip_prefix(&prefix)?;
        let is_module = is_module_name(name) && !matches!(node, Node::File { .. });
        is_module.then(|| name.to_owned())
    };
    nodes.iter().filter_map(name).collect()
}

fn is_module_name(name: &str) -> bool {
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
        let app: AppPath = "a/tags/1".parse().unwrap();
        let directory = |path: &str| Node::Directory { path: path.parse().unwrap() };
        let nodes =
            ["a/tags/1/ntp", "a/tags/1/ntp/lib", "a/tags/1/Big", "a/tags/1/x-y"].map(directory);
        assert_eq!(names(&app, &nodes), ["ntp"]);
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
