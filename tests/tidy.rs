//! The house rules that the compiler does not know: which room may call which,
//! what a room may be called, and what no committed file may say.

#![allow(clippy::disallowed_methods, reason = "reads this tree, not a node's")]

use std::error::Error;
use std::path::{Path, PathBuf};

/// Who may call whom; a room may always call itself.
const ARROWS: &[(&str, &[&str])] = &[
    ("main", &["cli", "cmd", "report"]),
    ("cmd", &["host", "package", "plan", "model", "cli"]),
    ("report", &["model", "cli"]),
    ("cli", &["model"]),
    ("host", &["model"]),
    ("package", &["model"]),
    ("plan", &["model"]),
    ("model", &[]),
];

/// Names that say nothing about what is inside.
const EMPTY_NAMES: &[&str] =
    &["utils.rs", "util.rs", "common.rs", "types.rs", "helpers.rs", "misc.rs"];

/// Beginnings of paths that exist on one machine only, and what may follow all the same.
const MACHINE_PATHS: &[(&str, &[&str])] = &[
    (concat!("/wo", "rk/"), &[]),
    // Where rpm on Debian keeps its database below an install root.
    (concat!("/ro", "ot/"), &[".rpmdb"]),
];

/// What is wrong with one file below `src/`; `path` is relative to it.
fn source(path: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    let room = path.split('/').next().unwrap_or(path).trim_end_matches(".rs");
    let file = path.rsplit('/').next().unwrap_or(path);

    if EMPTY_NAMES.contains(&file) {
        wrong.push(format!("src/{path}: name the noun that it is about"));
    }
    if !text.starts_with("//! ") {
        wrong.push(format!("src/{path}: the first line says what the room is, `//! …`"));
    }
    if path == "main.rs" && text.lines().count() >= 40 {
        wrong.push(format!("src/{path}: 40 lines or more, and it only parses, runs and prints"));
    }
    if path == "lib.rs" {
        for (number, line) in code(text).filter(|(_, line)| !line.starts_with("pub mod ")) {
            wrong.push(format!("src/{path}:{number}: no code but `pub mod`, found `{line}`"));
        }
        return wrong;
    }

    let Some((_, allowed)) = ARROWS.iter().find(|(name, _)| *name == room) else {
        wrong.push(format!("src/{path}: `{room}` is none of the rooms"));
        return wrong;
    };
    for (number, line) in code(text) {
        for called in rooms_called(line) {
            if called != room && !allowed.contains(&called.as_str()) {
                wrong.push(format!("src/{path}:{number}: `{room}` may not call `{called}`"));
            }
        }
        if line.contains("super::super") {
            wrong
                .push(format!("src/{path}:{number}: say `crate::`, so that the arrow can be read"));
        }
        if line.contains("clippy::disallowed_methods") && room != "host" {
            wrong.push(format!("src/{path}:{number}: only `host` touches the outside"));
        }
    }
    wrong
}

/// The lines of code with their numbers, comments and blank lines left out.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.lines()
        .enumerate()
        .map(|(index, line)| (index + 1, line.split("//").next().unwrap_or("").trim()))
        .filter(|(_, line)| !line.is_empty())
}

/// The rooms that a line names: `crate::model::app`, `crate::{cli, cmd}`, `localpuppet::cmd`.
fn rooms_called(line: &str) -> Vec<String> {
    let mut rooms = Vec::new();
    for root in ["crate::", "localpuppet::"] {
        for (at, _) in line.match_indices(root) {
            let rest = &line[at + root.len()..];
            match rest.strip_prefix('{') {
                Some(group) => {
                    let group = group.split('}').next().unwrap_or(group);
                    rooms.extend(group.split(',').map(first_word).filter(|word| !word.is_empty()));
                }
                None => rooms.push(first_word(rest)),
            }
        }
    }
    rooms
}

fn first_word(text: &str) -> String {
    text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
}

/// The lines of a committed file that name a path of one machine.
fn machine_paths(path: &str, text: &str) -> Vec<String> {
    let mut wrong = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for (start, exceptions) in MACHINE_PATHS {
            let named = line.match_indices(start).any(|(at, _)| {
                let rest = &line[at + start.len()..];
                !exceptions.iter().any(|exception| rest.starts_with(exception))
            });
            if named {
                wrong.push(format!("{path}:{}: `{start}` is a path of one machine", index + 1));
            }
        }
    }
    wrong
}

/// The files of this tree that are committed or are about to be, relative to its top.
fn files(top: &Path, below: &str) -> Result<Vec<(String, String)>, Box<dyn Error>> {
    let mut found = Vec::new();
    let mut directories = vec![PathBuf::from(below)];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(top.join(&directory))? {
            let entry = entry?;
            let path = directory.join(entry.file_name());
            let kind = entry.file_type()?;
            if kind.is_dir() {
                if path != Path::new("target") && path != Path::new(".git") {
                    directories.push(path);
                }
            } else if kind.is_file()
                && let Ok(text) = String::from_utf8(std::fs::read(entry.path())?)
            {
                found
                    .push((path.to_str().ok_or("a file name that is not UTF-8")?.to_owned(), text));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn top() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn walls_stand() -> Result<(), Box<dyn Error>> {
    let files = files(top(), "src")?;
    assert!(files.len() > 10, "the sources were not found");
    let wrong: Vec<String> = files
        .iter()
        .filter(|(path, _)| path.ends_with(".rs"))
        .flat_map(|(path, text)| source(path.trim_start_matches("src/"), text))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn no_file_names_a_machine() -> Result<(), Box<dyn Error>> {
    let files = files(top(), "")?;
    assert!(files.iter().any(|(path, _)| path == "Cargo.toml"), "the tree was not found");
    let wrong: Vec<String> =
        files.iter().flat_map(|(path, text)| machine_paths(path, text)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    Ok(())
}

#[test]
fn every_script_can_be_run() -> Result<(), Box<dyn Error>> {
    use std::os::unix::fs::PermissionsExt;
    for (path, text) in files(top(), "")? {
        let mode = std::fs::metadata(top().join(&path))?.permissions().mode();
        assert_eq!(text.starts_with("#!/"), mode & 0o111 != 0, "{path}: `#!` and +x go together");
    }
    Ok(())
}

/// The checkers themselves, on what they have to refuse.
mod checkers {
    use super::{machine_paths, rooms_called, source};

    fn refuses(path: &str, text: &str, because: &str) {
        let wrong = source(path, text);
        assert!(wrong.iter().any(|line| line.contains(because)), "{path}: {wrong:?}");
    }

    #[test]
    fn an_arrow_of_the_table_passes() {
        assert_eq!(source("host/fs.rs", "//! Disk.\nuse crate::model::app::AppPath;\n"), [""; 0]);
        assert_eq!(source("host/apt.rs", "//! apt.\nuse crate::host::process;\n"), [""; 0]);
        assert_eq!(
            source("main.rs", "//! Runs.\nfn main() { localpuppet::cmd::run() }\n"),
            [""; 0]
        );
    }

    #[test]
    fn any_other_arrow_is_refused() {
        refuses(
            "host/fs.rs",
            "//! Disk.\nuse crate::package::deb;\n",
            "`host` may not call `package`",
        );
        refuses(
            "model/app.rs",
            "//! App.\nfn f() { crate::host::fs::read() }\n",
            "`model` may not call `host`",
        );
        refuses(
            "plan/apply.rs",
            "//! Plan.\nuse crate::{model::app, host};\n",
            "`plan` may not call `host`",
        );
        refuses("cli.rs", "//! Typed.\nuse crate::report::Voice;\n", "`cli` may not call `report`");
        refuses("main.rs", "//! Runs.\nuse localpuppet::host;\n", "`main` may not call `host`");
        refuses("host/fs.rs", "//! Disk.\nuse super::super::plan;\n", "say `crate::`");
    }

    #[test]
    fn a_comment_is_no_arrow() {
        assert_eq!(source("model/app.rs", "//! App.\n// crate::host knows\n"), [""; 0]);
    }

    #[test]
    fn groups_are_read() {
        assert_eq!(rooms_called("use crate::{cli, cmd::run};"), ["cli", "cmd"]);
    }

    #[test]
    fn rooms_and_names_are_known() {
        refuses("stuff/x.rs", "//! X.\n", "none of the rooms");
        refuses("model/utils.rs", "//! X.\n", "name the noun");
        refuses("model/app.rs", "use std::fmt;\n", "the first line says");
    }

    #[test]
    fn the_outside_is_hosts() {
        let allow = "//! X.\n#![allow(clippy::disallowed_methods)]\n";
        refuses("cmd/apply.rs", allow, "only `host` touches");
        assert_eq!(source("host/fs.rs", allow), [""; 0]);
    }

    #[test]
    fn main_and_lib_stay_small() {
        refuses("main.rs", &format!("//! Runs.\n{}", "\n".repeat(40)), "40 lines or more");
        refuses("lib.rs", "//! Map.\npub mod cli;\nfn f() {}\n", "src/lib.rs:3: no code but");
    }

    #[test]
    fn a_path_of_one_machine_is_found() {
        let leak = concat!("see /wo", "rk/x and /ro", "ot/y");
        assert_eq!(machine_paths("README.md", leak).len(), 2);
        assert!(machine_paths("a", concat!("$node/ro", "ot/.rpmdb")).is_empty());
    }
}
