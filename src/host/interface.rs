//! The class interface of code on disk: the modules of a modulepath, as Puppet takes them.
#![allow(clippy::disallowed_methods)]

use super::fs::{failed, is_directory, kind, names, not_walked, read_bounded};
use crate::model::app::AppPath;
use crate::model::failure::Failure;
use crate::model::interface::hiera::{self, Files, Found, Values};
use crate::model::interface::{Data, Interface, Module};
use crate::model::litter;
use crate::model::puppet_code::Unreadable;
use crate::model::puppet_code::definition::of_module;
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::string::FromUtf8Error;
use walkdir::{DirEntry, WalkDir};

/// A manifest or a file of data of more than this is not read.
const LARGEST: u64 = 16 << 20;

/// The directories of a modulepath in order, each with its app path.
pub type Modulepath = Vec<(AppPath, PathBuf)>;

/// Reads the interface of a modulepath: of a module that is in two of its
/// directories, the first one whole.
pub fn read(modulepath: &Modulepath) -> Result<Interface, Failure> {
    let (mut interface, mut held) = (Interface::default(), Vec::new());
    if let Some((_, directory)) = modulepath.first() {
        let (own, values) = data(directory)?;
        interface.own_data = own;
        held.push((None, values));
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
    for (name, (module, values)) in read.collect::<Result<Vec<_>, Failure>>()? {
        held.push((Some(name.clone()), values));
        interface.insert(name, module);
    }
    interface.hold(held);
    Ok(interface)
}

/// `VALID_MODULE_NAME` of `lib/puppet/module.rb`.
fn is_module(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn module(app: &AppPath, directory: &Path) -> Result<(Module, Values), Failure> {
    let files = files(directory, &["functions", "manifests", "types"], Some("pp"))?;
    let found = files.into_par_iter().map(|path| {
        let size = std::fs::metadata(&path).map_err(|error| failed("look at", &path, error))?.len();
        if size > LARGEST {
            let what = format!("it has more than {LARGEST} bytes");
            return Ok((path, Err(Unreadable { line: 1, what })));
        }
        let text = read_bounded(&path, LARGEST)?.unwrap_or_default();
        let found = String::from_utf8(text).map_err(|error| not_utf8(&error));
        Ok((path, found.and_then(|text| of_module(&text))))
    });
    let (data, values) = data(directory)?;
    let mut module = Module::new(app.clone(), data);
    for (path, found) in found.collect::<Result<Vec<_>, Failure>>()? {
        let path = path.strip_prefix(directory).unwrap_or(&path);
        module.add(path.to_string_lossy().into_owned(), found);
    }
    Ok((module, values))
}

/// Puppet reads no other text, not in a comment either.
fn not_utf8(error: &FromUtf8Error) -> Unreadable {
    let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
    let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
    Unreadable { line, what: "this is no UTF-8".to_owned() }
}

/// The data of a hiera.yaml of version 5 that reads nothing but files of its own.
fn data(directory: &Path) -> Result<(Data, Values), Failure> {
    let unknown = Ok((Data::Unknown, Values::new()));
    // Of Puppet 4: a function or a hierarchy of another form.
    if let Some(text) = read_bounded(&directory.join("metadata.json"), LARGEST)? {
        let metadata = serde_json::from_slice::<serde_json::Value>(&text);
        if metadata.map_or(true, |metadata| metadata.get("data_provider").is_some()) {
            return unknown;
        }
    }
    let Some(hiera) = read_bounded(&directory.join("hiera.yaml"), LARGEST)? else {
        return Ok((Data::None, Values::new()));
    };
    let Some(levels) = hiera::levels(&hiera) else { return unknown };
    let mut found = Found::default();
    for level in levels {
        let datadir = directory.join(&level.datadir);
        let Ok(paths) = of_level(&datadir, &level.files) else { return unknown };
        for path in paths {
            let Ok(text) = read_bounded(&path, LARGEST) else { return unknown };
            let Some(text) = text else { continue };
            if found.add(&text, level.format, &level.files).is_none() {
                return unknown;
            }
        }
    }
    Ok(found.finish())
}

/// The files that a level may read.
fn of_level(datadir: &Path, of: &Files) -> Result<Vec<PathBuf>, Failure> {
    match of {
        Files::At(path) => Ok(vec![datadir.join(path)]),
        Files::Like(below, end) => {
            let mut found = files(datadir, &[below.as_str()], None)?;
            found.retain(|path| path.to_string_lossy().ends_with(end.as_str()));
            Ok(found)
        }
    }
}

/// With an extension those that have it.
fn files(top: &Path, below: &[&str], extension: Option<&str>) -> Result<Vec<PathBuf>, Failure> {
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
                Err(error) => return Err(not_walked("read directory", &directory, error)),
            };
            let its_own = entry.path().extension().and_then(|extension| extension.to_str());
            let is_it = extension.is_none() || its_own == extension;
            if entry.file_type().is_file() && is_it {
                found.push(entry.into_path());
            }
        }
    }
    Ok(found)
}

fn is_absent(error: &walkdir::Error) -> bool {
    error.io_error().is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound)
}
