//! What a release would change on a node, and the plan by which that is named.

use super::app::AppPath;
use super::catalog::{Away, Catalog, Change};
use super::digest::Sha256Digest;
use super::exit::Exit;
use serde::{Deserialize, Serialize};

/// The file in a run's directory that says which catalog is to be applied.
pub const FILE_NAME: &str = "plan.json";

/// What a release would change.
#[derive(Debug, Serialize)]
pub struct Preview {
    pub app: AppPath,
    pub bundle_id: Option<Sha256Digest>,
    /// What it is compared with; none where nothing was applied yet.
    pub against: Option<Against>,
    /// Names the catalog, for `apply --plan`.
    pub plan: Sha256Digest,
    pub classes_added: Vec<String>,
    pub classes_removed: Vec<String>,
    pub changes: Vec<Change>,
    /// True where resources that stay come in another order.
    pub reordered: bool,
    /// True where resources that stay are in other classes or defined types.
    pub regrouped: bool,
}

/// What a catalog is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Against {
    pub app: AppPath,
    /// The run whose ENC it was compiled with.
    pub run: Option<String>,
}

impl Preview {
    /// True where Puppet would be asked for something else.
    pub fn differs(&self) -> bool {
        let classes = self.classes_added.len() + self.classes_removed.len();
        self.changes.len() + classes > 0 || self.reordered || self.regrouped
    }

    /// Differences are what `--noop` would find.
    pub fn exit(&self) -> Exit {
        if self.differs() { Exit::Changed } else { Exit::Ok }
    }
}

/// The catalog that a run is to apply, and how to know it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    pub plan: Sha256Digest,
    pub bundle_id: Option<Sha256Digest>,
    pub away: Vec<Away>,
    /// The directories that Puppet takes modules' files from.
    pub modulepath: Vec<String>,
}

impl Expected {
    /// A catalog as Puppet wrote it.
    pub fn catalog(&self, text: &[u8]) -> Result<Catalog, serde_json::Error> {
        Catalog::from_json(text, &self.away)
    }
}
