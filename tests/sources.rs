//! Releases from git: many files, many repositories, many commands at once, a command that is
//! killed, and a server that has nothing but files.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "runs the program")]

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::PermissionsExt;
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

/// A git that writes down what it is asked for, in `asked`, before it does it.
fn counted(command: &mut Command, place: &Place) -> Vec<String> {
    let script = "#!/bin/sh\necho \"$*\" >> \"$ASKED\"\nPATH=${PATH#*:} exec git \"$@\"\n";
    fs::create_dir_all(place.path("bin")).unwrap();
    let (program, asked) = (place.path("bin/git"), place.path("asked"));
    fs::write(&program, script).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    fs::write(&asked, "").unwrap();
    let path = format!("{}:{}", place.path("bin").display(), std::env::var("PATH").unwrap());
    well(command.env("PATH", path).env("ASKED", &asked).output().unwrap());
    let verb = |line: &str| {
        let verb = line.split(' ').find(|word| VERBS.contains(word));
        verb.unwrap_or(line).to_owned()
    };
    fs::read_to_string(asked).unwrap().lines().map(verb).collect()
}

const VERBS: [&str; 6] = ["init", "ls-remote", "fetch", "ls-tree", "cat-file", "rev-parse"];

#[test]
fn git_is_run_four_times_for_a_tag_and_once_for_one_that_is_known() {
    let place = Place::new();
    place.repository("foo", one_file());
    place.sources("foo: { git: ../foo }\n");
    let cold = counted(&mut place.bundle("foo/tags/r1", "cache", "out"), &place);
    assert_eq!(cold, ["ls-remote", "fetch", "ls-tree", "cat-file"]);
    let warm = counted(&mut place.bundle("foo/tags/r1", "cache", "again"), &place);
    assert_eq!(warm, ["ls-remote"]);
}

/// What a command writes to a terminal of its own, where somebody types.
fn at_a_terminal(command: &Command, typed: &str) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<&str> = words.map(|word| word.to_str().unwrap()).collect();
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &words.join(" "), "/dev/null"]);
    script.current_dir(command.get_current_dir().unwrap()).env("no_proxy", "127.0.0.1");
    let mut script =
        script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    script.stdin.take().unwrap().write_all(typed.as_bytes()).unwrap();
    String::from_utf8_lossy(&script.wait_with_output().unwrap().stdout).into_owned()
}

/// A server that asks for a user name and a password, and takes none.
const LOCKED: &str = "
import http.server
class Locked(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(401)
        self.send_header('WWW-Authenticate', 'Basic realm=\"x\"')
        self.end_headers()
    def log_message(self, *rest): pass
server = http.server.HTTPServer(('127.0.0.1', 0), Locked)
print('Serving port', server.server_port, flush=True)
server.serve_forever()
";

#[test]
fn a_password_is_asked_for_at_a_terminal_only_and_never_told() {
    let place = Place::new();
    let server = Server::started(Command::new("python3").args(["-c", LOCKED]));
    place.sources(&format!("foo: {{ git: 'http://127.0.0.1:{}/foo' }}\n", server.1));
    let mut bundle = place.bundle("foo/tags/r1", "cache", "out");
    let alone = bundle.env("no_proxy", "127.0.0.1").output().unwrap();
    let told = String::from_utf8(alone.stderr).unwrap();
    assert!(told.contains(": terminal prompts disabled\n"), "{told}");
    let told = at_a_terminal(&place.bundle("foo/tags/r1", "cache", "out"), "me\nhidden\n");
    assert!(told.contains("Username for 'http://127.0.0.1:"), "{told}");
    // One that the user's configuration has is in nothing that is written.
    let instead = format!("url.http://me:s3cret@127.0.0.1:{}/.insteadOf", server.1);
    let set = ["GIT_CONFIG_COUNT", "GIT_CONFIG_KEY_0", "GIT_CONFIG_VALUE_0"];
    place.sources("foo: { git: 'https://git.example/foo' }\n");
    let mut bundle = place.bundle("foo/tags/r1", "cache", "out");
    bundle.envs(set.into_iter().zip(["1", &instead, "https://git.example/"]));
    let told = bundle.env("no_proxy", "127.0.0.1").output().unwrap();
    let told = String::from_utf8(told.stderr).unwrap();
    assert!(told.contains("Authentication failed") && !told.contains("s3cret"), "{told}");
    let kept =
        Command::new("grep").args(["-r", "s3cret", "."]).current_dir(place.path("")).output();
    assert_eq!(String::from_utf8(kept.unwrap().stdout).unwrap(), "");
}

/// A web server for a directory, until it is dropped.
struct Server(Child, String);

impl Server {
    fn of(directory: &Path) -> Self {
        let mut server = Command::new("python3");
        server.args(["-u", "-m", "http.server", "0", "--bind", "127.0.0.1", "--directory"]);
        Server::started(server.arg(directory))
    }

    /// One that first prints its port.
    fn started(server: &mut Command) -> Self {
        let mut server = server.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let port =
            line.split(" port ").nth(1).unwrap().split_whitespace().next().unwrap().to_owned();
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
fn a_server_that_says_nothing_is_away() {
    let place = Place::new();
    place.repository("foo", one_file());
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    // Connections are accepted by the system, and nobody answers; ssh would wait for ever too.
    let urls = ["http://127.0.0.1", "git://127.0.0.1", "ssh://a@127.0.0.1", "svn://127.0.0.1"];
    for (number, url) in urls.iter().enumerate() {
        let kind = if url.starts_with("svn") { "svn" } else { "git" };
        place.sources(&format!("foo: {{ {kind}: '{url}:{port}/foo' }}\n"));
        let mut bundle = place.bundle("foo/tags/r1", &format!("cache{number}"), "out");
        bundle.env("no_proxy", "127.0.0.1").env("LOCALPUPPET_SOURCE_TIMEOUT", "1");
        let told = String::from_utf8(bundle.output().unwrap().stderr).unwrap();
        assert!(told.contains(" did not end within 1 s\n"), "{url}: {told}");
        let left = format!(":{port}/foo");
        let left = Command::new("pgrep").args(["--full", "--list-full", &left]).output().unwrap();
        assert_eq!(String::from_utf8(left.stdout).unwrap(), "");
    }
    // One that has served before, and hangs while it should send.
    place.sources("foo: { git: ../foo }\n");
    well(place.bundle("foo/tags/r1", "cache", "out").output().unwrap());
    let mut bundle = place.bundle("foo/tags/r1", "cache", "again");
    let hang = "#!/bin/sh\nexec sleep 60\n";
    fs::create_dir_all(place.path("bin")).unwrap();
    fs::write(place.path("bin/git"), hang).unwrap();
    fs::set_permissions(place.path("bin/git"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", place.path("bin").display(), std::env::var("PATH").unwrap());
    bundle.env("PATH", path).env("LOCALPUPPET_SOURCE_TIMEOUT", "1");
    let told = well(bundle.output().unwrap());
    assert!(told.starts_with("localpuppet: warning: `../foo` is away; "), "{told}");
    assert!(told.ends_with(" is taken: no answer within 1 s\n"), "{told}");
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
