//! gpg: signs for a repository, with the operator's own keys and agent, or with
//! a key file in a home of its own that goes with this process.
#![allow(clippy::disallowed_methods)]

use super::fs::{self, failed};
use super::input::absolute;
use super::process::{OnSignal, ProcessError, Signals, capture};
use crate::model::command::{CommandLine, Environment};
use crate::model::failure::Failure;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// The variable that may have the passphrase; no argument does, as others see those.
pub const PASSPHRASE: &str = "LOCALPUPPET_SIGN_PASSPHRASE";

/// A signature is some hundred bytes, a public key some thousand.
const LARGEST: u64 = 64 << 20;

/// Without it gpg-agent tries out how slow it can make a passphrase to guess: a second for the first
/// signature and a tenth or more for each other, for a copy of the key that goes with this process.
const S2K: &[u8] = b"s2k-count 1048576\n";

/// Who signs.
pub struct Signer {
    /// What is signed, and comes of it; for this user alone.
    work: TempDir,
    /// A home of its own, where the key came as a file.
    own_home: bool,
    key: String,
    passphrase: Option<PathBuf>,
    signals: Signals,
}

/// How a signature is written.
#[derive(Clone, Copy)]
pub enum Form {
    /// The text, signed.
    Clear,
    /// Apart, as text.
    Armored,
    /// Apart, as bytes.
    Binary,
}

impl Signer {
    /// Readies a key, which is a file or what gpg calls a user ID, and signs to see that it can.
    pub fn new(key: &str, passphrase_file: Option<&Path>) -> Result<Self, Failure> {
        let work = private_directory()?;
        let passphrase = match (passphrase_file, std::env::var_os(PASSPHRASE)) {
            (Some(file), _) if fs::kind(file)?.is_none() => {
                let what = format!("the passphrase file `{}` is not there", file.display());
                return Err(Failure::new(what)
                    .hint(format!("name one: `--passphrase-file FILE`, or set {PASSPHRASE}")));
            }
            (Some(file), _) => Some(absolute(file)?),
            (None, Some(passphrase)) => Some(keep(&work, passphrase)?),
            (None, None) => None,
        };
        let signals = Signals::catch()?;
        let is_file = fs::kind(Path::new(key))?.is_some();
        let mut signer =
            Signer { work, own_home: is_file, key: key.to_owned(), passphrase, signals };
        if is_file {
            signer.import(Path::new(key))?;
        }
        signer.sign(b"localpuppet\n", Form::Armored)?;
        Ok(signer)
    }

    /// Takes the one secret key of a file into a home of its own.
    fn import(&mut self, file: &Path) -> Result<(), Failure> {
        let shown = file.display().to_string();
        let home = self.work.path().join("home");
        fs::create_directory(&home)?;
        let private = std::fs::set_permissions(&home, PermissionsExt::from_mode(0o700));
        private.map_err(|error| failed("write in", &home, error))?;
        fs::create_new(&home.join("gpg-agent.conf"), S2K, 0o600)?;
        let file = absolute(file)?;
        self.run(&["--import", "--", &file.to_string_lossy()], || {
            format!("`{shown}` is no key that gpg can import")
        })?;
        let listed = self.run(&["--with-colons", "--list-secret-keys"], || {
            format!("failed to read the key in `{shown}`")
        })?;
        let fingerprints = fingerprints(&listed);
        match fingerprints.as_slice() {
            [fingerprint] => {
                self.key = fingerprint.clone();
                Ok(())
            }
            keys => Err(Failure::new(format!(
                "expected one secret key in `{shown}`, found {}",
                keys.len()
            ))
            .hint("gpg --armor --export-secret-keys KEY > FILE")),
        }
    }

    /// Signs some bytes.
    pub fn sign(&self, bytes: &[u8], form: Form) -> Result<Vec<u8>, Failure> {
        let (input, output) = (self.work.path().join("in"), self.work.path().join("out"));
        let fail = |error| failed("write", &input, error);
        std::fs::write(&input, bytes).map_err(fail)?;
        let _ = std::fs::remove_file(&output);
        let how: &[&str] = match form {
            Form::Clear => &["--clearsign"],
            Form::Armored => &["--armor", "--detach-sign"],
            Form::Binary => &["--detach-sign"],
        };
        let (input, output_text) = (input.to_string_lossy(), output.to_string_lossy());
        let mut arguments = vec!["--digest-algo", "SHA256", "--local-user", &self.key];
        arguments.extend(["--output", &output_text]);
        arguments.extend(how);
        arguments.extend(["--", &input]);
        self.run(&arguments, || format!("the key `{}` cannot sign", self.key)).map_err(
            |failure| match failure.hints().is_empty() && !self.own_home {
                true => failure.hint("see which keys there are: gpg --list-secret-keys"),
                false => failure,
            },
        )?;
        let signed = fs::read_own(&output, LARGEST)?;
        signed.ok_or_else(|| Failure::new(format!("the key `{}` made no signature", self.key)))
    }

    /// The public key, and those that `others` have, as one block of text.
    pub fn public_keys(&self, others: &[&[u8]]) -> Result<Vec<u8>, Failure> {
        let fail = || "failed to export the public key".to_owned();
        let minimal = ["--armor", "--export-options", "export-minimal", "--export"];
        let own = self.run(&[&minimal[..], &["--", &self.key]].concat(), fail)?;
        if others.iter().all(|others| *others == own.as_bytes()) {
            return Ok(own.into_bytes());
        }
        // Readers of two blocks in one file take the first, so all keys go through one ring.
        let ring = self.work.path().join("ring");
        let ring_text = format!("--keyring={}", ring.display());
        let only = ["--trust-model", "always", "--no-default-keyring", ring_text.as_str()];
        for text in others.iter().copied().chain([own.as_bytes()]) {
            let path = self.work.path().join("keys");
            std::fs::write(&path, text).map_err(|error| failed("write", &path, error))?;
            let path = path.to_string_lossy().into_owned();
            self.run(&[&only[..], &["--import", "--", &path]].concat(), fail)?;
        }
        self.run(&[&only[..], &minimal].concat(), fail).map(String::into_bytes)
    }

    fn run(&self, arguments: &[&str], what: impl Fn() -> String) -> Result<String, Failure> {
        let mut all = vec!["--batch".to_owned(), "--no-tty".to_owned(), "--yes".to_owned()];
        if let Some(file) = &self.passphrase {
            let file = file.to_string_lossy().into_owned();
            all.extend(["--pinentry-mode".to_owned(), "loopback".to_owned()]);
            all.extend(["--passphrase-file".to_owned(), file]);
        }
        all.extend(arguments.iter().map(|&argument| argument.to_owned()));
        let line = CommandLine::new("gpg", all).environment(Environment::Inherited(self.home()));
        capture(&line, &self.signals, OnSignal::Tell).map_err(|error| {
            let absent = error.is_absent();
            let failure = Failure::new(what()).because(error);
            if absent { failure.hint("apt-get install gpg gpg-agent") } else { failure }
        })
    }

    fn home(&self) -> Vec<(&'static str, String)> {
        let mut set = vec![("LC_ALL", "C".to_owned())];
        if self.own_home {
            let home = self.work.path().join("home");
            set.push(("GNUPGHOME", home.to_string_lossy().into_owned()));
        }
        set
    }
}

/// Ends the agent that gpg has started for a home of its own.
impl Drop for Signer {
    fn drop(&mut self) {
        if self.own_home {
            let line = CommandLine::new("gpgconf", ["--kill", "gpg-agent"])
                .environment(Environment::Inherited(self.home()));
            let _ = capture(&line, &self.signals, OnSignal::Finish);
        }
    }
}

/// Who checks signatures, with the keys of one repository and no others.
pub struct Verifier {
    work: TempDir,
    signals: Signals,
}

impl Verifier {
    /// Takes in public keys.
    pub fn new(keys: &[u8]) -> Result<Self, Failure> {
        let verifier = Verifier::without_keys()?;
        let none = |error| Failure::new("the public keys cannot be imported").because(error);
        verifier.import(keys)?.map_err(none)?;
        Ok(verifier)
    }

    /// Who takes no signature yet.
    pub fn without_keys() -> Result<Self, Failure> {
        let work = private_directory()?;
        let signals = Signals::catch()?;
        Ok(Verifier { work, signals })
    }

    /// Takes in the keys of one file, as text or as bytes: of two in a row gpg may take the first.
    pub fn import(&self, keys: &[u8]) -> Result<Result<(), ProcessError>, Failure> {
        let keys = self.keep("keys", keys)?;
        Ok(self.run(&["--import", "--", &keys]).map(drop))
    }

    /// Checks a signature that is apart from what it is of.
    pub fn verify(&self, signed: &[u8], signature: &[u8]) -> Result<(), Failure> {
        self.apart(signed, signature, "it is not signed by a key of `key.asc`", None)
    }

    /// The same of a package, which stays as it is for years: rpm takes one whose key has expired since.
    pub fn verify_package(&self, signed: &[u8], signature: &[u8]) -> Result<(), Failure> {
        self.apart(signed, signature, "it is not signed by a key of `key.asc`", Some(EXPIRED))
    }

    /// The same, where the keys are not those of a repository.
    pub fn check(&self, signed: &[u8], signature: &[u8]) -> Result<(), Failure> {
        self.apart(signed, signature, "gpg takes no signature", None)
    }

    /// The text inside its signature.
    pub fn text(&self, clear: &[u8]) -> Result<Vec<u8>, Failure> {
        let path = self.keep("in", clear)?;
        let output = self.work.path().join("out");
        let output_text = output.to_string_lossy().into_owned();
        let decrypt = ["--yes", "--output", &output_text, "--decrypt", "--", &path];
        self.sound(&decrypt, "it is not signed by a key of `key.asc`", None)?;
        Ok(fs::read_own(&output, LARGEST)?.unwrap_or_default())
    }

    fn apart(
        &self,
        signed: &[u8],
        signature: &[u8],
        otherwise: &str,
        taken: Option<&str>,
    ) -> Result<(), Failure> {
        let (signed, signature) = (self.keep("in", signed)?, self.keep("sig", signature)?);
        self.sound(&["--verify", "--", &signature, &signed], otherwise, taken)
    }

    /// gpg itself takes what a key signed that was revoked or has expired.
    fn sound(
        &self,
        arguments: &[&str],
        otherwise: &str,
        taken: Option<&str>,
    ) -> Result<(), Failure> {
        let status = self.run(&[&["--status-fd=1"], arguments].concat());
        let status = status.map_err(|error| Failure::new(otherwise).because(error))?;
        unsound(&status, taken).map_or(Ok(()), |what| Err(Failure::new(what)))
    }

    fn keep(&self, name: &str, bytes: &[u8]) -> Result<String, Failure> {
        let path = self.work.path().join(name);
        std::fs::write(&path, bytes).map_err(|error| failed("write", &path, error))?;
        Ok(path.to_string_lossy().into_owned())
    }

    fn run(&self, arguments: &[&str]) -> Result<String, ProcessError> {
        let home = self.work.path().to_string_lossy().into_owned();
        let set = vec![("LC_ALL", "C".to_owned()), ("GNUPGHOME", home)];
        let all = ["--batch", "--no-tty", "--trust-model", "always"].iter().chain(arguments);
        let line = CommandLine::new("gpg", all.copied()).environment(Environment::Inherited(set));
        capture(&line, &self.signals, OnSignal::Tell)
    }
}

/// How gpg tells of a good signature by a key that has expired.
const EXPIRED: &str = "EXPKEYSIG";

/// What is wrong with a signature that gpg found to be good (gnupg's doc/DETAILS); `taken` is all
/// the same.
fn unsound(status: &str, taken: Option<&str>) -> Option<String> {
    let said = |word: &str| {
        let mut lines = status.lines().filter_map(|line| line.strip_prefix("[GNUPG:] "));
        lines.find_map(|line| line.strip_prefix(word)?.strip_prefix(' '))
    };
    let known = [
        ("REVKEYSIG", "was revoked"),
        (EXPIRED, "has expired"),
        ("EXPSIG", "made a signature that has expired"),
    ];
    let known = known.into_iter().filter(|(word, _)| Some(*word) != taken);
    let told = |(word, what)| said(word).map(|key: &str| format!("the key `{key:.200}` {what}"));
    let good = said("GOODSIG").or_else(|| said(taken?));
    let none = || good.is_none().then_some("gpg says of no signature that it is good");
    known.into_iter().find_map(told).or_else(|| none().map(str::to_owned))
}

fn private_directory() -> Result<TempDir, Failure> {
    let work =
        tempfile::tempdir().map_err(|error| failed("write in", &std::env::temp_dir(), error))?;
    let private = std::fs::set_permissions(work.path(), PermissionsExt::from_mode(0o700));
    private.map_err(|error| failed("write in", work.path(), error))?;
    Ok(work)
}

/// A passphrase as the file that gpg reads it from.
fn keep(work: &TempDir, passphrase: OsString) -> Result<PathBuf, Failure> {
    let path = work.path().join("passphrase");
    fs::create_new(&path, passphrase.as_bytes(), 0o600)?;
    Ok(path)
}

/// The fingerprints of primary keys (gnupg's doc/DETAILS): an `fpr` line after each `sec`.
fn fingerprints(listed: &str) -> Vec<String> {
    let mut lines = listed.lines();
    let mut found = Vec::new();
    while let Some(line) = lines.next() {
        if line.starts_with("sec:") {
            let fpr = lines.by_ref().find(|line| line.starts_with("fpr:"));
            found.extend(fpr.and_then(|fpr| fpr.split(':').nth(9)).map(str::to_owned));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// Makes a key that signs, and what becomes of it: as it is, revoked, expired.
    const KEYS: &str = "export GNUPGHOME=$PWD/home; mkdir -m 700 home
        gpg='gpg --quiet --batch --passphrase=' then='--faked-system-time=20200102T000000'
        $gpg --faked-system-time=20200101T000000 --quick-generate-key a@example.org ed25519 sign never
        $gpg --armor --export-secret-keys > secret; gpg --armor --export > good
        cp -R home revoked; sed -i 's/^:---/---/' revoked/openpgp-revocs.d/*
        GNUPGHOME=$PWD/revoked $gpg --import revoked/openpgp-revocs.d/*
        GNUPGHOME=$PWD/revoked gpg --armor --export > bad
        $gpg $then --quick-set-expire $(basename home/openpgp-revocs.d/* .rev) 1d
        gpg --armor --export > old; gpgconf --kill all; GNUPGHOME=$PWD/revoked gpgconf --kill all";

    #[test]
    fn what_a_revoked_or_expired_key_signed_is_refused_with_the_key() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        let made = Command::new("sh").args(["-ec", KEYS]).current_dir(&place).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        let signer = Signer::new(&at("secret").to_string_lossy(), None).unwrap();
        let (apart, clear) = (signer.sign(b"x", Form::Armored), signer.sign(b"x\n", Form::Clear));
        let (apart, clear) = (apart.unwrap(), clear.unwrap());
        for (name, what) in
            [("good", None), ("bad", Some("was revoked")), ("old", Some("has expired"))]
        {
            let verifier = Verifier::new(&std::fs::read(at(name)).unwrap()).unwrap();
            let package = verifier.verify_package(b"x", &apart);
            assert_eq!(package.is_ok(), name != "bad", "{name}");
            let answers = [verifier.verify(b"x", &apart), verifier.text(&clear).map(drop)];
            for answer in answers {
                let told = answer.err().map(|failure| failure.to_string());
                let is_it = |told: &str| told.split(' ').nth(3) == Some("a@example.org`");
                assert!(told.as_deref().is_none_or(is_it), "{told:?}");
                assert_eq!(told.as_ref().map(|told| &told[told.len() - 11..]), what);
            }
        }
    }

    #[test]
    fn what_is_not_signed_is_no_signed_text() {
        assert_eq!(
            unsound("[GNUPG:] PLAINTEXT 74 0 \n", None),
            Some("gpg says of no signature that it is good".into())
        );
        assert_eq!(unsound("[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG 1 a\n", None), None);
    }
}
