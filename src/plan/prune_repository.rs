//! `publish --prune`: which releases leave a repository.

use super::publish::Known;
use crate::model::ledger::Entry;
use crate::model::offer::is_release;
use jiff::{SignedDuration, Timestamp};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The packages of releases, by package and version.
type Releases<'a> = BTreeMap<(&'a str, &'a str), Vec<&'a Entry>>;

/// The entries to remove: all but the highest `keep` versions of each app, of its snapshots, whose
/// versions tell no order, the latest; and none that was published in the last `days`.
pub fn choose(known: &[Known], keep: usize, days: u32, now: Timestamp) -> Vec<&Entry> {
    let limit = now.checked_sub(SignedDuration::from_hours(i64::from(days) * 24));
    let limit = limit.unwrap_or(Timestamp::MIN);
    let mut apps: BTreeMap<(&str, bool), Releases> = BTreeMap::new();
    for Known { entry, .. } in known.iter().filter(|known| !known.removed) {
        let is_release = is_release(&entry.app, &entry.name.package);
        let releases = apps.entry((entry.app.source(), is_release)).or_default();
        let name = (entry.name.package.as_str(), entry.name.version.as_str());
        releases.entry(name).or_default().push(entry);
    }
    let mut chosen = Vec::new();
    for ((_, is_release), releases) in apps {
        let mut releases: Vec<Vec<&Entry>> = releases.into_values().collect();
        // A release is as young as the younger of its packages.
        let age = |release: &[&Entry]| release.iter().map(|entry| published(entry)).max();
        releases.sort_by(|one_of, other_of| match (one_of.first(), other_of.first()) {
            (Some(one), Some(other)) if is_release => other.name.version.order(&one.name.version),
            (Some(_), Some(_)) => age(other_of).cmp(&age(one_of)),
            _ => Ordering::Equal,
        });
        let old = |release: &Vec<&Entry>| age(release).is_some_and(|time| time < limit);
        chosen.extend(releases.into_iter().skip(keep).filter(old).flatten());
    }
    chosen
}

/// When; what cannot be read counts as now, and stays.
fn published(entry: &Entry) -> Timestamp {
    entry.published_at.parse().unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::app::Release;
    use crate::model::compression::Format;
    use crate::model::digest::Sha256Digest;
    use crate::model::ledger::{Index, Name};

    fn known(app: &str, format: Format, day: u32) -> Known {
        let release = Release::of(&app.parse().unwrap()).unwrap();
        let version = release.tag().map_or("0~1", |tag| &tag[1..]).parse().unwrap();
        let package = release.package_name();
        let entry = Entry {
            schema: Entry::schema(),
            name: Name { package, version, format },
            app: app.parse().unwrap(),
            bundle_id: Sha256Digest::of(""),
            given: Sha256Digest::of(""),
            path: String::new(),
            bytes: 0,
            sha256: Sha256Digest::of(""),
            published_at: format!("2026-01-{day:02}T00:00:00.000Z"),
            promoted_from: None,
            index: Index::Deb { packages: String::new() },
        };
        Known { entry, removed: false }
    }

    #[test]
    fn the_highest_of_each_app_stay_and_so_do_the_young() {
        let all = [
            known("foo/tags/r1", Format::Deb, 1),
            known("foo/tags/r1", Format::Rpm, 1),
            known("foo/tags/r2", Format::Deb, 2),
            known("foo/tags/r3", Format::Deb, 3),
            known("bar/tags/r1", Format::Deb, 1),
            known("foo/trunk", Format::Deb, 9),
            known("foo/branches/x", Format::Deb, 1),
        ];
        let now = "2026-01-10T00:00:00Z".parse().unwrap();
        let chosen = |keep, days| {
            let chosen = choose(&all, keep, days, now);
            chosen
                .iter()
                .map(|entry| format!("{} {}", entry.app, entry.name.format))
                .collect::<Vec<_>>()
        };
        assert_eq!(chosen(2, 0), ["foo/tags/r1 deb", "foo/tags/r1 rpm"]);
        let r1 = ["foo/tags/r1 deb", "foo/tags/r1 rpm"];
        assert_eq!(chosen(1, 0), [&["foo/branches/x deb", "foo/tags/r2 deb"][..], &r1].concat());
        // A version that was published late is as high as before.
        let late = [known("foo/tags/r2", Format::Deb, 1), known("foo/tags/r1", Format::Deb, 2)];
        assert_eq!(choose(&late, 1, 0, now)[0].app.as_str(), "foo/tags/r1");
        // A snapshot's version is a digest.
        let snapshot = |version: &str, day| {
            let mut known = known("foo/trunk", Format::Deb, day);
            known.entry.name.version = version.parse().unwrap();
            known
        };
        let snapshots = [snapshot("0~~9", 1), snapshot("0~~a", 2), snapshot("0~~1", 3)];
        let gone = choose(&snapshots, 1, 0, now);
        let gone: Vec<&str> = gone.iter().map(|entry| entry.name.version.as_str()).collect();
        assert_eq!(gone, ["0~~a", "0~~9"]);
        assert_eq!(chosen(1, 8), [&["foo/branches/x deb"][..], &r1].concat());
        assert_eq!(chosen(1, 30), [""; 0]);
        assert_eq!(chosen(1, u32::MAX), [""; 0]);
    }
}
