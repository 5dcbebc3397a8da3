//! Questions to the Puppet that is installed here.

use localpuppet::model::digest::Sha256Digest;
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Runs a script of `tests/` with a question on stdin, and reads its answer; both are JSON. The
/// arguments are what it reads. It answers a question once: its answer is kept until any of this,
/// or a package of the system, is another.
pub fn ask<A: DeserializeOwned>(script: &str, arguments: &[&Path], question: &impl Serialize) -> A {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(script);
    let question = serde_json::to_vec(question).unwrap();
    let kept = kept(&[&[script.as_path()], arguments].concat(), &question);
    let answer = fs::read(&kept).unwrap_or_else(|_| {
        let answer = answer(&script, arguments, &question);
        let mut part = tempfile::NamedTempFile::new_in(kept.parent().unwrap()).unwrap();
        part.write_all(&answer).unwrap();
        part.persist(&kept).unwrap();
        answer
    });
    serde_json::from_slice(&answer).unwrap()
}

fn answer(script: &Path, arguments: &[&Path], question: &[u8]) -> Vec<u8> {
    let mut ruby = Command::new("ruby");
    ruby.arg(script).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut ruby =
        ruby.stderr(Stdio::null()).spawn().expect("ruby of puppet-agent; type: tests/setup");
    ruby.stdin.take().unwrap().write_all(question).unwrap();
    let output = ruby.wait_with_output().unwrap();
    assert!(output.status.success(), "{} failed", script.display());
    output.stdout
}

/// Where the answer is kept: named by the question, what is read for it, and what is installed.
fn kept(read: &[&Path], question: &[u8]) -> PathBuf {
    let mut digest = Sha256::new();
    let mut add = |bytes: &[u8]| {
        digest.update(bytes.len().to_le_bytes());
        digest.update(bytes);
    };
    add(question);
    for read in [read, &[Path::new("/var/lib/dpkg/status")]].concat() {
        for entry in walkdir::WalkDir::new(read).sort_by_file_name() {
            let entry = entry.unwrap();
            add(entry.path().as_os_str().as_encoded_bytes());
            if entry.file_type().is_file() {
                add(&fs::read(entry.path()).unwrap());
            }
        }
    }
    let answers = Path::new(env!("CARGO_TARGET_TMPDIR")).join("answers");
    fs::create_dir_all(&answers).unwrap();
    answers.join(format!("{}.json", Sha256Digest::from_hasher(digest)))
}
