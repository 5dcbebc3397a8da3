//! What goes wrong while a release is installed: one clear error, nothing half done, and the next
//! command succeeds once the cause is gone.

use crate::node::{Ran, ran};
use crate::repository::{Kind, Site, shell};
use crate::web::Web;
use std::process::Command;

fn staged(site: &Site, tag: &str) {
    let release = format!("foo/{tag}");
    let staged = site.node.run(&["stage", &release]);
    assert_eq!(staged.code, 0, "{staged}");
    assert!(site.recorded(tag).ends_with('i') && site.is_settled(), "{staged}");
}

/// One error, with its exit code and a word of its cause; and nothing is left.
fn failed(site: &Site, tag: &str, ran: &Ran, code: i32, word: &str) {
    assert_eq!(ran.code, code, "{ran}");
    assert_eq!(ran.stderr.matches("localpuppet: error: ").count(), 1, "{ran}");
    assert!(ran.stderr.contains(word), "{word}: {ran}");
    assert!(site.is_gone(tag), "{ran}");
}

fn a_repository_that_dies_or_changes(kind: Kind) {
    let site = Site::new(kind);
    let web = Web::serve(&site.repository);
    site.know(&web.url);
    site.publish("r1", "one", 20);

    // zypper tries that again thrice, each time after half a minute.
    if kind != Kind::Zypper {
        web.cut(Some(if kind == Kind::Apt { ".deb" } else { ".rpm" }));
        let cut = site.node.run(&["stage", "foo/r1"]);
        failed(&site, "r1", &cut, 11, "failed to install `localpuppet-foo-r1` 1");
    }

    // Other bytes than the index says, and then an index that says so.
    let inspected = site.node.run(&["inspect", "--json", &site.file("r1")]);
    let inspected: serde_json::Value = serde_json::from_str(&inspected.stdout).unwrap();
    let id = inspected["bundle"]["bundle_id"].as_str().unwrap().to_owned();
    web.cut(None);
    let file = site.file("r1");
    std::fs::remove_file(&file).unwrap();
    site.bundle("r1", "other", 20);
    let changed = site.node.run(&["stage", "foo/r1"]);
    failed(&site, "r1", &changed, 11, "failed to install");
    site.index();
    site.node.write("etc/puppet/input.yaml", "app: foo/tags/r1\nclasses: {}\n");
    let apply = ["apply", "--puppet", "/bin/false", "--bundle-id", &id];
    let other = site.node.run(&apply);
    failed(&site, "r1", &other, 12, "expected bundle ID");

    std::fs::remove_file(&file).unwrap();
    site.publish("r1", "one", 20);
    let good = site.node.run(&apply);
    assert_eq!(good.code, 13, "{good}");
    staged(&site, "r1");
}

#[test]
#[ignore = "one of `make faults`"]
fn a_repository_for_apt_that_dies_or_changes_installs_nothing() {
    a_repository_that_dies_or_changes(Kind::Apt);
}

#[test]
#[ignore = "one of `make faults`"]
fn a_repository_for_dnf_that_dies_or_changes_installs_nothing() {
    a_repository_that_dies_or_changes(Kind::Dnf);
}

#[test]
#[ignore = "one of `make faults`"]
fn a_repository_for_zypper_that_dies_or_changes_installs_nothing() {
    a_repository_that_dies_or_changes(Kind::Zypper);
}

#[test]
#[ignore = "one of `make faults`"]
fn a_held_package_is_left_and_told() {
    let site = Site::new(Kind::Apt);
    site.publish("r1", "one", 3);
    site.publish("r2", "two", 3);
    staged(&site, "r2");
    // dpkg knows of a package that was there once.
    let root = site.node.path("");
    let select = |what: &str| {
        let package = "localpuppet-foo-r1";
        let script = format!(
            "printf 'Package: {package}\\nStatus: {what} ok not-installed\\nArchitecture: all\\n\\n' >> {root}/var/lib/dpkg/status"
        );
        shell(&script, &root);
    };
    select("hold");
    let held = site.node.run(&["stage", "foo/r1"]);
    failed(&site, "r1", &held, 11, "hint: it is on hold: `apt-mark showhold`");
    shell("sed -i 's/^Status: hold ok not/Status: install ok not/' var/lib/dpkg/status", &root);
    staged(&site, "r1");
}

#[test]
#[ignore = "one of `make faults`"]
fn a_dpkg_that_was_interrupted_by_somebody_else_ends_its_work_first() {
    let site = Site::new(Kind::Apt);
    site.publish("r1", "one", 3);
    site.publish("r2", "two", 3);
    staged(&site, "r2");
    // What dpkg writes down before it merges it into its status.
    let other = "Package: other\nStatus: install ok unpacked\nArchitecture: all\nVersion: 1\nMaintainer: a <a@b.c>\nDescription: x\n\n";
    site.node.write("var/lib/dpkg/updates/0000", other);
    site.node.write("var/lib/dpkg/info/other.list", "");
    staged(&site, "r1");
    let status = site.node.read("var/lib/dpkg/status");
    assert!(status.contains("Package: other\nStatus: install ok installed\n"), "{status}");
}

/// Stages a release where something was done to the mounts of the node, for this command alone.
fn mounted(site: &Site, mount: &str) -> Ran {
    let command = site.node.command(&["stage", "foo/r1"]);
    let root = site.node.path("");
    let script = format!("cd {root}; {mount} && exec \"$@\"");
    let mut inside = Command::new("unshare");
    inside.args(["--mount", "sh", "-c", &script, "sh"]);
    inside.arg(command.get_program()).args(command.get_args());
    inside.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    ran(&mut inside)
}

fn a_disk_that_takes_nothing(kind: Kind) {
    let site = Site::new(kind);
    site.publish("r1", "one", 400);
    std::fs::create_dir_all(site.node.path("usr/share")).unwrap();
    // rpm says of a disk that is read-only that it has no space.
    let words = match kind {
        Kind::Apt => ["No space left", "Read-only"],
        Kind::Dnf | Kind::Zypper => ["more space", "more space"],
    };
    for (mount, word) in [
        ("mount -t tmpfs -o size=300k none usr", words[0]),
        ("mount --bind usr usr && mount -o remount,ro,bind usr", words[1]),
    ] {
        let full = mounted(&site, mount);
        failed(&site, "r1", &full, 11, word);
    }
    staged(&site, "r1");
}

#[test]
#[ignore = "one of `make faults`"]
fn a_full_disk_and_a_read_only_one_leave_nothing_for_apt() {
    a_disk_that_takes_nothing(Kind::Apt);
}

#[test]
#[ignore = "one of `make faults`"]
fn a_full_disk_and_a_read_only_one_leave_nothing_for_dnf() {
    a_disk_that_takes_nothing(Kind::Dnf);
}

#[test]
#[ignore = "one of `make faults`"]
fn a_full_disk_and_a_read_only_one_leave_nothing_for_zypper() {
    a_disk_that_takes_nothing(Kind::Zypper);
}
