//! What the fuzzer does with arbitrary bytes, done with made-up ones: soups of
//! what Puppet code has, real manifests with damage, deep nesting, long lines.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, clippy::expect_used)]

#[path = "../fuzz/read.rs"]
mod read;

use proptest::prelude::*;
use read::anything;
use std::path::Path;

/// What the lexer and the grammar have a rule for.
const PIECES: &[&str] = &[
    "class ",
    "define ",
    "type ",
    "function ",
    "inherits ",
    "foo",
    "::",
    "Foo",
    "$x",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    "=",
    "=>",
    ">>",
    "'",
    "\"",
    "${",
    "\\",
    "/",
    "/*",
    "*/",
    "#",
    "\n",
    " ",
    "@(A)",
    "@(\"A\"/L)",
    "\nA\n",
    "| - A\n",
    "1",
    "0x",
    "1.5e-3",
    "-",
    "*",
    "&",
    "Integer",
    "Variant[",
    "Struct[{",
    "Optional['a']",
    "Pattern[/a/]",
    "Enum[",
    "default",
    "undef",
    "@api private",
    "# @param x y\n",
    "\u{feff}",
    "\u{1f600}",
    "\\u{",
    "\r",
    "\0",
    "{\"schema\":1",
];

/// Manifests of Debian's modules, some of every module.
fn manifests() -> Vec<Vec<u8>> {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/real/modules/debian/tags/r1");
    assert!(modules.is_dir(), "no modules; type: tests/setup");
    let mut found = Vec::new();
    for module in std::fs::read_dir(modules).unwrap() {
        let Ok(files) = std::fs::read_dir(module.unwrap().path().join("manifests")) else {
            continue;
        };
        let paths = files.map(|file| file.unwrap().path()).filter(|path| path.is_file());
        found.extend(paths.take(3).map(|path| std::fs::read(path).unwrap()));
    }
    assert!(found.len() > 100);
    found
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_bytes_stop_the_program(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        anything(&bytes);
    }

    #[test]
    fn no_soup_of_puppet_code_stops_the_program(
        pieces in prop::collection::vec(prop::sample::select(PIECES), 0..60),
        many in 1..4_usize,
    ) {
        anything(pieces.concat().repeat(many).as_bytes());
    }
}

#[test]
fn damaged_manifests_stop_nothing() {
    let mut dice = 42_u64;
    let mut below = |many: usize| {
        dice = dice.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (dice >> 33) as usize % many.max(1)
    };
    for manifest in manifests() {
        anything(&manifest);
        for _ in 0..3 {
            let mut text = manifest.clone();
            for _ in 0..=below(3) {
                let (at, piece) = (below(text.len()), PIECES[below(PIECES.len())]);
                let end = (at + below(8)).min(text.len());
                text.splice(at..end, piece.bytes());
            }
            text.truncate(below(text.len() * 2));
            anything(&text);
        }
    }
}

#[test]
fn what_is_deep_or_long_stops_nothing() {
    for one in PIECES {
        anything(one.repeat(4_000).as_bytes());
        anything(format!("class foo(Array {}", one.repeat(4_000)).as_bytes());
    }
    for (open, close) in
        [("Array[", "]"), ("{", "}"), ("(", ")"), ("\"${", "}\""), ("class a {", "}")]
    {
        for depth in [10, 60, 1000, 5_000] {
            let (open, close) = (open.repeat(depth), close.repeat(depth));
            anything(format!("type X = {open}String{close}").as_bytes());
            anything(format!("class foo($x = {open}1{close}) {{ {open}{close} }}").as_bytes());
        }
    }
    let types: String = (0..4_000).map(|at| format!("A{at},")).collect();
    anything(format!("type X = Variant[{types}]").as_bytes());
    let parameters: String = (0..2_000).map(|at| format!("$p{at},")).collect();
    let comment: String = (0..2_000).map(|at| format!("# @param p{at} x\n")).collect();
    anything(format!("{comment}class foo({parameters}) {{ }}").as_bytes());
    anything(format!("# x\n{}", "class a { } ".repeat(4_000)).as_bytes());
}
