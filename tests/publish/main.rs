//! `publish` with real keys and real clients: apt-get, dnf and zypper install
//! from what it wrote, with signature checks on and warnings as errors.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod node;

use node::{Client, Ran, Server, Source, needs, ran, shell};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A directory with packages, a key and a repository.
struct Bench {
    directory: tempfile::TempDir,
}

impl Bench {
    /// Packages of `r1` and `r2` of the app `foo`, and of `1.0-rc1`, whose version has a `~`.
    fn new() -> Self {
        needs(&[("gpg", "gpg"), ("gpg-agent", "gpg-agent"), ("rpm", "rpm")]);
        let bench = Bench { directory: tempfile::tempdir().unwrap() };
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
