//! `apply` and `status` on nodes below temporary roots, with the real Puppet,
//! the real apt-get, dnf and zypper.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod check;
mod enc_source;
mod faults;
mod node;
mod odd_puppet;
mod packages;
mod policy;
mod prune;
mod repository;
mod runs;
mod secrets;
mod service;
mod stage;
mod surroundings;
mod verify;
mod web;

use node::{Node, ran};
use serde_json::{Value, json};
use std::io::Write;
use std::os::unix::fs::chown;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A file whose content a parameter says, and what it was told.
const FOO: &str = "class foo(String $text = 'default', String $path, String $data = 'none') {
  file { $path: content => \"${text}, data ${data}, fact ${facts['leak']}\" }
}";

/// `f` fails, `c` changes, and what else a test needs.
const BAD: &str = "class bad(Boolean $f = false, Boolean $c = false, Boolean $cycle = false) {
  if $c { exec { '/bin/true': } }
  if $f { exec { '/bin/false': } }
  if $cycle { notify { 'x': require => Notify['y'] } notify { 'y': require => Notify['x'] } }
}";

/// What a node may hold against a release: its own configuration and data, facts, Ruby.
fn hostile(node: &Node, command: &Command) -> Command {
    node.write("hostile/puppet.conf", "[main]\nnoop = true\nstrict = error\n[user]\nnoop = true\n");
    node.write("hostile/hiera.yaml", "version: 5\nhierarchy: [{name: x, path: x.yaml}]\n");
    node.write("hostile/data/x.yaml", "{foo::text: leaked, foo::data: leaked}\n");
    let production = "hostile/code/environments/production";
    node.write(
        &format!("{production}/hiera.yaml"),
        "version: 5\nhierarchy: [{name: x, path: x.yaml}]\n",
    );
    node.write(&format!("{production}/data/x.yaml"), "{foo::text: leaked, foo::data: leaked}\n");
    node.write(&format!("{production}/manifests/site.pp"), "fail('the node own manifest')\n");
    let mount = format!("mount --bind {} /etc/puppet && exec \"$@\"", node.path("hostile"));
    let mut inside = Command::new("unshare");
    inside.args(["--mount", "sh", "-c", &mount, "sh"]);
    inside.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        inside.env(name, value.unwrap());
    }
    inside.env("FACTER_leak", "1").env("RUBYOPT", "-rno_such_library").env("LANG", "C");
    inside
        .env("GEM_HOME", "/nonexistent")
        .env("https_proxy", "http://user:pr0xy-password@localhost:1");
    inside
}

#[test]
fn an_installed_release_is_applied_whatever_the_node_holds_against_it() {
    let node = Node::new();
    let hiera = "version: 5\nhierarchy: [{name: x, path: x.yaml}]\n";
    let data = "foo::data: of the release\n";
    node.install(
        "foo/tags/r1",
        &[("foo/manifests/init.pp", FOO), ("hiera.yaml", hiera), ("data/x.yaml", data)],
    );
    let (target, secret) = (node.path("managed"), "s3cret-välue");
    let content = format!("{secret}, data of the release, fact ");
    node.enc("foo/tags/r1", json!({"foo": {"text": secret, "path": target}}));

    let noop = node.run(&["apply", "--noop"]);
    assert_eq!(noop.code, 2, "{noop}");
    assert!(noop.stdout.contains("`foo/tags/r1` (noop): would change"), "{noop}");
    assert!(!node.exists("managed"));

    let changed =
        ran(&mut hostile(&node, &node.command(&["apply", "--detailed-exitcodes", "--json"])));
    assert_eq!(changed.code, 2, "{changed}");
    assert_eq!(node.read("managed"), content);
    let record: Value = serde_json::from_str(&changed.stdout).unwrap();
    assert_eq!(record["outcome"], "changed");
    assert_eq!(record["resources"]["changed"], 1);
    assert_eq!(record["puppet"]["exit_code"], 2);
    let report: Value =
        serde_json::from_str(&node.read("var/lib/localpuppet/last/report.json")).unwrap();
    assert_eq!(report["configuration_version"], "foo-r1");
    assert_eq!(record["puppet"]["version"], report["puppet_version"]);
    assert!(changed.stderr.contains("Applied catalog"), "Puppet's own words go through: {changed}");

    let unchanged = node.run(&["apply", "--detailed-exitcodes"]);
    assert_eq!(unchanged.code, 0, "{unchanged}");
    let shown = unchanged.stdout.lines().next().and_then(|line| line.strip_prefix("# ")).unwrap();
    std::fs::remove_file(&target).unwrap();
    let pasted = ran(Command::new("sh").args(["-c", shown]));
    assert_eq!((pasted.code, node.read("managed")), (2, content), "{pasted}");

    let status = node.run(&["status", "--json"]);
    assert_eq!(status.code, 0, "{status}");
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!((&status["outcome"], &status["stage"]), (&json!("unchanged"), &json!("ended")));

    for told in [&noop, &changed, &unchanged, &pasted] {
        assert!(!told.stdout.contains("s3cret") && !told.stderr.contains("s3cret"), "{told}");
        assert!(!told.stdout.contains("pr0xy") && !told.stderr.contains("pr0xy"), "{told}");
    }
    let found = ran(Command::new("grep").args(["-rlE", "s3cret|pr0xy", &node.path("var")]));
    // One for each run, and the last one that came.
    let of_run = |path: &str| path.ends_with("/enc.yaml");
    let kept = |path: &str| path.contains("/localpuppet/enc/");
    let expected = found.stdout.lines().all(|path| of_run(path) || kept(path));
    assert!(expected && found.stdout.lines().count() == 4, "{found}");
    node.assert_private("var/lib/localpuppet");
}

#[test]
fn every_way_to_fail_has_its_outcome() {
    let node = Node::new();
    node.write("m/bad/trunk/manifest.yaml", "");
    node.write("m/bad/trunk/bad/manifests/init.pp", BAD);
    let root = node.path("m");
    let apply = |parameters: Value| {
        node.enc("bad/trunk", json!({"bad": parameters}));
        let ran = node.run(&["apply", "--module-root", &root, "--no-check", "--json"]);
        let record: Value = serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"));
        assert_eq!(record["exit_code"], ran.code, "{ran}");
        let status = node.run(&["status"]);
        assert_eq!(status.code, ran.code, "{status}");
        (ran.code, record["outcome"].as_str().unwrap().to_owned(), record["reason"].clone())
    };
    let (code, outcome, _) = apply(json!({"f": true}));
    assert_eq!((code, outcome.as_str()), (4, "failed"));
    let (code, outcome, _) = apply(json!({"f": true, "c": true}));
    assert_eq!((code, outcome.as_str()), (6, "changed-and-failed"));
    // What does not compile for a value is in `secrets`.
    let (code, outcome, reason) = apply(json!({"cycle": true}));
    assert_eq!((code, outcome.as_str()), (13, "compile-failed"), "{reason}");
}

#[test]
fn a_checkout_may_take_its_apps_from_git() {
    let node = Node::new();
    node.write("repository/manifest.yaml", "modulepath: [./modules]\n");
    // What is asserted is what Puppet is given.
    node.stand_in();
    node.write("repository/modules/foo/manifests/init.pp", "class foo { }\n");
    let script = "git init --quiet && git add --all && git -c user.name=a -c user.email=a@b \
                  commit --quiet --message 1 && git tag r1 && echo 'not r1' > modules/foo/manifests/init.pp";
    let made = ran(Command::new("sh").args(["-ec", script]).current_dir(node.path("repository")));
    assert_eq!(made.code, 0, "{made}");
    node.write("m/sources.yaml", "foo: { git: ../repository }\n");
    node.enc("foo/tags/r1", json!({"foo": {}}));
    let (root, cache) = (node.path("m"), node.path("cache"));
    let arguments = ["apply", "--module-root", &root, "--cache", &cache, "--detailed-exitcodes"];
    let applied = node.run(&arguments);
    assert_eq!(applied.code, 2, "{applied}");
    let (_, path) = applied.stdout.split_once(" --modulepath ").unwrap();
    let path = path.split_whitespace().next().unwrap();
    assert!(path.starts_with(&format!("{cache}/trees/")), "{applied}");
    let applied = std::fs::read_to_string(format!("{path}/foo/manifests/init.pp")).unwrap();
    assert_eq!(applied, "class foo { }\n");
}

#[test]
fn a_signal_ends_puppet_with_all_that_it_started_and_a_second_run_is_refused() {
    let node = Node::new();
    let (pid_file, after) = (node.path("pid"), node.path("after"));
    let class = format!(
        "class slow {{
           exec {{ '/bin/sh -c \"echo $$ > {pid_file}; sleep 300\"': timeout => 0 }}
           -> file {{ '{after}': content => 'x' }}
         }}"
    );
    node.write("m/slow/trunk/manifest.yaml", "");
    node.write("m/slow/trunk/slow/manifests/init.pp", &class);
    node.enc("slow/trunk", json!({"slow": {}}));
    let root = node.path("m");
    let arguments = ["apply", "--module-root", root.as_str()];
    let first = node.command(&arguments).spawn().unwrap();
    let child = wait_for_pid(&node);

    let second = node.run(&arguments);
    assert_eq!(second.code, 14, "{second}");
    let holder = "another run holds this node: `apply` of `slow/trunk`, run `";
    let pid = format!("`, pid {}, since ", first.id());
    assert!(second.stderr.contains(holder) && second.stderr.contains(&pid), "{second}");
    let status = node.run(&["status"]);
    assert_eq!(status.code, 17, "{status}");
    assert!(status.stdout.contains(&format!("running as pid {}", first.id())), "{status}");

    signal(first.id(), "TERM");
    let output = first.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(15), "{output:?}");
    assert!(!is_alive(child), "the command that Puppet ran is still there");
    assert!(!node.exists("after"));
    let status = node.run(&["status"]);
    assert_eq!(status.code, 15, "{status}");
    assert!(status.stdout.contains("interrupted"), "{status}");
}

#[test]
fn a_daemon_that_a_run_leaves_behind_does_not_hold_the_node() {
    let node = Node::new();
    node.write("m/x/trunk/manifest.yaml", "");
    node.enc("x/trunk", json!({}));
    let pid_file = node.path("pid");
    let script = format!("#!/bin/sh\nsleep 60 > /dev/null 2>&1 &\necho $! > {pid_file}\nexit 1\n");
    node.write("puppet", &script);
    ran(Command::new("chmod").args(["+x", &node.path("puppet")]));
    let (root, puppet) = (node.path("m"), node.path("puppet"));
    let arguments = ["apply", "--module-root", &root, "--puppet", &puppet];
    let daemons = [(); 2].map(|()| {
        let ran = node.run(&arguments);
        assert_eq!(ran.code, 13, "{ran}");
        wait_for_pid(&node)
    });
    for daemon in daemons {
        assert!(is_alive(daemon));
        signal(daemon, "KILL");
    }
}

fn wait_for_pid(node: &Node) -> u32 {
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(60) {
        let text = std::fs::read_to_string(node.path("pid")).unwrap_or_default();
        if let Ok(pid) = text.trim().parse() {
            return pid;
        }
        sleep(Duration::from_millis(50));
    }
    panic!("Puppet did not come to run its command");
}

fn is_alive(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat"));
    stat.is_ok_and(|stat| !stat.contains(") Z "))
}

fn signal(pid: u32, name: &str) {
    let killed = Command::new("kill").args(["-s", name, &pid.to_string()]).status().unwrap();
    assert!(killed.success());
}

/// A Puppet that must not be started.
const NONE: [&str; 3] = ["apply", "--puppet", "/bin/false"];

#[test]
fn a_reader_that_goes_away_does_not_stop_puppet() {
    let node = Node::new();
    let after = node.path("after");
    let class =
        format!("class slow {{ notify {{ 'a': }} -> file {{ '{after}': content => 'x' }} }}");
    node.write("m/slow/trunk/manifest.yaml", "");
    node.write("m/slow/trunk/slow/manifests/init.pp", &class);
    node.enc("slow/trunk", json!({"slow": {}}));
    let mut child = node.command(&["apply", "--module-root", &node.path("m")]).spawn().unwrap();
    drop((child.stdout.take(), child.stderr.take()));
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(node.exists("after"));
    assert_eq!(node.run(&["status"]).code, 0);
}

#[test]
fn a_refused_enc_touches_nothing_and_is_recorded() {
    let node = Node::new();
    let enc = "app: foo/tags/r1\nclasses: {}\nparameters: {x: 's3cret'}\nbogus: 's3cret'\n";
    node.write("etc/puppet/input.yaml", enc);
    let refused = node.run(&NONE);
    assert_eq!(refused.code, 10, "{refused}");
    assert!(refused.stderr.contains("bogus") && !refused.stderr.contains("s3cret"), "{refused}");
    let status = node.run(&["status", "--json"]);
    assert_eq!(status.code, 10, "{status}");
    assert!(
        status.stdout.contains("\"enc-invalid\"") && !status.stdout.contains("s3cret"),
        "{status}"
    );
    // There is no log where Puppet did not run.
    let status = node.run(&["status"]);
    assert!(!status.stdout.contains("log: "), "{status}");
    assert!(!node.exists("var/lib/apt") && !node.exists("var/lib/localpuppet/last/enc.yaml"));

    // Who waits for an ENC can be ended at once.
    let mut waiting = node.command(&[&NONE[..], &["--enc", "-"]].concat());
    let mut waiting = waiting.stdin(Stdio::piped()).spawn().unwrap();
    sleep(Duration::from_millis(300));
    signal(waiting.id(), "TERM");
    assert_eq!(waiting.wait().unwrap().code(), None);

    // No app; and no ENC at all.
    node.write("etc/puppet/input.yaml", "classes: {}\n");
    let refused = node.run(&NONE);
    assert!(
        refused.code == 10 && refused.stderr.contains("hint: write `app: foo/tags/r1`"),
        "{refused}"
    );
    let refused = node.run(&[&NONE[..], &["--enc", "/nonexistent"]].concat());
    assert!(refused.code == 10, "{refused}");
    let told = "error: failed to read `/nonexistent`: No such file or directory\n  hint: ";
    assert!(refused.stderr.contains(told), "{refused}");
    let refused = node.run(&[&NONE[..], &["--enc", "/"]].concat());
    assert!(refused.stderr.contains("failed to read `/`: Is a directory\n"), "{refused}");
}

#[test]
fn a_release_that_is_not_as_it_was_built_is_refused() {
    let node = Node::new();
    let bundle = node.install(
        "foo/tags/r1",
        &[
            ("foo/manifests/init.pp", FOO),
            ("foo/files/a", "a"),
            ("foo/files/b", "b"),
            ("foo/files/c", "c"),
        ],
    );
    let pinned = bundle.bundle_id.to_string();
    let mut child =
        node.command(&["apply", "--enc", "-", "--puppet", "/bin/false", "--bundle-id", &pinned]);
    let mut child = child.stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(b"app: foo/tags/r1\nclasses: {}\n").unwrap();
    // /bin/false is no Puppet, but it is started: the release is whole.
    assert_eq!(child.wait_with_output().unwrap().status.code(), Some(13));

    node.enc("foo/tags/r1", json!({}));
    let other = node.run(&[&NONE[..], &["--bundle-id", &"0".repeat(64)]].concat());
    assert!(other.code == 12 && other.stderr.contains(&pinned), "{other}");

    let files = "usr/share/localpuppet/foo/r1/modules/foo/tags/r1/foo/files";
    let owned = ["usr/share/localpuppet/foo/r1", files].map(|name| node.path(name));
    let own = |owner| owned.iter().for_each(|path| chown(path, owner, owner).unwrap());
    own(Some(65534));
    let theirs = node.run(&NONE);
    assert!(theirs.code == 12 && theirs.stderr.contains("2 differences"), "{theirs}");
    for path in [".", "modules/foo/tags/r1/foo/files"] {
        let told = format!("`{path}`: expected owner 0:0, found 65534:65534");
        assert!(theirs.stderr.contains(&told), "{told}\n{theirs}");
    }
    own(Some(0));

    node.write(&format!("{files}/a"), "A");
    node.write(&format!("{files}/added"), "");
    std::fs::remove_file(node.path(&format!("{files}/b"))).unwrap();
    std::fs::remove_file(node.path(&format!("{files}/c"))).unwrap();
    std::os::unix::fs::symlink("/etc/passwd", node.path(&format!("{files}/c"))).unwrap();
    let tampered = node.run(&NONE);
    assert_eq!(tampered.code, 12, "{tampered}");
    let below = "modules/foo/tags/r1/foo/files";
    for told in [
        "4 differences".to_owned(),
        format!("`{below}/a` was changed"),
        format!("`{below}/added` was added"),
        format!("`{below}/b` is missing"),
        format!("`{below}/c`: expected a file, found a symbolic link"),
    ] {
        assert!(tampered.stderr.contains(&told), "{told}\n{tampered}");
    }
    assert_eq!(node.run(&["status"]).code, 12);
    node.write("usr/share/localpuppet/foo/r1/bundle.json", "{}");
    assert_eq!(node.run(&NONE).code, 12);
}

#[test]
fn what_puppet_cannot_take_is_refused_before_anything_is_done() {
    let node = Node::new();
    node.write("with space/etc/puppet/input.yaml", "app: foo/tags/r1\nclasses: {}\n");
    let refused = node.run(&[&NONE[..], &["--root", &node.path("with space")]].concat());
    assert!(refused.code == 1 && refused.stderr.contains("' '"), "{refused}");
    let refused = node.run(&["status"]);
    assert!(refused.code == 1 && refused.stderr.contains("no run was recorded"), "{refused}");
    node.enc("foo/tags/r1", json!({}));
    let refused = node.run(&[&NONE[..], &["--module-root", &node.path("absent")]].concat());
    assert!(refused.code == 1 && refused.stderr.contains("absent"), "{refused}");
    // Without Puppet, nothing is installed: apt would make its directories here.
    let absent = ["apply", "--package-manager", "apt", "--puppet", "/nonexistent/puppet"];
    let refused = node.run(&absent);
    assert!(refused.code == 1 && refused.stderr.contains("is no program"), "{refused}");
    assert!(!refused.stderr.contains("running") && !node.exists("var/lib/dpkg"), "{refused}");
    node.install("foo/tags/r1", &[("foo/manifests/init.pp", FOO)]);
    let warned = node.run(&[&NONE[..], &["foo/tags/r2", "--package-manager", "apt"]].concat());
    assert!(warned.stderr.contains("applying `foo/tags/r2` as the command line says"), "{warned}");
    assert_eq!(warned.code, 11, "{warned}");
    // The short form is a release, and in a checkout a path.
    let short = node.run(&["apply", "foo/r1", "--puppet", "/bin/false"]);
    assert!(short.code == 13 && !short.stderr.contains("as the command line says"), "{short}");
    let path = node.run(&[&NONE[..], &["foo/r1", "--module-root", &node.path("etc")]].concat());
    assert!(path.code == 1 && path.stderr.contains("`foo/r1`"), "{path}");
    assert!(!path.stderr.contains("`foo/tags/r1` is"), "{path}");
}
