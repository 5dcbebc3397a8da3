//! The documents of `bundle --provenance` are what their formats say, by the formats' own programs.

#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "runs the program")]

use std::path::Path;
use std::process::Command;

#[test]
fn documents_are_valid_for_the_makers_of_their_formats() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schemas = top.join("target/real/schemas");
    assert!(schemas.exists(), "no `{}`; type: tests/setup", schemas.display());
    let out = tempfile::tempdir().unwrap();
    let bundled = Command::new(env!("CARGO_BIN_EXE_localpuppet"))
        .args(["bundle", "foo/tags/r1", "--provenance", "--format", "deb", "--module-root"])
        .arg(top.join("examples/modules"))
        .arg("--out")
        .arg(out.path())
        .output()
        .unwrap();
    assert!(bundled.status.success(), "{}", String::from_utf8_lossy(&bundled.stderr));
    let modules = out.path().join("localpuppet-foo-r1_1.cdx.json");
    let statement = out.path().join("localpuppet-foo-r1_1.provenance.json");
    let mut python = Command::new("python3");
    python.env("PYTHONPATH", &schemas).env("PYTHONDONTWRITEBYTECODE", "1");
    let held =
        python.arg(top.join("tests/schemas.py")).args([modules, statement]).output().unwrap();
    assert!(held.status.success(), "{}", String::from_utf8_lossy(&held.stderr));
    // The programs do look: what is wrong is found by each of them.
    let refused = "\"book\": AssertionError\n\"buildKind\": ParseError\n\"subjects\": ParseError\n";
    assert_eq!(String::from_utf8_lossy(&held.stdout), refused);
}
