//! Completions: each shell reads its script, and offers what there is.

use super::{commands, localpuppet, needs, put, ran};
use std::process::Command;

/// Presses the tab key in a zsh on a terminal of its own, and waits for what is expected.
const ZSH: &str = r#"
zmodload zsh/zpty
zpty shell "TERM=dumb zsh -fi"
zpty -w shell "fpath=($1 \$fpath); autoload -Uz compinit; compinit -u -D; echo rea''dy"
zpty -r -m shell out '*ready*'
zpty -n -w shell $2$'\t'
zpty -r -m shell out "*$3*"
print -r -- $out
"#;

#[test]
fn bash_completes_commands_and_values() {
    let directory = tempfile::tempdir().unwrap();
    let script = put(directory.path(), "localpuppet", &localpuppet(&["completions", "bash"]));
    assert_eq!(ran(Command::new("bash").args(["-n", &script])), "");
    let complete = |words: &[&str]| {
        let (last, before) = (words[words.len() - 1], words[words.len() - 2]);
        let call = "source \"$1\"; complete -p localpuppet; shift; last=$1; before=$2; shift 2
            COMP_WORDS=(\"$@\"); COMP_CWORD=$(($# - 1)); _localpuppet localpuppet \"$last\" \"$before\"
            printf '%s\\n' \"${COMPREPLY[@]}\"";
        let mut bash = Command::new("bash");
        let told = ran(bash.args(["-euc", call, "bash", &script, last, before]).args(words));
        let (known, offered) = told.split_once('\n').unwrap();
        assert!(known.contains("-F _localpuppet localpuppet"), "{known}");
        offered.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let offered = complete(&["localpuppet", ""]);
    assert!(commands().iter().all(|command| offered.contains(command)), "{offered:?}");
    assert_eq!(complete(&["localpuppet", "app"]), ["apply"]);
    let formats = complete(&["localpuppet", "bundle", "--compression", ""]);
    assert_eq!(formats, ["gzip", "xz", "zstd"]);
    assert_eq!(complete(&["localpuppet", "apply", "--noo"]), ["--noop"]);
}

#[test]
fn zsh_completes_commands_and_values() {
    needs("zsh", "zsh");
    let directory = tempfile::tempdir().unwrap();
    let script = put(directory.path(), "_localpuppet", &localpuppet(&["completions", "zsh"]));
    assert_eq!(ran(Command::new("zsh").args(["-n", &script])), "");
    let tab = |typed: &str, last: &str| {
        let mut zsh = Command::new("timeout");
        zsh.args(["60", "zsh", "-fc", ZSH, "zsh"]);
        ran(zsh.arg(directory.path()).args([typed, last]))
    };
    let last = commands().into_iter().max().unwrap();
    // At the beginning of a line: a description may have the word too.
    let offered = tab("localpuppet ", &format!("\n{last}"));
    assert!(commands().iter().all(|command| offered.contains(command)), "{offered}");
    let methods = tab("localpuppet bundle --compression ", "zstd");
    assert!(methods.contains("gzip") && methods.contains("xz"), "{methods}");
}

#[test]
fn fish_completes_commands_and_values() {
    needs("fish", "fish");
    let directory = tempfile::tempdir().unwrap();
    let script = put(directory.path(), "localpuppet.fish", &localpuppet(&["completions", "fish"]));
    assert_eq!(ran(Command::new("fish").args(["--no-execute", &script])), "");
    let complete = |typed: &str| {
        let call = format!("source {script}; complete -C '{typed}'");
        let mut fish = Command::new("fish");
        let offered = ran(fish.args(["--no-config", "-c", &call]).env("HOME", directory.path()));
        let words = offered.lines().map(|line| line.split('\t').next().unwrap().to_owned());
        words.collect::<Vec<_>>()
    };
    let offered = complete("localpuppet ");
    assert!(commands().iter().all(|command| offered.contains(command)), "{offered:?}");
    assert_eq!(complete("localpuppet apply --package-manager "), ["apt", "dnf", "zypper"]);
}
