//! The class interface of code on disk: the modules of a modulepath, as Puppet takes them.
#![allow(clippy::disallowed_methods)]

use super::fs::{failed, kind, names, read_bounded};
use crate::model::failure::Failure;
use crate::model::interface::{Data, Interface};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use walkdir::WalkDir;

/// A manifest or a file of data of more than this is not read.
const LARGEST: u64 = 16 << 20;

/// Reads the interface of a modulepath: of a module that is in two of its
/// directories, the first one whole.
pub fn read(modulepath: &[PathBuf]) -> Result<Interface, Failure> {
    let mut interface = Interface::default();
    if let Some(app) = modulepath.first() {
        interface.own_data = data(app)?;
    }
    let mut known = BTreeSet::new();
    for directory in modulepath {
        for name in names(directory)?.into_iter().filter(|name| is_module(name)) {
            let module = directory.join(&name);
            let is_directory =
                kind(&module)?.is_some_and(|kind| kind.is_dir() || kind.is_symlink());
            if is_directory && known.insert(name.clone()) {
                add(&mut interface, &name, &module)?;
            }
        }
    }
    Ok(interface)
}

/// `VALID_MODULE_NAME` of `lib/puppet/module.rb`.
fn is_module(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn add(interface: &mut Interface, name: &str, module: &Path) -> Result<(), Failure> {
    let files = files(module, &["manifests", "types"], &["pp"])?;
    let texts = files.into_par_iter().map(|path| {
        let text = read_bounded(&path, LARGEST)?.unwrap_or_default();
        Ok((path, String::from_utf8_lossy(&text).into_owned()))
    });
    for (path, text) in texts.collect::<Result<Vec<_>, Failure>>()? {
        let path = path.strip_prefix(module).unwrap_or(&path);
        interface.add(name, path.to_string_lossy().into_owned(), &text);
    }
    interface.module(name).data = data(module)?;
    Ok(())
}

/// The keys of the data below a hiera.yaml of version 5 that reads nothing but files.
fn data(directory: &Path) -> Result<Data, Failure> {
    let Some(hiera) = read_bounded(&directory.join("hiera.yaml"), LARGEST)? else {
        return Ok(Data::None);
    };
    let hiera = String::from_utf8_lossy(&hiera).into_owned();
    let by_code = ["lookup_key", "data_dig", "hiera3_backend", "hocon_data", "uri", "mapped_paths"];
    let outside = hiera.contains("datadir: /") || hiera.contains("datadir: ..");
    if outside || by_code.iter().any(|word| hiera.contains(word)) {
        return Ok(Data::Unknown);
    }
    let (mut always, mut sometimes) = (Vec::new(), Vec::new());
    for path in files(directory, &[""], &["yaml", "yml", "json"])? {
        let text = read_bounded(&path, LARGEST)?.unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let name = path.strip_prefix(directory.join("data")).unwrap_or(&path).to_string_lossy();
        // A file that the hierarchy names outright, whatever the facts of a node.
        if is_named(&hiera, &name) {
            always.extend(text.lines().filter(|line| !line.starts_with(' ')).filter_map(key));
        }
        sometimes.extend(text.lines().filter_map(key));
    }
    Ok(Data::Keys { always, sometimes })
}

/// True where a hierarchy has a path as a word of its own.
fn is_named(hiera: &str, path: &str) -> bool {
    let word = |c: char| c.is_whitespace() || "\"'[]{},".contains(c);
    hiera
        .lines()
        .any(|line| !line.trim_start().starts_with('#') && line.split(word).any(|w| w == path))
}

/// What may be a key of a class's parameter, at whatever depth it stands.
fn key(line: &str) -> Option<String> {
    let line = line.trim_start().trim_start_matches(['"', '\'']);
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
    let end = line.find(|c| !is_part(c)).unwrap_or(line.len());
    let key = line[..end].trim_end_matches(':');
    key.contains("::").then(|| key.to_owned())
}

fn files(top: &Path, below: &[&str], extensions: &[&str]) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    for directory in below.iter().map(|name| top.join(name)) {
        if kind(&directory)?.is_none() {
            continue;
        }
        for entry in WalkDir::new(&directory).follow_links(true).sort_by_file_name() {
            let entry = entry.map_err(|error| {
                let path = error.path().unwrap_or(&directory).to_owned();
                failed("read directory", &path, error.into())
            })?;
            let extension = entry.path().extension().and_then(|extension| extension.to_str());
            if entry.file_type().is_file() && extension.is_some_and(|e| extensions.contains(&e)) {
                found.push(entry.into_path());
            }
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::{is_named, key};

    #[test]
    fn keys_of_parameters_are_found_however_they_are_written() {
        assert_eq!(key("foo::bar: 1").as_deref(), Some("foo::bar"));
        assert_eq!(key("  \"foo::bar::x\" : 1").as_deref(), Some("foo::bar::x"));
        assert_eq!(key("plain: 1"), None);
        let hiera =
            "hierarchy:\n  - name: all\n    paths: ['common.yaml', \"os/%{facts.os}.yaml\"]\n";
        assert!(is_named(hiera, "common.yaml") && !is_named(hiera, "os/Debian.yaml"));
    }
}
