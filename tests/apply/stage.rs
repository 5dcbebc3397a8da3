//! `stage`: releases made available by the real apt-get, dnf and zypper, cut off and mended.

use crate::node::{Node, Ran, ran};
use crate::repository::{Kind, Site, shell};
use crate::web::Web;
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Instant;

const RELEASE: &str = "usr/share/localpuppet/foo";

/// Applies a release of `foo` with a Puppet that is none: 13 says that the release was there,
/// whole, and Puppet started.
fn apply(node: &Node, tag: &str, options: &[&str]) -> Command {
    node.enc(&format!("foo/tags/{tag}"), json!({}));
    node.command(&[&["apply", "--puppet", "/bin/false"], options].concat())
}

/// The same command where there is no network at all.
fn offline(command: &Command) -> Ran {
    let mut inside = Command::new("unshare");
    inside.arg("--net").arg(command.get_program()).args(command.get_args());
    inside.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    ran(&mut inside)
}

fn several_at_once(kind: Kind) {
    let site = Site::new(kind);
    let node = &site.node;
    let web = Web::serve(&site.repository);
    site.know(&web.url);
    site.publish("r1", "one", 3);
    site.publish("r2", "two", 3);

    let first = node.run(&["stage", "foo/tags/r1"]);
    assert_eq!(first.code, 0, "{first}");
    assert!(first.stdout.starts_with("`foo/tags/r1`: staged\n  bundle ID: "), "{first}");
    let again = node.run(&["stage", "foo/r1"]);
    assert!(again.code == 0 && !again.stderr.contains("running"), "{again}");
    assert!(again.stdout.starts_with("`foo/tags/r1`: already staged\n"), "{again}");

    // One that is not to be had keeps none of the others away.
    let several = node.run(&["stage", "foo/r3", "foo/r1", "foo/r2", "--json"]);
    assert_eq!(several.code, 11, "{several}");
    let told: Value = serde_json::from_str(&several.stdout).unwrap();
    let staging: Vec<&str> =
        told.as_array().unwrap().iter().map(|one| one["staging"].as_str().unwrap()).collect();
    assert_eq!(staging, ["not-staged", "already-staged", "staged"], "{several}");
    assert!(told[0]["reason"]["error"].as_str().unwrap().contains("foo-r3"), "{several}");
    assert!(site.is_gone("r3") && site.recorded("r2") == "ii", "{several}");
    let alone = node.run(&["stage", "foo/r3"]);
    assert!(alone.code == 11 && alone.stderr.contains("hint: is a repository with"), "{alone}");

    // No run, no Puppet, nothing left to mend.
    let runs = std::fs::read_dir(node.path("var/lib/localpuppet/runs")).unwrap();
    assert!(runs.count() == 0 && site.is_settled());

    drop(web);
    let there = offline(&apply(node, "r2", &[]));
    assert!(there.code == 13 && !there.stderr.contains("running"), "{there}");
    site.publish("r4", "four", 3);
    let file = site.file("r4");
    let given = offline(&apply(node, "r4", &["--package", &file]));
    assert_eq!(given.code, 13, "{given}");
    let given = offline(&node.command(&["stage", "--package", &file, "foo/r4", "foo/r1"]));
    assert!(given.code == 0 && given.stdout.matches("already staged").count() == 2, "{given}");

    // Drift is told with what to type, and never mended in silence.
    node.write(&format!("{RELEASE}/r1/modules/foo/tags/r1/foo/manifests/init.pp"), "");
    let drifted = node.run(&["stage", "foo/r1"]);
    assert_eq!(drifted.code, 12, "{drifted}");
    let hint =
        ["apt-get install --reinstall", "dnf reinstall", "zypper install --force"][kind as usize];
    let hint = format!("{hint} localpuppet-foo-r1");
    assert!(drifted.stderr.contains(&hint) && !drifted.stderr.contains("running"), "{drifted}");
}

#[test]
fn apt_stages_several_releases_and_what_is_staged_needs_no_network() {
    several_at_once(Kind::Apt);
}

#[test]
fn dnf_stages_several_releases_and_what_is_staged_needs_no_network() {
    several_at_once(Kind::Dnf);
}

#[test]
fn zypper_stages_several_releases_and_what_is_staged_needs_no_network() {
    several_at_once(Kind::Zypper);
}

fn download(kind: Kind) {
    let site = Site::new(kind);
    let node = &site.node;
    let web = Web::serve(&site.repository);
    site.know(&web.url);
    for tag in ["r1", "r2", "r3"] {
        site.publish(tag, tag, 3);
    }
    let missing = node.run(&["stage", "--download-only", "foo/r9"]);
    assert_eq!(missing.code, 11, "{missing}");
    let downloaded = node.run(&["stage", "--download-only", "foo/r1", "foo/r2"]);
    assert_eq!(downloaded.code, 0, "{downloaded}");
    let told = "`foo/tags/r1`: downloaded\n`foo/tags/r2`: downloaded\n";
    assert_eq!(downloaded.stdout, told, "{downloaded}");
    assert!(site.is_gone("r1") && site.is_gone("r2"), "{downloaded}");

    // Another transaction does not empty the cache.
    let other = node.run(&["stage", "foo/r3"]);
    assert_eq!(other.code, 0, "{other}");
    drop(web);
    if kind != Kind::Apt {
        // As if some days had passed.
        shell("find var/cache -type f -exec touch -d '5 days ago' {} +", &node.path(""));
    }
    let staged = offline(&node.command(&["stage", "foo/r1"]));
    assert_eq!(staged.code, 0, "{staged}");
    let applied = offline(&apply(node, "r2", &[]));
    assert_eq!(applied.code, 13, "{applied}");
    let again = offline(&node.command(&["stage", "--download-only", "foo/r2"]));
    assert!(again.stdout.starts_with("`foo/tags/r2`: already staged"), "{again}");
}

#[test]
fn what_apt_downloaded_is_installed_without_a_network() {
    download(Kind::Apt);
}

#[test]
fn what_dnf_downloaded_is_installed_without_a_network() {
    download(Kind::Dnf);
}

#[test]
fn what_zypper_downloaded_is_installed_without_a_network() {
    download(Kind::Zypper);
}

/// Who is killed.
#[derive(Clone, Copy, Debug)]
pub enum Victim {
    /// localpuppet, whose package manager goes on.
    Us,
    /// What does the work at the moment.
    Last,
    /// The package manager with all that it started.
    Manager,
    Everyone,
}

pub const VICTIMS: [Victim; 4] = [Victim::Us, Victim::Last, Victim::Manager, Victim::Everyone];

/// So many moments of a `stage`; `POINTS=100` for more.
fn points() -> u32 {
    std::env::var("POINTS").ok().and_then(|text| text.parse().ok()).unwrap_or(8)
}

#[allow(clippy::print_stderr, reason = "the count is part of what the test tells")]
fn cut_off(kind: Kind) {
    let whole = Site::new(kind);
    whole.publish("r1", "one", 400);
    let start = Instant::now();
    let staged = whole.node.run(&["stage", "foo/r1"]);
    let time = start.elapsed();
    assert_eq!(staged.code, 0, "{staged}");

    let (mut mended, mut killed) = (0, 0);
    for point in 0..points() {
        let site = Site::new(kind);
        let (repository, victim) = (&whole.repository, VICTIMS[point as usize % 4]);
        site.know(&kind.url(repository));
        let moment = time.mul_f64((f64::from(point) + 0.5) / f64::from(points()));
        let place = format!("{kind:?}, {victim:?} after {moment:?}");
        let mut first = site.node.command(&["stage", "foo/r1"]);
        let mut first = first.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(moment);
        killed += u32::from(kill(first.id(), victim));
        first.wait().unwrap();
        let next = site.node.run(&["stage", "foo/r1"]);
        assert_eq!(next.code, 0, "{place}: {next}");
        mended += u32::from(next.stderr.contains("mending it"));
        assert!(site.recorded("r1") == "ii" && site.is_settled(), "{place}: {next}");
        let other = site.node.run(&["stage", "foo/r1"]);
        assert!(other.stdout.contains("already staged"), "{place}: {next}\n{other}");
    }
    eprintln!("{kind:?}: {} points over {time:?}, {killed} killed, {mended} mended", points());
}

/// True where there was somebody to kill.
pub fn kill(us: u32, victim: Victim) -> bool {
    let descendants = descendants(us);
    let victims = match victim {
        Victim::Us => vec![us],
        Victim::Last => descendants.last().copied().into_iter().collect(),
        Victim::Manager => descendants,
        Victim::Everyone => [vec![us], descendants].concat(),
    };
    let pids: Vec<String> = victims.iter().map(ToString::to_string).collect();
    !pids.is_empty() && ran(Command::new("kill").args(["-s", "KILL"]).args(&pids)).code == 0
}

/// The processes that a process started, directly or not; parents first.
fn descendants(of: u32) -> Vec<u32> {
    let listed = shell("ps -e -o pid=,ppid=", "/").stdout;
    let pair = |line: &str| {
        let mut numbers = line.split_whitespace().map(|number| number.parse::<u32>().unwrap());
        (numbers.next().unwrap(), numbers.next().unwrap())
    };
    let pairs: Vec<(u32, u32)> = listed.lines().map(pair).collect();
    let mut all = vec![of];
    let mut at = 0;
    while at < all.len() {
        let parent = all[at];
        all.extend(pairs.iter().filter(|pair| pair.1 == parent).map(|pair| pair.0));
        at += 1;
    }
    all.split_off(1)
}

#[test]
#[ignore = "one of `make faults`"]
fn apt_is_cut_off_anywhere_and_the_next_stage_needs_no_hand() {
    cut_off(Kind::Apt);
}

#[test]
#[ignore = "one of `make faults`"]
fn dnf_is_cut_off_anywhere_and_the_next_stage_needs_no_hand() {
    cut_off(Kind::Dnf);
}

#[test]
#[ignore = "one of `make faults`"]
fn zypper_is_cut_off_anywhere_and_the_next_stage_needs_no_hand() {
    cut_off(Kind::Zypper);
}
