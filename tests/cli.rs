//! Cases that read without Rust: `tests/cli/NAME/setup` makes a tree in an
//! empty directory, the `$ ` lines of `tests/cli/NAME/transcript` are run there,
//! and all they print is compared; `[..]` stands for any text in a line.
//! `TRANSCRIPTS=overwrite` writes down what was printed instead.

#![allow(clippy::disallowed_methods, clippy::expect_used, reason = "runs the program")]

mod transcript;

use std::fs;
use std::path::Path;
use transcript::Shell;

fn play(case: &Path) -> Result<(), String> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let setup = fs::read_to_string(case.join("setup")).expect("every case has a setup");
    let shell = Shell::new();
    let printed = shell.run(&setup, directory.path());
    if !printed.is_empty() {
        return Err(format!("{}/setup printed:\n{printed}", case.display()));
    }
    let transcript =
        fs::read_to_string(case.join("transcript")).expect("every case has a transcript");
    let mut played = String::new();
    for line in transcript.lines().filter(|line| line.starts_with("$ ") || line.starts_with("# ")) {
        played.push_str(&format!("{line}\n"));
        if let Some(command) = line.strip_prefix("$ ") {
            played.push_str(&shell.run(command, directory.path()));
        }
    }
    if std::env::var_os("TRANSCRIPTS").is_some() {
        fs::write(case.join("transcript"), without_digests(&without_sizes(&played)))
            .expect("the transcript is written");
        return Ok(());
    }
    let assert = snapbox::Assert::new().normalize_paths(false);
    let checked = assert.try_eq(Some(&case.display()), played.into(), transcript.into());
    checked.map_err(|difference| difference.to_string())
}

/// Sizes of packages change with every compressor, and mean nothing here.
fn without_sizes(transcript: &str) -> String {
    let line = |line: &str| match line.rsplit_once(" (") {
        Some((before, rest)) if rest.ends_with(" bytes)") => format!("{before} ([..] bytes)\n"),
        _ if line.trim_start().starts_with("\"bytes\": ") => {
            let before = line.split(": ").next().unwrap_or(line);
            format!("{before}: [..],\n")
        }
        _ => match line.strip_prefix("format ").and_then(|rest| rest.rsplit_once(", ")) {
            Some((before, _)) => format!("format {before}, [..] bytes\n"),
            None => format!("{line}\n"),
        },
    };
    transcript.lines().map(line).collect()
}

/// Nor do digests of whole packages, in words or in a name in a pool.
fn without_digests(transcript: &str) -> String {
    let word = |word: &str| {
        let plain = word.trim_end_matches(['"', ',', '\n']);
        let (stem, end) = plain.rsplit_once('.').unwrap_or((plain, ""));
        let stem = stem.rsplit_once('-').filter(|(_, digest)| is_digest(digest, 16));
        match stem {
            Some((stem, _)) => word.replacen(plain, &format!("{stem}-[..].{end}"), 1),
            None => word.to_owned(),
        }
    };
    let line = |line: &str| match line.split_once("SHA-256 ") {
        Some((before, rest)) => {
            let rest =
                rest.split(' ').map(|word| match is_digest(word.trim_end_matches(','), 64) {
                    true => {
                        word.replace(|c: char| c.is_ascii_hexdigit(), "").replacen("", "[..]", 1)
                    }
                    false => word.to_owned(),
                });
            format!("{before}SHA-256 {}", rest.collect::<Vec<_>>().join(" "))
        }
        None => line.split_inclusive(' ').map(word).collect(),
    };
    transcript.split_inclusive('\n').map(line).collect()
}

fn is_digest(word: &str, length: usize) -> bool {
    word.len() == length && word.chars().all(|c| c.is_ascii_hexdigit())
}

#[test]
fn transcripts_print_what_they_say() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli");
    let cases =
        fs::read_dir(directory).expect("tests/cli").map(|case| case.expect("a case").path());
    let failed: Vec<String> = cases.filter_map(|case| play(&case).err()).collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}
