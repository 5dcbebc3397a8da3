//! The time of everything in a package.

use std::str::FromStr;

/// Seconds since 1970, from `SOURCE_DATE_EPOCH`
/// (reproducible-builds.org/specs/source-date-epoch) or fixed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SourceDate(u32);

/// Why a text is no time of a package.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected whole seconds since 1970, at most {max}, found `{0}`", max = u32::MAX)]
pub struct SourceDateError(String);

impl SourceDate {
    /// The number of seconds.
    pub fn seconds(self) -> u32 {
        self.0
    }
}

/// 2012-01-01T00:00:00Z, the year of the script that this program descends from.
impl Default for SourceDate {
    fn default() -> Self {
        SourceDate(1_325_376_000)
    }
}

impl FromStr for SourceDate {
    type Err = SourceDateError;

    /// An empty text, as some CI exports it, is the default.
    fn from_str(text: &str) -> Result<Self, SourceDateError> {
        match text {
            "" => Ok(SourceDate::default()),
            _ => text.parse().map(SourceDate).map_err(|_| SourceDateError(text.to_owned())),
        }
    }
}
