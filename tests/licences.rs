//! Every crate that goes into the program may be passed on with it, whether
//! one takes localpuppet under Apache-2.0 or under MIT.

#![allow(clippy::disallowed_methods, clippy::expect_used, reason = "asks cargo")]

use serde_json::Value;
use std::process::Command;

/// Licences that ask for no more than their text.
const ALLOWED: &[&str] =
    &["Apache-2.0", "MIT", "BSD-3-Clause", "Zlib", "Unicode-3.0", "0BSD", "Unlicense", "ISC"];

/// Crates that name a file instead of a licence, and what is in the file.
const READ_BY_HAND: &[(&str, &str)] = &[("libyaml-safer", "MIT")];

/// True where each part of `A OR B AND C`, as crates write it, leaves an allowed choice.
fn is_allowed(expression: &str) -> bool {
    expression.split(" AND ").all(|part| {
        let part = part.trim_matches(['(', ')']);
        part.split(" OR ").flat_map(|choice| choice.split('/')).any(|one| ALLOWED.contains(&one))
    })
}

#[test]
fn every_dependency_may_be_passed_on() {
    let platform = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let ran = Command::new(env!("CARGO"))
        .args(["metadata", "--locked", "--offline", "--format-version", "1"])
        .args(["--filter-platform", &platform])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let metadata: Value = serde_json::from_slice(&ran.stdout).expect("cargo writes JSON");
    let crates = metadata["packages"].as_array().expect("a list of crates");
    assert!(crates.len() > 20, "cargo knows few crates");

    let refused: Vec<String> = crates
        .iter()
        .filter_map(|one| {
            let name = one["name"].as_str().unwrap_or_default();
            let by_hand = READ_BY_HAND.iter().find(|(known, _)| *known == name);
            let licence = one["license"].as_str().or(by_hand.map(|(_, licence)| *licence));
            let licence = licence.unwrap_or("no licence");
            (!is_allowed(licence)).then(|| format!("{name}: {licence}"))
        })
        .collect();
    assert!(refused.is_empty(), "{}", refused.join("\n"));
}

#[test]
fn what_asks_for_more_is_refused() {
    assert!(is_allowed("MIT OR GPL-3.0-only"));
    assert!(is_allowed("Unlicense/MIT"));
    assert!(is_allowed("(MIT OR Apache-2.0) AND Unicode-3.0"));
    assert!(!is_allowed("GPL-3.0-only"));
    assert!(!is_allowed("MIT AND GPL-3.0-only"));
    assert!(!is_allowed("no licence"));
}
