//! Each folder below `tests/enc` is a case that reads without Rust: `enc.yaml`,
//! and either `puppet.yaml`, what Puppet is given, or `error.txt`, what is said.
//!
//! `BLESS=1 cargo test --test enc` writes what is expected anew; read the diff.

#![allow(clippy::disallowed_methods, reason = "reads its cases")]

use localpuppet::model::enc::Enc;
use std::fs;
use std::path::Path;

#[test]
fn cases() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/enc");
    let mut wrong = Vec::new();
    let mut cases = 0;
    for case in fs::read_dir(&root).unwrap() {
        let case = case.unwrap().path();
        let (name, text, other) = match Enc::parse(&fs::read(case.join("enc.yaml")).unwrap()) {
            Ok(enc) => ("puppet.yaml", enc.to_yaml(), "error.txt"),
            Err(error) => ("error.txt", format!("{error}\n"), "puppet.yaml"),
        };
        if std::env::var_os("BLESS").is_some() {
            let _ = fs::remove_file(case.join(other));
            fs::write(case.join(name), &text).unwrap();
        }
        cases += 1;
        let expected = fs::read_to_string(case.join(name)).unwrap_or_default();
        if expected != text || case.join(other).exists() {
            wrong.push(format!("{}\nexpected:\n{expected}\nfound:\n{text}", case.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(cases > 20, "{cases} cases");
}
