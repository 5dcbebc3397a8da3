//! What a repository offers, as its pages tell it: its apps, and the releases of each.
//!
//! It is kept beside the indexes, an object an app, so that adding a release
//! touches what is told of its app and nothing else.

use super::app::{AppPath, PackageName, Release};
use super::compression::Format;
use super::diff::Verdict;
use super::digest::Sha256Digest;
use super::ledger::{Entry, Name, plain};
use super::url::{BadUrl, Url};
use super::version::Version;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// The page that people begin with.
pub const INDEX_PAGE: &str = "index.html";

/// The apps of a repository, which the page is made of.
pub const APPS: &str = "releases/.apps.json";

/// More than this, and no list of apps or releases is read.
pub const LARGEST: u64 = 64 << 20;

/// The version of the formats below.
const SCHEMA: u32 = 1;

/// The apps of a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Apps {
    /// Where nodes read the repository, if it was said.
    pub url: Option<Url>,
    pub signed: bool,
    /// By the path of the app without its tag: `foo`.
    pub apps: BTreeMap<String, Summary>,
}

/// An app in a few words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    pub releases: usize,
    /// The highest version.
    pub newest: AppPath,
    /// When that one was published.
    pub published_at: String,
}

/// The releases of one app, the highest version first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Releases {
    pub app: String,
    pub releases: Vec<Offer>,
}

/// One release.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    pub app: AppPath,
    pub package: PackageName,
    pub version: Version,
    pub bundle_id: Sha256Digest,
    pub published_at: String,
    pub files: BTreeMap<Format, Link>,
    /// The release below it, and what it is to those who called that one.
    pub since: Option<(AppPath, Verdict)>,
}

/// A package of a release, by its path in the repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub path: String,
    pub bytes: u64,
}

/// A document with the version of its format.
#[derive(Serialize, Deserialize)]
struct Document<T> {
    schema: u32,
    #[serde(flatten)]
    of: T,
}

/// Why a list cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum OfferError {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("expected `schema` {SCHEMA}, found `{0}`; a newer localpuppet reads it")]
    Schema(u32),
}

/// Why a URL cannot be told of on a page.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    #[error(transparent)]
    Url(#[from] BadUrl),
    #[error(
        "expected a URL that a shell and a list of sources take as it is, found {1:?} in `{0}`"
    )]
    Character(String, char),
}

/// Reads where nodes read the repository: people type what the page makes of it.
pub fn address(text: &str) -> Result<Url, AddressError> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~%/:[]+,=@".contains(c);
    match text.chars().find(|&c| !is_plain(c)) {
        Some(c) => Err(AddressError::Character(text.to_owned(), c)),
        None => Ok(text.parse()?),
    }
}

/// Reads a list of apps or of releases.
pub fn from_json<T: DeserializeOwned>(text: &[u8]) -> Result<T, OfferError> {
    let document: Document<T> = serde_json::from_slice(text)?;
    match document.schema {
        SCHEMA => Ok(document.of),
        other => Err(OfferError::Schema(other)),
    }
}

/// Writes it down.
pub fn to_json<T: Serialize>(of: &T) -> Vec<u8> {
    // Strings, numbers and maps by strings: nothing here can fail to serialise.
    serde_json::to_vec(&Document { schema: SCHEMA, of }).unwrap_or_default()
}

impl Releases {
    /// Those of an app, of which there are none yet.
    pub fn of(app: &str) -> Self {
        Releases { app: app.to_owned(), releases: Vec::new() }
    }

    /// Where the list is kept.
    pub fn key(app: &str) -> String {
        format!("releases/{}.json", plain(app))
    }

    /// The page of the app.
    pub fn page(app: &str) -> String {
        format!("releases/{}.html", plain(app))
    }

    /// Takes in a package of a release.
    pub fn add(&mut self, entry: &Entry) {
        let link = Link { path: entry.path.clone(), bytes: entry.bytes };
        if let Some(offer) = self.releases.iter_mut().find(|offer| offer.is(&entry.name)) {
            offer.files.insert(entry.name.format, link);
            return;
        }
        let offer = Offer {
            app: entry.app.clone(),
            package: entry.name.package.clone(),
            version: entry.name.version.clone(),
            bundle_id: entry.bundle_id,
            published_at: entry.published_at.clone(),
            files: BTreeMap::from([(entry.name.format, link)]),
            since: None,
        };
        // Two tags may be one version: `r1` and `v1`.
        let lower = |other: &Offer| {
            let order = other.version.order(&offer.version);
            order.then_with(|| offer.package.as_str().cmp(other.package.as_str())).is_lt()
        };
        let at = self.releases.iter().position(lower).unwrap_or(self.releases.len());
        self.releases.insert(at, offer);
    }

    /// True where a package is told of.
    pub fn has(&self, name: &Name) -> bool {
        let is_it = |offer: &Offer| offer.is(name) && offer.files.contains_key(&name.format);
        self.releases.iter().any(is_it)
    }

    /// Takes out a package, and the release with its last one.
    pub fn remove(&mut self, name: &Name) {
        for offer in self.releases.iter_mut().filter(|offer| offer.is(name)) {
            offer.files.remove(&name.format);
        }
        self.releases.retain(|offer| !offer.files.is_empty());
    }

    /// The releases that a change of these versions may make new, or give another neighbour below.
    pub fn touched<'v>(&self, versions: impl Iterator<Item = &'v Version>) -> BTreeSet<usize> {
        let mut touched = BTreeSet::new();
        for version in versions {
            let is_higher = |offer: &&Offer| offer.version.order(version).is_gt();
            let higher = self.releases.iter().take_while(is_higher).count();
            let is_equal = |offer: &&Offer| offer.version.order(version).is_eq();
            let equal = self.releases[higher..].iter().take_while(is_equal).count();
            touched.extend(higher.saturating_sub(1)..higher + equal.max(1));
        }
        touched.retain(|at| *at < self.releases.len());
        touched
    }

    /// The app in a few words; none where it has no release any more.
    pub fn summary(&self) -> Option<Summary> {
        let newest = self.releases.first()?;
        Some(Summary {
            releases: self.releases.len(),
            newest: newest.app.clone(),
            published_at: newest.published_at.clone(),
        })
    }
}

impl Offer {
    fn is(&self, name: &Name) -> bool {
        self.package == name.package && self.version == name.version
    }

    /// Its app path, and of a snapshot, which is one of many, the version.
    pub fn shown(&self) -> String {
        match is_release(&self.app, &self.package) {
            true => self.app.to_string(),
            false => format!("{} {}", self.app, self.version),
        }
    }

    /// The page of the release.
    pub fn page(&self) -> String {
        format!("{}.html", stem(&self.package, &self.version))
    }
}

/// False for a snapshot, even where it is one of a tag.
pub fn is_release(app: &AppPath, package: &PackageName) -> bool {
    Release::of(app)
        .is_ok_and(|release| release.tag().is_some() && release.package_name() == *package)
}

/// The directory of the pages and of what they are made of.
pub const DIRECTORY: &str = "releases/";

/// Where the documents of a release are kept, compressed: its `bundle.json` and its `interface.json`.
/// The bundle ID is part of the name, so that no bundle is in the way of the one that is published.
pub fn documents(package: &PackageName, version: &Version, id: Sha256Digest) -> [String; 2] {
    let (stem, id) = (stem(package, version), id.to_string());
    let stem = format!("{stem}-{}", &id[..16]);
    [format!("{stem}.bundle.json.gz"), format!("{stem}.interface.json.gz")]
}

/// True for a key of [`kept`]: such a document, or the page of a release.
pub fn is_kept(key: &str) -> bool {
    key.strip_prefix(DIRECTORY).is_some_and(|name| name.contains('/'))
}

/// All that is kept of a release beside its packages.
pub fn kept(package: &PackageName, version: &Version, id: Sha256Digest) -> [String; 3] {
    let [bundle, interface] = documents(package, version, id);
    [bundle, interface, format!("{}.html", stem(package, version))]
}

fn stem(package: &PackageName, version: &Version) -> String {
    format!("releases/{}/{}", plain(package.as_str()), plain(version.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ledger::Index;

    fn entry(app: &str, version: &str, format: Format) -> Entry {
        let app: AppPath = app.parse().unwrap();
        let package = Release::of(&app).unwrap().package_name();
        Entry {
            schema: Entry::schema(),
            name: Name { package, version: version.parse().unwrap(), format },
            app,
            bundle_id: Sha256Digest::of(""),
            given: Sha256Digest::of(""),
            path: format!("{format}/{version}"),
            bytes: 7,
            sha256: Sha256Digest::of(""),
            published_at: format!("2012-01-0{}", &version[..1]),
            promoted_from: None,
            index: Index::Deb { packages: String::new() },
        }
    }

    #[test]
    fn releases_are_listed_by_version_whatever_the_order_of_publishing() {
        let mut list = Releases::of("foo");
        for version in ["2", "10", "1"] {
            let app = format!("foo/tags/r{version}");
            list.add(&entry(&app, version, Format::Deb));
            list.add(&entry(&app, version, Format::Rpm));
            list.add(&entry(&app, version, Format::Rpm));
        }
        let shown = |list: &Releases| -> Vec<String> {
            let shown = |offer: &Offer| format!("{} {}", offer.app, offer.files.len());
            list.releases.iter().map(shown).collect()
        };
        assert_eq!(shown(&list), ["foo/tags/r10 2", "foo/tags/r2 2", "foo/tags/r1 2"]);
        let touched = |version: &str| {
            let version = version.parse().unwrap();
            list.touched([&version].into_iter()).into_iter().collect::<Vec<_>>()
        };
        assert_eq!(touched("10"), [0]);
        assert_eq!(touched("1"), [1, 2]);
        assert_eq!(touched("3"), [0, 1]);
        assert_eq!(touched("0"), [2]);
        assert_eq!(list.summary().unwrap().newest.as_str(), "foo/tags/r10");
        assert_eq!(from_json::<Releases>(&to_json(&list)).unwrap(), list);

        list.remove(&entry("foo/tags/r2", "2", Format::Deb).name);
        assert_eq!(shown(&list), ["foo/tags/r10 2", "foo/tags/r2 1", "foo/tags/r1 2"]);
        list.remove(&entry("foo/tags/r2", "2", Format::Rpm).name);
        assert_eq!(shown(&list), ["foo/tags/r10 2", "foo/tags/r1 2"]);
        assert_eq!(Releases::of("foo").summary(), None);
    }

    #[test]
    fn releases_of_one_version_are_all_touched_and_in_one_order() {
        let add = |tags: [&str; 4]| {
            let mut list = Releases::of("foo");
            for tag in tags {
                let app = format!("foo/tags/{tag}");
                list.add(&entry(&app, tag.trim_start_matches(['r', 'v']), Format::Deb));
            }
            list
        };
        let list = add(["r1", "v2", "r2", "r3"]);
        assert_eq!(list, add(["r3", "r2", "v2", "r1"]));
        let touched = list.touched([&"2".parse().unwrap()].into_iter());
        assert_eq!(touched.into_iter().collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[test]
    fn an_address_is_one_word_to_a_shell() {
        let plain = "https://x.example:8443/a%20b/~me/";
        assert_eq!(address(plain).unwrap().to_string(), plain);
        for c in ['\'', '?', '#', ' ', '$', '&', ';', '(', '*', '"', '`', '!'] {
            let text = format!("https://x/a{c}b");
            let told = "expected a URL that a shell and a list of sources take as it is, found";
            let told = format!("{told} {c:?} in `{text}`");
            assert_eq!(address(&text).unwrap_err().to_string(), told);
        }
        assert!(matches!(address("x"), Err(AddressError::Url(_))));
    }

    #[test]
    fn a_list_of_another_version_is_refused() {
        let error = from_json::<Releases>(br#"{"schema":9,"app":"foo","releases":[]}"#);
        let told = "expected `schema` 1, found `9`; a newer localpuppet reads it";
        assert_eq!(error.unwrap_err().to_string(), told);
    }
}
