//! Programs that are called as Puppet is, and end as a Puppet may that is broken, absent or stubborn.

use crate::node::{Node, Ran, ran};
use crate::{is_alive, signal, wait_for_pid};
use serde_json::json;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A node with a Puppet that knows of its agent, and does this instead of an `apply`.
fn node(script: &str) -> Node {
    let node = Node::new();
    node.write("m/x/trunk/manifest.yaml", "");
    node.enc("x/trunk", json!({}));
    let agent = "if [ \"$1\" = config ]; then\n\
        [ -z \"$RUBYOPT\" ] || exit 1\n\
        echo agent_catalog_run_lockfile = /var/agent/lock\n\
        echo agent_disabled_lockfile = /var/agent/disabled\n\
        exit\nfi\n";
    node.write("puppet", &format!("#!/bin/sh\n{agent}{script}\n"));
    ran(Command::new("chmod").args(["+x", &node.path("puppet")]));
    node
}

fn apply(node: &Node) -> Command {
    let (root, puppet) = (node.path("m"), node.path("puppet"));
    node.command(&["apply", "--module-root", &root, "--puppet", &puppet])
}

/// The lines that say why.
fn why(ran: &Ran) -> Vec<&str> {
    let reasons = ["  because: ", "  caused by: "];
    ran.stdout
        .lines()
        .filter_map(|line| reasons.iter().find_map(|r| line.strip_prefix(r)))
        .collect()
}

#[test]
fn an_odd_end_is_told_with_the_last_words_of_it() {
    let cases: [(&str, i32, &[&str]); 7] = [
        ("kill -s KILL $$", 15, &["Puppet was ended by signal 9"]),
        ("exit 0", 4, &["Puppet exited with 0 and left no report"]),
        ("kill -s SEGV $$", 15, &["Puppet was ended by signal 11"]),
        (
            "echo '/usr/bin/env: ruby: No such file or directory' >&2; exit 127",
            4,
            &[
                "Puppet exited with 127, which it has no meaning for",
                "/usr/bin/env: ruby: No such file or directory",
            ],
        ),
        (
            "printf '\\033[1;31mError: no such option\\033[0m\\n' >&2; exit 1",
            13,
            &["Error: no such option"],
        ),
        ("exit 1", 13, &["Puppet exited with 1 before it was through"]),
        (
            "while [ \"$1\" != --lastrunreport ]; do shift; done; mkdir \"$2\"; exit 2",
            4,
            &["failed to read `[..]/report.json`: Is a directory"],
        ),
    ];
    for (script, code, expected) in cases {
        let node = node(script);
        let applied = ran(apply(&node).env("RUBYOPT", "-rno_such_library"));
        assert_eq!(applied.code, code, "{script}: {applied}");
        assert!(!applied.stderr.contains("warning"), "{script}: {applied}");
        let status = node.run(&["status"]);
        assert_eq!(status.code, code, "{script}: {status}");
        assert_eq!(status.stdout.contains("hint: see whether memory"), script.contains("KILL"));
        for ran in [&applied, &status] {
            let why = why(ran);
            let is_told = |(told, expected): (&&str, &&str)| match expected.split_once("[..]") {
                Some((before, after)) => told.starts_with(before) && told.ends_with(after),
                None => told == expected,
            };
            let same = why.len() == expected.len() && why.iter().zip(expected).all(is_told);
            assert!(same, "{script}: {ran}");
        }
    }
}

#[test]
fn a_second_ctrl_c_does_not_wait_for_a_puppet_that_does_not_end() {
    // Its own path is all that it knows of the node.
    let node = node("trap : INT; echo $$ > \"${0%/*}/pid\"; while :; do sleep 0.1; done");
    let mut run = apply(&node);
    let run = run.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let puppet = wait_for_pid(&node);
    let start = Instant::now();
    signal(run.id(), "INT");
    sleep(Duration::from_millis(900));
    assert!(is_alive(puppet), "it may end in order");
    signal(run.id(), "INT");
    let output = run.wait_with_output().unwrap();
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert_eq!(output.status.code(), Some(15), "{output:?}");
    let told = "Puppet has 10 s to end what it is at; Ctrl-C again kills it";
    assert_eq!(String::from_utf8_lossy(&output.stderr).matches(told).count(), 1, "{output:?}");
    assert!(!is_alive(puppet));
    let status = node.run(&["status"]);
    assert!(status.stdout.contains("signal 2 to localpuppet"), "{status}");
}

#[test]
fn a_caller_may_let_others_write_and_stand_in_no_directory() {
    let node = node("exit 0");
    let command = apply(&node);
    let mut shell = Command::new("sh");
    let line = "umask 000; d=$(mktemp -d); cd \"$d\"; rmdir \"$d\"; exec \"$@\"";
    shell.args(["-c", line, "sh"]).arg(command.get_program()).args(command.get_args());
    shell.env("LOCALPUPPET_ROOT", node.path(""));
    let applied = ran(&mut shell);
    assert_eq!(applied.code, 4, "{applied}");
    let open = ["-not", "-type", "l", "-perm", "-o+w"];
    let found = ran(Command::new("find").arg(node.path("var")).args(open));
    assert_eq!(found.stdout, "");
    assert!(node.exists("var/agent"));
    let relative = ran(shell.args(["--enc", "node.yaml"]));
    assert_eq!(relative.code, 1, "{relative}");
    let told = "error: `node.yaml` is relative, and the current directory is gone\n";
    assert!(relative.stderr.contains(told), "{relative}");
}
