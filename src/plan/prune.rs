//! Which releases of a node are old.

use crate::model::age::Age;
use crate::model::app::PackageName;
use crate::model::pruned::Why;
use jiff::Timestamp;

/// A release that is installed, and what is known of its use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// The app without its tag: releases of one source follow each other.
    pub source: String,
    pub package: PackageName,
    /// When it was installed here.
    pub installed: Timestamp,
    /// When a run last had it.
    pub used: Option<Timestamp>,
}

impl Installed {
    fn last_used(&self) -> Timestamp {
        self.used.map_or(self.installed, |used| used.max(self.installed))
    }
}

/// The packages that stay whatever their age.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Protected {
    pub applied: Option<PackageName>,
    pub rollback: Option<PackageName>,
    pub in_use: Vec<PackageName>,
}

/// What is old: what both say, where both say something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// So many of each source stay.
    pub keep: Option<u32>,
    /// What was used within this time stays.
    pub older_than: Option<Age>,
}

/// A decision on one release.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    Keep(Why),
    Remove(Why),
}

/// Decides on every release, in their order.
pub fn decide(
    all: &[Installed],
    protected: &Protected,
    policy: &Policy,
    now: Timestamp,
) -> Vec<Decision> {
    let decide = |release: &Installed| {
        let kept = protection(release, protected)
            .or_else(|| among_newest(release, all, policy.keep?))
            .or_else(|| young(release, policy.older_than.as_ref()?, now));
        match kept {
            Some(why) => Decision::Keep(why),
            None => Decision::Remove(Why::Old { used: format!("{:.0}", release.last_used()) }),
        }
    };
    all.iter().map(decide).collect()
}

fn protection(release: &Installed, protected: &Protected) -> Option<Why> {
    let package = &release.package;
    if protected.applied.as_ref() == Some(package) {
        return Some(Why::Applied);
    }
    if protected.rollback.as_ref() == Some(package) {
        return Some(Why::RollbackTarget);
    }
    protected.in_use.contains(package).then_some(Why::InUse)
}

fn among_newest(release: &Installed, all: &[Installed], keep: u32) -> Option<Why> {
    // Of two that were used at once, the name decides.
    let age = |release: &Installed| (release.last_used(), release.package.clone());
    let of_source = all.iter().filter(|other| other.source == release.source);
    let newer = of_source.filter(|other| age(other) > age(release)).count();
    let source = release.source.clone();
    (newer < keep as usize).then_some(Why::AmongNewest { keep, source })
}

fn young(release: &Installed, age: &Age, now: Timestamp) -> Option<Why> {
    let since = now.duration_since(release.last_used());
    (since <= age.duration()).then(|| Why::Young(age.clone()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::app::Release;

    const NOW: &str = "2026-03-31T00:00:00Z";

    fn package(name: &str) -> PackageName {
        name.parse::<Release>().unwrap().package_name()
    }

    /// `foo/r1 INSTALLED [USED]`, each a day of March.
    fn installed(text: &str) -> Installed {
        let words: Vec<&str> = text.split(' ').collect();
        let day = |day: &&str| format!("2026-03-{day}T00:00:00Z").parse().unwrap();
        Installed {
            source: words[0].split('/').next().unwrap().to_owned(),
            package: package(words[0]),
            installed: day(&words[1]),
            used: words.get(2).map(day),
        }
    }

    fn removed(
        all: &[&str],
        protected: &Protected,
        keep: Option<u32>,
        age: Option<&str>,
    ) -> String {
        let all: Vec<Installed> = all.iter().map(|text| installed(text)).collect();
        let policy = Policy { keep, older_than: age.map(|age| age.parse().unwrap()) };
        let decisions = decide(&all, protected, &policy, NOW.parse().unwrap());
        let gone = all.iter().zip(decisions).filter_map(|(release, decision)| {
            let name = release.package.as_str().trim_start_matches("localpuppet-").to_owned();
            matches!(decision, Decision::Remove(_)).then_some(name)
        });
        gone.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn both_conditions_must_hold() {
        let all = ["foo/r1 01", "foo/r2 02", "foo/r3 29", "bar/r1 01"];
        let nobody = Protected::default();
        assert_eq!(removed(&all, &nobody, Some(1), None), "foo-r1 foo-r2");
        assert_eq!(removed(&all, &nobody, None, Some("7d")), "foo-r1 foo-r2 bar-r1");
        assert_eq!(removed(&all, &nobody, Some(2), Some("7d")), "foo-r1");
        assert_eq!(removed(&all, &nobody, Some(1), Some("29d")), "foo-r1");
        assert_eq!(removed(&all, &nobody, Some(0), Some("0h")), "foo-r1 foo-r2 foo-r3 bar-r1");
    }

    #[test]
    fn the_last_use_counts_and_not_the_number_of_the_tag() {
        let all = ["foo/r1 01 30", "foo/r2 02", "foo/r3 03 03"];
        assert_eq!(removed(&all, &Protected::default(), Some(1), None), "foo-r2 foo-r3");
        // Installed again after it was used.
        let all = ["foo/r1 30 01", "foo/r2 02"];
        assert_eq!(removed(&all, &Protected::default(), Some(1), None), "foo-r2");
    }

    #[test]
    fn what_is_applied_gone_back_to_or_in_use_stays() {
        let all = ["foo/r1 01", "foo/r2 01", "foo/r3 01", "foo/r4 01"];
        let protected = Protected {
            applied: Some(package("foo/r1")),
            rollback: Some(package("foo/r2")),
            in_use: vec![package("foo/r3")],
        };
        assert_eq!(removed(&all, &protected, Some(0), Some("1d")), "foo-r4");
    }

    #[test]
    fn of_two_that_were_used_at_once_one_stays() {
        let all = ["foo/r1 01", "foo/r2 01"];
        assert_eq!(removed(&all, &Protected::default(), Some(1), None), "foo-r1");
    }
}
