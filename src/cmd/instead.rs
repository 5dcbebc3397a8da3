//! What was meant by the path of a file that cannot be read.

use crate::host::fs;
use crate::model::app::Release;
use crate::model::command::quote;
use crate::model::failure::Failure;
use crate::model::subject;
use crate::model::suggest::{listed, nearest};
use std::path::Path;

/// A package is read more than once, and from its end.
const FILE: &str = "a package is read from a file, not from a pipe: save it first";

/// The same failure with a hint, where it has none: a package that is near to the path, or what is
/// to be done with the release that was named in place of a package.
pub fn of_package(failure: Failure, path: &Path, with: impl FnOnce(&Release) -> String) -> Failure {
    if !failure.hints().is_empty() {
        return failure;
    }
    let text = path.to_string_lossy();
    let hint = match meant(path, subject::is_package) {
        Meant::Unreadable(_) if fs::is_stream(path) => Some(FILE.to_owned()),
        Meant::Nothing if text == "-" => Some(FILE.to_owned()),
        Meant::Nothing => subject::release_at_end(&text).map(|release| with(&release)),
        meant => meant.hint(),
    };
    let make = || "this makes a package: localpuppet bundle APP_PATH".to_owned();
    failure.hint(hint.unwrap_or_else(make))
}

/// The same: a YAML file that is near to the path, or else what to do.
pub fn of_document(failure: Failure, path: &Path, otherwise: &str) -> Failure {
    if !failure.hints().is_empty() {
        return failure;
    }
    let hint = meant(path, subject::is_document).hint();
    failure.hint(hint.unwrap_or_else(|| otherwise.to_owned()))
}

enum Meant {
    /// The path of a file beside it, or in it.
    File(String),
    /// A directory with more than one such file in it.
    OneOf(String, Vec<String>),
    /// The file is there, and cannot be read.
    Unreadable(String),
    Nothing,
}

impl Meant {
    fn hint(self) -> Option<String> {
        match self {
            Meant::File(path) => Some(format!("did you mean `{path}`?")),
            Meant::OneOf(directory, names) => {
                Some(format!("`{directory}` has {}: name one of them", listed(&names)))
            }
            Meant::Unreadable(path) => Some(format!("look at it: ls -l {path}")),
            Meant::Nothing => None,
        }
    }
}

fn meant(path: &Path, is_it: impl Fn(&str) -> bool) -> Meant {
    let is_directory = fs::is_directory(path).unwrap_or(false);
    if !is_directory && !matches!(fs::kind(path), Ok(None)) {
        return match fs::open(path) {
            Err(_) => Meant::Unreadable(quote(&path.to_string_lossy())),
            Ok(_) => Meant::Nothing,
        };
    }
    let directory = match path.parent() {
        _ if is_directory => path,
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let shown = |name: &str| {
        let at = if directory == Path::new(".") { name.into() } else { directory.join(name) };
        quote(&at.to_string_lossy())
    };
    let mut names = fs::names(directory).unwrap_or_default();
    names.retain(|name| is_it(name));
    let typed = path.file_name().unwrap_or_default().to_string_lossy();
    match (names.as_slice(), is_directory) {
        ([], _) => Meant::Nothing,
        ([name], true) => Meant::File(shown(name)),
        (_, true) => Meant::OneOf(path.display().to_string(), names),
        _ if !is_it(&typed) => Meant::Nothing,
        _ => nearest(&typed, &names).map_or(Meant::Nothing, |name| Meant::File(shown(name))),
    }
}
