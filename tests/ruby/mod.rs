//! Questions to the Puppet that is installed here.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Runs a script of `tests/` with a question on stdin, and reads its answer; both are JSON.
pub fn ask<A: DeserializeOwned>(script: &str, arguments: &[&Path], question: &impl Serialize) -> A {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(script);
    let mut ruby = Command::new("ruby");
    ruby.arg(script).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut ruby =
        ruby.stderr(Stdio::null()).spawn().expect("ruby of puppet-agent; type: tests/setup");
    let text = serde_json::to_string(question).unwrap();
    ruby.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    serde_json::from_slice(&ruby.wait_with_output().unwrap().stdout).unwrap()
}
