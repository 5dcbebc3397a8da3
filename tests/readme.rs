//! What README.md shows is what happens: every `$ ` line of its console blocks
//! is run, in order, in a directory with a copy of `examples/`, and the whole
//! output compared. `[..]` stands for any text in a line, `...` for any lines;
//! `? 10` says with which code a command fails.

#![allow(clippy::disallowed_methods, reason = "runs the program, and is no part of it")]

use std::error::Error;
use std::path::Path;
use std::process::Command;

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

/// What a command prints, both streams as they come, after its code where it fails.
///
/// In processes of its own where that can be had: Facter complains at length
/// where a container keeps process 1 to itself.
fn run(command: &str, directory: &Path) -> Result<String, Box<dyn Error>> {
    let program = Path::new(env!("CARGO_BIN_EXE_localpuppet"));
    let programs = program.parent().ok_or("the program is in no directory")?;
    let path = format!("{}:{}", programs.display(), std::env::var("PATH")?);
    let alone = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
    let words: &[&str] =
        if succeeds(&[&alone[..], &["true"]].concat()) { &alone } else { &["env"] };
    let ran = Command::new(words[0])
        .args(&words[1..])
        .args(["sh", "-c", &format!("exec 2>&1\n{command}")])
        .current_dir(directory)
        .env("PATH", path)
        .output()?;
    let printed = String::from_utf8(ran.stdout)?;
    Ok(match ran.status.code() {
        Some(0) => printed,
        code => format!("? {}\n{printed}", code.ok_or("a signal ended it")?),
    })
}

fn succeeds(words: &[&str]) -> bool {
    Command::new(words[0]).args(&words[1..]).output().is_ok_and(|ran| ran.status.success())
}

#[test]
fn readme_shows_what_happens() -> Result<(), Box<dyn Error>> {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let cases = cases(&std::fs::read_to_string(top.join("README.md"))?);
    assert!(cases.len() > 5, "the console blocks were not found");

    let sandbox = tempfile::tempdir()?;
    let copied =
        Command::new("cp").arg("-R").arg(top.join("examples")).arg(sandbox.path()).status()?;
    assert!(copied.success());

    for case in cases {
        let printed = run(&case.command, sandbox.path())?;
        // The place in front of both: a difference is shown with it.
        let place = format!("README.md, line {}: {}", case.line, case.command);
        snapbox::assert_data_eq!(
            format!("{place}\n{printed}"),
            format!("{place}\n{}", case.output)
        );
    }
    Ok(())
}

#[test]
fn commands_and_their_output_are_told_apart() {
    let found = cases("text\n```console\n$ one\nout\nmore\n$ two\n```\n```sh\n$ not this\n```\n");
    let found: Vec<_> =
        found.iter().map(|case| (case.line, &*case.command, &*case.output)).collect();
    assert_eq!(found, [(3, "one", "out\nmore\n"), (6, "two", "")]);
}
