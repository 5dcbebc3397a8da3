//! What a node and a caller may be like: no terminal, no environment, closed
//! streams, a disk that is read-only, a clock that was set back, pids and locks
//! of processes that are long gone.

use crate::node::{Node, Ran, needs, ran};
use crate::repository::{Kind, Site};
use crate::{signal, wait_for_pid};
use serde_json::{Value, json};
use std::fs;
use std::path::PathBuf;
use std::process::Command;

const PROGRAM: &str = env!("CARGO_BIN_EXE_localpuppet");

/// A node with a release that writes a file.
fn node() -> Node {
    let node = Node::new();
    let class = format!("class foo {{ file {{ '{}': content => 'x' }} }}", node.path("managed"));
    node.install("foo/tags/r1", &[("foo/manifests/init.pp", &class)]);
    node.enc("foo/tags/r1", json!({"foo": {}}));
    node
}

/// Applies by a line of the shell, which has the program as `"$@"`.
fn apply_by(line: &str, root: &str, arguments: &[&str]) -> Ran {
    let mut shell = Command::new("sh");
    shell.args(["-c", line, "sh", PROGRAM, "apply", "--root", root]).args(arguments);
    ran(&mut shell)
}

#[test]
#[ignore = "one of `make faults`"]
fn a_caller_may_have_no_terminal_no_environment_and_no_streams() {
    for line in ["exec setsid env -i LANG=C LC_ALL=C \"$@\"", "exec \"$@\" <&- >&- 2>&-"] {
        let node = node();
        let applied = apply_by(line, &node.path(""), &["--detailed-exitcodes"]);
        assert_eq!(applied.code, 2, "{line}: {applied}");
        assert_eq!(node.read("managed"), "x");
        let status = node.run(&["status"]);
        assert!(status.code == 2 && status.stdout.contains("changed"), "{line}: {status}");
    }
}

#[test]
#[ignore = "one of `make faults`"]
fn an_answer_that_cannot_be_written_is_no_answer_and_stops_no_run() {
    let node = node();
    let applied = apply_by("exec \"$@\" >/dev/full", &node.path(""), &["--detailed-exitcodes"]);
    assert_eq!(applied.code, 2, "{applied}");
    for query in ["status", "history", "verify --all", "logs", "logs -f", "status --json"] {
        let line = format!("exec \"$1\" {query} >/dev/full");
        let root = node.path("");
        let mut shell = Command::new("sh");
        shell.args(["-c", &line, "sh", PROGRAM]).env("LOCALPUPPET_ROOT", root);
        let full = ran(&mut shell);
        assert_eq!(full.code, 1, "{query}: {full}");
        let told = "localpuppet: error: failed to write to stdout: No space left on device\n";
        assert!(full.stderr.contains(told), "{query}: {full}");
    }
    let line = "exec \"$1\" completions bash >/dev/full";
    assert_eq!(ran(Command::new("sh").args(["-c", line, "sh", PROGRAM])).code, 1);
}

/// A node whose release writes `pid`, and waits until `gate` is gone.
fn gated() -> Node {
    let node = Node::new();
    let class = format!(
        "class foo {{ exec {{ '/bin/sh -c \"echo $$ > {}; while [ -e {} ]; do sleep 0.1; done\"': }} }}",
        node.path("pid"),
        node.path("gate")
    );
    node.install("foo/tags/r1", &[("foo/manifests/init.pp", &class)]);
    node.enc("foo/tags/r1", json!({"foo": {}}));
    node.write("gate", "");
    node
}

#[test]
#[ignore = "one of `make faults`"]
fn logs_end_when_their_reader_goes_away() {
    let node = gated();
    let mut run = node.command(&["apply", "--run-id", "a"]).spawn().unwrap();
    wait_for_pid(&node);
    let mut shell = Command::new("timeout");
    let line = "\"$1\" logs -f a | head -n 1";
    shell.args(["30", "sh", "-c", line, "sh", PROGRAM]).env("LOCALPUPPET_ROOT", node.path(""));
    let read = ran(&mut shell);
    assert!(read.code == 0 && read.stdout.lines().count() == 1, "{read}");
    assert_eq!(read.stderr, "");
    assert_eq!(node.run(&["status", "a"]).code, 17, "the run goes on");
    fs::remove_file(node.path("gate")).unwrap();
    assert_eq!(run.wait().unwrap().code(), Some(0));
}

#[test]
#[ignore = "one of `make faults`"]
fn packages_are_installed_without_an_environment() {
    for kind in [Kind::Apt, Kind::Dnf, Kind::Zypper] {
        for line in ["exec env -i \"$@\" >&-", "exec setsid env -u HOME LANG=C PATH= \"$@\""] {
            let site = Site::new(kind);
            site.publish("r1", "one", 3);
            site.publish("r2", "two", 3);
            // Puppet is /bin/false, so 13 says that it was started on what is installed.
            let apply = |tag: &str, options: &[&str]| {
                site.node.enc(&format!("foo/tags/{tag}"), json!({}));
                let options = [&["--puppet", "/bin/false"], options].concat();
                let applied = apply_by(line, &site.node.path(""), &options);
                assert_eq!(applied.code, 13, "{kind:?} {line}: {applied}");
            };
            apply("r1", &[]);
            apply("r2", &["--package", &site.file("r2")]);
        }
    }
}

#[test]
#[ignore = "one of `make faults`"]
fn a_var_that_is_read_only_is_told_and_nothing_is_done() {
    let node = node();
    fs::create_dir_all(node.path("var")).unwrap();
    let inside = |then: &str| {
        let mount =
            format!("mount --bind {0} {0} && mount -o remount,ro,bind {0}", node.path("var"));
        let line = format!("{mount} && exec \"$@\"");
        let mut inside = Command::new("unshare");
        inside.args(["--mount", "sh", "-c", &line, "sh", PROGRAM, then, "--root", &node.path("")]);
        ran(&mut inside)
    };
    let refused = inside("apply");
    assert_eq!(refused.code, 1, "{refused}");
    assert_eq!(refused.stderr.matches("localpuppet: error: ").count(), 1, "{refused}");
    assert!(refused.stderr.contains("Read-only file system"), "{refused}");
    assert!(!node.exists("managed"));
    assert_eq!(node.run(&["apply"]).code, 0);
    // What is on record can be read all the same, and the record stays as it is.
    let refused = inside("apply");
    assert!(refused.code == 1 && refused.stderr.contains("Read-only file system"), "{refused}");
    let status = inside("status");
    assert!(status.code == 0 && status.stdout.contains("`foo/tags/r1`: changed"), "{status}");
    assert_eq!(inside("history").stdout.lines().count(), 1);
}

#[test]
#[ignore = "one of `make faults`"]
fn a_clock_that_is_set_back_changes_no_order() {
    needs("faketime", "faketime");
    let node = node();
    let apply_on = |day: &str, id: &str| {
        let mut faked = Command::new("faketime");
        faked.arg(format!("{day} 12:00:00")).arg(PROGRAM);
        faked.args(["apply", "--puppet", "/bin/false", "--run-id", id, "--root", &node.path("")]);
        let applied = ran(&mut faked);
        assert_eq!(applied.code, 13, "{applied}");
    };
    for (day, id) in [("2030-06-30", "first"), ("2030-06-01", "second"), ("2030-06-02", "third")] {
        apply_on(day, id);
        let last = fs::read_link(node.path("var/lib/localpuppet/last")).unwrap();
        assert_eq!(last, PathBuf::from(format!("runs/{id}")));
        let status = node.run(&["status", "--json"]);
        let status: Value = serde_json::from_str(&status.stdout).unwrap();
        assert_eq!(status["id"], id);
        assert!(status["started"].as_str().unwrap().starts_with(day), "{status}");
    }
    let history = node.run(&["history"]).stdout;
    let ids: Vec<&str> = history.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(ids, ["third", "second", "first"], "{history}");
}

#[test]
#[ignore = "one of `make faults`"]
fn a_pid_that_another_process_has_by_now_is_no_run() {
    let node = gated();
    let mut killed = node.command(&["apply", "--run-id", "a"]).spawn().unwrap();
    wait_for_pid(&node);
    signal(killed.id(), "KILL");
    killed.wait().unwrap();
    assert_eq!(node.run(&["status", "a"]).code, 17, "its Puppet is still at work");
    fs::remove_file(node.path("gate")).unwrap();
    assert_eq!(node.run(&["status", "--wait"]).code, 18);

    // Both pids are this test's own from here on.
    let path = "var/lib/localpuppet/runs/a/record.json";
    let mut record: Value = serde_json::from_str(&node.read(path)).unwrap();
    record["process"]["pid"] = json!(std::process::id());
    record["puppet"]["process"]["pid"] = json!(std::process::id());
    fs::write(node.path(path), record.to_string()).unwrap();
    let status = node.run(&["status", "a", "--json"]);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!((&status["stage"], &status["exit_code"]), (&json!("lost"), &Value::Null));
    let cancelled = node.run(&["cancel", "a"]);
    assert_eq!(cancelled.code, 18, "this test is alive, and the run was over: {cancelled}");

    // A pid of a boot before this one.
    record["process"]["start"] = json!(1);
    record["process"]["pid"] = json!(1);
    record["process"]["boot"] = json!("another");
    fs::write(node.path(path), record.to_string()).unwrap();
    assert_eq!(node.run(&["status", "a"]).code, 18);
}

#[test]
#[ignore = "one of `make faults`"]
fn what_a_dead_process_left_in_a_lock_is_no_obstacle() {
    let node = node();
    assert_eq!(node.run(&["apply"]).code, 0);
    let dead = json!({"pid": 4194304, "start": 7, "boot": "another"});
    let holder = json!({"verb": "apply", "process": dead, "since": "2012-01-01T00:00:00Z",
        "run": "20120101T000000.000Z-1", "app": "foo/tags/r1"});
    let agent = "var/cache/puppet/state/agent_catalog_run.lock";
    // Nobody; a process that is no Puppet; no pid at all.
    for pid in ["4194304", &std::process::id().to_string(), "", "no pid"] {
        node.write("var/lib/localpuppet/lock", &holder.to_string());
        node.write(agent, pid);
        let applied = node.run(&["apply"]);
        assert_eq!(applied.code, 0, "{pid}: {applied}");
        assert!(!node.exists(agent), "{pid}");
    }
    node.write("var/lib/localpuppet/lock", "{\"verb\": \"app");
    assert_eq!(node.run(&["apply"]).code, 0);
}
