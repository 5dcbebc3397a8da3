//! The package managers that a node can have.

use super::compression::Format;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// What owns the packages of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PackageManager {
    /// apt-get above dpkg.
    Apt,
    /// dnf above rpm.
    Dnf,
    /// zypper above rpm.
    Zypper,
}

impl PackageManager {
    /// Every one.
    pub const ALL: [PackageManager; 3] =
        [PackageManager::Apt, PackageManager::Dnf, PackageManager::Zypper];

    /// The packages that it installs.
    pub fn format(self) -> Format {
        match self {
            PackageManager::Apt => Format::Deb,
            PackageManager::Dnf | PackageManager::Zypper => Format::Rpm,
        }
    }
}

/// A package as the package manager's database has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    Absent,
    /// Wholly, in this version.
    Installed(String),
    /// Neither: half installed, or not configured; in the package manager's words.
    Broken(String),
}

/// Why a text is no package manager.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `apt`, `dnf` or `zypper`, found `{0}`")]
pub struct UnknownPackageManager(String);

impl FromStr for PackageManager {
    type Err = UnknownPackageManager;

    fn from_str(text: &str) -> Result<Self, UnknownPackageManager> {
        match text {
            "apt" => Ok(PackageManager::Apt),
            "dnf" => Ok(PackageManager::Dnf),
            "zypper" => Ok(PackageManager::Zypper),
            _ => Err(UnknownPackageManager(text.to_owned())),
        }
    }
}

impl fmt::Display for PackageManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            PackageManager::Apt => "apt",
            PackageManager::Dnf => "dnf",
            PackageManager::Zypper => "zypper",
        })
    }
}
