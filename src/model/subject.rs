//! What an operator names to look into: a package file, or an app path.

use super::app::{AppPath, AppPathError, Release, ReleaseError};
use super::bundle::INSTALL_ROOT;
use super::version::Version;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A package file, or an app path: which release that is depends on where it is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Package(PathBuf),
    App(AppPath),
}

/// Why a text names no release where a file is an option's.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAName {
    #[error(
        "expected a release, such as `foo/tags/r1`, found a package file; type `--package {0}`"
    )]
    Package(String),
    #[error("expected a release, such as `foo/tags/r1`, found a YAML file; type `--enc {0}`")]
    Enc(String),
    #[error(transparent)]
    Path(#[from] AppPathError),
    #[error(transparent)]
    Release(#[from] ReleaseError),
}

/// The app path that `apply` is asked for by name.
pub fn app(text: &str) -> Result<AppPath, NotAName> {
    Ok(no_package(no_enc(text)?)?.parse()?)
}

/// What `check` is asked for by name, beside an ENC.
pub fn callable(text: &str) -> Result<Subject, NotAName> {
    Ok(no_enc(text)?.parse()?)
}

/// A release that `stage` is asked for by name.
pub fn release(text: &str) -> Result<Release, NotAName> {
    Ok(no_package(text)?.parse()?)
}

fn no_enc(text: &str) -> Result<&str, NotAName> {
    if is_document(text) { Err(NotAName::Enc(text.to_owned())) } else { Ok(text) }
}

fn no_package(text: &str) -> Result<&str, NotAName> {
    if is_package(text) { Err(NotAName::Package(text.to_owned())) } else { Ok(text) }
}

/// True for what has the name of a package file.
pub fn is_package(text: &str) -> bool {
    text.ends_with(".deb") || text.ends_with(".rpm")
}

/// True for what has the name of a YAML file.
pub fn is_document(text: &str) -> bool {
    text.ends_with(".yaml") || text.ends_with(".yml")
}

/// The release that is named at the end of a path: `foo/tags/r1`, or `foo/r1` for short.
pub fn release_at_end(path: &str) -> Option<Release> {
    if is_package(path) || is_document(path) {
        return None;
    }
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let end = |count: usize| Some(parts.get(parts.len().checked_sub(count)?..)?.join("/"));
    let named = end(3).filter(|name| name.split('/').nth(1) == Some("tags"));
    let is_tag = |tag: &&str| Version::of_tag(tag).is_ok();
    let short = || end(2).filter(|_| parts.last().is_some_and(is_tag));
    named.or_else(short)?.parse().ok()
}

/// What the path of a directory stands for where an app path is to be typed.
#[derive(Debug, PartialEq, Eq)]
pub enum Elsewhere {
    /// An app path, and the module root that it is relative to.
    Checkout { app: AppPath, root: String },
    /// A release that is installed, `foo/r1`; below another root than `/`.
    Installed { release: String, root: Option<String> },
}

impl Elsewhere {
    /// Looks for the layout of a node or of a module root in a path.
    pub fn of(path: &str) -> Option<Self> {
        if let Some((root, below)) = path.split_once(&format!("{INSTALL_ROOT}/")) {
            let release = below.split('/').take(2).collect::<Vec<_>>().join("/");
            release.parse::<Release>().ok()?;
            let root = Some(root.to_owned()).filter(|root| !root.is_empty());
            return Some(Elsewhere::Installed { release, root });
        }
        let path = path.trim_end_matches('/');
        let parts: Vec<&str> = path.split('/').collect();
        let length = match parts.as_slice() {
            [.., name, "tags" | "branches", _] if !name.is_empty() => 3,
            [.., name, "trunk"] if !name.is_empty() => 2,
            _ => return None,
        };
        let (root, app) = parts.split_at(parts.len() - length);
        let root = match root {
            [] => return None,
            [""] => "/".to_owned(),
            root => root.join("/"),
        };
        Some(Elsewhere::Checkout { app: app.join("/").parse().ok()?, root })
    }
}

impl FromStr for Subject {
    type Err = AppPathError;

    fn from_str(text: &str) -> Result<Self, AppPathError> {
        match is_package(text) {
            true => Ok(Subject::Package(text.into())),
            false => text.parse().map(Subject::App),
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Subject::Package(path) => path.display().fmt(f),
            Subject::App(app) => app.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_told_by_its_name() {
        let app = |text: &str| Ok(Subject::App(text.parse().unwrap()));
        assert_eq!("foo/tags/r1".parse(), app("foo/tags/r1"));
        assert_eq!("/x/foo.deb".parse(), Ok(Subject::Package("/x/foo.deb".into())));
        assert_eq!("./foo.rpm".parse(), Ok(Subject::Package("./foo.rpm".into())));
        assert!("/x/foo".parse::<Subject>().is_err());
    }

    #[test]
    fn a_release_is_told_by_the_end_of_a_path() {
        let found = |path: &str| release_at_end(path).map(|release| release.to_string());
        for (path, expected) in [
            ("foo/r1", Some("foo/tags/r1")),
            ("/tmp/x/foo/tags/nightly/", Some("foo/tags/nightly")),
            ("/tmp/x/foo/1.2.0", Some("foo/tags/1.2.0")),
            ("out/packages", None),
            ("r1", None),
            ("foo/r1.deb", None),
        ] {
            assert_eq!(found(path).as_deref(), expected, "{path}");
        }
    }

    #[test]
    fn a_path_of_a_directory_is_taken_apart() {
        let installed = |release: &str, root: Option<&str>| {
            let (release, root) = (release.to_owned(), root.map(str::to_owned));
            Some(Elsewhere::Installed { release, root })
        };
        let checkout = |app: &str, root: &str| {
            Some(Elsewhere::Checkout { app: app.parse().unwrap(), root: root.to_owned() })
        };
        for (path, expected) in [
            ("/usr/share/localpuppet/foo/r1", installed("foo/r1", None)),
            ("/node/usr/share/localpuppet/foo/r1/modules/foo/", installed("foo/r1", Some("/node"))),
            ("/usr/share/localpuppet/foo", None),
            ("/srv/modules/foo/tags/r1/", checkout("foo/tags/r1", "/srv/modules")),
            ("modules/foo/trunk", checkout("foo/trunk", "modules")),
            ("../foo/branches/x", checkout("foo/branches/x", "..")),
            ("/foo/trunk", checkout("foo/trunk", "/")),
            ("foo/tags/r1", None),
            ("/trunk", None),
            ("/x/y", None),
        ] {
            assert_eq!(Elsewhere::of(path), expected, "{path}");
        }
    }
}
