//! Shell commands as an operator types them, and all that they print.

use std::path::Path;
use std::process::Command;

/// What a shell prints, both streams as they come, after the code where it fails.
///
/// In processes of its own where that can be had: Facter complains at length
/// where a container keeps process 1 to itself.
pub fn shell(script: &str, directory: &Path) -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_localpuppet"));
    let programs = program.parent().expect("a program is in a directory").display();
    let path = format!("{programs}:{}", std::env::var("PATH").expect("a PATH"));
    let alone = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"];
    let words: &[&str] = if succeeds(&alone) { &alone } else { &["env"] };
    let ran = Command::new(words[0])
        .args(&words[1..])
        .args(["sh", "-euc", &format!("exec 2>&1\numask 022\n{script}")])
        .current_dir(directory)
        .env("PATH", path)
        .output()
        .expect("sh runs");
    let printed = String::from_utf8_lossy(&ran.stdout);
    match ran.status.code() {
        Some(0) => printed.into_owned(),
        code => format!("? {}\n{printed}", code.expect("no signal")),
    }
}

fn succeeds(words: &[&str]) -> bool {
    let ran = Command::new(words[0]).args(&words[1..]).arg("true").output();
    ran.is_ok_and(|ran| ran.status.success())
}
