//! Runs that are asked about later: detached, waited for, followed, cancelled,
//! gone back from; one at a time, and in peace with Puppet's own agent.

use super::node::{Node, Ran, ended, ran};
use super::{is_alive, signal, wait_for_pid};
use serde_json::{Value, json};
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Where Debian's Puppet has the locks of its agent.
const LOCK: &str = "var/cache/puppet/state/agent_catalog_run.lock";

/// A class whose command writes its pid, waits while `gate` is there, and leaves `after`.
fn slow(node: &Node) -> String {
    let (pid, gate, after) = (node.path("pid"), node.path("gate"), node.path("after"));
    format!(
        "class slow(String $secret = 'none') {{
           exec {{ '/bin/sh -c \"echo $$ > {pid}; while [ -e {gate} ]; do sleep 0.1; done\"': timeout => 0 }}
           -> file {{ '{after}': content => \"told ${{secret}}\" }}
         }}"
    )
}

/// A node with releases r1 and r2 of an app that waits for its gate.
fn gated() -> Node {
    let node = Node::new();
    for app in ["slow/tags/r1", "slow/tags/r2"] {
        node.install(app, &[("slow/manifests/init.pp", &slow(&node))]);
    }
    node.write("gate", "");
    node
}

fn open_gate(node: &Node) {
    std::fs::remove_file(node.path("gate")).unwrap();
}

fn record(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|_| panic!("{ran}"))
}

/// Runs with an ENC on stdin.
fn with_enc(node: &Node, arguments: &[&str], enc: &Value) -> Ran {
    let mut child = node.command(arguments).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(enc.to_string().as_bytes()).unwrap();
    ended(child)
}

#[test]
fn a_detached_run_outlives_whoever_asked_for_it_and_can_be_asked_about() {
    let node = gated();
    let enc = json!({"app": "slow/tags/r1", "classes": {"slow": {"secret": "s3cret-of-d1"}}});
    node.write("enc.json", &enc.to_string());
    // A shell in a session of its own, as ssh makes one, killed with all that is in its group.
    let program = env!("CARGO_BIN_EXE_localpuppet");
    let script = format!("{program} apply --enc - --detach --run-id d1 < enc.json; sleep 300");
    let mut shell = Command::new("setsid");
    shell.args(["sh", "-c", &script]).current_dir(node.path("."));
    shell.env("LOCALPUPPET_ROOT", node.path(".")).stdout(Stdio::null()).stderr(Stdio::null());
    let mut shell = shell.spawn().unwrap();
    let child = wait_for_pid(&node);
    let group = format!("-{}", shell.id());
    assert!(Command::new("kill").args(["-s", "KILL", "--", &group]).status().unwrap().success());
    shell.wait().unwrap();

    let status = node.run(&["status", "d1"]);
    assert_eq!(status.code, 17, "{status}");
    let status = node.run(&["status", "d1", "--wait", "--timeout", "1", "--json"]);
    assert_eq!((status.code, &record(&status)["stage"]), (17, &json!("running")), "{status}");

    // The same call again is the same run; another call of that name is refused.
    let again = with_enc(&node, &["apply", "--enc", "-", "--detach", "--run-id", "d1"], &enc);
    assert_eq!((again.code, again.stdout.as_str()), (0, "d1\n"), "{again}");
    let other = json!({"app": "slow/tags/r1", "classes": {}});
    let other = with_enc(&node, &["apply", "--enc", "-", "--detach", "--run-id", "d1"], &other);
    assert_eq!(other.code, 1, "{other}");
    assert!(other.stderr.contains("error: run `d1` was asked for something else"), "{other}");

    let mut attached = node.command(&["apply", "--enc", "-", "--run-id", "d1", "--json"]);
    let mut attached = attached.stdin(Stdio::piped()).spawn().unwrap();
    attached.stdin.take().unwrap().write_all(enc.to_string().as_bytes()).unwrap();
    let followed = node.command(&["logs", "-f", "d1"]).spawn().unwrap();
    assert!(is_alive(child));
    // No value is in the list of processes.
    let listed = ran(Command::new("sh").args([
        "-c",
        "cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ | tr '\\0' '\\n' | grep -c 's3cret-of-d[1]'",
    ]));
    assert_eq!(listed.stdout, "0\n", "{listed}");
    open_gate(&node);
    let followed = followed.wait_with_output().unwrap();
    assert_eq!(followed.status.code(), Some(0), "{followed:?}");
    let text = String::from_utf8(followed.stdout).unwrap();
    assert!(text.contains("localpuppet (notice): # cd / &&"), "{text}");
    assert!(text.contains("Puppet (notice): Applied catalog"), "{text}");
    let attached = attached.wait_with_output().unwrap();
    let attached: Value = serde_json::from_slice(&attached.stdout).unwrap();
    assert_eq!((&attached["id"], &attached["outcome"]), (&json!("d1"), &json!("changed")));

    assert_eq!(node.read("after"), "told s3cret-of-d1");
    let waited = node.run(&["status", "d1", "--wait"]);
    assert!(waited.code == 0 && waited.stdout.contains("`slow/tags/r1`: changed"), "{waited}");
    let lines = node.run(&["logs", "--json"]).stdout;
    assert!(lines.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{lines}");
    assert_eq!(node.run(&["status", "d2"]).code, 1);
    let pipe = node.run(&["apply", "--enc", "/dev/stdin", "--detach", "--run-id", "d2"]);
    assert!(pipe.code == 10 && pipe.stderr.contains("hint: hand it in through stdin"), "{pipe}");
    assert_eq!(node.run(&["status", "d2"]).code, 1);
    secret_is_only_in(&node, "s3cret-of-d1", &["enc.json", "after", "/enc.yaml", "/input.yaml"]);
}

/// Puppet's own state file has no content of files in it either.
fn secret_is_only_in(node: &Node, secret: &str, names: &[&str]) {
    let found = ran(Command::new("grep").args(["-rlF", secret, &node.path(".")]));
    let odd: Vec<&str> = found
        .stdout
        .lines()
        .filter(|path| !names.iter().any(|name| path.ends_with(name)))
        .collect();
    assert!(odd.is_empty() && !found.stdout.is_empty(), "{odd:?}");
}

#[test]
fn a_run_that_is_cancelled_ends_with_all_that_it_started() {
    let node = gated();
    node.enc("slow/tags/r1", json!({"slow": {}}));
    let asked = node.run(&["apply", "--detach", "--json"]);
    let id = record(&asked)["id"].as_str().unwrap().to_owned();
    let child = wait_for_pid(&node);
    let start = Instant::now();
    let cancelled = node.run(&["cancel", &id, "--json"]);
    assert_eq!(cancelled.code, 0, "{cancelled}");
    assert!(start.elapsed() < Duration::from_secs(15));
    assert_eq!(record(&cancelled)["outcome"], "interrupted");
    assert!(!is_alive(child), "the command that Puppet ran is still there");
    assert!(!node.exists("after"));
    let status = node.run(&["status", &id]);
    assert_eq!(status.code, 15, "{status}");
    // Again is no error, and the exit code is that of the run.
    assert_eq!(node.run(&["cancel", &id]).code, 15);

    // One whose localpuppet was killed is cancelled too. Who stands for Puppet has a command in a
    // session of its own as well; the real one is in the test below.
    node.stand_in();
    std::fs::remove_file(node.path("pid")).unwrap();
    let asked = node.run(&["apply", "--detach", "--run-id", "orphan", "--json"]);
    let child = wait_for_pid(&node);
    let pid = record(&asked)["process"]["pid"].as_u64().unwrap();
    signal(u32::try_from(pid).unwrap(), "KILL");
    let cancelled = node.run(&["cancel", "orphan"]);
    assert_eq!(cancelled.code, 0, "{cancelled}");
    assert!(cancelled.stdout.contains("interrupted"), "{cancelled}");
    assert!(!is_alive(child));
}

#[test]
fn cancel_leaves_alone_who_only_shares_a_session_with_the_run() {
    let node = gated();
    node.enc("slow/tags/r1", json!({"slow": {}}));
    let program = env!("CARGO_BIN_EXE_localpuppet");
    let script = format!("sleep 300 & echo $! > bystander; exec {program} apply --run-id shared");
    let mut shell = Command::new("setsid");
    shell.args(["sh", "-c", &script]).current_dir(node.path("."));
    shell.env("LOCALPUPPET_ROOT", node.path(".")).stdout(Stdio::null()).stderr(Stdio::null());
    let mut shell = shell.spawn().unwrap();
    let child = wait_for_pid(&node);
    signal(shell.id(), "KILL");
    shell.wait().unwrap();
    assert_eq!(node.run(&["cancel", "shared"]).code, 0);
    assert!(!is_alive(child));
    let bystander = node.read("bystander").trim().parse().unwrap();
    assert!(is_alive(bystander), "a process of the same session was ended");
    signal(bystander, "KILL");
}

#[test]
fn a_run_that_was_refused_for_what_passes_can_be_asked_for_again() {
    let node = gated();
    // What is asserted is who has the node.
    node.stand_in();
    node.enc("slow/tags/r1", json!({"slow": {}}));
    let mut holder =
        node.command(&["apply"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for_pid(&node);
    let asked = ["apply", "--run-id", "again", "--detach"];
    assert_eq!(node.run(&asked).code, 0);
    let refused = node.run(&["status", "again", "--wait"]);
    assert!(refused.code == 14 && refused.stdout.contains("refused: locked"), "{refused}");
    open_gate(&node);
    holder.wait().unwrap();
    assert_eq!(node.run(&asked).code, 0);
    let done = node.run(&["status", "again", "--wait"]);
    assert!(done.code == 0 && done.stdout.contains("changed"), "{done}");
    // Once it has run, it has.
    assert_eq!(node.run(&asked).stdout, "again\n");
    assert_eq!(record(&node.run(&["history", "--json"]))["runs"].as_array().unwrap().len(), 2);
}

#[test]
fn who_asks_for_a_run_may_be_killed_before_it_begins() {
    let node = gated();
    open_gate(&node);
    node.enc("slow/tags/r1", json!({"slow": {}}));
    // The other process is slow to begin, and whoever asked is gone meanwhile.
    let traced = |id: &str| {
        let mut asking = Command::new("strace");
        asking.args(["-f", "-qq", "-o", "/dev/null", "-e", "inject=setsid:delay_enter=3000000"]);
        asking.args([env!("CARGO_BIN_EXE_localpuppet"), "apply", "--detach", "--run-id", id]);
        asking.env("LOCALPUPPET_ROOT", node.path(".")).stdout(Stdio::null()).stderr(Stdio::null());
        let asking = asking.spawn().unwrap();
        let start = Instant::now();
        while !node.exists(&format!("var/lib/localpuppet/runs/{id}/offered")) {
            assert!(start.elapsed() < Duration::from_secs(30), "no run was put on record");
            sleep(Duration::from_millis(20));
        }
        sleep(Duration::from_millis(300));
        let found = format!("localpuppet apply --detach --run-id {id}");
        let pids = ran(Command::new("pgrep").args(["-f", &format!("^[^ ]*{found}")])).stdout;
        pids.lines().for_each(|pid| signal(pid.parse().unwrap(), "KILL"));
        asking
    };
    // A run that was cancelled before it began does not begin.
    let mut asking = traced("cancelled");
    let cancelled = node.run(&["cancel", "cancelled"]);
    assert!(cancelled.code == 0 && cancelled.stdout.contains("interrupted"), "{cancelled}");
    // strace ends with the last process that it follows, the slow one too.
    asking.wait().unwrap();
    assert!(!node.exists("after"));
    assert_eq!(node.run(&["status", "cancelled"]).code, 15);
}

#[test]
fn runs_are_in_the_order_in_which_they_held_the_node() {
    let node = gated();
    // What is asserted is who has the node.
    node.stand_in();
    let enc = |app: &str| json!({"app": app, "classes": {"slow": {}}}).to_string();
    node.write("one.yaml", &enc("slow/tags/r1"));
    node.write("two.yaml", &enc("slow/tags/r2"));
    node.write("etc/puppet/input.yaml", &enc("slow/tags/r1"));
    let mut holder =
        node.command(&["apply"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for_pid(&node);
    let waiting = |id: &str, enc: &str| {
        let enc = node.path(enc);
        let mut waiting =
            node.command(&["apply", "--wait-lock", "60", "--run-id", id, "--enc", &enc]);
        let waiting = waiting.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        while !node.exists(&format!("var/lib/localpuppet/runs/{id}")) {
            sleep(Duration::from_millis(20));
        }
        waiting
    };
    let mut first = waiting("first", "one.yaml");
    signal(first.id(), "STOP");
    let mut second = waiting("second", "two.yaml");
    open_gate(&node);
    assert!(holder.wait().unwrap().success() && second.wait().unwrap().success());
    signal(first.id(), "CONT");
    assert!(first.wait().unwrap().success());
    let history = record(&node.run(&["history", "--json"]));
    assert_eq!((&history["applied"], &history["rollback"]), (&json!("first"), &json!("second")));
}

#[test]
fn back_is_the_release_before_with_the_enc_of_its_run_and_no_network() {
    let node = gated();
    open_gate(&node);
    // What is asserted is where back is: only the run that goes back is of the real Puppet.
    node.stand_in();
    let apply = |app: &str, secret: &str, id: &str| {
        node.enc(app, json!({"slow": {"secret": secret}}));
        let ran = node.run(&["apply", "--run-id", id]);
        assert_eq!(ran.code, 0, "{ran}");
    };
    let back = node.run(&["rollback"]);
    assert!(back.code == 1 && back.stderr.contains("hint: see what ran here"), "{back}");
    apply("slow/tags/r1", "one", "first");
    apply("slow/tags/r2", "two", "second");
    assert!(!node.exists("after"));
    let history = node.run(&["history", "--json"]);
    assert_eq!(record(&history)["rollback"], "first", "{history}");
    assert_eq!(record(&history)["applied"], "second", "{history}");

    let rollback = ["rollback", "--json"];
    let back = ran(Command::new("unshare")
        .args(["--net", env!("CARGO_BIN_EXE_localpuppet")])
        .args(rollback)
        .env("LOCALPUPPET_ROOT", node.path(".")));
    assert_eq!(back.code, 0, "{back}");
    let run = record(&back);
    assert_eq!((&run["app"], &run["rollback_to"]), (&json!("slow/tags/r1"), &json!("first")));
    assert_eq!(node.read("after"), "told one");

    // There is nothing before the first, unless it is named.
    assert_eq!(node.run(&["rollback"]).code, 1);
    let to = node.run(&["rollback", "--to", "second", "--noop"]);
    assert!(to.code == 2 && to.stderr.contains("back to `slow/tags/r2` of run `second`"), "{to}");
    let history = node.run(&["history"]).stdout;
    let first = history.lines().next().unwrap();
    assert!(first.ends_with("slow/tags/r2 (noop)  would change"), "{history}");
    assert_eq!(history.lines().count(), 4, "{history}");

    // A release that is gone is not fetched.
    std::fs::remove_dir_all(node.path("usr/share/localpuppet/slow/r2")).unwrap();
    let gone = node.run(&["rollback", "--to", "second"]);
    assert_eq!(gone.code, 11, "{gone}");
    assert!(gone.stderr.contains("hint: localpuppet apply slow/tags/r2"), "{gone}");
    assert_eq!(node.run(&["rollback", "--to", "nosuch"]).code, 1);
}

#[test]
#[ignore = "one of `make faults`"]
fn of_many_at_once_one_runs_and_the_others_wait_or_are_told() {
    let node = gated();
    node.enc("slow/tags/r1", json!({"slow": {}}));
    let holder = node.command(&["apply"]).stdout(Stdio::null()).spawn().unwrap();
    wait_for_pid(&node);
    let told: Vec<_> = (0..48).map(|_| node.command(&["apply"]).spawn().unwrap()).collect();
    let patient = node.command(&["apply", "--wait-lock", "120", "--run-id", "patient"]).spawn();
    for child in told {
        let output = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(14), "{stderr}");
        assert!(stderr.contains(&format!(", pid {}, since 20", holder.id())), "{stderr}");
    }
    let waiting = node.run(&["status", "patient"]);
    assert!(waiting.code == 17 && waiting.stdout.contains("waiting as pid "), "{waiting}");
    // What was refused says nothing of the node.
    let status = node.run(&["status"]);
    assert!(status.stdout.contains(&format!("running as pid {}", holder.id())), "{status}");
    open_gate(&node);
    assert_eq!(holder.wait_with_output().unwrap().status.code(), Some(0));
    let patient = patient.unwrap().wait_with_output().unwrap();
    let stderr = String::from_utf8(patient.stderr).unwrap();
    assert_eq!(patient.status.code(), Some(0), "{stderr}");
    assert!(stderr.contains("another run holds this node: `apply` of `slow/tags/r1`"), "{stderr}");
    assert!(stderr.contains("; waiting up to 120 s"), "{stderr}");
    let history = record(&node.run(&["history", "--json"]));
    let outcome = |name: &str| {
        let runs = history["runs"].as_array().unwrap();
        runs.iter().filter(|run| run["outcome"] == name).count()
    };
    assert_eq!((outcome("refused-locked"), outcome("changed")), (48, 2));
}

/// Asks the Puppet that is installed, as its agent does before a run.
fn agent_may_run(node: &Node) -> bool {
    let script = "require 'puppet'; require 'puppet/util/pidlock'; \
                  Puppet.initialize_settings([]); lock = Puppet::Util::Pidlock.new(ARGV[0]); \
                  puts lock.lock ? 'free' : 'held'; lock.unlock";
    let asked = ran(Command::new("ruby").args(["-e", script, &node.path(LOCK)]));
    match asked.stdout.trim() {
        "free" => true,
        "held" => false,
        // Puppet's code does not expect that the holder ends between two of its looks at it.
        _ if asked.stderr.contains("Execution of 'ps ") => agent_may_run(node),
        _ => panic!("{asked}"),
    }
}

#[test]
fn a_puppet_whose_localpuppet_was_killed_has_the_node_and_keeps_the_agent_out() {
    let node = gated();
    node.enc("slow/tags/r1", json!({"slow": {}}));
    let mut killed = node.command(&["apply"]);
    let mut killed = killed.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let child = wait_for_pid(&node);
    let locked = node.read(LOCK);
    signal(killed.id(), "KILL");
    killed.wait().unwrap();
    let refused = node.run(&["apply"]);
    assert_eq!(refused.code, 14, "{refused}");
    let puppet = refused.stderr.split("`kill ").nth(1).and_then(|rest| rest.split('`').next());
    let puppet = puppet.unwrap();
    let status = node.run(&["status"]);
    assert_eq!(status.code, 17, "{status}");
    assert!(status.stdout.contains(&format!("Puppet still runs as pid {puppet}\n")), "{status}");
    // The lock was Puppet's from the beginning, and is what keeps the agent out.
    assert_eq!((locked.trim(), node.read(LOCK).trim()), (puppet, puppet));
    assert!(!agent_may_run(&node));

    // As if it had been killed before it recorded its Puppet: the node is held all the same.
    let path = "var/lib/localpuppet/last/record.json";
    let mut unknown: Value = serde_json::from_str(&node.read(path)).unwrap();
    unknown["puppet"] = Value::Null;
    node.write(path, &unknown.to_string());
    let refused = node.run(&["apply"]);
    assert!(refused.code == 14 && refused.stderr.contains("hint: it is gone; "), "{refused}");

    // What a command of Puppet's leaves behind holds nothing, and its lock is stale.
    signal(puppet.parse().unwrap(), "KILL");
    let status = node.run(&["status", "--wait", "--timeout", "30"]);
    assert_eq!(status.code, 18, "{status}");
    assert!(status.stdout.contains("lost"), "{status}");
    assert!(is_alive(child) && node.exists(LOCK));
    // The agent asks by pid, which is taken until somebody has heard of the end.
    let start = Instant::now();
    while std::path::Path::new(&format!("/proc/{puppet}")).exists() {
        assert!(start.elapsed() < Duration::from_secs(30), "nobody takes leave of Puppet");
        sleep(Duration::from_millis(20));
    }
    assert!(agent_may_run(&node));
    open_gate(&node);
}

#[test]
fn puppets_own_agent_is_left_in_peace() {
    let node = gated();
    open_gate(&node);
    node.enc("slow/tags/r1", json!({"slow": {}}));
    std::fs::create_dir_all(node.path("var/cache/puppet/state")).unwrap();
    // An agent at work: a Ruby of Puppet's that has the lock.
    let script = "require 'puppet'; require 'puppet/util/pidlock'; Puppet.initialize_settings([]); \
                  Puppet::Util::Pidlock.new(ARGV[0]).lock or abort; puts 'agent'; $stdout.flush; sleep";
    let mut agent = Command::new("ruby");
    let mut agent = agent
        .args(["-e", script, &node.path(LOCK), "puppet agent"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    std::io::Read::read_exact(agent.stdout.as_mut().unwrap(), &mut [0; 6]).unwrap();
    let refused = node.run(&["apply"]);
    assert_eq!(refused.code, 14, "{refused}");
    let told = format!("error: Puppet's own agent is at work: pid {} since 20", agent.id());
    assert!(refused.stderr.contains(&told), "{refused}");
    // What is asserted of the next one is that it waits.
    node.stand_in();
    let patient = node.command(&["apply", "--wait-lock", "60"]).spawn().unwrap();
    sleep(Duration::from_millis(500));
    agent.kill().unwrap();
    agent.wait().unwrap();
    // Its lock is left behind, and stale.
    assert_eq!(patient.wait_with_output().unwrap().status.code(), Some(0));
    assert!(!node.exists(LOCK));
}

#[test]
fn a_node_on_which_puppet_is_disabled_is_left_alone() {
    let node = gated();
    open_gate(&node);
    node.enc("slow/tags/r1", json!({"slow": {}}));
    let vardir = node.path("var/cache/puppet");
    std::fs::create_dir_all(&vardir).unwrap();
    let mut agent = Command::new("puppet");
    agent.args(["agent", "--vardir", &vardir, "--disable", "disk swap, ask Jo"]);
    let disabled = ran(&mut agent);
    assert_eq!(disabled.code, 0, "{disabled}");
    let refused = node.run(&["apply"]);
    assert_eq!(refused.code, 16, "{refused}");
    let told = "error: Puppet is disabled on this node by `";
    assert!(
        refused.stderr.contains(told) && refused.stderr.contains(": disk swap, ask Jo\n"),
        "{refused}"
    );
    assert!(refused.stderr.contains("`--ignore-disabled`"), "{refused}");
    let status = node.run(&["status"]);
    assert!(status.code == 16 && status.stdout.contains("refused: disabled"), "{status}");
    // That a Puppet is started is all that is asserted of the rest; `puppet agent --enable` takes
    // this file away.
    node.stand_in();
    assert_eq!(node.run(&["apply", "--ignore-disabled"]).code, 0);
    std::fs::remove_file(format!("{vardir}/state/agent_disabled.lock")).unwrap();
    assert_eq!(node.run(&["apply"]).code, 0);
}

#[test]
fn what_a_stranger_may_have_planted_is_not_followed() {
    let node = gated();
    open_gate(&node);
    // What is asserted is what localpuppet reads and writes.
    node.stand_in();
    node.enc("slow/tags/r1", json!({"slow": {}}));
    node.write("precious", "do not touch");
    let state = node.path("var/lib/localpuppet");
    std::fs::create_dir_all(&state).unwrap();
    let link = |name: &str| {
        std::os::unix::fs::symlink(node.path("precious"), node.path(name)).unwrap();
    };
    link("var/lib/localpuppet/lock");
    let refused = node.run(&["apply"]);
    assert_eq!(refused.code, 1, "{refused}");
    std::fs::remove_file(format!("{state}/lock")).unwrap();
    std::fs::create_dir_all(node.path("var/cache/puppet/state")).unwrap();
    link(LOCK);
    let refused = node.run(&["apply"]);
    assert_eq!(refused.code, 1, "{refused}");
    std::fs::remove_file(node.path(LOCK)).unwrap();
    assert_eq!(node.run(&["apply", "--run-id", "a"]).code, 0);

    // A run's directory that belongs to somebody else is told, and left out.
    std::os::unix::fs::chown(format!("{state}/runs/a"), Some(12345), None).unwrap();
    let status = node.run(&["status", "a"]);
    assert!(status.code == 1 && status.stderr.contains("found user 12345"), "{status}");
    let history = node.run(&["history"]);
    assert!(
        history.code == 0 && history.stderr.contains("warning: a run is left out: "),
        "{history}"
    );
    assert_eq!(node.run(&["apply"]).code, 0);
    assert_eq!(node.read("precious"), "do not touch");
}

#[test]
fn old_runs_go_but_not_those_that_tell_something() {
    let node = Node::new();
    node.write("m/x/trunk/manifest.yaml", "");
    node.enc("x/trunk", json!({}));
    let (root, puppet) = (node.path("m"), node.stand_in());
    let apply = |id: &str, puppet: &str| {
        node.run(&[
            "apply",
            "--module-root",
            &root,
            "--puppet",
            puppet,
            "--run-id",
            id,
            "--keep-runs",
            "2",
        ])
    };
    // What is asserted is which runs are on record: one went well, the others did not.
    assert_eq!(apply("good", &puppet).code, 0);
    for id in ["failed1", "failed2", "failed3"] {
        assert_eq!(apply(id, "/bin/false").code, 13);
    }
    let history = node.run(&["history"]).stdout;
    let ids: Vec<&str> = history.lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(ids, ["failed3", "failed2", "good"], "{history}");
    // What a run that was killed while it was made has left goes too.
    let left = node.path("var/lib/localpuppet/runs/.new-4194304-x");
    std::fs::create_dir(&left).unwrap();
    assert_eq!(apply("failed4", "/bin/false").code, 13);
    assert!(!std::path::Path::new(&left).exists());
}
