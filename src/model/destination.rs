//! Where a repository is: a directory, or a bucket of an object store.

use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;

/// A place to publish to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Destination {
    /// A directory of this machine, that a web server may serve.
    Directory(PathBuf),
    /// `s3://BUCKET/PREFIX`; the prefix is empty or ends in `/`.
    S3 { bucket: String, prefix: String },
}

/// Why a text is no place to publish to.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum DestinationError {
    #[error("expected a directory or `s3://BUCKET/PREFIX`, found `{0}`")]
    Scheme(String),
    #[error("expected `s3://BUCKET/PREFIX` of letters, digits, `.`, `_`, `-` and `/`, found `{0}`")]
    Bucket(String),
    #[error("expected a directory or `s3://BUCKET/PREFIX`, found nothing")]
    Empty,
}

impl FromStr for Destination {
    type Err = DestinationError;

    fn from_str(text: &str) -> Result<Self, DestinationError> {
        if text.is_empty() {
            return Err(DestinationError::Empty);
        }
        let Some(rest) = text.strip_prefix("s3://") else {
            // `s3:bucket` and `file:/srv` mean no directory of such a name.
            let is_scheme = |scheme: &str| ["s3", "file", "http", "https"].contains(&scheme);
            let scheme = text.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
            return match text.contains("://") || scheme.as_deref().is_some_and(is_scheme) {
                true => Err(DestinationError::Scheme(text.to_owned())),
                false => Ok(Destination::Directory(text.into())),
            };
        };
        let (bucket, prefix) = rest.split_once('/').unwrap_or((rest, ""));
        let prefix = prefix.trim_end_matches('/');
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        let parts = || prefix.split('/').chain([bucket]);
        let bad =
            |part: &str| part.is_empty() || part == "." || part == ".." || !part.chars().all(plain);
        if bucket.is_empty() || (!prefix.is_empty() && parts().any(bad)) || bad(bucket) {
            return Err(DestinationError::Bucket(text.to_owned()));
        }
        let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
        Ok(Destination::S3 { bucket: bucket.to_owned(), prefix })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Destination::Directory(path) => path.display().fmt(f),
            Destination::S3 { bucket, prefix } => {
                write!(f, "s3://{bucket}/{}", prefix.trim_end_matches('/'))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn directories_and_buckets_are_told_apart() {
        for text in ["a/b", "a:b", "./s3:b"] {
            assert_eq!(text.parse(), Ok(Destination::Directory(text.into())));
        }
        let s3 = |text: &str| match text.parse() {
            Ok(Destination::S3 { bucket, prefix }) => Some((bucket, prefix)),
            _ => None,
        };
        assert_eq!(s3("s3://b"), Some(("b".to_owned(), String::new())));
        assert_eq!(s3("s3://b/x/y/"), Some(("b".to_owned(), "x/y/".to_owned())));
        for text in [
            "",
            "s3://",
            "s3:///x",
            "s3://b/../x",
            "s3://b/x y",
            "http://x/",
            "s3:b",
            "S3:/b",
            "file:/x",
        ] {
            assert!(text.parse::<Destination>().is_err(), "{text}");
        }
    }
}
