//! What `preview` tells of two releases is what octocatalog-diff tells of them; the node is left as
//! it was, secrets are not shown, and `apply --plan` applies that catalog and no other.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "runs Puppet"
)]

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};

const OLD: &str = r"class foo (String $motd, Sensitive[String] $key = Sensitive('0ld-s3cret')) {
  file { '/nowhere/motd': content => $motd, mode => '0644' }
  file { '/nowhere/key': content => $key }
  file { '/nowhere/data': source => 'puppet:///modules/foo/data' }
  file { '/nowhere/same': source => 'puppet:///modules/foo/same' }
  notify { 'gone': }
  notify { 'stays': }
";

/// What is exported for other nodes, or virtual, is no difference; what is collected here is one.
const EXPORTED: &str = "  @@file { '/nowhere/old': content => 'x' }
  @notify { 'virtual old': }
  @@notify { 'collected old': }
  Notify <| title == 'collected old' |>
";

/// It says where Puppet's agent has its locks, and reports one change; where `real` beside a link to
/// it says where the real Puppet is, that one is started.
const STAND_IN: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/apply/puppet");

struct Node {
    directory: tempfile::TempDir,
}

impl Node {
    /// A module root with `foo` at two tags, with more in its class, their packages, and a node with
    /// nothing on it.
    fn with(more: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let node = Node { directory };
        let path = std::env::var_os("PATH").unwrap();
        let mut programs = std::env::split_paths(&path).map(|directory| directory.join("puppet"));
        let real = programs.find(|program| program.exists()).expect("puppet; type: tests/setup");
        node.write("real", real.to_str().unwrap());
        std::os::unix::fs::symlink(STAND_IN, node.at("puppet")).unwrap();
        let old = format!("{OLD}{more}}}\n");
        let new = old
            .replace("0ld-s3cret", "n3w-s3cret")
            .replace("old'", "new'")
            .replace("'gone'", "'new'")
            .replace("mode => '0644'", "owner => 'root'");
        for (tag, code, data) in [("r1", &old, "1\n"), ("r2", &new, "2\n")] {
            let module = format!("modules/foo/tags/{tag}/foo");
            node.write(&format!("{module}/manifests/init.pp"), code);
            node.write(&format!("{module}/files/data"), data);
            node.write(&format!("{module}/files/same"), "same\n");
            node.write(&format!("modules/foo/tags/{tag}/manifest.yaml"), "modulepath: []\n");
        }
        node.write("old.yaml", "classes: {foo: {motd: \"one\\ntwo\\n\"}}\n");
        node.write("new.yaml", "classes: {foo: {motd: \"one\\nthree\\n\"}}\n");
        fs::create_dir(node.at("node")).unwrap();
        let bundle =
            ["bundle", "foo/tags/r1", "foo/tags/r2", "--module-root", "modules", "--out", "out"];
        assert!(node.run(&bundle).status.success());
        node
    }

    fn at(&self, path: &str) -> PathBuf {
        self.directory.path().join(path)
    }

    fn write(&self, path: &str, text: &str) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_localpuppet"));
        command.env("LOCALPUPPET_PUPPET", self.at("puppet"));
        command.args(arguments).current_dir(self.directory.path()).output().unwrap()
    }

    fn on_node(&self, arguments: &[&str]) -> (i32, String) {
        let output = self.run(&[arguments, &["--root", "node"]].concat());
        let text = String::from_utf8(output.stdout).unwrap();
        let all = format!("{text}{}", String::from_utf8_lossy(&output.stderr));
        assert!(!all.contains("s3cret"), "{all}");
        (output.status.code().unwrap(), text)
    }

    /// Every path on the node, with what is in it.
    fn paths(&self) -> BTreeSet<String> {
        let mut ls = Command::new("find");
        let output = ls.arg(self.at("node")).args(["-printf", "%p %s %T@ %m\n"]).output().unwrap();
        String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

const TOLD: &str = "\
foo/tags/r1 of run first -> foo/tags/r2
~ File[/nowhere/data]
    content of source: \"{sha256}4355a46b19d348dc2f57c046f8ef63d4538ebb936000f3c9ee954a27460dd865\" -> \
    \"{sha256}53c234e5e8472b6ac51c1ae1cab3fe06fad053beb8ebfd8977b010655bfdd3c3\"
~ File[/nowhere/key]
    content: changed (sensitive)
~ File[/nowhere/motd]
    content:
      @@ -1,2 +1,2 @@
       one
      -two
      +three
    mode: \"0644\" -> nothing
    owner: nothing -> \"root\"
+ Notify[collected new]
- Notify[collected old]
- Notify[gone]
+ Notify[new]
2 resources added, 2 removed, 3 changed
";

#[test]
fn what_a_release_would_change_is_told_and_only_that_is_applied() {
    let node = Node::with(EXPORTED);
    let (r1, r2) = ("out/localpuppet-foo-r1_1_all.deb", "out/localpuppet-foo-r2-2-1.noarch.rpm");
    // A run is on record whatever came of its resources: no Puppet looks at them here.
    let first = ["apply", "--enc", "old.yaml", "--package", r1, "--package-manager", "apt"];
    let first = [&first[..], &["--run-id", "first", "foo/r1", "--puppet", STAND_IN]].concat();
    assert_eq!(node.on_node(&first).0, 0);

    let before = node.paths();
    let (code, told) = node.on_node(&["preview", "foo/r2", "--enc", "new.yaml", "--package", r2]);
    assert_eq!((code, told.rsplit_once("plan ").unwrap().0), (2, TOLD));
    assert_eq!(node.paths(), before, "the node is not as it was");
    let plan = told.rsplit_once("plan ").unwrap().1.trim_end();

    let deb = "out/localpuppet-foo-r2_2_all.deb";
    let apply = ["apply", "foo/r2", "--plan", plan, "--package", deb, "--package-manager", "apt"];
    let (code, told) = node.on_node(&[&apply[..], &["--enc", "old.yaml", "--json"]].concat());
    let record: Value = serde_json::from_str(&told).unwrap_or_default();
    let outcome = |record: &Value| record["outcome"].as_str().unwrap_or_default().to_owned();
    assert_eq!((code, outcome(&record)), (19, "refused-plan-changed".to_owned()), "{told}");
    assert_eq!(record["resources"], Value::Null, "{told}");

    let (_, told) = node.on_node(&[&apply[..], &["--enc", "new.yaml", "--json"]].concat());
    let record: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(record["plan"], plan);
    assert!(record["resources"]["total"].as_u64() > Some(5), "{told}");
}

#[test]
fn a_file_of_a_checkout_that_changes_after_its_preview_is_not_applied() {
    let node = Node::with("");
    let from = ["foo/tags/r1", "--module-root", "modules", "--enc", "old.yaml"];
    let itself = ["preview", "--against", "foo/tags/r1"];
    let (code, told) = node.on_node(&[&itself, &from[..]].concat());
    assert!(code == 0 && told.contains("\nno differences\n"), "{told}");
    let plan = told.rsplit_once("plan ").unwrap().1.trim_end();
    let apply = [&["apply", "--noop", "--json", "--plan", plan], &from[..]].concat();
    let outcome = || {
        let record: Value = serde_json::from_str(&node.on_node(&apply).1).unwrap_or_default();
        record["outcome"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(outcome(), "would-change");
    node.write("modules/foo/tags/r1/foo/files/data", "changed\n");
    assert_eq!(outcome(), "refused-plan-changed");
}

#[test]
#[ignore = "one of `make compare`"]
fn the_same_resources_differ_for_octocatalog_diff() {
    let node = Node::with("");
    let ours = node.on_node(&[
        "preview",
        "foo/tags/r2",
        "--module-root",
        "modules",
        "--against",
        "foo/tags/r1",
        "--enc",
        "new.yaml",
        "--json",
    ]);
    let ours: Value = serde_json::from_str(&ours.1).unwrap();
    let name = |change: &Value| {
        let how = change["how"].as_str().unwrap().chars().next().unwrap();
        format!("{how} {}", change["resource"].as_str().unwrap())
    };
    assert_eq!(ours["plan"].as_str().map(str::len), Some(64));
    let ours: BTreeSet<String> = ours["changes"].as_array().unwrap().iter().map(name).collect();
    let theirs = octocatalog_diff(&node);
    assert_eq!(ours, theirs);
    assert_eq!(ours.len(), 5, "{ours:?}");
}

/// What it tells of the same code and the same ENC: `c File[/x]`.
fn octocatalog_diff(node: &Node) -> BTreeSet<String> {
    for tag in ["r1", "r2"] {
        node.write(&format!("octo/{tag}/manifests/site.pp"), "");
        let modules = node.at(&format!("octo/{tag}/modules"));
        std::os::unix::fs::symlink(node.at(&format!("modules/foo/tags/{tag}")), modules).unwrap();
    }
    let enc = node.at("octo/enc.sh");
    let new = node.at("new.yaml");
    // It runs a copy of it from elsewhere.
    node.write("octo/enc.sh", &format!("#!/bin/sh\nexec cat {}\n", new.display()));
    fs::set_permissions(&enc, fs::Permissions::from_mode(0o755)).unwrap();
    node.write("octo/facts.yaml", "name: node\nvalues: {fqdn: node, hostname: node}\n");
    let path = |path: &str| node.at(path).to_str().unwrap().to_owned();
    let mut octo = Command::new("octocatalog-diff");
    octo.args(["-n", "node", "--puppet-binary", "/usr/bin/puppet", "--no-hiera-config"]);
    octo.args([
        "--bootstrapped-from-dir",
        &path("octo/r1"),
        "--bootstrapped-to-dir",
        &path("octo/r2"),
    ]);
    octo.args(["--basedir", &path("octo/r1"), "--fact-file", &path("octo/facts.yaml")]);
    octo.args(["--enc", &path("octo/enc.sh"), "--no-color", "--output-file", &path("octo/out")]);
    let output = octo.output().expect("octocatalog-diff; type: tests/setup");
    let found = fs::read_to_string(path("octo/out"));
    let found = found.unwrap_or_else(|_| panic!("{output:?}"));
    let name = |line: &str| {
        let changed = line.strip_prefix("  ").filter(|line| !line.starts_with(' '));
        let changed = changed.and_then(|line| line.strip_suffix(" =>"));
        let whole = |sign| line.strip_prefix(sign).map(|line| line.trim_end_matches(" =>"));
        let told = [("a", whole("+ ")), ("r", whole("- ")), ("c", changed)];
        told.into_iter().find_map(|(how, name)| Some(format!("{how} {}", name?)))
    };
    found.lines().filter_map(name).collect()
}
