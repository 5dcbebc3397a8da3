//! Many publishers at once, and publishers that are killed at any instant.

use crate::node::{Client, Ran, Source, needs, ran, shell};
use crate::{Bench, ok};
use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const PUBLISHERS: usize = 20;
const EACH: usize = 25;

/// Bundles `EACH` releases for each publisher, of one format, into `pN`.
pub fn many(bench: &Bench) {
    for publisher in 0..PUBLISHERS {
        let apps: Vec<String> =
            (0..EACH).map(|number| format!("app{publisher}/tags/r{number}")).collect();
        for app in &apps {
            let directory = bench.path(&format!("modules/{app}"));
            fs::create_dir_all(&directory).unwrap();
            fs::write(directory.join("manifest.yaml"), "").unwrap();
        }
        let format = if publisher % 2 == 0 { "deb" } else { "rpm" };
        let mut command =
            bench.command(&["bundle", "--module-root", "modules", "--format", format]);
        ok(&ran(command.args(["--out", &format!("p{publisher}")]).args(&apps)));
    }
}

/// All publish at once; returns how long that took.
pub fn publish_at_once(bench: &Bench, options: &[&str]) -> Duration {
    let start = Instant::now();
    let publishers: Vec<_> = (0..PUBLISHERS)
        .map(|publisher| {
            let mut command = bench.command(&["publish"]);
            let packages = fs::read_dir(bench.path(&format!("p{publisher}"))).unwrap();
            command.args(packages.map(|entry| entry.unwrap().path()));
            command.args(options).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        })
        .collect();
    for publisher in publishers {
        let output = publisher.wait_with_output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
    start.elapsed()
}

/// Everything is in the repository, once, beside `more`, and it is whole.
pub fn all_are_there(bench: &Bench, to: &[&str], more: usize) {
    let checked = bench.run(&[&["publish", "--verify"], to].concat());
    let told = format!(", {} packages: whole", PUBLISHERS * EACH + more);
    assert!(checked.code == 0 && checked.text.contains(&told), "{checked}");
}

/// Calls a client again and again; returns how often, and what went wrong.
fn looping(end: &AtomicBool, count: &AtomicUsize, step: impl Fn() -> Ran) -> Vec<String> {
    let mut wrong = Vec::new();
    while !end.load(Ordering::SeqCst) {
        let ran = step();
        count.fetch_add(1, Ordering::SeqCst);
        if ran.code != 0 {
            wrong.push(ran.to_string());
        }
    }
    wrong
}

#[test]
#[ignore = "one of `make faults`"]
fn publishers_at_once_lose_nothing_and_clients_see_no_half() {
    needs(&[("dnf", "dnf")]);
    let bench = Bench::new();
    bench.key("release", "ed25519", "", "never");
    many(&bench);
    let options = ["--to", "repository", "--sign", "release@example.org"];
    ok(&bench.publish("r1", &["--sign", "release@example.org"]));
    let (url, key) = (bench.url(), bench.path("repository/key.asc"));
    let source = Source { url: &url, key: Some(&key) };
    let apt = Client::apt(&bench.path("apt"), &source);
    let rpm = Client::rpm(&bench.path("rpm"), &source);
    let (end, updates, caches) = (AtomicBool::new(false), AtomicUsize::new(0), AtomicUsize::new(0));
    let (wrong, took) = thread::scope(|scope| {
        let apt = scope.spawn(|| looping(&end, &updates, || apt.apt_get(&["update"])));
        let rpm = scope.spawn(|| looping(&end, &caches, || rpm.dnf(&["makecache", "--refresh"])));
        let took = publish_at_once(&bench, &options);
        end.store(true, Ordering::SeqCst);
        ([apt.join().unwrap(), rpm.join().unwrap()].concat(), took)
    });
    let head = fs::read_to_string(bench.path("repository/ledger/head.json")).unwrap();
    let head: serde_json::Value = serde_json::from_str(&head).unwrap();
    println!(
        "{PUBLISHERS} publishers, {} packages: {:.1} s, generation {}, meanwhile {} apt-get update, {} dnf makecache, {} of them failed",
        PUBLISHERS * EACH,
        took.as_secs_f64(),
        head["generation"],
        updates.load(Ordering::SeqCst),
        caches.load(Ordering::SeqCst),
        wrong.len()
    );
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // `r1` of the app `foo` was there before, as a .deb and an .rpm.
    all_are_there(&bench, &["--to", "repository"], 2);
    let left = fs::read_dir(bench.path("repository/ledger/begun")).unwrap().count();
    assert_eq!(left, 0);
}

const POINTS: u32 = 200;

#[test]
#[ignore = "one of `make faults`"]
fn a_publisher_that_is_killed_leaves_the_old_or_the_new_and_the_next_one_goes_on() {
    let bench = Bench::new();
    ok(&bench.publish("r1", &[]));
    shell(bench.directory.path(), "mv repository base");
    let fresh = || shell(bench.directory.path(), "rm -rf repository; cp -a base repository");
    fresh();
    let start = Instant::now();
    ok(&bench.publish("r2", &[]));
    let whole = start.elapsed();
    let (mut ended, mut entered, mut without) = (0, 0, 0);
    for point in 0..POINTS {
        fresh();
        let mut command = bench.command(&["publish", "--to", "repository"]);
        command.args(bench.packages("r2")).stdout(Stdio::null()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        thread::sleep(whole * point / POINTS);
        child.kill().unwrap();
        ended += usize::from(child.wait().unwrap().success());
        assert_client_sees_a_whole(&bench.path("repository"));

        // Another release is published, and what was entered of this one comes with it.
        let next = bench.publish("rc1", &[]);
        ok(&next);
        let checked = bench.run(&["publish", "--verify", "--to", "repository"]);
        assert_eq!(checked.code, 0, "killed at {point}/{POINTS}: {checked}");
        entered += usize::from(next.text.contains("completed "));
        without += usize::from(checked.text.contains(", 4 packages"));
        ok(&bench.publish("r2", &[]));
        let checked = bench.run(&["publish", "--verify", "--to", "repository"]);
        assert!(checked.text.contains(", 6 packages: whole"), "{checked}");
    }
    println!(
        "killed at {POINTS} points of {:.0} ms: {ended} had ended, {entered} were completed by the next, {without} had entered nothing",
        whole.as_secs_f64() * 1000.0
    );
}

/// How many of a longer publisher's points are tried: `KILLS`, or a few.
pub fn points() -> u32 {
    std::env::var("KILLS").map_or(8, |points| points.parse().unwrap())
}

/// Kills publishers of `r2` at points of their time, each after `fresh`; `judge` looks at what is left.
pub fn kill_at_points(
    publisher: impl Fn() -> std::process::Command,
    fresh: impl Fn(),
    judge: impl Fn(&str),
) {
    fresh();
    let start = Instant::now();
    ok(&ran(&mut publisher()));
    let (whole, points, mut ended) = (start.elapsed(), points(), 0);
    for point in 0..points {
        fresh();
        let mut child = publisher().stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        thread::sleep(whole * point / points);
        child.kill().unwrap();
        ended += usize::from(child.wait().unwrap().success());
        judge(&format!("killed at {point}/{points}"));
    }
    println!(
        "killed at {points} points of {:.0} ms: {ended} had ended",
        whole.as_secs_f64() * 1000.0
    );
}

#[test]
#[ignore = "one of `make faults`"]
fn a_publisher_that_is_killed_while_it_signs_leaves_a_whole() {
    let bench = Bench::new();
    bench.key("release", "ed25519", "", "never");
    let sign = ["--sign", "release.secret"];
    ok(&bench.publish("r1", &sign));
    shell(bench.directory.path(), "mv repository base");
    let fresh = || drop(shell(bench.directory.path(), "rm -rf repository; cp -a base repository"));
    let publisher = || {
        let mut command = bench.command(&["publish", "--to", "repository"]);
        command.args(sign).args(bench.packages("r2"));
        // What is left of a key's home goes with the bench.
        command.env("TMPDIR", bench.directory.path());
        command
    };
    kill_at_points(publisher, fresh, |at| {
        assert_client_sees_a_whole(&bench.path("repository"));
        ok(&bench.publish("rc1", &sign));
        ok(&bench.publish("r2", &sign));
        let checked = bench.run(&["publish", "--verify", "--to", "repository"]);
        assert!(checked.text.contains("signed, 6 packages: whole"), "{at}: {checked}");
    });
}

/// What apt and dnf read first names what is there, with the digests that it has.
fn assert_client_sees_a_whole(repository: &Path) {
    let script = r#"
        cd apt/dists/stable
        sed -n '/^SHA256:$/,$ { s/^ //p }' Release | while read -r sum size path; do
          file=$(dirname "$path")/by-hash/SHA256/$sum
          [ "$(stat -c %s "$file")" = "$size" ]
          echo "$sum  $file" | sha256sum --quiet --check
        done
        cd ../..
        sum=$(sed -n 's, \([0-9a-f]*\) .*binary-all/Packages$,\1,p' dists/stable/Release)
        awk '/^Filename:/ { name = $2 } /^SHA256:/ { print $2 "  " name }' \
          "dists/stable/main/binary-all/by-hash/SHA256/$sum" | sha256sum --quiet --check
        cd ../yum
        sed -n 's,.*<location href="\(repodata/\([0-9a-f]*\)-.*\)"/>,\2  \1,p' repodata/repomd.xml |
          sha256sum --quiet --check
        zcat $(sed -n 's,.*href="\(.*primary.xml.gz\)".*,\1,p' repodata/repomd.xml) |
          sed -n -e 's,.*pkgid="YES">\([0-9a-f]*\)<.*,\1,p' -e 's,.*<location href="\(.*\)"/>,\1,p' |
          paste -d ' ' - - | sed 's/ /  /' | sha256sum --quiet --check
    "#;
    shell(repository, script);
}
