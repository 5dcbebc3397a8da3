//! What is around a publisher and not as it should be: a full disk, a clock that is hours off.

use crate::node::{Client, Source, needs, ran, shell};
use crate::{Bench, ok};
use std::process::Command;

/// Below a tmpfs of its own, which goes with it: whatever is left of the disk, the repository stays
/// whole, and once there is room the next publisher goes on.
const FULL: &str = r#"
    mount -t tmpfs -o size=4m tmpfs mnt
    refused=0
    for free in 0 4 8 16 24 32 48 64 96 128 192; do
      rm -rf mnt/*
      cp -a repository mnt/
      head -c 8M /dev/zero > mnt/filler 2>/dev/null || true
      truncate -s "-${free}K" mnt/filler
      if ! "$LOCALPUPPET" publish out/*foo-r2* --to mnt/repository > said 2>&1; then
        refused=$((refused + 1))
        grep -q 'No space left on device' said || { cat said; exit 1; }
      fi
      "$LOCALPUPPET" publish --verify --to mnt/repository > verified 2>&1 || grep -q 'publish it again' verified || { cat verified; exit 1; }
      rm mnt/filler
      "$LOCALPUPPET" publish out/*foo-r2* --to mnt/repository
      "$LOCALPUPPET" publish --verify --to mnt/repository | grep ', 4 packages: whole'
    done
    echo "refused $refused"
"#;

#[test]
fn a_full_disk_is_told_and_the_next_publisher_goes_on() {
    needs(&[("unshare", "util-linux")]);
    let bench = Bench::new();
    ok(&bench.publish("r1", &[]));
    std::fs::create_dir(bench.path("mnt")).unwrap();
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-euc", FULL]).current_dir(bench.directory.path());
    let said = ran(command.env("LOCALPUPPET", env!("CARGO_BIN_EXE_localpuppet")));
    ok(&said);
    let refused = said.text.lines().last().and_then(|line| line.strip_prefix("refused "));
    let refused: u32 = refused.unwrap().parse().unwrap();
    println!("of 11 full disks, {refused} were too full");
    assert!((3..11).contains(&refused), "{said}");
}

#[test]
fn a_clock_that_is_hours_off_is_told_and_nothing_is_published() {
    needs(&[("faketime", "faketime")]);
    let bench = Bench::new();
    // A key that is older than any of the clocks: gpg takes none of the future.
    let old = "mkdir -m 700 gnupg; echo faked-system-time 20250101T000000 > gnupg/gpg.conf";
    shell(bench.directory.path(), old);
    bench.key("release", "ed25519", "", "never");
    shell(bench.directory.path(), "rm gnupg/gpg.conf");
    let options = ["--sign", "release.secret", "--valid-days", "1"];
    ok(&bench.publish("r1", &options));
    shell(bench.directory.path(), "cp -a repository before");
    // Half a minute more than is told: the repository's clock is read after this one.
    for (off, told) in [("+18030", "300 minutes ahead"), ("-18030", "300 minutes behind")] {
        let mut command = Command::new("faketime");
        command.args(["-f", off, env!("CARGO_BIN_EXE_localpuppet"), "publish"]);
        command.args(["--to", "repository"]).args(options).args(bench.packages("r2"));
        let refused = ran(command.current_dir(bench.directory.path()));
        assert!(refused.code == 1 && refused.text.contains(told), "{off}: {refused}");
        assert!(refused.text.contains("hint: set the clock"), "{off}: {refused}");
        shell(bench.directory.path(), "diff -r before repository");
    }
    // What was said on time, nodes take no longer than until it ends.
    let (url, key) = (bench.url(), bench.path("repository/key.asc"));
    let apt = Client::apt(&bench.path("apt"), &Source { url: &url, key: Some(&key) });
    ok(&apt.apt_get(&["update"]));
    let later = apt.apt_get_at("+25h", &["update"]);
    assert!(later.code != 0 && later.text.contains("expired"), "{later}");
}

#[test]
fn what_is_published_can_be_read_by_a_web_server_whatever_the_umask() {
    let bench = Bench::new();
    bench.key("release", "ed25519", "", "never");
    let localpuppet = env!("CARGO_BIN_EXE_localpuppet");
    let publish = "publish out/* --to new/repository --sign release.secret";
    shell(bench.directory.path(), &format!("umask 077; {localpuppet} {publish}"));
    // Locks are for publishers.
    let unreadable = "find new -not -perm -o+r -not -name .turn -not -name .swap > unreadable";
    shell(bench.directory.path(), unreadable);
    assert_eq!(std::fs::read_to_string(bench.path("unreadable")).unwrap(), "");
}
