//! `verify`: what was changed, added or taken away on a node is named.

use crate::node::Node;
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt, chown};

#[test]
fn every_difference_of_every_release_is_named() {
    let node = Node::new();
    let none = node.run(&["verify", "--all"]);
    assert!(none.code == 1 && none.stderr.contains("no release is installed"), "{none}");
    let files = [("foo/manifests/init.pp", "class foo {}"), ("foo/files/a", "a"), ("foo/b", "b")];
    node.install("foo/tags/r1", &files);
    node.install("team/foo/tags/1.0", &files);
    let whole = node.run(&["verify", "--all"]);
    assert_eq!(whole.code, 0, "{whole}");
    assert_eq!(whole.stdout, "`foo/tags/r1`: whole\n`team/foo/tags/1.0`: whole\n", "{whole}");
    let absent = node.run(&["verify", "foo/r1", "foo/r2"]);
    assert_eq!(absent.code, 1, "{absent}");
    assert_eq!(absent.stdout, "`foo/tags/r1`: whole\n`foo/tags/r2`: not installed\n", "{absent}");

    let app = "usr/share/localpuppet/foo/r1/modules/foo/tags/r1/foo";
    node.write(&format!("{app}/lib/facter/stray.rb"), "");
    node.write(&format!("{app}/files/a"), "A");
    fs::remove_file(node.path(&format!("{app}/b"))).unwrap();
    let manifest = node.path(&format!("{app}/manifests/init.pp"));
    fs::set_permissions(&manifest, fs::Permissions::from_mode(0o666)).unwrap();
    chown(node.path(&format!("{app}/manifests")), Some(65534), None).unwrap();
    fs::create_dir_all(node.path("usr/share/localpuppet/foo/by-hand")).unwrap();
    node.write("usr/share/localpuppet/team+2ffoo/1.1/bundle.json", "{");

    let all = node.run(&["verify", "--all", "--json"]);
    assert_eq!(all.code, 12, "{all}");
    let told: Value = serde_json::from_str(&all.stdout).unwrap();
    let verdicts: Vec<&str> =
        told.as_array().unwrap().iter().map(|one| one["verdict"].as_str().unwrap()).collect();
    assert_eq!(verdicts, ["differs", "differs", "whole", "differs"], "{all}");
    for (at, text) in [(0, "no bundle.json"), (3, "is not the description of a release")] {
        assert!(told[at]["problems"][0].as_str().unwrap().contains(text), "{all}");
    }
    let named = node.run(&["verify", "foo/r1", "foo/r2"]);
    let below = "modules/foo/tags/r1/foo";
    let expected = format!(
        "`foo/tags/r1`: 7 differences
  `{below}/b` is missing
  `{below}/files/a` was changed
  `{below}/lib` was added
  `{below}/lib/facter` was added
  `{below}/lib/facter/stray.rb` was added
  `{below}/manifests`: expected owner 0:0, found 65534:0
  `{below}/manifests/init.pp`: expected mode 0644, found 0666
`foo/tags/r2`: not installed
"
    );
    assert_eq!((named.code, named.stdout.as_str()), (12, expected.as_str()), "{named}");
}
