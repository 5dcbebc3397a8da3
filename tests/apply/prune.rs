//! `prune`: old releases go by the real apt-get, dnf and zypper; what a node needs stays.

use crate::repository::{Kind, Site, shell};
use crate::stage::{VICTIMS, kill};
use serde_json::json;
use std::process::Stdio;
use std::thread::sleep;
use std::time::Instant;

fn old_releases_go(kind: Kind) {
    let site = Site::new(kind);
    let node = &site.node;
    let tags = ["r1", "r2", "r3", "r4", "r5"];
    tags.iter().for_each(|tag| site.publish(tag, tag, 3));
    // r4 and then r5 were applied: r5 is what the node runs, r4 is where back is.
    let staged = node.run(&["stage", "foo/r1", "foo/r2", "foo/r3", "foo/r4", "foo/r5"]);
    assert_eq!(staged.code, 0, "{staged}");
    // What is asserted of runs is that they are on record, and that their releases are whole.
    node.stand_in();
    for tag in ["r4", "r5"] {
        node.enc(&format!("foo/tags/{tag}"), json!({"foo": {}}));
        let applied = node.run(&["apply"]);
        assert_eq!(applied.code, 0, "{applied}");
    }
    node.install("hand/tags/r1", &[("hand/manifests/init.pp", "class hand {}")]);
    std::fs::create_dir_all(node.path("usr/share/localpuppet/foo/no-release")).unwrap();

    let neither = node.run(&["prune"]);
    assert_eq!(neither.code, 64, "{neither}");
    let young = node.run(&["prune", "--keep", "0", "--older-than", "1d"]);
    assert!(young.code == 0 && !young.stdout.contains("removed"), "{young}");
    let dry = node.run(&["prune", "--keep", "0", "--older-than", "0h", "--dry-run"]);
    assert_eq!(dry.stdout.matches("would be removed: last used 20").count(), 3, "{dry}");
    assert!(tags.iter().all(|tag| site.recorded(tag).starts_with("ii")), "{dry}");

    // Somebody added to a release: that goes with it.
    node.write("usr/share/localpuppet/foo/r1/modules/foo/tags/r1/stray", "");
    // Another package needs r2: nothing takes it along.
    needs_r2(&site);
    let pruned = node.run(&["prune", "--keep", "0", "--older-than", "0h"]);
    assert_eq!(pruned.code, 11, "{pruned}");
    for told in [
        "`foo/tags/r1`: removed: last used 20",
        "`foo/tags/r2`: not removed: last used 20",
        "`foo/tags/r3`: removed: ",
        "`foo/tags/r4`: kept: `localpuppet rollback` would go there\n",
        "`foo/tags/r5`: kept: it is applied\n",
        "`hand/tags/r1`: kept: the package manager has no package of it\n",
        "foo/no-release`: kept: it has no bundle.json and is no release\n",
    ] {
        assert!(pruned.stdout.contains(told), "{told}\n{pruned}");
    }
    assert!(site.is_gone("r1") && site.is_gone("r3"), "{pruned}");
    assert!(site.recorded("r2").starts_with("ii") && site.is_settled(), "{pruned}");
    let all = node.run(&["verify", "foo/r2", "foo/r4", "foo/r5"]);
    assert_eq!(all.code, 0, "{all}");
    let again = node.run(&["prune", "--keep", "3", "--json"]);
    assert!(again.code == 0 && !again.stdout.contains("\"removed\""), "{again}");
    let back = node.run(&["rollback"]);
    assert_eq!(back.code, 0, "{back}");
}

/// Installs a package that depends on one of ours.
fn needs_r2(site: &Site) {
    let root = site.node.path("");
    match site.kind {
        Kind::Apt => shell(
            "printf 'Package: site\\nStatus: install ok installed\\nPriority: optional\\nSection: misc\\nMaintainer: a <a@b.c>\\nArchitecture: all\\nVersion: 1\\nDepends: localpuppet-foo-r2\\nDescription: x\\n\\n' >> var/lib/dpkg/status; touch var/lib/dpkg/info/site.list",
            &root,
        ),
        Kind::Dnf | Kind::Zypper => shell(
            "printf 'Name: site\\nVersion: 1\\nRelease: 1\\nSummary: x\\nLicense: MIT\\nBuildArch: noarch\\nRequires: localpuppet-foo-r2\\n%%description\\nx\\n%%files\\n' > site.spec; rpmbuild --quiet -bb --define \"_topdir $PWD/build\" site.spec; rpm --root $PWD --install build/RPMS/noarch/*.rpm",
            &root,
        ),
    };
}

#[test]
fn apt_removes_what_is_old_and_nothing_that_is_needed() {
    old_releases_go(Kind::Apt);
}

#[test]
fn dnf_removes_what_is_old_and_nothing_that_is_needed() {
    old_releases_go(Kind::Dnf);
}

#[test]
fn zypper_removes_what_is_old_and_nothing_that_is_needed() {
    let site = Site::new(Kind::Zypper);
    ["r1", "r2"].iter().for_each(|tag| site.publish(tag, tag, 3));
    let staged = site.node.run(&["stage", "foo/r1", "foo/r2"]);
    assert_eq!(staged.code, 0, "{staged}");
    needs_r2(&site);
    let pruned = site.node.run(&["prune", "--keep", "0"]);
    assert_eq!(pruned.code, 11, "{pruned}");
    assert!(pruned.stdout.contains("`foo/tags/r1`: removed: "), "{pruned}");
    assert!(pruned.stdout.contains("`foo/tags/r2`: not removed: "), "{pruned}");
    assert!(site.is_gone("r1") && site.recorded("r2") == "ii", "{pruned}");
    let log = site.node.read("var/log/zypp/history");
    assert!(log.contains("|remove |localpuppet-foo-r1|"), "zypper knows of it: {log}");
}

fn cut_off(kind: Kind) {
    let site = Site::new(kind);
    site.publish("r1", "one", 300);
    let stage = || {
        let staged = site.node.run(&["stage", "foo/r1"]);
        assert_eq!(staged.code, 0, "{staged}");
        assert!(site.recorded("r1") == "ii" && site.is_settled(), "{staged}");
    };
    let prune = ["prune", "--keep", "0"];
    stage();
    let start = Instant::now();
    assert_eq!(site.node.run(&prune).code, 0);
    let time = start.elapsed();
    for (point, victim) in VICTIMS.into_iter().enumerate() {
        stage();
        let mut first = site.node.command(&prune);
        let mut first = first.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        sleep(time.mul_f64(0.4 + 0.15 * point as f64));
        kill(first.id(), victim);
        first.wait().unwrap();
        if point % 2 == 0 {
            let pruned = site.node.run(&prune);
            let recorded = site.recorded("r1");
            assert!(pruned.code == 0 && site.is_gone("r1"), "{victim:?}: {recorded} {pruned}");
        }
    }
    stage();
}

#[test]
fn a_removal_that_was_cut_off_at_its_last_step_is_ended() {
    let site = Site::new(Kind::Apt);
    site.publish("r1", "one", 3);
    let staged = site.node.run(&["stage", "foo/r1"]);
    assert_eq!(staged.code, 0, "{staged}");
    // dpkg has removed the files, and would have said next that nothing is left to purge.
    let status = site.node.read("var/lib/dpkg/status");
    let cut_off = status.replace("install ok installed", "deinstall ok config-files");
    site.node.write("var/lib/dpkg/status", &cut_off);
    std::fs::remove_dir_all(site.node.path("usr/share/localpuppet")).unwrap();
    site.node.write("var/lib/localpuppet/installing/localpuppet-foo-r1", "foo/tags/r1");
    assert_eq!(site.recorded("r1"), "rc");
    let pruned = site.node.run(&["prune", "--keep", "0"]);
    assert!(pruned.code == 0 && site.is_gone("r1"), "{} {pruned}", site.recorded("r1"));
}

#[test]
#[ignore = "one of `make faults`"]
fn apt_is_cut_off_while_it_removes_and_the_next_command_needs_no_hand() {
    cut_off(Kind::Apt);
}

#[test]
#[ignore = "one of `make faults`"]
fn dnf_is_cut_off_while_it_removes_and_the_next_command_needs_no_hand() {
    cut_off(Kind::Dnf);
}

#[test]
#[ignore = "one of `make faults`"]
fn zypper_is_cut_off_while_it_removes_and_the_next_command_needs_no_hand() {
    cut_off(Kind::Zypper);
}
