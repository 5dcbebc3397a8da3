//! Packages that were cut, flipped and made to lie: an answer or an error, never a panic.

#![allow(clippy::disallowed_methods, clippy::expect_used, reason = "builds packages to damage")]

use localpuppet::package::read::{Choice, pick, read};
use std::io::Cursor;
use std::process::Command;

/// How many damaged packages are read, unless `DAMAGED` says it; those of a smaller number are the
/// first ones of a greater.
const DAMAGED: usize = 1_600;

/// The example's packages, as bytes.
fn packages() -> Vec<Vec<u8>> {
    let out = tempfile::tempdir().expect("a temporary directory");
    let examples = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/modules");
    for method in ["gzip", "xz", "zstd"] {
        let built = Command::new(env!("CARGO_BIN_EXE_localpuppet"))
            .args(["bundle", "foo/tags/r1", "--module-root", examples, "--compression", method])
            .arg("--out")
            .arg(out.path().join(method))
            .output()
            .expect("localpuppet runs");
        assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    }
    let files = walkdir::WalkDir::new(out.path()).sort_by_file_name();
    let files = files.into_iter().map(|entry| entry.expect("a file"));
    let packages: Vec<_> = files
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| std::fs::read(entry.path()).expect("a package"))
        .collect();
    assert_eq!(packages.len(), 6);
    packages
}

/// Numbers that are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % limit
    }
}

#[test]
fn whole_packages_are_read() {
    for package in packages() {
        let read = read(Cursor::new(package)).expect("a package");
        assert!(read.bundle.is_some() && read.problems.is_empty(), "{:?}", read.problems);
    }
}

#[test]
fn some_files_are_read_without_the_rest() {
    for package in packages() {
        let mut asked = 0;
        let picked = pick(Cursor::new(package), |path| {
            asked += 1;
            match path.ends_with("/bundle.json") {
                true => Choice::Keep(1 << 20),
                false if path.contains("/modules/") => Choice::Stop,
                false => Choice::Skip,
            }
        });
        let picked = picked.expect("a package");
        assert!(picked.len() == 1 && picked[0].1.starts_with(b"{\n"), "{picked:?}");
        assert!(asked < 7, "it was read on");
    }
}

#[test]
fn no_damage_makes_a_panic() {
    let many = std::env::var("DAMAGED").map_or(DAMAGED, |many| many.parse().expect("a number"));
    let mut numbers = Numbers(1);
    // Each of them whole and cut.
    for package in packages().iter().cycle().take(many / 2) {
        let mut damaged = package.clone();
        for _ in 0..=numbers.below(4) {
            // Headers are where the lies are dangerous.
            let reach = if numbers.below(2) == 0 { damaged.len() } else { damaged.len().min(6000) };
            let at = numbers.below(reach);
            damaged[at] = [0, 0xff, 0x7f, b'0', b'9', numbers.below(256) as u8][numbers.below(6)];
        }
        let _ = read(Cursor::new(&damaged));
        let _ = pick(Cursor::new(&damaged), |_| Choice::Keep(1 << 20));
        damaged.truncate(numbers.below(damaged.len()));
        let _ = read(Cursor::new(&damaged));
        let _ = pick(Cursor::new(&damaged), |_| Choice::Keep(1 << 20));
    }
}

/// A .deb whose data.tar.zst is an archive without entries, and very long.
fn bomb() -> Vec<u8> {
    let zeros = zstd::encode_all(&vec![0; 64 << 20][..], 1).expect("memory");
    let data = zeros.repeat(66);
    let mut deb = ar::Builder::new(Vec::new());
    let members =
        [("debian-binary", &b"2.0\n"[..]), ("control.tar", &[0; 1024]), ("data.tar.zst", &data)];
    for (name, content) in members {
        let header = ar::Header::new(name.as_bytes().to_vec(), content.len() as u64);
        deb.append(&header, content).expect("memory");
    }
    deb.into_inner().expect("memory")
}

#[test]
fn content_that_grows_without_end_is_refused() {
    let bomb = bomb();
    pick(Cursor::new(&bomb), |_| Choice::Skip).expect_err("a bomb");
    let refused = read(Cursor::new(bomb)).expect_err("a bomb");
    assert_eq!(refused.to_string(), "its content grows to more than 4 GiB, and 300 times its size");
}

#[test]
fn archives_with_names_of_any_length_are_refused() {
    for name in ["#1/4000000000", "//", "/123"] {
        let mut deb = b"!<arch>\n".to_vec();
        deb.extend(format!("{name:<16}0           0     0     100644  9999999999`\n").bytes());
        let refused = read(Cursor::new(deb)).expect_err("no .deb");
        assert_eq!(refused.to_string(), "its ar header at byte 8 is of no member that a .deb has");
    }
}
