//! What README.md shows is what happens: every `$ ` line of its console blocks
//! is run, in order, in a directory with a copy of `examples/`, and the whole
//! output compared. `[..]` stands for any text in a line, `...` for any lines;
//! `? 10` says with which code a command fails.
//!
//! Puppet is the real one, but a program stands for it in two ways, to be quick: where it is asked
//! for its agent's locks, which is said of every root anew, and in [`STOOD_IN`].

#![allow(clippy::disallowed_methods, clippy::expect_used, reason = "runs the program")]

mod transcript;

use std::path::Path;
use transcript::Shell;

/// Commands that apply what a command above them has applied by the real Puppet, with the same ENC,
/// and show no word of Puppet's: what is asserted is where the ENC is from, and where back is.
const STOOD_IN: [&str; 2] =
    ["localpuppet apply --root node --enc \"exec:", "localpuppet rollback --root node"];

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
    let beside = tempfile::tempdir().expect("a temporary directory");
    let path = |name: &str| beside.path().join(name);
    std::os::unix::fs::symlink(top.join("tests/apply/puppet"), path("puppet")).expect("a link");
    let puppet = shell.run("command -v puppet", sandbox.path());
    assert!(puppet.starts_with('/'), "{puppet}; type: tests/setup");
    std::fs::write(path("real"), puppet.trim()).expect("a file");

    let mut stood_in = 0;
    for case in cases {
        let by_itself = STOOD_IN.iter().any(|command| case.command.starts_with(command));
        if by_itself {
            stood_in += 1;
            std::fs::rename(path("real"), path("away")).expect("a file");
        }
        // The place in front of both: a difference is shown with it.
        let place = format!("README.md, line {}: {}\n", case.line, case.command);
        let command = format!("export PATH=\"{}:$PATH\"\n{}", path("").display(), case.command);
        let printed = place.clone() + &shell.run(&command, sandbox.path());
        snapbox::assert_data_eq!(printed, place + &case.output);
        if by_itself {
            std::fs::rename(path("away"), path("real")).expect("a file");
        }
    }
    assert_eq!(stood_in, STOOD_IN.len(), "the README has other commands by now");
}

#[test]
fn commands_and_their_output_are_told_apart() {
    let found = cases("text\n```console\n$ one\nout\nmore\n$ two\n```\n```sh\n$ not this\n```\n");
    let found: Vec<_> =
        found.iter().map(|case| (case.line, &*case.command, &*case.output)).collect();
    assert_eq!(found, [(3, "one", "out\nmore\n"), (6, "two", "")]);
}
