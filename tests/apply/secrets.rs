//! No value of a parameter is in what we print, log or record: values are
//! planted in runs that end in every way, and looked for everywhere.

use crate::node::{Node, Ran, ran};
use crate::{signal, wait_for_pid};
use serde_json::{Value, json};
use std::fs;
use std::process::{Command, Output, Stdio};

/// Each secret has this in it.
const MARK: &str = "pl4nted";

/// What Puppet reads them from, what came through stdin, and the last good document of a source.
const ALLOWED: [&str; 3] = ["/enc.yaml", "/input.yaml", "/localpuppet/enc/"];

fn node() -> Node {
    let node = Node::new();
    let class = format!(
        "class foo(Enum['a'] $wrong = 'a', String $secret, Boolean $wait = false) {{
           notify {{ 'x': }}
           if $wait {{ exec {{ '/bin/sh -c \"echo $$ > {}; while [ -e {} ]; do sleep 0.1; done\"': timeout => 0 }} }}
         }}",
        node.path("pid"),
        node.path("gate"),
    );
    node.install("foo/tags/r1", &[("foo/manifests/init.pp", &class)]);
    node
}

/// Writes an ENC whose values are secret, `more` among them.
fn enc(node: &Node, more: serde_json::Value) {
    let mut values = json!({"secret": format!("class-{MARK}")});
    values.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let enc = json!({"app": "foo/tags/r1", "classes": {"foo": values},
        "parameters": {"top": format!("top-{MARK}"), "deep": [{"er": format!("deep-{MARK}")}]}});
    node.write("etc/puppet/input.yaml", &enc.to_string());
}

fn is_clean(what: &str, text: &str) {
    assert!(!text.contains(MARK), "{what}: {text}");
}

/// A command of ours, none of whose words is a secret; its exit code.
fn clean(node: &Node, arguments: &[&str]) -> i32 {
    let ran = node.run(arguments);
    is_clean(&arguments.join(" "), &ran.to_string());
    ran.code
}

/// What is asked about runs, all of it.
fn ask_everything(node: &Node) {
    for question in [&["status"] as &[&str], &["history"], &["logs"], &["verify", "--all"]] {
        clean(node, question);
        clean(node, &[question, &["--json"]].concat());
    }
    for run in fs::read_dir(node.path("var/lib/localpuppet/runs")).unwrap() {
        let run = run.unwrap().file_name().into_string().unwrap();
        clean(node, &["status", &run]);
        clean(node, &["logs", &run]);
    }
}

/// Arguments and environment of every process.
fn processes_are_clean() {
    let list = "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'";
    is_clean("processes", &ran(Command::new("sh").args(["-c", list])).stdout);
}

fn text(output: Output) -> String {
    let Output { stdout, stderr, .. } = output;
    format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr))
}

#[test]
fn no_value_of_a_parameter_is_anywhere_but_where_puppet_reads_it() {
    let node = node();
    enc(&node, json!({}));
    assert_eq!(clean(&node, &["apply", "--detailed-exitcodes", "--verbose"]), 2);
    assert_eq!(clean(&node, &["apply", "--noop", "--json"]), 2);

    // Refused before Puppet is asked, for the document, a class or a name in it.
    for wrong in [
        format!("{{app: foo/tags/r1, classes: {{foo: [{MARK}]}}}}"),
        format!("app: foo/tags/r1\nclasses:\n  foo: {{secret: {MARK}\n"),
        format!("app: foo/tags/r1\nclasses: {{foo: {{secret: !ruby/object:X {MARK}}}}}\n"),
        format!("app: foo/tags/r1\nparameters: {{facts: {MARK}}}\n"),
        format!("app: foo/tags/r1\nparameters: {{at: 2026-01-01, is: {MARK}}}\n"),
    ] {
        node.write("etc/puppet/input.yaml", &wrong);
        assert_eq!(clean(&node, &["apply"]), 10, "{wrong}");
    }

    // Cancelled, and killed.
    node.write("gate", "");
    enc(&node, json!({"wait": true}));
    assert_eq!(clean(&node, &["apply", "--detach", "--run-id", "cancelled"]), 0);
    wait_for_pid(&node);
    processes_are_clean();
    assert_eq!(clean(&node, &["apply"]), 14);
    assert_eq!(clean(&node, &["cancel", "cancelled"]), 0);
    fs::remove_file(node.path("pid")).unwrap();
    // A Puppet whose localpuppet was killed goes on as others do: here a program stands for it, and
    // what is asserted is what localpuppet leaves.
    node.stand_in();
    let mut killed = node.command(&["apply", "--run-id", "killed"]);
    let mut killed = killed.stdin(Stdio::null()).spawn().unwrap();
    wait_for_pid(&node);
    signal(killed.id(), "KILL");
    killed.wait().unwrap();
    ask_everything(&node);
    fs::remove_file(node.path("gate")).unwrap();
    assert_eq!(clean(&node, &["status", "killed", "--wait"]), 18);
    ask_everything(&node);

    let found = ran(Command::new("grep").args(["-rlF", MARK, &node.path("var")]));
    let odd = found.stdout.lines().filter(|path| !ALLOWED.iter().any(|name| path.contains(name)));
    assert_eq!(odd.collect::<Vec<_>>(), [""; 0]);
    assert!(!found.stdout.is_empty());
    node.assert_private("var/lib/localpuppet");
    fs::remove_file(node.path("puppet")).unwrap();
    a_value_that_puppet_refuses_is_in_puppets_own_line_alone(&node);
}

/// Puppet names the value in its own error; that line is Puppet's, and in its log.
fn a_value_that_puppet_refuses_is_in_puppets_own_line_alone(node: &Node) {
    enc(node, json!({"wrong": format!("refused-{MARK}")}));
    // By us, it is not repeated at all.
    assert_eq!(clean(node, &["apply"]), 10);
    let refused = ["apply", "--no-check", "--run-id", "refused"];
    let refused = node.command(&refused).output().unwrap();
    assert_eq!(refused.status.code(), Some(13));
    let told = text(refused);
    let ours = |text: &str, by: &str| {
        text.lines().filter(|line| line.contains(by)).collect::<Vec<_>>().join("\n")
    };
    let lines: Vec<&str> = told.lines().filter(|line| line.contains(MARK)).collect();
    assert!(lines.iter().all(|line| line.starts_with("Error: ")), "{lines:?}");
    for question in [&["status"] as &[&str], &["status", "--json"], &["history", "--json"]] {
        assert_eq!(clean(node, question), if question[0] == "status" { 13 } else { 0 });
    }
    let Ran { stdout: log, .. } = node.run(&["logs", "--json", "refused"]);
    let ours = ours(&log, "\"source\":\"localpuppet\"");
    assert!(ours.contains("parameter 'wrong' expects"), "{ours}");
    is_clean("our lines of the log", &ours);
    let record = node.read("var/lib/localpuppet/runs/refused/record.json");
    is_clean("record", &record);
    // The reports of the runs before are not this one's.
    let record: Value = serde_json::from_str(&record).unwrap();
    assert_eq!((&record["outcome"], &record["exit_code"]), (&json!("compile-failed"), &json!(13)));
    let told = record["reason"]["error"].as_str().unwrap();
    assert!(told.contains("parameter 'wrong' expects"), "{told}");
}
