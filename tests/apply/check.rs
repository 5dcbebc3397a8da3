//! The call of a release's classes is checked before Puppet is started.

use crate::node::{Node, Ran};
use serde_json::{Value, json};

const MANIFEST: &str =
    "class foo(Integer[1] $port, Optional[Pattern[/(?<!a)b/]] $odd = undef) { }\n";

/// Applies with a Puppet that is /bin/false, so that 13 says that Puppet was started.
fn apply(node: &Node, parameters: Value, options: &[&str]) -> Ran {
    node.enc("foo/tags/r1", json!({"foo": parameters}));
    node.run(&[&["apply", "--puppet", "/bin/false"], options].concat())
}

/// The last run on record.
fn last(node: &Node) -> Value {
    serde_json::from_str(&node.run(&["status", "--json"]).stdout).unwrap()
}

fn installed() -> Node {
    let node = Node::new();
    let files = [("manifest.yaml", ""), ("foo/manifests/init.pp", MANIFEST)];
    node.install("foo/tags/r1", &files);
    node
}

#[test]
fn a_call_that_puppet_would_refuse_starts_no_puppet() {
    let node = installed();
    let wrong = apply(&node, json!({"prot": "s3cret"}), &[]);
    assert_eq!(wrong.code, 10, "{wrong}");
    let (_, told) = wrong.stderr.split_once("localpuppet: error: ").unwrap();
    let enc = node.path("etc/puppet/input.yaml");
    assert_eq!(
        told,
        format!(
            "the ENC `{enc}` does not fit the classes of `foo/tags/r1`
  caused by: 2 things are wrong
    line 1, column 40: `classes.foo.prot`: unknown parameter: expected a parameter of class `foo`, found `prot`; did you mean `port`?
    line 1, column 33: `classes.foo.port`: missing parameter: expected `port` of type Integer[1], found nothing, and no default
  hint: `--no-check` leaves it to Puppet
"
        )
    );
    let run = last(&node);
    assert_eq!((&run["outcome"], &run["checked"]), (&json!("enc-invalid"), &json!("refused")));
    assert_eq!((&run["puppet"], &run["exit_code"]), (&Value::Null, &json!(10)), "{run}");
    assert!(!run.to_string().contains("s3cret") && run["reason"]["causes"][0].is_string(), "{run}");

    let detached = apply(&node, json!({}), &["--detach", "--run-id", "apart"]);
    assert_eq!(detached.code, 0, "{detached}");
    let waited = node.run(&["status", "apart", "--wait"]);
    assert!(waited.code == 10 && waited.stdout.contains("ENC invalid"), "{waited}");

    // What only Puppet can tell is left to it, and so is all where the operator says so.
    assert_eq!(apply(&node, json!({"port": 1, "odd": "cb"}), &[]).code, 13);
    assert_eq!(last(&node)["checked"], "undecided");
    assert_eq!(apply(&node, json!({"port": 1}), &[]).code, 13);
    assert_eq!(last(&node)["checked"], "fits");
    assert_eq!(apply(&node, json!({"prot": 1}), &["--no-check"]).code, 13);
    assert_eq!(last(&node)["checked"], "skipped");
    let status = node.run(&["status"]);
    assert!(status.stdout.contains("\n  not checked: --no-check\n"), "{status}");
}

#[test]
fn a_package_is_not_installed_for_a_call_that_does_not_fit_and_a_checkout_not_used() {
    let node = Node::new();
    node.write("m/foo/tags/r1/manifest.yaml", "");
    node.write("m/foo/tags/r1/foo/manifests/init.pp", MANIFEST);
    let (root, out) = (node.path("m"), node.path("out"));
    let bundle = ["bundle", "foo/tags/r1", "--module-root", &root, "--out", &out];
    assert_eq!(node.run(&bundle).code, 0);
    let file = format!("{out}/localpuppet-foo-r1_1_all.deb");
    for code in [["--package", file.as_str()], ["--module-root", &root]] {
        let wrong = apply(&node, json!({"port": 0}), &code);
        let told = "`classes.foo.port`: type: expected Integer[1], found an integer";
        assert!(wrong.code == 10 && wrong.stderr.contains(told), "{wrong}");
        assert!(!node.exists("usr/share/localpuppet"), "{wrong}");
    }
}

#[test]
fn what_went_well_unchecked_goes_back_unchecked() {
    let node = Node::new();
    // What is asserted is what is on record of the check.
    node.stand_in();
    for tag in ["r1", "r2"] {
        let class = "class foo($port) { }\n";
        let files = [("manifest.yaml", ""), ("foo/manifests/init.pp", class)];
        node.install(&format!("foo/tags/{tag}"), &files);
        node.enc(&format!("foo/tags/{tag}"), json!({"foo": {"port": 1}}));
        let options: &[&str] = if tag == "r1" { &["--no-check"] } else { &[] };
        let applied = node.run(&[&["apply"], options].concat());
        assert_eq!(applied.code, 0, "{applied}");
    }
    assert_eq!(last(&node)["checked"], "fits");
    assert_eq!(node.run(&["rollback"]).code, 0);
    assert_eq!(last(&node)["checked"], "skipped");
    assert_eq!(node.run(&["rollback", "--to", last(&node)["id"].as_str().unwrap()]).code, 0);
    assert_eq!(last(&node)["checked"], "skipped");
}
