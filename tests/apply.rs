//! `apply` and `status` on a node below a temporary root, with the real Puppet.

#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod node;

use node::Node;
use serde_json::json;

/// The class that most runs apply: a file with what its parameter says.
const FOO: &str = "class foo(String $text = 'default', String $path) {
  file { $path: content => $text }
}";

#[test]
fn an_installed_release_is_verified_applied_and_recorded() {
    let node = Node::new();
    node.install("foo/tags/r1", &[("foo/manifests/init.pp", FOO)]);
    let target = node.path("managed");
    node.enc("foo/tags/r1", json!({"foo": {"text": "s3cret-value", "path": target}}));

    let first = node.run(&["apply", "--noop"]);
    assert_eq!(first.code, 2, "{first}");
    assert!(!node.exists("managed"));

    let first = node.run(&["apply"]);
    assert_eq!(first.code, 0, "{first}");
    assert_eq!(node.read("managed"), "s3cret-value");
}
