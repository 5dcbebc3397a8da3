//! `publish`: whether a package is added, is there already, or is refused.

use crate::model::digest::Sha256Digest;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::ledger::{Entry, Name};

/// A package that was handed in.
pub struct Wanted<'a> {
    pub name: &'a Name,
    pub bundle_id: Sha256Digest,
    /// Digest of the file.
    pub sha256: Sha256Digest,
    /// True where the name stands for one release and not for many snapshots.
    pub is_release: bool,
}

/// What the ledger says of a name.
pub struct Known {
    pub entry: Entry,
    /// True where it was published and removed.
    pub removed: bool,
}

/// What to do with a package.
#[derive(Debug)]
pub enum Step<'a> {
    /// It is to be published.
    Add,
    /// The same bytes were published before.
    Unchanged(&'a Entry),
    /// Its name or its release stands for something else, for ever.
    Refuse(Clash<'a>),
}

/// What a package is in the way of.
#[derive(Debug)]
pub enum Clash<'a> {
    /// Other bytes under this name and version.
    Bytes(&'a Entry),
    /// Another bundle as the same release, in another format or version.
    Bundle(&'a Entry),
    /// The release at another version.
    Version(&'a Entry),
    /// It was published once, and removed.
    Removed(&'a Entry),
}

/// Decides by what the ledger knows of all versions and formats of the package.
pub fn decide<'a>(wanted: &Wanted, known: &'a [Known]) -> Step<'a> {
    let same_name = known.iter().find(|known| known.entry.name == *wanted.name);
    if let Some(Known { entry, removed }) = same_name {
        return match [entry.given, entry.sha256].contains(&wanted.sha256) {
            _ if *removed => Step::Refuse(Clash::Removed(entry)),
            // What was handed in is what another ledger said, where it was promoted.
            true if entry.bundle_id != wanted.bundle_id => Step::Refuse(Clash::Bundle(entry)),
            true => Step::Unchanged(entry),
            false => Step::Refuse(Clash::Bytes(entry)),
        };
    }
    for Known { entry, .. } in known {
        let same_version = entry.name.version == wanted.name.version;
        if !same_version && wanted.is_release {
            return Step::Refuse(Clash::Version(entry));
        }
        if same_version && entry.bundle_id != wanted.bundle_id {
            return Step::Refuse(Clash::Bundle(entry));
        }
    }
    Step::Add
}

impl Clash<'_> {
    /// The entry that is in the way.
    pub fn entry(&self) -> &Entry {
        match self {
            Clash::Bytes(entry)
            | Clash::Bundle(entry)
            | Clash::Version(entry)
            | Clash::Removed(entry) => entry,
        }
    }

    /// The refusal, with both digests.
    pub fn failure(&self, wanted: &Wanted, file: &str) -> Failure {
        let name = wanted.name;
        let failure = match self {
            Clash::Bytes(there) => Failure::new(format!(
                "`{name}` is published already, with other bytes: expected SHA-256 {}, found {} in `{file}`",
                there.given, wanted.sha256
            )),
            Clash::Bundle(there) => Failure::new(format!(
                "`{}` is published already, as another bundle: expected bundle ID {}, found {} in `{file}`",
                there.name, there.bundle_id, wanted.bundle_id
            )),
            Clash::Version(there) => Failure::new(format!(
                "the release of `{}` is published already, as version {}; found version {} in `{file}`",
                name.package, there.name.version, name.version
            )),
            Clash::Removed(there) => Failure::new(format!(
                "`{name}` was published on {} and has been removed since; a version is used once",
                there.published_at
            )),
        };
        failure
            .exit(Exit::NotVerified)
            .hint("a release never changes: tag a new one, and publish that")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::compression::Format;
    use crate::model::ledger::Index;

    fn name(version: &str, format: Format) -> Name {
        let package = serde_json::from_value("localpuppet-foo-r1".into()).unwrap();
        Name { package, version: version.parse().unwrap(), format }
    }

    fn known(version: &str, format: Format, bundle: &str, removed: bool) -> Known {
        let entry = Entry {
            schema: Entry::schema(),
            name: name(version, format),
            app: "foo/tags/r1".parse().unwrap(),
            bundle_id: Sha256Digest::of(bundle),
            given: Sha256Digest::of("given"),
            path: String::new(),
            bytes: 0,
            sha256: Sha256Digest::of("signed"),
            published_at: String::new(),
            promoted_from: None,
            index: Index::Deb { packages: String::new() },
        };
        Known { entry, removed }
    }

    fn told(version: &str, bytes: &str, is_release: bool, known: &[Known]) -> &'static str {
        let name = name(version, Format::Deb);
        let (bundle_id, sha256) = (Sha256Digest::of("b"), Sha256Digest::of(bytes));
        match decide(&Wanted { name: &name, bundle_id, sha256, is_release }, known) {
            Step::Add => "add",
            Step::Unchanged(_) => "unchanged",
            Step::Refuse(Clash::Bytes(_)) => "bytes",
            Step::Refuse(Clash::Bundle(_)) => "bundle",
            Step::Refuse(Clash::Version(_)) => "version",
            Step::Refuse(Clash::Removed(_)) => "removed",
        }
    }

    #[test]
    fn a_name_stands_for_one_content_for_ever() {
        let deb = [known("1", Format::Deb, "b", false)];
        assert_eq!(told("1", "given", true, &[]), "add");
        assert_eq!(told("1", "given", true, &deb), "unchanged");
        assert_eq!(told("1", "signed", true, &deb), "unchanged");
        assert_eq!(told("1", "other", true, &deb), "bytes");
        assert_eq!(told("1", "given", true, &[known("1", Format::Deb, "x", false)]), "bundle");
        assert_eq!(told("1", "given", true, &[known("1", Format::Deb, "b", true)]), "removed");
    }

    #[test]
    fn a_release_is_one_bundle_at_one_version() {
        assert_eq!(told("1", "x", true, &[known("1", Format::Rpm, "b", false)]), "add");
        assert_eq!(told("1", "x", true, &[known("1", Format::Rpm, "other", false)]), "bundle");
        assert_eq!(told("1", "x", true, &[known("1", Format::Rpm, "other", true)]), "bundle");
        assert_eq!(told("2", "x", true, &[known("1", Format::Rpm, "b", false)]), "version");
        assert_eq!(told("2", "x", false, &[known("1", Format::Deb, "other", false)]), "add");
    }
}
