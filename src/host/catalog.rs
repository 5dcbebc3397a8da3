//! The catalog that a run's Puppet keeps in the run's directory, and the files of modules that it names.
#![allow(clippy::disallowed_methods)]

use super::fs;
use super::look::look;
use crate::model::catalog::LARGEST;
use crate::model::digest::Sha256Digest;
use crate::model::failure::Failure;
use crate::model::preview::{Expected, FILE_NAME};
use crate::model::verify::Found;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// A plan with the directories that it knows is some kilobytes.
const LARGEST_PLAN: u64 = 1 << 20;

/// Which catalog a run is to apply.
pub fn expected(run: &Path) -> Result<Expected, Failure> {
    let path = run.join(FILE_NAME);
    let text = fs::read_own(&path, LARGEST_PLAN)?.unwrap_or_default();
    serde_json::from_slice(&text)
        .map_err(|error| Failure::new(format!("`{}` is no plan", path.display())).because(error))
}

/// The catalog of a run as Puppet wrote it, `catalog/catalog/NODE.json`; none where there is none.
pub fn read(run: &Path) -> Result<Option<Vec<u8>>, Failure> {
    let directory = run.join("catalog/catalog");
    let names = fs::names(&directory)?;
    let name = names.into_iter().find(|name| name.ends_with(".json"));
    name.map_or(Ok(None), |name| fs::read_own(&directory.join(name), LARGEST))
}

/// The resources that Puppet looks after in a run, as it wrote them; none where it did not.
pub fn managed(run: &Path, name: &str) -> Result<Option<BTreeSet<String>>, Failure> {
    let text = fs::read_own(&run.join(name), LARGEST)?;
    let lines = |text: Vec<u8>| String::from_utf8_lossy(&text).lines().map(str::to_owned).collect();
    Ok(text.map(lines))
}

/// What is in the files of modules, by their `puppet:///modules/…`; of a directory all that is
/// below it. What is not there is left out: Puppet will say so.
pub fn contents<'a>(
    modulepath: &[String],
    sources: impl Iterator<Item = &'a String>,
) -> BTreeMap<String, String> {
    let content = |source: &'a String| {
        let (module, path) = source.strip_prefix("puppet:///modules/")?.split_once('/')?;
        let outside = path.split('/').any(|part| part == "..") || module == "..";
        let module = modulepath.iter().map(|directory| Path::new(directory).join(module));
        let module: PathBuf = module.into_iter().find(|module| module.is_dir())?;
        (!outside).then(|| Some((source.clone(), digest(&module.join("files").join(path))?)))?
    };
    sources.filter_map(content).collect()
}

fn digest(path: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    if path.is_file() {
        let (file, _) = fs::open_regular(&path).ok()?;
        return fs::digest(&file).ok().map(|(digest, _)| format!("{{sha256}}{digest}"));
    }
    let mut seen = look(&path);
    seen.sort_by(|a, b| a.path.cmp(&b.path));
    let line = |path: &str, found: &Found| match found {
        Found::File { sha256, .. } => format!("{path} {sha256}\n"),
        Found::Symlink { target } => format!("{path} -> {target}\n"),
        _ => format!("{path}\n"),
    };
    let lines: String = seen.iter().map(|seen| line(&seen.path, &seen.found)).collect();
    Some(format!("{{tree}}{}", Sha256Digest::of(lines)))
}
