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
    let validate = |modules: &Path, statement: &Path| {
        let mut python = Command::new("python3");
        python.env("PYTHONPATH", &schemas).env("PYTHONDONTWRITEBYTECODE", "1");
        python.arg(top.join("tests/schemas.py")).args([modules, statement]).output().unwrap()
    };
    let valid = validate(&modules, &statement);
    assert!(valid.status.success(), "{}", String::from_utf8_lossy(&valid.stderr));
    // The programs do look: what is wrong is found by each of them.
    for (path, right, wrong) in [
        (&modules, "\"library\"", "\"book\""),
        (&statement, "\"buildType\"", "\"buildKind\""),
        (&statement, "\"subject\"", "\"subjects\""),
    ] {
        let text = std::fs::read_to_string(path).unwrap();
        std::fs::write(path, text.replace(right, wrong)).unwrap();
        assert!(!validate(&modules, &statement).status.success(), "{wrong}");
        std::fs::write(path, text).unwrap();
    }
}
