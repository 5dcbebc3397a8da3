//! As a person meets the program: completions in real shells, manual pages in
//! real readers, colour and progress on a real terminal.
#![allow(clippy::disallowed_methods, clippy::unwrap_used)]

mod colour;
mod completions;
mod manual;
mod progress;

use std::path::Path;
use std::process::{Command, Stdio};

/// The program's answer, which goes well.
fn localpuppet(arguments: &[&str]) -> String {
    ran(Command::new(env!("CARGO_BIN_EXE_localpuppet")).args(arguments))
}

/// What a program prints that says nothing on stderr and goes well.
fn ran(command: &mut Command) -> String {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stderr = String::from_utf8_lossy(&output.stderr);
    let stdout = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{command:?}: {}\n{stdout}{stderr}", output.status);
    assert_eq!(stderr, "", "{command:?}");
    stdout
}

/// What a person sees who types a line on a terminal; the program is on `PATH`,
/// and `set` is what they have set besides.
fn on_terminal(line: &str, set: &[(&str, &str)]) -> String {
    let programs = Path::new(env!("CARGO_BIN_EXE_localpuppet")).parent().unwrap().display();
    let path = format!("{programs}:{}", std::env::var("PATH").unwrap());
    let mut script = Command::new("script");
    script.args(["--quiet", "--command", line, "/dev/null"]).stdin(Stdio::null());
    for name in ["CI", "NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        script.env_remove(name);
    }
    let set = set.iter().copied();
    let output = script.env("PATH", path).env("TERM", "xterm").envs(set).output().unwrap();
    String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
}

/// A checkout with a class, and the line that applies it to a node in that directory.
fn apply(node: &Path, class: &str) -> String {
    needs("puppet", "puppet-agent");
    let app = node.join("m/foo/trunk");
    std::fs::create_dir_all(app.join("foo/manifests")).unwrap();
    put(&app, "manifest.yaml", "modulepath: []\n");
    put(&app.join("foo/manifests"), "init.pp", class);
    let enc = put(node, "enc.yaml", "app: foo/trunk\nclasses: {foo: {}}\n");
    let (root, modules) = (node.display(), node.join("m"));
    format!("localpuppet apply --root {root} --module-root {} --enc {enc}", modules.display())
}

/// The commands of `--help`, as a person reads them.
fn commands() -> Vec<String> {
    let help = localpuppet(&["--help"]);
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    // A line that goes on is indented further.
    let lines = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    lines.map(|line| line.split_whitespace().next().unwrap().to_owned()).collect()
}

/// A missing tool is a failure with what to type, never a test that is skipped.
fn needs(program: &str, package: &str) {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).any(|directory| directory.join(program).exists());
    assert!(found, "no `{program}`; type: apt-get install --no-install-recommends {package}");
}

/// Writes a file into a directory and returns its path.
fn put(directory: &Path, name: &str, text: &str) -> String {
    let path = directory.join(name);
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}
