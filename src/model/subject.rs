//! What an operator names to look into: a package file, or an app path.

use super::app::{AppPath, AppPathError};
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A package file, or an app path: which release that is depends on where it is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    Package(PathBuf),
    App(AppPath),
}

impl FromStr for Subject {
    type Err = AppPathError;

    fn from_str(text: &str) -> Result<Self, AppPathError> {
        match text.ends_with(".deb") || text.ends_with(".rpm") {
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
