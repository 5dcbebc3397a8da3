//! Tags and versions before the real judges: dpkg and rpm.

#![allow(clippy::disallowed_methods, clippy::expect_used, reason = "runs dpkg and rpm")]

mod breadth;

use breadth::breadth;
use localpuppet::model::digest::Sha256Digest;
use localpuppet::model::version::Version;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use std::cmp::Ordering;
use std::process::Command;

/// A tag of one app's style, as its parts: numbers, then a word with a number
/// after it or with numbers between dots.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tag {
    numbers: Vec<u32>,
    pre: Option<(String, Pre)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Pre {
    Bare,
    Attached(u32),
    Dotted(Vec<u32>),
}

impl Tag {
    fn text(&self) -> String {
        let dotted =
            |numbers: &[u32]| numbers.iter().map(u32::to_string).collect::<Vec<_>>().join(".");
        let pre = match &self.pre {
            None => String::new(),
            Some((word, Pre::Bare)) => format!("-{word}"),
            Some((word, Pre::Attached(number))) => format!("-{word}{number}"),
            Some((word, Pre::Dotted(numbers))) => format!("-{word}.{}", dotted(numbers)),
        };
        format!("v{}{pre}", dotted(&self.numbers))
    }

    /// The order that people expect of tags (semver.org, 11), where it speaks:
    /// numbers by value; a pre-release below its release; words by letters;
    /// what has more parts above what it begins with.
    fn expected(&self, other: &Tag) -> Option<Ordering> {
        match self.numbers.cmp(&other.numbers) {
            Ordering::Equal => {}
            unequal => return Some(unequal),
        }
        let (Some((word, pre)), Some((other_word, other_pre))) = (&self.pre, &other.pre) else {
            return Some(other.pre.is_some().cmp(&self.pre.is_some()));
        };
        match word.cmp(other_word) {
            Ordering::Equal => {}
            unequal => return Some(unequal),
        }
        match (pre, other_pre) {
            (Pre::Bare, Pre::Bare) => Some(Ordering::Equal),
            (Pre::Bare, _) => Some(Ordering::Less),
            (_, Pre::Bare) => Some(Ordering::Greater),
            (Pre::Attached(a), Pre::Attached(b)) => Some(a.cmp(b)),
            (Pre::Dotted(a), Pre::Dotted(b)) => Some(a.cmp(b)),
            // `rc1` beside `rc.1`: no order is expected, but one order, and not equality.
            _ => None,
        }
    }
}

fn tags() -> impl Strategy<Value = Tag> {
    let numbers = || proptest::collection::vec(prop_oneof![0..3u32, 9..12u32], 1..4);
    let pre = prop_oneof![
        Just(Pre::Bare),
        (0..12u32).prop_map(Pre::Attached),
        numbers().prop_map(Pre::Dotted)
    ];
    let word = prop_oneof![
        Just("rc".to_owned()),
        Just("a".to_owned()),
        Just("alpha".to_owned()),
        Just("RC".to_owned()),
        "[ab]{1,3}"
    ];
    (numbers(), proptest::option::of((word, pre))).prop_map(|(numbers, pre)| Tag { numbers, pre })
}

/// Pairs for one process: Lua has at most 200 local names, an argument 128 KiB.
const AT_ONCE: usize = 150;

/// What dpkg says of each pair.
fn dpkg(pairs: &[(String, String)]) -> Vec<Ordering> {
    let line = |(a, b): &(String, String)| {
        format!(
            "if dpkg --compare-versions '{a}' lt '{b}'; then echo '<'; \
             elif dpkg --compare-versions '{a}' eq '{b}'; then echo '='; else echo '>'; fi\n"
        )
    };
    let judged = pairs.chunks(AT_ONCE).flat_map(|pairs| {
        let script: String = pairs.iter().map(line).collect();
        orders(Command::new("sh").args(["-euc", &script]), pairs.len(), "dpkg")
    });
    judged.collect()
}

/// What rpm says of each pair.
fn rpm(pairs: &[(String, String)]) -> Vec<Ordering> {
    let line = |(a, b): &(String, String)| {
        format!(
            "local c = rpm.vercmp('{a}', '{b}'); print(c < 0 and '<\\n' or c > 0 and '>\\n' or '=\\n');"
        )
    };
    let judged = pairs.chunks(AT_ONCE).flat_map(|pairs| {
        let script: String = pairs.iter().map(line).collect();
        let script = format!("%{{lua: {script}}}");
        orders(Command::new("rpm").args(["--eval", &script]), pairs.len(), "rpm")
    });
    judged.collect()
}

fn orders(command: &mut Command, expected: usize, tool: &str) -> Vec<Ordering> {
    let ran = command.output();
    let ran = ran.unwrap_or_else(|error| panic!("{tool}: {error}; apt-get install {tool}"));
    let printed = String::from_utf8(ran.stdout).expect("signs");
    let orders: Vec<Ordering> = printed
        .split_whitespace()
        .map(|sign| match sign {
            "<" => Ordering::Less,
            ">" => Ordering::Greater,
            _ => Ordering::Equal,
        })
        .collect();
    assert_eq!(orders.len(), expected, "{tool}: {}", String::from_utf8_lossy(&ran.stderr));
    orders
}

fn version(tag: &Tag) -> String {
    Version::of_tag(&tag.text()).expect("a tag of that style has a version").to_string()
}

fn is_bare_beside_zero(a: &Tag, b: &Tag) -> bool {
    let zeros = |pre: &Pre| matches!(pre, Pre::Attached(0));
    match (&a.pre, &b.pre) {
        (Some((_, Pre::Bare)), Some((_, other))) | (Some((_, other)), Some((_, Pre::Bare))) => {
            zeros(other)
        }
        _ => false,
    }
}

#[test]
fn given_versions_are_equal_where_dpkg_or_rpm_says_so() {
    let mut runner = TestRunner::deterministic();
    let mut draw = || "[01][a1.+~]{0,4}".new_tree(&mut runner).expect("a version").current();
    let pairs: Vec<(String, String)> = (0..breadth(1500)).map(|_| (draw(), draw())).collect();
    for (((a, b), dpkg), rpm) in pairs.iter().zip(dpkg(&pairs)).zip(rpm(&pairs)) {
        let [one, other] = [a, b].map(|text| text.parse::<Version>().expect("a version"));
        let equal = dpkg == Ordering::Equal || rpm == Ordering::Equal;
        assert_eq!(equal, one.same_order(&other), "{a} and {b}");
        assert_eq!(dpkg, one.order(&other), "{a} and {b}");
    }
}

#[test]
fn versions_of_tags_keep_their_order_and_are_never_equal() {
    let mut runner = TestRunner::deterministic();
    let mut draw = || tags().new_tree(&mut runner).expect("a tag").current();
    let mut drawn: Vec<(Tag, Tag)> = (0..breadth(1500)).map(|_| (draw(), draw())).collect();
    let pre = |pre| Tag { numbers: vec![1], pre: Some(("rc".to_owned(), pre)) };
    drawn.push((pre(Pre::Bare), pre(Pre::Attached(0))));
    let pairs: Vec<_> = drawn.iter().map(|(a, b)| (version(a), version(b))).collect();
    for ((drawn, dpkg), rpm) in drawn.iter().zip(dpkg(&pairs)).zip(rpm(&pairs)) {
        let (a, b) = drawn;
        let equal = dpkg == Ordering::Equal || rpm == Ordering::Equal;
        let [one, other] = [a, b].map(|tag| Version::of_tag(&tag.text()).expect("a version"));
        assert_eq!(equal, one.same_order(&other), "{} and {}", a.text(), b.text());
        if equal {
            // `rc` beside `rc0` is what is left, and `bundle` refuses it.
            assert!(a == b || is_bare_beside_zero(a, b), "{} and {}", a.text(), b.text());
            continue;
        }
        assert_eq!(dpkg, rpm, "{} and {}", a.text(), b.text());
        if let Some(expected) = a.expected(b) {
            assert_eq!(dpkg, expected, "{} and {}", a.text(), b.text());
        }
    }
}

#[test]
fn snapshots_sort_below_every_release() {
    let mut runner = TestRunner::deterministic();
    let pairs: Vec<_> = (0..300)
        .map(|number: u32| {
            let tag = tags().new_tree(&mut runner).expect("a tag").current();
            let snapshot = Version::of_snapshot(Sha256Digest::of(number.to_be_bytes()));
            (snapshot.to_string(), version(&tag))
        })
        .chain([("0~~0".to_owned(), "0~A".to_owned())])
        .collect();
    assert!(dpkg(&pairs).into_iter().chain(rpm(&pairs)).all(|order| order == Ordering::Less));
}

#[test]
fn package_names_are_legal_for_dpkg() {
    for release in ["foo/tags/r1", "my_app/tags/R1", "a/b/tags/stable", "x-1/branches/y"] {
        let release: localpuppet::model::app::Release = release.parse().expect("a release");
        let name = release.package_name();
        let checked = Command::new("dpkg").args(["--validate-pkgname", name.as_str()]).status();
        assert!(checked.expect("dpkg runs").success(), "{name}");
    }
}
