//! `bundle.json`: what a bundle says of itself, and the bundle ID.

use super::app::{AppPath, NotARelease, PackageName, Release, searched};
use super::compression::Format;
use super::digest::Sha256Digest;
use super::interface::document;
use super::links::{BadLink, Links};
use super::module::{self, Metadata, Module};
use super::tree::{Mode, Node, TreePath, tree_digest};
use super::version::{RPM_RELEASE, Version};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::ops::Bound;

/// The directory that every release is installed below.
pub const INSTALL_ROOT: &str = "/usr/share/localpuppet";

/// The file in a release's directory that describes it.
pub const FILE_NAME: &str = "bundle.json";

/// The directory in a release's directory that is the module root, cut down to the release.
pub const MODULE_ROOT: &str = "modules";

/// The version of the format below.
const SCHEMA: u32 = 1;

/// More than this, and a `bundle.json` is not read: some 500,000 files.
pub const LARGEST: u64 = 128 << 20;

/// What a release is made of.
///
/// The order of fields is the order in the file; `files` comes last, one line a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    /// The version of this format.
    pub schema: u32,
    /// What built it: `localpuppet 0.1.0`.
    pub tool: String,
    /// SHA-256 over the canonical list; see [`Bundle::computed_id`].
    pub bundle_id: Sha256Digest,
    /// The app path.
    pub app: AppPath,
    /// The tag; none for a snapshot.
    pub tag: Option<String>,
    /// The name of the package, the same for dpkg and rpm.
    pub package: PackageName,
    /// The version of the package, the same for dpkg and rpm.
    pub version: Version,
    /// The app first, then its dependencies, in the order that Puppet searches; see [`searched`].
    pub modulepath: Vec<Entry>,
    /// Every Puppet module on the modulepath.
    pub modules: Vec<Module>,
    /// The file beside this one that has the class interface of the files; a newer localpuppet
    /// may read them better, so that it is no part of the bundle ID. Older packages have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interface: Option<Node>,
    /// Every other path below the release's directory but this file, in the order of its bytes.
    pub files: Vec<Node>,
}

/// One directory of the modulepath.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// The app path.
    pub app: AppPath,
    /// The absolute path on a node.
    pub directory: String,
    /// The digest of its tree, with paths relative to it: the same content, the same digest.
    pub tree: Sha256Digest,
}

/// Why a document is not a `bundle.json`.
#[derive(Debug, thiserror::Error)]
pub enum BundleError {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("expected `schema` {SCHEMA}, found `{0}`; a newer localpuppet reads it")]
    Schema(u32),
    #[error("`files` are not in order, or twice the same, at `{0}`")]
    Order(TreePath),
    #[error("`modulepath` does not begin with the app `{0}`")]
    Modulepath(AppPath),
    #[error("`{key}` is `{found}`; for app `{app}` it is `{expected}`")]
    Derived { key: &'static str, app: AppPath, expected: String, found: String },
    #[error("`files` has `{0}`, which is not in a directory of the release")]
    Stray(TreePath),
    #[error("`files` has a link that cannot be: `{path}` {reason}")]
    Link { path: TreePath, reason: String },
    #[error("`tree` of `{0}` is not that of its files")]
    Tree(AppPath),
    #[error("expected `interface` to be a plain file `{}`", document::FILE_NAME)]
    Interface,
    #[error("`modules` are not those of the files")]
    Modules,
    #[error("`bundle_id` is `{stated}`; the rest of the document makes it `{computed}`")]
    Id { stated: Sha256Digest, computed: Sha256Digest },
}

impl Bundle {
    /// Describes a release.
    ///
    /// `trees` are the directories of the modulepath in order, each with its
    /// nodes, whose paths are relative to the module root; `parents` of them
    /// are added here.
    pub fn new(
        release: &Release,
        version: Option<Version>,
        trees: &[(AppPath, Vec<Node>)],
        modules: Vec<Module>,
    ) -> Self {
        let directory = format!("{INSTALL_ROOT}/{}", release.directory());
        let modulepath = trees
            .iter()
            .map(|(app, nodes)| Entry {
                app: app.clone(),
                directory: format!("{directory}/{MODULE_ROOT}/{app}"),
                tree: tree_digest(app.as_str(), nodes),
            })
            .collect();
        let mut bundle = Bundle {
            schema: SCHEMA,
            tool: concat!("localpuppet ", env!("CARGO_PKG_VERSION")).to_owned(),
            bundle_id: Sha256Digest::of(""),
            app: release.path().clone(),
            tag: release.tag().map(str::to_owned),
            package: release.package_name(),
            version: Version::of_snapshot(Sha256Digest::of("")),
            modulepath,
            modules,
            interface: None,
            files: below_module_root(trees),
        };
        bundle.bundle_id = bundle.computed_id();
        bundle.version = version.unwrap_or_else(|| Version::of_snapshot(bundle.bundle_id));
        bundle
    }

    /// The same release with its class interface beside it.
    pub fn with_interface(self, text: &str) -> Self {
        let path = document::FILE_NAME.parse().ok();
        let file = |path| Node::File {
            path,
            mode: Mode::Plain,
            size: text.len() as u64,
            sha256: Sha256Digest::of(text),
        };
        Bundle { interface: path.map(file), ..self }
    }

    /// Every path below the release's directory but `bundle.json`.
    pub fn content(&self) -> impl Iterator<Item = &Node> {
        self.interface.iter().chain(&self.files)
    }

    /// The bundle ID: SHA-256 over a header line, the app path, the modulepath
    /// in order, and the canonical line of every file. Neither the tool's nor
    /// the package's version is part of it.
    pub fn computed_id(&self) -> Sha256Digest {
        let mut text = format!("localpuppet bundle {}\napp {}\n", self.schema, self.app);
        for entry in &self.modulepath {
            let _ = writeln!(text, "modulepath {}", entry.app);
        }
        for node in &self.files {
            text.push_str(&node.canonical_line());
        }
        Sha256Digest::of(text)
    }

    /// The directory of the release on a node.
    pub fn directory(&self) -> String {
        // A bundle is built and parsed only with an app path that has a release.
        let release = self.release().map(|release| release.directory());
        format!("{INSTALL_ROOT}/{}", release.unwrap_or_default())
    }

    /// The release that this bundle is of.
    pub fn release(&self) -> Result<Release, NotARelease> {
        match self.tag {
            Some(_) => Release::of(&self.app),
            None => Release::snapshot_of(&self.app),
        }
    }

    /// How another bundle of the same release differs from this one, a line each.
    pub fn differences(&self, other: &Bundle) -> Vec<String> {
        let mut lines = Vec::new();
        if self.modulepath() != other.modulepath() {
            let (here, there) = (self.modulepath(), other.modulepath());
            lines.push(format!("the modulepath was `{there}` and is `{here}`"));
        }
        let by_path = |bundle: &Bundle| -> BTreeMap<TreePath, String> {
            let lines =
                bundle.files.iter().map(|node| (node.path().clone(), node.canonical_line()));
            lines.collect()
        };
        let mut there = by_path(other);
        for (path, line) in by_path(self) {
            match there.remove(&path) {
                None => lines.push(format!("`{path}` was added")),
                Some(old) if old != line => lines.push(format!("`{path}` was changed")),
                Some(_) => {}
            }
        }
        lines.extend(there.into_keys().map(|path| format!("`{path}` was removed")));
        lines
    }

    /// What Puppet gets as `--modulepath`.
    pub fn modulepath(&self) -> String {
        let searched = self.searched().into_iter();
        searched.map(|entry| entry.directory.as_str()).collect::<Vec<_>>().join(":")
    }

    /// The directories that Puppet searches, in order.
    pub fn searched(&self) -> Vec<&Entry> {
        searched(&self.modulepath, |entry| &entry.app)
    }

    /// The name of the package file, as dpkg-deb and rpmbuild would name it.
    pub fn file_name(&self, format: Format) -> String {
        let (package, version) = (&self.package, &self.version);
        match format {
            Format::Deb => format!("{package}_{version}_all.deb"),
            Format::Rpm => format!("{package}-{version}-{RPM_RELEASE}.noarch.rpm"),
        }
    }

    /// True for the name of a package of this release, of any format and version, but
    /// those that a bundle of it is written to; a snapshot may have many versions.
    pub fn is_package_name(&self, name: &str) -> bool {
        let version = |start: String, end: &str| {
            let version = name.strip_prefix(&start)?.strip_suffix(end)?;
            version.parse::<Version>().ok()
        };
        let deb = version(format!("{}_", self.package), "_all.deb");
        let rpm = version(format!("{}-", self.package), &format!("-{RPM_RELEASE}.noarch.rpm"));
        self.tag.is_some() && deb.or(rpm).is_some()
    }

    /// Bytes of content.
    pub fn size(&self) -> u64 {
        self.files.iter().map(Node::size).fold(0, u64::saturating_add)
    }

    /// The canonical document: the same release gives the same bytes.
    pub fn to_json(&self) -> String {
        let head = Bundle { files: Vec::new(), ..self.clone() };
        // Strings, numbers and lists of them: nothing here can fail to serialise.
        let head = serde_json::to_string_pretty(&head).unwrap_or_default();
        let lines: Vec<String> = self
            .files
            .iter()
            .map(|node| format!("    {}", serde_json::to_string(node).unwrap_or_default()))
            .collect();
        let head = head.trim_end_matches("[]\n}");
        format!("{head}[\n{}\n  ]\n}}\n", lines.join(",\n"))
    }

    /// Reads a document that may have been written by anyone, and checks all that it can alone.
    pub fn from_json(text: &[u8]) -> Result<Self, BundleError> {
        let bundle: Bundle = serde_json::from_slice(text)?;
        if bundle.schema != SCHEMA {
            return Err(BundleError::Schema(bundle.schema));
        }
        if let Some(pair) = bundle.files.windows(2).find(|pair| pair[0].path() >= pair[1].path()) {
            return Err(BundleError::Order(pair[1].path().clone()));
        }
        if bundle.modulepath.first().map(|entry| &entry.app) != Some(&bundle.app) {
            return Err(BundleError::Modulepath(bundle.app));
        }
        bundle.check_derived()?;
        bundle.check_interface()?;
        bundle.check_files()?;
        let computed = bundle.computed_id();
        if computed != bundle.bundle_id {
            return Err(BundleError::Id { stated: bundle.bundle_id, computed });
        }
        Ok(bundle)
    }

    /// The fields that follow from others must not say something else.
    fn check_derived(&self) -> Result<(), BundleError> {
        let app = &self.app;
        let differs = |key, expected: String, found: &str| {
            let (app, found) = (app.clone(), found.to_owned());
            Err(BundleError::Derived { key, app, expected, found })
        };
        let Ok(release) = self.release() else {
            return differs("app", "NAME/tags/TAG".to_owned(), app.as_str());
        };
        if self.package != release.package_name() {
            return differs("package", release.package_name().to_string(), self.package.as_str());
        }
        if self.tag.as_deref() != release.tag() {
            let found = self.tag.as_deref().unwrap_or("null");
            return differs("tag", release.tag().unwrap_or("null").to_owned(), found);
        }
        let root = self.directory();
        for entry in &self.modulepath {
            let expected = format!("{root}/{MODULE_ROOT}/{}", entry.app);
            if entry.directory != expected {
                return differs("directory", expected, &entry.directory);
            }
        }
        Ok(())
    }
}

impl Bundle {
    fn check_interface(&self) -> Result<(), BundleError> {
        match &self.interface {
            None => Ok(()),
            Some(Node::File { path, mode: Mode::Plain, .. })
                if path.as_str() == document::FILE_NAME =>
            {
                Ok(())
            }
            Some(_) => Err(BundleError::Interface),
        }
    }

    /// What `files` tell of the rest of the document must be what it says.
    fn check_files(&self) -> Result<(), BundleError> {
        let at: BTreeMap<&str, &Node> =
            self.files.iter().map(|node| (node.path().as_str(), node)).collect();
        let is_directory = |path: &str| matches!(at.get(path), Some(Node::Directory { .. }));
        let odd = |node: &&Node| match node.path().parent() {
            None => node.path().as_str() != MODULE_ROOT,
            Some(parent) => !is_directory(parent),
        };
        if let Some(node) = self.files.iter().find(odd) {
            return Err(BundleError::Stray(node.path().clone()));
        }
        let links = Links::among(self.files.iter());
        if let Some(BadLink { path, reason }) = links.refused(self.files.iter()).into_iter().next()
        {
            return Err(BundleError::Link { path, reason });
        }
        let searched = self.searched();
        let mut found = Vec::new();
        for entry in &self.modulepath {
            let directory = format!("{MODULE_ROOT}/{}", entry.app);
            let below = format!("{directory}/");
            let from_there =
                at.range::<str, _>((Bound::Included(below.as_str()), Bound::Unbounded));
            let nodes: Vec<&Node> = from_there
                .take_while(|(path, _)| path.starts_with(&below))
                .map(|(_, node)| *node)
                .collect();
            if !is_directory(&directory)
                || tree_digest(&directory, nodes.iter().copied()) != entry.tree
            {
                return Err(BundleError::Tree(entry.app.clone()));
            }
            if searched.contains(&entry) {
                let names = module::names(&directory, nodes.into_iter(), &links);
                found.extend(names.into_iter().map(|name| (entry.app.clone(), name)));
            }
        }
        self.check_modules(found)
    }

    fn check_modules(&self, found: Vec<(AppPath, String)>) -> Result<(), BundleError> {
        let found = found.into_iter().map(|(app, name)| (app, name, Metadata::default()));
        let found = module::shadow(found.collect());
        let same = |a: &Module, b: &Module| {
            (&a.app, &a.name, &a.shadowed_by) == (&b.app, &b.name, &b.shadowed_by)
        };
        let all_same = found.len() == self.modules.len()
            && found.iter().zip(&self.modules).all(|(a, b)| same(a, b));
        if all_same { Ok(()) } else { Err(BundleError::Modules) }
    }
}

/// All nodes below `modules/`, with the directories above them, in the order of their bytes.
fn below_module_root(trees: &[(AppPath, Vec<Node>)]) -> Vec<Node> {
    let mut files: Vec<Node> = Vec::new();
    let mut directories: BTreeSet<String> = BTreeSet::new();
    for (app, nodes) in trees {
        let mut above = format!("{MODULE_ROOT}/{app}");
        directories.insert(above.clone());
        while let Some((parent, _)) = above.rsplit_once('/') {
            above.truncate(parent.len());
            directories.insert(above.clone());
        }
        files.extend(nodes.iter().filter_map(|node| {
            Some(node.with_path(format!("{MODULE_ROOT}/{}", node.path()).parse().ok()?))
        }));
    }
    files.retain(|node| !directories.contains(node.path().as_str()));
    let directories = directories.iter().filter_map(|path| path.parse().ok());
    files.extend(directories.map(|path| Node::Directory { path }));
    files.sort_by(|a, b| a.path().cmp(b.path()));
    // What an app has in a directory of its own that is on the modulepath is in both trees.
    files.dedup();
    files
}
