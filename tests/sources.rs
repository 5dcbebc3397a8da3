//! Releases from git: many files, many repositories, many commands at once, a command that is
//! killed, and a server that has nothing but files.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "runs the program")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// A directory with a module root, a cache, and repositories beside them.
struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        let place = tempfile::tempdir().unwrap();
        fs::create_dir(place.path().join("modules")).unwrap();
        Place(place)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A repository with some text files and the tag r1, made without a working tree.
    fn repository(&self, name: &str, files: impl Iterator<Item = (String, String)>) {
        let path = self.path(name);
        git(&["init", "--quiet", "--bare", path.to_str().unwrap()]);
        let mut import = Command::new("git")
            .args(["-C", path.to_str().unwrap(), "fast-import", "--quiet"])
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut to = std::io::BufWriter::new(import.stdin.take().unwrap());
        let who = "a <a@example.org> 1767225600 +0000";
        write!(to, "commit refs/tags/r1\ncommitter {who}\ndata 1\n1\n").unwrap();
        for (path, text) in files {
            let length = text.len();
            write!(to, "M 100644 inline {path}\ndata {length}\n{text}\n").unwrap();
        }
        drop(to);
        assert!(import.wait().unwrap().success());
    }

    fn sources(&self, text: &str) {
        fs::write(self.path("modules/sources.yaml"), text).unwrap();
    }

    /// `localpuppet bundle`, ready to be started.
    fn bundle(&self, app: &str, cache: &str, out: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_localpuppet"));
        command.args(["bundle", app, "--format", "deb", "--module-root", "modules"]);
        command.args(["--cache", cache, "--out", out]).current_dir(self.0.path());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// The package that a bundle of an app at r1 has made.
    fn package(&self, out: &str, name: &str) -> Vec<u8> {
        fs::read(self.path(&format!("{out}/localpuppet-{name}-r1_1_all.deb"))).unwrap()
    }
}

fn git(arguments: &[&str]) {
    assert!(Command::new("git").args(arguments).status().unwrap().success(), "{arguments:?}");
}

fn well(output: Output) -> String {
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    told
}

fn one_file() -> impl Iterator<Item = (String, String)> {
    let module = ("m/manifests/init.pp".to_owned(), "class m {}\n".to_owned());
    [module, ("manifest.yaml".to_owned(), String::new())].into_iter()
}

/// Bundles a repository of so many files, then again when it is gone.
fn of_many_files(count: usize) {
    let place = Place::new();
    let file = |n: usize| (format!("m/files/{}/{n}", n % 100), format!("{n}\n"));
    place.repository("many", one_file().chain((0..count).map(file)));
    place.sources("many: { git: ../many }\n");
    assert_eq!(well(place.bundle("many/tags/r1", "cache", "out").output().unwrap()), "");
    let inspect = Command::new(env!("CARGO_BIN_EXE_localpuppet"))
        .args(["inspect", "out/localpuppet-many-r1_1_all.deb"])
        .current_dir(place.path(""))
        .output()
        .unwrap();
    let told = String::from_utf8(inspect.stdout).unwrap();
    assert!(told.contains(&format!(" bytes in {} files\n", count + 2)), "{told}");
    fs::remove_dir_all(place.path("many")).unwrap();
    let told = well(place.bundle("many/tags/r1", "cache", "again").output().unwrap());
    assert!(told.starts_with("localpuppet: warning: `../many` is away; "), "{told}");
    assert!(place.package("out", "many") == place.package("again", "many"));
}

#[test]
fn a_repository_of_many_files() {
    of_many_files(2_000);
}

#[test]
#[ignore = "one of `make faults`"]
fn a_repository_of_very_many_files() {
    of_many_files(std::env::var("FILES").map_or(20_000, |files| files.parse().unwrap()));
}

/// A release on twelve repositories; what it is made of is asked for several at a time.
fn twelve(place: &Place) {
    let names: Vec<String> = (0..12).map(|n| format!("r{n}")).collect();
    let list: String = names.iter().map(|name| format!("- {name}/tags/r1\n")).collect();
    place.repository(
        "top",
        [("manifest.yaml".to_owned(), format!("modulepath:\n{list}"))].into_iter(),
    );
    names.iter().for_each(|name| place.repository(name, one_file()));
    let source = |name: &String| format!("{name}: {{ git: ../{name} }}\n");
    place.sources(
        &("top: { git: ../top }\n".to_owned() + &names.iter().map(source).collect::<String>()),
    );
}

#[test]
fn commands_at_once_share_a_cache() {
    let place = Place::new();
    twelve(&place);
    let start = |n| place.bundle("top/tags/r1", "cache", &format!("out{n}")).spawn().unwrap();
    let started: Vec<Child> = (0..4).map(start).collect();
    for child in started {
        well(child.wait_with_output().unwrap());
    }
    for n in 1..4 {
        assert!(place.package("out0", "top") == place.package(&format!("out{n}"), "top"));
    }
    let trees = fs::read_dir(place.path("cache/trees")).unwrap().count();
    // The twelve have one commit, as they have one content and one date.
    assert_eq!(trees, 2);
}

#[test]
fn a_command_that_is_killed_leaves_a_cache_that_serves() {
    let place = Place::new();
    twelve(&place);
    well(place.bundle("top/tags/r1", "whole", "expected").output().unwrap());
    for n in 0..8 {
        let mut killed = place.bundle("top/tags/r1", "cache", &format!("killed{n}"));
        let mut killed = killed.spawn().unwrap();
        std::thread::sleep(Duration::from_millis(10 + 20 * n));
        let _ = killed.kill();
        killed.wait().unwrap();
    }
    well(place.bundle("top/tags/r1", "cache", "out").output().unwrap());
    assert!(place.package("out", "top") == place.package("expected", "top"));
}

/// A web server for a directory, until it is dropped.
struct Server(Child, String);

impl Server {
    fn of(directory: &Path) -> Self {
        let mut server = Command::new("python3")
            .args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"])
            .arg(directory)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port = line.split(" port ").nth(1).unwrap().split(' ').next().unwrap().to_owned();
        Server(server, port)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn a_server_that_has_but_files_gives_all_of_the_history() {
    let place = Place::new();
    fs::create_dir(place.path("web")).unwrap();
    place.repository("web/foo", one_file());
    git(&["-C", place.path("web/foo").to_str().unwrap(), "update-server-info"]);
    let server = Server::of(&place.path("web"));
    place.sources(&format!("foo: {{ git: http://127.0.0.1:{}/foo }}\n", server.1));
    well(
        place.bundle("foo/tags/r1", "cache", "out").env("no_proxy", "127.0.0.1").output().unwrap(),
    );
    drop(server);
    let away = place.bundle("foo/tags/r1", "cache", "again").env("no_proxy", "127.0.0.1").output();
    let told = well(away.unwrap());
    assert!(
        told.contains(" is away; what the cache has of it is taken: fatal: unable to access"),
        "{told}"
    );
    assert!(place.package("out", "foo") == place.package("again", "foo"));
}
