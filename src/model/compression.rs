//! How packages are compressed, and which systems can read that.

use super::suggest::nearest;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// The package formats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Debian's, format 2.0 (deb(5)).
    Deb,
    /// RPM's, version 4.
    Rpm,
}

impl Format {
    /// Every one.
    pub const ALL: [Format; 2] = [Format::Deb, Format::Rpm];
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Deb => "deb",
            Format::Rpm => "rpm",
        })
    }
}

/// A compression method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    Gzip,
    Xz,
    Zstd,
}

impl Method {
    /// Every one.
    pub const ALL: [Method; 3] = [Method::Gzip, Method::Xz, Method::Zstd];
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Method::Gzip => "gzip",
            Method::Xz => "xz",
            Method::Zstd => "zstd",
        })
    }
}

/// Why a text is neither a format nor a method.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {expected}, found `{found}`")]
pub struct UnknownName {
    expected: &'static str,
    found: String,
}

impl FromStr for Format {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match text {
            "deb" => Ok(Format::Deb),
            "rpm" => Ok(Format::Rpm),
            _ => Err(UnknownName { expected: "`deb` or `rpm`", found: text.to_owned() }),
        }
    }
}

impl FromStr for Method {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        match text {
            "gzip" => Ok(Method::Gzip),
            "xz" => Ok(Method::Xz),
            "zstd" => Ok(Method::Zstd),
            _ => Err(UnknownName { expected: "`gzip`, `xz` or `zstd`", found: text.to_owned() }),
        }
    }
}

/// A method with a level that it knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Compression {
    method: Method,
    level: u8,
}

/// Why a level is refused.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a level of {method} from {lowest} to {highest}, found `{found}`")]
pub struct LevelError {
    method: Method,
    lowest: u8,
    highest: u8,
    found: u8,
}

impl LevelError {
    /// The level nearest to it that there is.
    pub fn nearest(&self) -> u8 {
        self.found.clamp(self.lowest, self.highest)
    }
}

impl Compression {
    /// `level` or the default of that method in that format.
    pub fn new(method: Method, level: Option<u8>, format: Format) -> Result<Self, LevelError> {
        let (lowest, default, highest) = match method {
            // At 5 zlib-rs makes 1 % more bytes than at 6, half as fast again.
            Method::Gzip => (1, 5, 9),
            Method::Xz => (0, 6, 9),
            // A fourth of an .rpm is its header, which is never compressed: 5 would take half
            // as long again, for a tenth of its bytes.
            Method::Zstd if format == Format::Rpm => (1, 3, 19),
            Method::Zstd => (1, 5, 19),
        };
        let level = level.unwrap_or(default);
        if !(lowest..=highest).contains(&level) {
            return Err(LevelError { method, lowest, highest, found: level });
        }
        Ok(Compression { method, level })
    }

    /// The method.
    pub fn method(self) -> Method {
        self.method
    }

    /// The level.
    pub fn level(self) -> u8 {
        self.level
    }
}

/// A system that must be able to install a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Target {
    name: &'static str,
    format: Format,
    reads_zstd: bool,
}

/// Whether a system's package manager reads zstd: dpkg does since 1.21.18
/// (Ubuntu's since 18.04), rpm since 4.14.2-26.el8.
const TARGETS: [Target; 18] = [
    target("debian10", Format::Deb, false),
    target("debian11", Format::Deb, false),
    target("debian12", Format::Deb, true),
    target("debian13", Format::Deb, true),
    target("ubuntu18.04", Format::Deb, true),
    target("ubuntu20.04", Format::Deb, true),
    target("ubuntu22.04", Format::Deb, true),
    target("ubuntu24.04", Format::Deb, true),
    target("el7", Format::Rpm, false),
    target("el8", Format::Rpm, true),
    target("el9", Format::Rpm, true),
    target("el10", Format::Rpm, true),
    target("fedora", Format::Rpm, true),
    target("amzn2", Format::Rpm, false),
    target("amzn2023", Format::Rpm, true),
    target("sles12", Format::Rpm, false),
    target("sles15", Format::Rpm, false),
    target("opensuse15", Format::Rpm, false),
];

const fn target(name: &'static str, format: Format, reads_zstd: bool) -> Target {
    Target { name, format, reads_zstd }
}

impl Target {
    /// Every system that `--target` knows.
    pub const ALL: [Target; 18] = TARGETS;

    /// The format that the target's package manager installs.
    pub fn format(self) -> Format {
        self.format
    }

    /// True where the target reads that compression; every target reads gzip and xz.
    pub fn reads(self, method: Method) -> bool {
        method != Method::Zstd || self.reads_zstd
    }
}

/// Why a text is no target.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown target `{0}`; known are {known}{meant}", known = known(), meant = meant(.0))]
pub struct UnknownTarget(String);

/// The target whose name is nearest, after the words by which a hint is known.
fn meant(text: &str) -> String {
    let names = TARGETS.map(|target| target.name.to_owned());
    let nearest = nearest(text, &names).map(|name| format!("; did you mean `{name}`?"));
    nearest.unwrap_or_default()
}

fn known() -> String {
    TARGETS.map(|target| format!("`{}`", target.name)).join(", ")
}

impl FromStr for Target {
    type Err = UnknownTarget;

    fn from_str(text: &str) -> Result<Self, UnknownTarget> {
        let found = TARGETS.into_iter().find(|target| target.name == text);
        found.ok_or_else(|| UnknownTarget(text.to_owned()))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_reads_what_its_package_manager_reads() {
        let debian11: Target = "debian11".parse().unwrap();
        assert_eq!(debian11.format(), Format::Deb);
        assert!(!debian11.reads(Method::Zstd) && debian11.reads(Method::Xz));
        assert!("debian99".parse::<Target>().is_err());
    }

    #[test]
    fn levels_have_bounds() {
        assert_eq!(Compression::new(Method::Gzip, None, Format::Deb).unwrap().level(), 5);
        let refused = Compression::new(Method::Zstd, Some(22), Format::Deb).unwrap_err();
        assert_eq!(refused.to_string(), "expected a level of zstd from 1 to 19, found `22`");
    }
}
