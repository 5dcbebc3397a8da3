//! Manual pages: groff and mandoc have nothing against them, and they say what `--help` says.

use super::{commands, localpuppet, needs, put, ran};
use std::process::Command;

/// The pages: of the program, then of each command.
fn pages() -> Vec<(String, String)> {
    let commands = localpuppet(&["man", "--list"]);
    let of = |name: &str| (format!("localpuppet-{name}"), localpuppet(&["man", name]));
    let program = ("localpuppet".to_owned(), localpuppet(&["man"]));
    std::iter::once(program).chain(commands.lines().map(of)).collect()
}

/// The text that a reader sees.
fn text(page: &str) -> String {
    let mut groff = Command::new("groff");
    ran(groff.args(["-man", "-ww", "-Tascii", "-P-cbou", "-rLL=20000n", page]))
}

#[test]
fn every_command_has_a_page_that_groff_and_mandoc_take() {
    needs("groff", "groff-base");
    needs("mandoc", "mandoc");
    let directory = tempfile::tempdir().unwrap();
    let mut listed = localpuppet(&["man", "--list"]).lines().map(str::to_owned).collect::<Vec<_>>();
    listed.push("help".to_owned());
    assert_eq!(listed, commands());
    for (name, page) in pages() {
        let path = put(directory.path(), &format!("{name}.1"), &page);
        let seen = text(&path);
        assert!(seen.starts_with(&format!("{name}(1)")), "{seen}");
        // A page without a date is the same in every build of its version.
        let lint = Command::new("mandoc").args(["-T", "lint", "-W", "warning", &path]).output();
        let lint = String::from_utf8(lint.unwrap().stdout).unwrap();
        let odd = lint.lines().filter(|line| !line.contains("WARNING: missing date"));
        assert_eq!(odd.collect::<Vec<_>>(), [""; 0]);
    }
}

#[test]
fn a_page_has_the_examples_the_codes_the_files_and_the_variables() {
    let directory = tempfile::tempdir().unwrap();
    let pages = pages().into_iter().map(|(name, page)| {
        let path = put(directory.path(), &name, &page);
        let seen = text(&path);
        (name, seen.lines().map(|line| format!("{}\n", line.trim())).collect::<String>())
    });
    let pages: Vec<(String, String)> = pages.collect();
    let whole = &pages[0].1;
    for (name, page) in &pages {
        let help = match name.strip_prefix("localpuppet-") {
            Some(command) => localpuppet(&[command, "--help"]),
            None => localpuppet(&["--help"]),
        };
        for example in help.lines().filter(|line| line.starts_with("  localpuppet ")) {
            assert!(page.contains(example.trim()), "{name}: {example}");
        }
        // `[env: NAME=]`, in one line or in two.
        let words: Vec<&str> = help.split_whitespace().collect();
        for pair in words.windows(2).filter(|pair| pair[0] == "[env:") {
            let variable = pair[1].split('=').next().unwrap();
            let entry = format!("\n{variable}\nAs --");
            assert!(page.contains(&entry) && whole.contains(&entry), "{name}: {variable}");
        }
        assert!(page.contains("\nEXIT STATUS\n") && page.contains("\n64 "), "{name}");
        assert!(page.contains("\nFILES\n/etc/puppet/input.yaml\n"), "{name}");
    }
}
