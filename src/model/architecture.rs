//! An architecture as dpkg names it, which has an index of its own.

use std::str::FromStr;

/// `amd64`; it is part of paths of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Architecture(String);

/// Why a text is no such name.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchitectureError {
    #[error("expected an architecture of dpkg such as `amd64`, found `{0}`")]
    Name(String),
    #[error("expected an architecture of dpkg beside `all`, which has an index always")]
    All,
}

impl Architecture {
    /// As it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Architecture {
    type Err = ArchitectureError;

    fn from_str(text: &str) -> Result<Self, ArchitectureError> {
        let is_allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        match text {
            "all" => Err(ArchitectureError::All),
            _ if text.is_empty() || text.starts_with('-') || !text.bytes().all(is_allowed) => {
                Err(ArchitectureError::Name(text.to_owned()))
            }
            _ => Ok(Architecture(text.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path() {
        for name in ["amd64", "arm64", "kfreebsd-amd64", "x32"] {
            assert_eq!(name.parse::<Architecture>().unwrap().as_str(), name);
        }
        for name in ["", "-x", "q/../../../x", "..", "AMD64", "a b", "a\n"] {
            let error = ArchitectureError::Name(name.to_owned());
            assert_eq!(name.parse::<Architecture>(), Err(error));
        }
        assert_eq!("all".parse::<Architecture>(), Err(ArchitectureError::All));
    }
}
