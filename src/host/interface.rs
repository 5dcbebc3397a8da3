//! The class interface of code on disk: the modules of a modulepath, as Puppet takes them.
#![allow(clippy::disallowed_methods)]

use super::fs::{failed, is_directory, kind, names, read_bounded};
use crate::model::app::AppPath;
use crate::model::failure::Failure;
use crate::model::interface::{Data, Interface, Module};
use crate::model::litter;
use crate::model::puppet_code::Unreadable;
use crate::model::puppet_code::definition::definitions;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use walkdir::{DirEntry, WalkDir};

/// A manifest or a file of data of more than this is not read.
const LARGEST: u64 = 16 << 20;

/// The directories of a modulepath in order, each with its app path.
pub type Modulepath = Vec<(AppPath, PathBuf)>;

/// Reads the interface of a modulepath: of a module that is in two of its
/// directories, the first one whole.
pub fn read(modulepath: &Modulepath) -> Result<Interface, Failure> {
    let mut interface = Interface::default();
    if let Some((_, directory)) = modulepath.first() {
        interface.own_data = data(directory)?;
    }
    let (mut known, mut found) = (BTreeSet::new(), Vec::new());
    for (app, directory) in modulepath {
        for name in names(directory)?.into_iter().filter(|name| is_module(name)) {
            let module = directory.join(&name);
            if is_directory(&module)? && known.insert(name.clone()) {
                found.push((name, app, module));
            }
        }
    }
    let read = found.into_par_iter().map(|(name, app, directory)| {
        let read = module(app, &directory)?;
        Ok((name, read))
    });
    for (name, module) in read.collect::<Result<Vec<_>, Failure>>()? {
        interface.insert(name, module);
    }
    Ok(interface)
}

/// `VALID_MODULE_NAME` of `lib/puppet/module.rb`.
fn is_module(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn module(app: &AppPath, directory: &Path) -> Result<Module, Failure> {
    let files = files(directory, &["functions", "manifests", "types"], &["pp"])?;
    let found = files.into_par_iter().map(|path| {
        let size = std::fs::metadata(&path).map_err(|error| failed("look at", &path, error))?.len();
        if size > LARGEST {
            let what = format!("it has more than {LARGEST} bytes");
            return Ok((path, Err(Unreadable { line: 1, what })));
        }
        let text = read_bounded(&path, LARGEST)?.unwrap_or_default();
        Ok((path, definitions(&String::from_utf8_lossy(&text))))
    });
    let mut module = Module::new(app.clone(), data(directory)?);
    for (path, found) in found.collect::<Result<Vec<_>, Failure>>()? {
        let path = path.strip_prefix(directory).unwrap_or(&path);
        module.add(path.to_string_lossy().into_owned(), found);
    }
    Ok(module)
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
    let (mut always, mut sometimes) = (BTreeSet::new(), BTreeSet::new());
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
    let sometimes = sometimes.difference(&always).cloned().collect();
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
        let released =
            |entry: &DirEntry| entry.file_name().to_str().and_then(litter::reason).is_none();
        let entries = WalkDir::new(&directory).follow_links(true).sort_by_file_name();
        for entry in entries.into_iter().filter_entry(released) {
            let entry = match entry {
                Ok(entry) => entry,
                // A link to what it is in, or to nothing: Puppet loads nothing through it.
                Err(error) if error.loop_ancestor().is_some() || is_absent(&error) => continue,
                Err(error) => {
                    let path = error.path().unwrap_or(&directory).to_owned();
                    return Err(failed("read directory", &path, error.into()));
                }
            };
            let extension = entry.path().extension().and_then(|extension| extension.to_str());
            if entry.file_type().is_file() && extension.is_some_and(|e| extensions.contains(&e)) {
                found.push(entry.into_path());
            }
        }
    }
    Ok(found)
}

fn is_absent(error: &walkdir::Error) -> bool {
    error.io_error().is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound)
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
