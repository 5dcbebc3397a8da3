//! What an operator names to look into: a package file, or an app path.

use super::app::{AppPath, AppPathError, Release, ReleaseError};
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
    match text.ends_with(".yaml") || text.ends_with(".yml") {
        true => Err(NotAName::Enc(text.to_owned())),
        false => Ok(no_package(text)?.parse()?),
    }
}

/// A release that `stage` is asked for by name.
pub fn release(text: &str) -> Result<Release, NotAName> {
    Ok(no_package(text)?.parse()?)
}

fn no_package(text: &str) -> Result<&str, NotAName> {
    if is_package(text) { Err(NotAName::Package(text.to_owned())) } else { Ok(text) }
}

fn is_package(text: &str) -> bool {
    text.ends_with(".deb") || text.ends_with(".rpm")
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
}
