//! What README.md shows is what happens: every `$ ` line of its console blocks
//! is run, in order, in a directory with a copy of `examples/`, and the whole
//! output compared. `[..]` stands for any text in a line, `...` for any lines;
//! `? 10` says with which code a command fails.

#![allow(clippy::disallowed_methods, clippy::expect_used, reason = "runs the program")]

mod transcript;

use std::path::Path;
use transcript::Shell;

/// A command of the README and what it prints there.
struct Case {
    line: usize,
    command: String,
    output: String,
}

fn cases(readme: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    let mut inside = false;
    for (index, line) in readme.lines().enumerate() {
        if line.starts_with("```") {
            inside = line == "```console";
        } else if let (true, Some(command)) = (inside, line.strip_prefix("$ ")) {
            let (command, output) = (command.to_owned(), String::new());
            cases.push(Case { line: index + 1, command, output });
        } else if let (true, Some(case)) = (inside, cases.last_mut()) {
            case.output.push_str(line);
            case.output.push('\n');
        }
    }
    cases
}

#[test]
fn readme_shows_what_happens() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(top.join("README.md")).expect("the README");
    let cases = cases(&readme);
    assert!(cases.len() > 5, "the console blocks were not found");

    let sandbox = tempfile::tempdir().expect("a temporary directory");
    let shell = Shell::new();
    let copied = shell.run(&format!("cp -R '{}/examples' .", top.display()), sandbox.path());
    assert_eq!(copied, "");

    for case in cases {
        // The place in front of both: a difference is shown with it.
        let place = format!("README.md, line {}: {}\n", case.line, case.command);
        let printed = place.clone() + &shell.run(&case.command, sandbox.path());
        snapbox::assert_data_eq!(printed, place + &case.output);
    }
}

#[test]
fn commands_and_their_output_are_told_apart() {
    let found = cases("text\n```console\n$ one\nout\nmore\n$ two\n```\n```sh\n$ not this\n```\n");
    let found: Vec<_> =
        found.iter().map(|case| (case.line, &*case.command, &*case.output)).collect();
    assert_eq!(found, [(3, "one", "out\nmore\n"), (6, "two", "")]);
}
