//! Progress is one line on a terminal, late and gone again; elsewhere there is none.

use super::{apply, on_terminal};
use std::io::Read;
use std::path::Path;

const PLAIN: (&str, &str) = ("NO_COLOR", "1");

/// A release of so many MiB that no method makes smaller, and xz takes long over.
fn release(directory: &Path, mib: u64) -> String {
    let app = directory.join("m/foo/tags/r1");
    std::fs::create_dir_all(app.join("foo/files")).unwrap();
    super::put(&app, "manifest.yaml", "modulepath: []\n");
    let noise = std::fs::File::open("/dev/urandom").unwrap();
    let mut file = std::fs::File::create(app.join("foo/files/noise")).unwrap();
    std::io::copy(&mut noise.take(mib << 20), &mut file).unwrap();
    let path = |name: &str| directory.join(name).to_str().unwrap().to_owned();
    format!("localpuppet bundle foo/tags/r1 --module-root {} --out {}", path("m"), path("out"))
}

/// What is left on the screen of lines that were drawn over each other.
fn left(seen: &str) -> String {
    let line = |line: &str| line.rsplit("\u{1b}[2K").next().unwrap().replace('\r', "");
    seen.split_inclusive('\n').map(line).collect()
}

#[test]
fn a_slow_step_has_a_line_that_goes() {
    let directory = tempfile::tempdir().unwrap();
    let slow = release(directory.path(), 6) + " --format rpm --compression xz";
    let seen = on_terminal(&slow, &[PLAIN]);
    let frames: Vec<&str> =
        seen.split(['\r', '\n']).filter(|line| line.contains("packing `foo/tags/r1`")).collect();
    assert!(frames.len() > 2, "{seen:?}");
    assert!(frames.last().unwrap().trim_end().ends_with('s'), "seconds: {frames:?}");
    let left = left(&seen);
    assert!(left.starts_with("foo/tags/r1 version 1\n"), "{left:?}");
    assert!(!left.contains("packing") && !left.contains('\u{1b}'), "{left:?}");
}

#[test]
fn a_quick_step_has_none() {
    let directory = tempfile::tempdir().unwrap();
    let seen = on_terminal(&release(directory.path(), 0), &[PLAIN]);
    assert!(seen.starts_with("foo/tags/r1 version 1\n") && !seen.contains('\u{1b}'), "{seen:?}");
}

#[test]
fn waiting_for_a_run_has_a_line_too_but_not_in_pipes_json_and_dumb_terminals() {
    let node = tempfile::tempdir().unwrap();
    let line = apply(node.path(), "class foo { }\n");
    // Stands for Puppet, which is waited for until the gate is gone.
    let stand_in = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/apply/puppet");
    let (puppet, gate) = (node.path().join("puppet"), super::put(node.path(), "gate", ""));
    std::os::unix::fs::symlink(stand_in, &puppet).unwrap();
    let line = format!("{line} --puppet {}", puppet.display());
    let started = on_terminal(&format!("{line} --detach --run-id slow"), &[PLAIN]);
    assert_eq!(started, "slow\n");
    let wait = format!("localpuppet status --wait --root {}", node.path().display());
    // All of them wait for that run.
    let [shown, json, dumb, piped] = std::thread::scope(|scope| {
        let watch = |how: &str, set| {
            let line = format!("{wait}{how}");
            scope.spawn(move || on_terminal(&line, &[set]))
        };
        let (dumb, pipe) = (("TERM", "dumb"), " 2>&1 | cat");
        let watchers =
            [watch("", PLAIN), watch(" --json", PLAIN), watch("", dumb), watch(pipe, PLAIN)];
        std::thread::sleep(std::time::Duration::from_secs(4));
        std::fs::remove_file(gate).unwrap();
        watchers.map(|watcher| watcher.join().unwrap())
    });
    assert!(shown.contains(" waiting for run `slow`"), "{shown:?}");
    let told = "localpuppet: `foo/trunk`: changed\n";
    assert!(left(&shown).starts_with(told), "{shown:?}");
    for seen in [&json, &dumb, &piped] {
        assert!(!seen.contains("waiting") && !seen.contains('\u{1b}'), "{seen:?}");
    }
    assert!(json.starts_with('{') && dumb.starts_with(told) && piped.starts_with(told), "{json}");
}
