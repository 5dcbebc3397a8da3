//! `publish` with real keys and real clients: apt-get, dnf and zypper install
//! from what it wrote, with signature checks on and warnings as errors.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::print_stdout)]

mod ci;
mod faults;
mod node;
mod pages;
mod peers;
mod s3;
mod surroundings;

use node::{Client, Ran, Server, Source, needs, ran, shell};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A directory with packages, a key and a repository.
struct Bench {
    directory: tempfile::TempDir,
    /// Variables of publishers.
    environment: Vec<(&'static str, String)>,
}

impl Bench {
    /// Packages of `r1` and `r2` of the app `foo`, and of `1.0-rc1`, whose version has a `~`.
    fn new() -> Self {
        needs(&[("gpg", "gpg"), ("gpg-agent", "gpg-agent"), ("rpm", "rpm")]);
        let bench = Bench { directory: tempfile::tempdir().unwrap(), environment: Vec::new() };
        bench.bundle("foo/tags/r1", "one");
        bench.bundle("foo/tags/r2", "two");
        bench.bundle("foo/tags/1.0-rc1", "candidate");
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn bundle(&self, app: &str, text: &str) {
        let class = format!("class foo {{ notify {{ '{text}': }} }}\n");
        let files = self.path(&format!("modules/{app}/foo/manifests"));
        fs::create_dir_all(&files).unwrap();
        fs::write(files.join("init.pp"), class).unwrap();
        fs::write(self.path(&format!("modules/{app}/manifest.yaml")), "").unwrap();
        let built = self.run(&["bundle", app, "--module-root", "modules", "--out", "out"]);
        assert_eq!(built.code, 0, "{built}");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_localpuppet"));
        command.args(arguments).current_dir(self.directory.path());
        command.env("GNUPGHOME", self.path("gnupg"));
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        ran(&mut self.command(arguments))
    }

    /// Publishes the packages whose names have `part`.
    fn publish(&self, part: &str, options: &[&str]) -> Ran {
        let packages = self.packages(part);
        let packages: Vec<&str> = packages.iter().map(String::as_str).collect();
        self.run(&[&["publish", "--to", "repository"], options, &packages[..]].concat())
    }

    fn packages(&self, part: &str) -> Vec<String> {
        let names = fs::read_dir(self.path("out")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<String> =
            names.filter(|name| name.contains(part)).map(|name| format!("out/{name}")).collect();
        names.sort();
        names
    }

    /// A key of its own; its secret half in `NAME.secret`.
    fn key(&self, name: &str, algorithm: &str, passphrase: &str, expires: &str) {
        let script = format!(
            "mkdir -p -m 700 gnupg; export GNUPGHOME=$PWD/gnupg; printf '%s' '{passphrase}' > {name}.passphrase\n\
             echo 's2k-count 65536' > gnupg/gpg-agent.conf\n\
             gpg --batch --quiet --pinentry-mode loopback --passphrase-file {name}.passphrase \
               --quick-generate-key '{name} <{name}@example.org>' {algorithm} sign {expires}\n\
             gpg --batch --quiet --pinentry-mode loopback --passphrase-file {name}.passphrase \
               --armor --export-secret-keys {name}@example.org > {name}.secret\n"
        );
        shell(self.directory.path(), &script);
    }

    fn url(&self) -> String {
        format!("file:{}", self.path("repository").display())
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        let mut command = Command::new("gpgconf");
        command.args(["--kill", "gpg-agent"]).env("GNUPGHOME", self.path("gnupg"));
        let _ = command.output();
    }
}

const R1: &str = "usr/share/localpuppet/foo/r1/bundle.json";
const CANDIDATE: &str = "usr/share/localpuppet/foo/1.0-rc1/bundle.json";

fn ok(ran: &Ran) {
    assert_eq!(ran.code, 0, "{ran}");
}

/// Every client installs from a repository.
fn all_clients_install(bench: &Bench, url: &str, key: Option<&Path>, at: &str) {
    let source = Source { url, key };
    let apt = Client::apt(&bench.path(&format!("{at}/apt")), &source);
    ok(&apt.apt_get(&["update"]));
    ok(&apt.apt_get(&["-y", "install", "localpuppet-foo-r1", "localpuppet-foo-1.0-rc1"]));
    assert!(apt.installed(R1) && apt.installed(CANDIDATE));
    ok(&apt.apt_get(&["update"]));

    let rpm = Client::rpm(&bench.path(&format!("{at}/rpm")), &source);
    ok(&rpm.dnf(&["makecache"]));
    ok(&rpm.dnf(&["install", "localpuppet-foo-r1", "localpuppet-foo-1.0-rc1"]));
    assert!(rpm.installed(R1) && rpm.installed(CANDIDATE));

    let zypper = Client::rpm(&bench.path(&format!("{at}/zypper")), &source);
    ok(&zypper.zypper(&["refresh"]));
    ok(&zypper.zypper(&["install", "localpuppet-foo-r1", "localpuppet-foo-1.0-rc1"]));
    assert!(zypper.installed(R1) && zypper.installed(CANDIDATE));
}

#[test]
fn every_client_installs_what_was_signed_over_files_and_http() {
    needs(&[("dnf", "dnf"), ("zypper", "zypper")]);
    let bench = Bench::new();
    bench.key("release", "ed25519", "", "never");
    ok(&bench.publish("", &["--sign", "release@example.org"]));
    let key = bench.path("repository/key.asc");
    all_clients_install(&bench, &bench.url(), Some(&key), "file");
    let server = Server::of(&bench.path("repository"));
    all_clients_install(&bench, &server.url, Some(&key), "http");

    // What was signed is the same bundle, and as large as it was.
    let published = fs::read_dir(bench.path("repository/yum/pool/localpuppet-foo-r1")).unwrap();
    let published = published.last().unwrap().unwrap().path();
    let given = bench.path("out/localpuppet-foo-r1-1-1.noarch.rpm");
    assert_eq!(fs::metadata(given).unwrap().len(), fs::metadata(&published).unwrap().len());
    ok(&bench.run(&["inspect", published.to_str().unwrap()]));
    let check = format!(
        "mkdir keys; rpmkeys --root $PWD/keys --import repository/key.asc; rpmkeys --root $PWD/keys -K {}",
        published.display()
    );
    assert!(shell(bench.directory.path(), &check).contains("digests signatures OK"));
    // A package of another repository is not trusted.
    bench.key("other", "ed25519", "", "never");
    shell(
        bench.directory.path(),
        "GNUPGHOME=$PWD/gnupg gpg --armor --export other@example.org > other.asc",
    );
    let (url, key) = (bench.url(), bench.path("other.asc"));
    let source = Source { url: &url, key: Some(&key) };
    assert_ne!(Client::apt(&bench.path("bad/apt"), &source).apt_get(&["update"]).code, 0);
    assert_ne!(Client::rpm(&bench.path("bad/rpm"), &source).dnf(&["makecache"]).code, 0);
}

#[test]
fn every_client_installs_what_was_not_signed() {
    needs(&[("dnf", "dnf"), ("zypper", "zypper")]);
    let bench = Bench::new();
    ok(&bench.publish("", &[]));
    all_clients_install(&bench, &bench.url(), None, "file");
}

#[test]
fn a_key_is_a_file_or_a_user_id_and_its_passphrase_never_an_argument() {
    let bench = Bench::new();
    bench.key("locked", "rsa2048", "open sesame", "never");
    let file = ["--sign", "locked.secret"];
    let refused = bench.publish("r1", &file);
    assert!(refused.code == 1 && refused.text.contains("cannot sign"), "{refused}");
    let absent = bench.publish("r1", &[&file[..], &["--passphrase-file", "absent"]].concat());
    assert!(absent.text.contains("error: the passphrase file `absent` is not there\n"), "{absent}");
    let options = [&file[..], &["--passphrase-file", "locked.passphrase"]].concat();
    ok(&bench.publish("r1", &options));
    let packages = bench.packages("r2");
    let mut by_environment =
        bench.command(&["publish", "--to", "repository", "--sign", "locked.secret"]);
    by_environment.args(&packages).env("LOCALPUPPET_SIGN_PASSPHRASE", "open sesame");
    ok(&ran(&mut by_environment));
    shell(bench.directory.path(), "export GNUPGHOME=$PWD/gnupg; gpgconf --kill gpg-agent");
    ok(&bench.publish(
        "rc1",
        &["--sign", "locked@example.org", "--passphrase-file", "locked.passphrase"],
    ));
    let (url, key) = (bench.url(), bench.path("repository/key.asc"));
    let source = Source { url: &url, key: Some(&key) };
    ok(&Client::apt(&bench.path("apt"), &source).apt_get(&["update"]));

    // A signed repository stays signed.
    let unsigned = bench.publish("rc1", &[]);
    assert!(unsigned.code == 64 && unsigned.text.contains("hint: --sign KEY"), "{unsigned}");
}

#[test]
fn a_key_that_cannot_sign_leaves_no_trace() {
    needs(&[("faketime", "faketime")]);
    let bench = Bench::new();
    bench.key("old", "ed25519", "", "seconds=5");
    std::thread::sleep(std::time::Duration::from_secs(6));
    fs::write(bench.path("no.secret"), "no key").unwrap();
    for key in ["old@example.org", "old.secret", "nobody@example.org", "no.secret"] {
        let refused = bench.publish("", &["--sign", key]);
        assert_eq!(refused.code, 1, "{key}: {refused}");
        assert!(refused.text.contains("key"), "{key}: {refused}");
        assert!(!bench.path("repository").exists(), "{key}: {refused}");
    }
}

#[test]
fn nodes_verify_with_one_file_after_the_key_was_changed() {
    needs(&[("dnf", "dnf")]);
    let bench = Bench::new();
    bench.key("first", "ed25519", "", "never");
    bench.key("second", "rsa2048", "", "never");
    ok(&bench.publish("r1", &["--sign", "first@example.org"]));
    ok(&bench.publish("r2", &["--sign", "second.secret"]));
    ok(&bench.publish("rc1", &["--sign", "first.secret"]));
    let (url, key) = (bench.url(), bench.path("repository/key.asc"));
    let source = Source { url: &url, key: Some(&key) };
    ok(&Client::apt(&bench.path("apt"), &source).apt_get(&["update"]));
    let rpm = Client::rpm(&bench.path("rpm"), &source);
    ok(&rpm.dnf(&["install", "localpuppet-foo-r1", "localpuppet-foo-r2"]));
    assert_eq!(fs::read_to_string(&key).unwrap().matches("BEGIN PGP").count(), 1);
}

/// Answers of the program, as programs read them.
fn json(bench: &Bench, arguments: &[&str]) -> serde_json::Value {
    let output = bench.command(arguments).arg("--json").output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{arguments:?}: {error}: {output:?}"))
}

#[test]
fn what_is_pruned_stays_in_the_ledger_and_nobody_can_publish_it_again() {
    let bench = Bench::new();
    ok(&bench.publish("r1", &[]));
    ok(&bench.publish("r2", &[]));
    let prune = ["publish", "--prune", "--to", "repository", "--keep", "1", "--min-days"];
    let young = json(&bench, &[&prune[..], &["1"]].concat());
    assert_eq!(young["removed"], serde_json::json!([]));
    let dry = json(&bench, &[&prune[..], &["0", "--dry-run"]].concat());
    assert_eq!((&dry["generation"], dry["removed"].as_array().unwrap().len()), (&2.into(), 2));
    let pruned = json(&bench, &[&prune[..], &["0"]].concat());
    assert_eq!(pruned["removed"][0]["package"], "localpuppet-foo-r1");
    // A client may still have an index that names them, so the files stay for an hour.
    assert_eq!(pruned["deleted"], serde_json::json!([]));
    let listed = json(&bench, &["publish", "--list", "--to", "repository"]);
    let removed = |listed: &serde_json::Value| {
        let packages = listed["packages"].as_array().unwrap().clone();
        packages.iter().filter(|package| package["removed"] == true).count()
    };
    assert_eq!(removed(&listed), 2);
    let checked = json(&bench, &["publish", "--verify", "--to", "repository"]);
    assert_eq!((&checked["packages"], &checked["problems"]), (&2.into(), &serde_json::json!([])));
    let again = bench.publish("r1", &[]);
    assert!(again.code == 12 && again.text.contains("a version is used once"), "{again}");

    // An hour later, and a package that a publisher stored and did not enter.
    shell(
        bench.directory.path(),
        "for file in repository/ledger/entries/*/*.removed; do printf 2026-01-01T00:00:00.000Z > $file; done
         printf x > repository/apt/pool/localpuppet-foo-r2/stray.deb",
    );
    let swept = json(&bench, &[&prune[..], &["0"]].concat());
    assert_eq!(swept["deleted"].as_array().unwrap().len(), 3, "{swept}");
    // What is on its way to a name may be anybody's who is at work.
    shell(bench.directory.path(), "touch repository/apt/dists/stable/.localpuppet-x");
    assert_eq!(json(&bench, &[&prune[..], &["0"]].concat())["deleted"], serde_json::json!([]));
    assert_eq!(
        json(&bench, &["publish", "--verify", "--to", "repository"])["problems"],
        serde_json::json!([])
    );
}

#[test]
fn a_promoted_release_is_the_same_bytes_and_says_where_they_came_from() {
    needs(&[("dnf", "dnf")]);
    let bench = Bench::new();
    bench.key("staging", "ed25519", "", "never");
    bench.key("production", "ed25519", "", "never");
    ok(&bench.publish("", &["--sign", "staging@example.org"]));
    let promote = ["promote", "repository", "--to", "live", "--sign", "production@example.org"];
    let unknown = bench.run(&[&promote[..], &["foo/tags/r9"]].concat());
    assert!(
        unknown.code == 1 && unknown.text.contains("has no release `foo/tags/r9`"),
        "{unknown}"
    );
    ok(&bench.run(&[&promote[..], &["foo/tags/r1"]].concat()));
    ok(&bench.run(&[&promote[..], &["foo/1.0-rc1", "foo/tags/r1"]].concat()));
    let listed = json(&bench, &["publish", "--list", "--to", "live"]);
    let packages = listed["packages"].as_array().unwrap();
    assert_eq!(packages.len(), 4);
    assert!(packages.iter().all(|package| package["promoted_from"] == "repository"), "{listed}");
    let same = "for file in live/*/pool/*/*; do cmp $file repository/${file#live/}; done";
    shell(bench.directory.path(), same);
    // Packages are signed by the one key and indexes by the other: nodes have both in one file.
    let (url, key) = (format!("file:{}", bench.path("live").display()), bench.path("live/key.asc"));
    let source = Source { url: &url, key: Some(&key) };
    ok(&Client::apt(&bench.path("apt"), &source).apt_get(&["update"]));
    ok(&Client::rpm(&bench.path("rpm"), &source).dnf(&["install", "localpuppet-foo-r1"]));
    // The file that was handed in at first is the same release here as well.
    let packages = bench.packages("r1_");
    let again =
        bench.run(&["publish", "--to", "live", "--sign", "production@example.org", &packages[0]]);
    assert!(again.code == 0 && again.text.starts_with("already published"), "{again}");
    let checked = bench.run(&["publish", "--verify", "--to", "live"]);
    assert!(checked.text.contains("signed, 4 packages: whole"), "{checked}");
}

#[test]
fn what_is_there_already_is_not_written_again() {
    let bench = Bench::new();
    bench.key("release", "ed25519", "", "never");
    let sign = ["--sign", "release.secret"];
    ok(&bench.publish("", &sign));
    let promote = [&["promote", "repository", "--to", "live"][..], &sign].concat();
    ok(&bench.run(&promote));
    let list = "find repository live -printf '%p %i %T@\\n' | sort";
    shell(bench.directory.path(), &format!("{list} > before"));
    ok(&bench.publish("", &sign));
    let answer = json(&bench, &promote);
    shell(bench.directory.path(), &format!("{list} | diff before -"));
    for package in answer["packages"].as_array().unwrap() {
        assert_eq!(package["unchanged"], true, "{answer}");
        assert!(bench.path("live").join(package["path"].as_str().unwrap()).is_file(), "{answer}");
    }

    // Nor is a repository made of nothing.
    ok(&bench.run(&[
        "publish",
        "--prune",
        "--to",
        "live",
        "--keep",
        "0",
        "--min-days",
        "0",
        "--sign",
        "release.secret",
    ]));
    let none = bench.run(&["promote", "live", "--to", "none"]);
    assert_eq!(none.to_string(), "exit 0\nnothing was written\n");
    assert!(!bench.path("none").exists());
}

#[test]
fn what_is_promoted_is_where_the_answer_says_though_another_key_signed_it() {
    let bench = Bench::new();
    bench.key("staging", "ed25519", "", "never");
    bench.key("live", "ed25519", "", "never");
    ok(&bench.publish("r1", &["--sign", "staging.secret"]));
    let given = bench.packages("r1-1-1");
    ok(&bench.run(&["publish", "--to", "live", "--sign", "live.secret", &given[0]]));
    let answer = json(&bench, &["promote", "repository", "--to", "live", "--sign", "live.secret"]);
    let packages = answer["packages"].as_array().unwrap();
    assert_eq!(packages.len(), 2);
    for package in packages {
        assert!(bench.path("live").join(package["path"].as_str().unwrap()).is_file(), "{answer}");
    }
}

#[test]
fn promote_ends_what_a_killed_publisher_began() {
    let bench = Bench::new();
    ok(&bench.publish("rc1", &[]));
    ok(&bench.run(&["promote", "repository", "--to", "live"]));
    shell(bench.directory.path(), "cp -a live before");
    let packages = bench.packages("r2");
    ok(&bench.run(&["publish", "--to", "live", &packages[0], &packages[1]]));
    // As if it had been killed before it wrote an index.
    let begun = r#"{"since":"2026-01-01T00:00:00Z","names":[{"package":"localpuppet-foo-r2","version":"2","format":"deb"},{"package":"localpuppet-foo-r2","version":"2","format":"rpm"}]}"#;
    let killed = format!(
        "cd live; rm -r apt/dists yum/repodata releases; cp -a ../before/ledger/head.json ledger
         cp -a ../before/apt/dists apt; cp -a ../before/yum/repodata yum; cp -a ../before/releases .
         echo '{begun}' > ledger/begun/x.json"
    );
    shell(bench.directory.path(), &killed);
    let ended = bench.run(&["promote", "repository", "--to", "live"]);
    let told = "completed localpuppet-foo-r2 2 (.rpm), which another publisher had begun\n";
    assert!(ended.code == 0 && ended.text.contains(told), "{ended}");
    let checked = bench.run(&["publish", "--verify", "--to", "live"]);
    assert!(checked.text.contains(", 4 packages: whole"), "{checked}");
}

#[test]
fn a_release_that_a_killed_publisher_took_is_ended_by_the_same_bytes_alone() {
    needs(&[("strace", "strace")]);
    let bench = Bench::new();
    ok(&bench.publish("r2", &[]));
    // It tells what it begins, takes the release, and is killed before the package is in the pool.
    let kill = ["-f", "-o", "/dev/null", "-e", "trace=linkat", "-e"];
    let mut killed = Command::new("strace");
    killed.args(kill).args(["inject=linkat:signal=KILL:when=3", env!("CARGO_BIN_EXE_localpuppet")]);
    killed.args(["publish", "--to", "repository", &bench.packages("r1_")[0]]);
    assert_ne!(ran(killed.current_dir(bench.directory.path())).code, 0);
    shell(bench.directory.path(), "mv out given; mkdir out");
    bench.bundle("foo/tags/r1", "other");
    let refused = bench.publish("r1_", &[]);
    let told = "error: `localpuppet-foo-r1` is taken for another bundle by a publication that has not ended: begun 20";
    assert!(refused.code == 12 && refused.text.contains(told), "{refused}");
    assert!(refused.text.contains(", process "), "{refused}");
    let told = "hint: publish what that began with, which ends it: the package with the bundle ID expected\n";
    assert!(refused.text.contains(told), "{refused}");
    // Who is refused leaves nothing; the same bytes, in either format, are as good as the first.
    assert_eq!(shell(&bench.path("repository/ledger/begun"), "ls | wc -l"), "1\n");
    ok(&bench.run(&["publish", "--to", "repository", "given/localpuppet-foo-r1-1-1.noarch.rpm"]));
    ok(&bench.run(&["publish", "--to", "repository", "given/localpuppet-foo-r1_1_all.deb"]));
    let checked = bench.run(&["publish", "--verify", "--to", "repository"]);
    assert!(checked.text.contains(", 4 packages: whole"), "{checked}");
}

/// A shell's limit of open files is often lower than a repository has packages.
#[test]
fn more_packages_are_published_and_promoted_than_a_shell_lets_open() {
    let bench = Bench::new();
    let apps: Vec<String> = (1..=20).map(|number| format!("many/tags/r{number}")).collect();
    for app in &apps {
        fs::create_dir_all(bench.path(&format!("modules/{app}"))).unwrap();
        fs::write(bench.path(&format!("modules/{app}/manifest.yaml")), "").unwrap();
    }
    let mut bundle = bench.command(&["bundle", "--module-root", "modules", "--out", "many"]);
    ok(&ran(bundle.args(&apps)));
    let script = r#"ulimit -S -n 24; "$0" publish many/* --to repository; "$0" promote repository --to live"#;
    let mut command = Command::new("sh");
    command.args(["-euc", script, env!("CARGO_BIN_EXE_localpuppet")]);
    ok(&ran(command.current_dir(bench.directory.path())));
    let checked = bench.run(&["publish", "--verify", "--to", "live"]);
    assert!(checked.text.contains(", 40 packages: whole"), "{checked}");
}

#[test]
fn what_another_program_made_is_not_overwritten() {
    let bench = Bench::new();
    for key in ["apt/dists/stable/InRelease", "yum/repodata/repomd.xml", "index.html"] {
        let made = format!(
            "rm -rf repository; mkdir -p repository/$(dirname {key}); echo > repository/{key}"
        );
        shell(bench.directory.path(), &made);
        for options in [&[][..], &["--dry-run"]] {
            let refused = bench.publish("r1", options);
            let told = format!(
                "error: `repository` has `{key}`, and no ledger: another program made it\n"
            );
            assert!(refused.code == 1 && refused.text.contains(&told), "{refused}");
        }
        assert_eq!(shell(&bench.path("repository"), "find . -type f"), format!("./{key}\n"));
    }
}

#[test]
fn an_index_that_was_cut_off_is_told_and_made_of_the_ledger_again() {
    let bench = Bench::new();
    bench.key("release", "ed25519", "", "never");
    let sign = ["--sign", "release.secret"];
    ok(&bench.publish("r1", &sign));
    ok(&bench.publish("rc1", &sign));
    shell(
        &bench.path("repository/apt/dists/stable"),
        "truncate -s 9 main/*/Packages* main/*/by-hash/*/*",
    );
    let refused = bench.publish("r2", &sign);
    let told =
        "hint: remove `ledger/head.json` and publish: all indexes are made of the ledger again\n";
    assert!(refused.code == 12 && refused.text.contains(told), "{refused}");
    shell(&bench.path("repository"), "echo '{' > ledger/head.json");
    let refused = bench.publish("r2", &sign);
    assert!(refused.code == 1 && refused.text.contains(told), "{refused}");
    shell(&bench.path("repository"), "rm ledger/head.json");
    // It was signed, and stays so.
    assert_eq!(bench.publish("r1", &[]).code, 64);
    ok(&bench.publish("r1", &sign));
    let checked = bench.run(&["publish", "--verify", "--to", "repository"]);
    assert!(checked.text.contains("signed, 6 packages: whole"), "{checked}");
}

#[test]
fn an_rpm_that_was_not_signed_is_signed_on_its_way_into_a_signed_repository() {
    needs(&[("dnf", "dnf")]);
    let bench = Bench::new();
    bench.key("live", "ed25519", "", "never");
    ok(&bench.publish("", &[]));
    let refused = bench.publish("", &["--sign", "live.secret"]);
    let told = "error: `repository` has .rpm that are not signed, and stay so\n  hint: sign them on their way into a new repository:\n  hint: localpuppet promote repository --to NEW --sign live.secret\n";
    assert!(refused.code == 64 && refused.text.ends_with(told), "{refused}");

    let promote = ["promote", "repository", "--to", "live", "--sign", "live.secret"];
    ok(&bench.run(&promote));
    let (url, key) = (format!("file:{}", bench.path("live").display()), bench.path("live/key.asc"));
    let source = Source { url: &url, key: Some(&key) };
    ok(&Client::rpm(&bench.path("rpm"), &source).dnf(&["install", "localpuppet-foo-r1"]));
    let verify = ["publish", "--verify", "--to", "live"];
    assert!(bench.run(&verify).text.ends_with("signed, 6 packages: whole\n"));
    // It is the same release: what was handed in is on record, and known again.
    assert_eq!(json(&bench, &promote)["packages"][1]["unchanged"], true);
    let packages = bench.packages("r1-1-1");
    let again = bench.run(&["publish", "--to", "live", "--sign", "live.secret", &packages[0]]);
    assert!(again.code == 0 && again.text.starts_with("already published"), "{again}");

    // Nor is it enough that somebody has signed it: nodes have the keys of `key.asc`.
    bench.key("other", "ed25519", "", "never");
    ok(&bench.run(&["publish", "--to", "others", "--sign", "other.secret", &packages[0]]));
    let theirs = shell(bench.directory.path(), "echo others/yum/pool/*/*");
    ok(&bench.run(&["publish", "--to", "plain", theirs.trim()]));
    let promote = ["promote", "plain", "--to", "again", "--sign", "live.secret"];
    ok(&bench.run(&promote));
    let checked = bench.run(&["publish", "--verify", "--to", "again"]);
    assert!(checked.text.ends_with("signed, 1 packages: whole\n"), "{checked}");

    let put = |path: &str, told: &str| {
        let put = format!(
            "old=$(echo live/yum/pool/localpuppet-foo-r1/*); cp {path} $old
             sum=$(sha256sum $old); entry=live/ledger/entries/localpuppet-foo-r1/1.rpm.json
             sed -i \"s/\\(\\\"sha256\\\":\\\"\\)[0-9a-f]*/\\1${{sum%% *}}/\" $entry"
        );
        shell(bench.directory.path(), &put);
        let checked = bench.run(&verify);
        assert!(checked.code == 12 && checked.text.contains(told), "{checked}");
    };
    put(&packages[0], "` has no signature, and dnf and zypper want one here\n");
    put(theirs.trim(), "rpm`: it is not signed by a key of `key.asc`\n");
}

#[test]
fn a_repository_becomes_signed_gets_architectures_and_stays_valid_without_a_new_package() {
    let bench = Bench::new();
    bench.key("release", "ed25519", "", "never");
    ok(&bench.publish("r1_", &["--architectures", "amd64"]));
    let said = bench.publish("r1_", &["--sign", "release.secret"]);
    assert!(said.text.ends_with("generation 2, signed\n"), "{said}");
    let release =
        || fs::read_to_string(bench.path("repository/apt/dists/stable/InRelease")).unwrap();
    assert!(release().contains("Architectures: all amd64 arm64\n"), "{}", release());
    let prune = ["publish", "--prune", "--to", "repository", "--sign", "release.secret"];
    ok(&bench.run(&[&prune[..], &["--valid-days", "7"]].concat()));
    assert!(release().contains("Valid-Until:"), "{}", release());
    let said = bench.publish("r1_", &["--sign", "release.secret", "--valid-days", "7"]);
    assert!(said.text.ends_with("generation 4, signed\n"), "{said}");
}

#[test]
fn snapshots_are_promoted_only_where_that_is_said() {
    let bench = Bench::new();
    bench.bundle("foo/tags/r1", "one");
    fs::create_dir_all(bench.path("modules/foo/trunk")).unwrap();
    fs::write(bench.path("modules/foo/trunk/manifest.yaml"), "").unwrap();
    let snapshot =
        ["bundle", "foo/trunk", "--snapshot", "--module-root", "modules", "--out", "out"];
    ok(&bench.run(&snapshot));
    ok(&bench.publish("", &["--allow-snapshots"]));
    let refused = bench.run(&["promote", "repository", "foo/trunk", "--to", "live"]);
    assert!(refused.code == 1 && refused.text.contains("--allow-snapshots"), "{refused}");
    ok(&bench.run(&["promote", "repository", "--to", "live"]));
    let packages = |bench: &Bench| {
        json(bench, &["publish", "--list", "--to", "live"])["packages"].as_array().unwrap().len()
    };
    assert_eq!(packages(&bench), 6);
    ok(&bench.run(&["promote", "repository", "foo/trunk", "--to", "live", "--allow-snapshots"]));
    assert_eq!(packages(&bench), 8);
}

#[test]
fn verify_tells_all_that_is_not_as_it_should_be() {
    let bench = Bench::new();
    bench.key("release", "ed25519", "", "never");
    ok(&bench.publish("", &["--sign", "release@example.org"]));
    assert_eq!(bench.run(&["publish", "--verify", "--to", "repository"]).code, 0);
    shell(bench.directory.path(), "cp -a repository whole");
    let cases = [
        ("printf x | tee -a apt/pool/localpuppet-foo-r1/*", "expected SHA-256"),
        ("rm yum/pool/localpuppet-foo-r1/*", "No such file or directory"),
        (
            "printf x >> apt/dists/stable/InRelease",
            "`apt/dists/stable/InRelease`: expected SHA-256",
        ),
        ("printf x > yum/repodata/repomd.xml.asc", "not signed by a key of `key.asc`"),
        ("rm apt/dists/stable/main/binary-arm64/by-hash/SHA256/*", "is not there"),
        ("rm ledger/entries/localpuppet-foo-r1/1.deb.json", "and the ledger does not"),
        (
            "rm ledger/entries/localpuppet-foo-r1/*.json; date > ledger/entries/localpuppet-foo-r1/1.deb.removed",
            "has lost",
        ),
        (
            "echo '{' > ledger/entries/localpuppet-foo-r1/1.deb.json",
            "1.deb.json` is not valid: EOF",
        ),
        (
            "sed -i s,foo/tags/r1,foo/tags/r9, ledger/entries/localpuppet-foo-r1/1.rpm.json",
            "bundle ID",
        ),
        ("sed -i 's/^1 ./1 x/' ledger/entries/localpuppet-foo-r1/release", "expected `1 "),
        ("rm key.asc; printf x | tee -a apt/pool/localpuppet-foo-r1/*", "`key.asc`: "),
        ("rm key.asc; printf x | tee -a apt/pool/localpuppet-foo-r1/*", "expected SHA-256"),
        (
            "printf x | tee -a yum/repodata/*-other.xml.gz; rm apt/pool/localpuppet-foo-r1/*",
            "No such file",
        ),
        ("rm ledger/head.json", "hint: publish anything"),
        (
            "cp -r ../whole/ledger/entries ledger; cd ledger/entries; mkdir x; sed s/Package/X/ */1.deb.json > x/1.deb.json",
            "in no index",
        ),
    ];
    for (damage, told) in cases {
        shell(bench.directory.path(), "rm -rf repository; cp -a whole repository");
        shell(&bench.path("repository"), damage);
        let checked = bench.run(&["publish", "--verify", "--to", "repository"]);
        assert!(checked.code == 12 && checked.text.contains(told), "{damage}: {checked}");
    }
}

#[test]
fn verify_tells_what_older_clients_hold_and_what_has_ended() {
    needs(&[("faketime", "faketime")]);
    let bench = Bench::new();
    bench.key("release", "ed25519", "", "2d");
    let options = ["--sign", "release.secret", "--valid-days", "1"];
    ok(&bench.publish("r1", &options));
    shell(bench.directory.path(), "ls repository/yum/repodata/*-primary.xml.gz > older");
    ok(&bench.publish("r2", &options));
    let verify = |later: &str| {
        let mut command = Command::new("faketime");
        command.args(["-f", later, env!("CARGO_BIN_EXE_localpuppet")]);
        command.args(["publish", "--verify", "--to", "repository"]);
        ran(command.current_dir(bench.directory.path()))
    };
    ok(&verify("+0h"));
    let ended = verify("+25h");
    assert!(ended.code == 12 && ended.text.contains("Release` was valid until"), "{ended}");
    assert!(!ended.text.contains("expired"), "{ended}");
    let expired = verify("+49h");
    let told = ["repomd.xml.asc`: the key `", "` has expired"];
    assert!(expired.code == 12 && told.iter().all(|told| expired.text.contains(told)), "{expired}");
    // A client that has the last `repomd.xml` still asks for that.
    shell(bench.directory.path(), "rm $(cat older)");
    let lost = verify("+0h");
    assert!(lost.code == 12 && lost.text.contains("-primary.xml.gz` is not there"), "{lost}");
}
