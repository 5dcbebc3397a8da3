//! Whether a release is still what it was when it was locked.

use crate::model::app::{AppPath, Line};
use crate::model::command::quote;
use crate::model::failure::Failure;
use crate::model::lock::{FILE_NAME, Lock, Locked};
use crate::model::origin::Origin;

/// What a lock means to who bundles.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strictness {
    /// Nothing is taken but what it says.
    Locked,
    /// What differs is told.
    Told,
}

/// Holds a release against a lock; answers with what is to be told.
pub fn check(
    lock: &Lock,
    release: &AppPath,
    found: &[Locked],
    strictness: Strictness,
    module_root: &str,
) -> Result<Vec<String>, Failure> {
    refuse_moved(lock, found)?;
    let lock_it = format!("localpuppet lock {release} --module-root {}", quote(module_root));
    let Some(locked) = lock.of(release) else {
        return match strictness {
            Strictness::Told => Ok(Vec::new()),
            Strictness::Locked => {
                let what = format!("`{release}` is not in `{FILE_NAME}`");
                Err(Failure::new(what).hint(lock_it))
            }
        };
    };
    let differences = differences(locked, found);
    if differences.is_empty() || strictness == Strictness::Told {
        let told = |line| format!("`{release}` is not what `{FILE_NAME}` says: {line}");
        return Ok(differences.into_iter().map(told).collect());
    }
    let lines: String = differences.iter().map(|line| format!("\n    {line}")).collect();
    let what = format!("`{release}` is not what `{FILE_NAME}` says:{lines}");
    Err(Failure::new(what).hint(format!("look at what changed, then: {lock_it}")))
}

/// Refuses a tag that was locked as another commit, for this release or for any other; one of
/// another repository only where its tree is another too.
pub fn refuse_moved(lock: &Lock, found: &[Locked]) -> Result<(), Failure> {
    for now in found.iter().filter(|now| matches!(now.app.line(), Line::Tag { .. })) {
        let moved = lock.entries().find(|then| {
            then.app == now.app
                && then.origin.point() != now.origin.point()
                && (then.origin.is_same_place(&now.origin) || then.tree != now.tree)
        });
        let points = moved.and_then(|then| Some((then, then.origin.point()?, now.origin.point()?)));
        if let Some((then, was, is)) = points {
            let (app, place) = (&now.app, now.origin.place());
            let told = match then.origin.is_same_place(&now.origin) {
                true => format!("{place} was {was}, and is {is}"),
                false => format!("it was {}, and is {}", told(&then.origin), told(&now.origin)),
            };
            return Err(Failure::new(format!("the tag of `{app}` was moved since it was locked"))
                .because(Failure::new(told))
                .hint("a release never changes: tag the new commit with a new name")
                .hint(format!(
                    "where it was moved on purpose, take the lines of `{app}` out of `{FILE_NAME}`"
                )));
        }
    }
    Ok(())
}

fn differences(locked: &[Locked], found: &[Locked]) -> Vec<String> {
    let mut lines = Vec::new();
    for now in found {
        match locked.iter().find(|then| then.app == now.app) {
            None => lines.push(format!("`{}` was added to the modulepath", now.app)),
            Some(then) => lines.extend(changed(then, now)),
        }
    }
    let gone = locked.iter().filter(|then| found.iter().all(|now| now.app != then.app));
    lines.extend(gone.map(|then| format!("`{}` was taken from the modulepath", then.app)));
    if lines.is_empty() && !locked.iter().map(|it| &it.app).eq(found.iter().map(|it| &it.app)) {
        lines.push("its modulepath has another order".to_owned());
    }
    lines
}

fn changed(then: &Locked, now: &Locked) -> Vec<String> {
    let mut lines = Vec::new();
    let app = &now.app;
    if !then.origin.is_same_place(&now.origin) {
        let (then, now) = (told(&then.origin), told(&now.origin));
        lines.push(format!("`{app}` was from {then}, and is from {now}"));
    } else if let (Some(then), Some(now)) = (then.origin.point(), now.origin.point())
        && then != now
    {
        lines.push(format!("`{app}` was {then}, and is {now}"));
    }
    if then.tree != now.tree {
        let (then, now) = (then.tree, now.tree);
        lines.push(format!("the tree of `{app}` was `{then}`, and is `{now}`"));
    }
    lines
}

/// Where a tree came from, and what it was there.
fn told(origin: &Origin) -> String {
    let point = origin.point().map(|point| format!(", {point}"));
    origin.place() + &point.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::digest::Sha256Digest;

    fn locked(text: &str) -> Vec<Locked> {
        let line = |line: &str| {
            let (app, rest) = line.trim().split_once(' ').unwrap();
            let (origin, content) = rest.rsplit_once(' ').unwrap();
            let tree = Sha256Digest::of(content);
            Locked { app: app.parse().unwrap(), origin: origin.parse().unwrap(), tree }
        };
        text.split(';').map(line).collect()
    }

    fn judged(then: &str, now: &str, strictness: Strictness) -> String {
        let mut lock = Lock::default();
        let release: AppPath = "a/tags/1".parse().unwrap();
        lock.set(release.clone(), locked(then));
        match check(&lock, &release, &locked(now), strictness, ".") {
            Ok(told) => told.join("; "),
            Err(failure) => [vec![failure.to_string()], failure.causes()].concat().join(": "),
        }
    }

    const A: &str = "1111111111111111111111111111111111111111";
    const B: &str = "2222222222222222222222222222222222222222";

    #[test]
    fn a_tag_that_was_moved_is_refused_with_both_commits() {
        let at = |commit: &str| format!("a/tags/1 git u refs/tags/1 {commit} x");
        for strictness in [Strictness::Told, Strictness::Locked] {
            assert_eq!(
                judged(&at(A), &at(B), strictness),
                format!(
                    "the tag of `a/tags/1` was moved since it was locked: \
                     `refs/tags/1` of `u` was commit `{A}`, and is commit `{B}`"
                )
            );
        }
        assert_eq!(judged(&at(A), &at(A), Strictness::Locked), "");
        let svn =
            judged("a/tags/1 svn u tags/1 4 x", "a/tags/1 svn u tags/1 5 x", Strictness::Told);
        assert!(svn.ends_with("was revision `4`, and is revision `5`"), "{svn}");
    }

    #[test]
    fn a_tag_that_is_another_in_another_repository_was_moved_too() {
        let at = |url: &str, commit: &str, tree: &str| {
            format!("a/tags/1 git {url} refs/tags/1 {commit} {tree}")
        };
        assert_eq!(
            judged(&at("u", A, "x"), &at("v", B, "y"), Strictness::Told),
            format!(
                "the tag of `a/tags/1` was moved since it was locked: it was `refs/tags/1` of `u`, \
                 commit `{A}`, and is `refs/tags/1` of `v`, commit `{B}`"
            )
        );
        // History that was written anew, and a mirror.
        for (commit, tree) in [(B, "x"), (A, "x")] {
            let told = judged(&at("u", A, "x"), &at("v", commit, tree), Strictness::Told);
            assert!(told.starts_with("`a/tags/1` is not what"), "{told}");
        }
    }

    #[test]
    fn all_else_that_differs_is_told_or_refused() {
        let then = "a/tags/1 directory x; b/tags/1 directory y";
        let cases = [
            ("b/tags/1 directory y; a/tags/1 directory x", "its modulepath has another order"),
            ("a/tags/1 directory x", "`b/tags/1` was taken from the modulepath"),
            (
                "a/tags/1 directory x; b/tags/1 directory y; c/tags/1 directory z",
                "`c/tags/1` was added to the modulepath",
            ),
            (
                "a/tags/1 directory x; b/tags/1 svn u tags/1 4 y",
                "`b/tags/1` was from the module root, and is from `tags/1` of `u`, revision `4`",
            ),
        ];
        for (now, line) in cases {
            let told = format!("`a/tags/1` is not what `bundle.lock` says: {line}");
            assert_eq!(judged(then, now, Strictness::Told), told);
            let refused = format!("`a/tags/1` is not what `bundle.lock` says:\n    {line}");
            assert_eq!(judged(then, now, Strictness::Locked), refused);
        }
        assert_eq!(judged(then, then, Strictness::Locked), "");
        let branch = |commit: &str| format!("a/tags/1 directory x; b/trunk git u HEAD {commit} y");
        let told = judged(&branch(A), &branch(B), Strictness::Told);
        let line = format!("`b/trunk` was commit `{A}`, and is commit `{B}`");
        assert!(told.ends_with(&line), "{told}");
    }

    #[test]
    fn a_release_that_is_not_locked_is_refused_only_where_asked() {
        let release = "a/tags/1".parse().unwrap();
        let found = locked("a/tags/1 directory x");
        let lock = Lock::default();
        assert!(check(&lock, &release, &found, Strictness::Told, ".").unwrap().is_empty());
        let refused = check(&lock, &release, &found, Strictness::Locked, ".").unwrap_err();
        assert_eq!(refused.to_string(), "`a/tags/1` is not in `bundle.lock`");
    }
}
