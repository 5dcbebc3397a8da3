//! Differences that read without Rust: `cases/NAME/modules` has `foo` at two tags, and
//! `diff.txt`, `diff.json` and `diff.md` are what is told of them; where there is `enc`, of its
//! nodes too. `DIFFS=overwrite` writes down what was told instead.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "runs the program")]

use std::path::Path;
use std::process::Command;

#[test]
fn differences_are_told() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diff/cases");
    let mut wrong = Vec::new();
    for case in std::fs::read_dir(cases).unwrap().map(|case| case.unwrap().path()) {
        for (name, form) in [
            ("diff.txt", &["--text"][..]),
            ("diff.json", &["--json"]),
            ("diff.md", &["--markdown"]),
        ] {
            let mut command = Command::new(env!("CARGO_BIN_EXE_localpuppet"));
            command.args(["diff", "foo/tags/r1", "foo/tags/r2", "--module-root", "modules"]);
            if case.join("enc").is_dir() {
                command.args(["--enc-dir", "enc"]);
            }
            let output = command.args(form).current_dir(&case).output().unwrap();
            assert!(output.status.success(), "{}: {output:?}", case.display());
            let (told, file) = (String::from_utf8(output.stdout).unwrap(), case.join(name));
            if std::env::var_os("DIFFS").is_some() {
                std::fs::write(&file, told).unwrap();
                continue;
            }
            let expected = std::fs::read_to_string(&file).unwrap();
            if told != expected {
                wrong.push(format!("{}: expected\n{expected}\nfound\n{told}", file.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
