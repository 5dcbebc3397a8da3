//! Holding a release against a policy: its statement, who signed that, and what it says.

use super::{instead, package_file};
use crate::host::fs;
use crate::host::gpg::Verifier;
use crate::model::app::{AppPath, Release};
use crate::model::digest::Sha256Digest;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::policy::{self, LARGEST, Policy, Thing};
use crate::model::provenance::{self, Claims};
use crate::package::sign;
use std::fs::File;
use std::path::{Path, PathBuf};

/// A statement that a policy takes.
pub struct Judged {
    policy: PathBuf,
    statement: PathBuf,
    claims: Claims,
}

impl Judged {
    /// The only content that the release may have.
    pub fn bundle_id(&self, app: &str) -> Option<Sha256Digest> {
        self.claims.bundle_id(app)
    }

    /// Refuses a package that the statement is not about.
    pub fn refuse_other(&self, shown: &str, file: &File) -> Result<(), Failure> {
        match policy::other(&self.claims, &digests(file)?) {
            None => Ok(()),
            Some(line) => Err(not_taken(&self.policy, shown, &self.statement, &[line])),
        }
    }
}

/// Refuses a package file that a policy does not take.
pub fn refuse_package(policy: &Path, package: &Path) -> Result<Judged, Failure> {
    let rules = read(policy)?;
    let bundle = package_file::open(package)?.bundle;
    let name = provenance::file_name(&bundle, "provenance");
    let statement = package.with_file_name(name);
    let digests = digests(&fs::open(package)?)?;
    let shown = package.display().to_string();
    judged(policy, &rules, statement, &Thing::Package(digests), &shown)
}

/// Refuses a release that a package manager shall bring.
pub fn refuse_release(policy: &Path, release: &Release) -> Result<Judged, Failure> {
    let rules = read(policy)?;
    let app: &AppPath = release.path();
    let directory = rules.statements.as_ref().ok_or_else(|| {
        let what = format!("`{app}` has no provenance that `{}` could judge", policy.display());
        Failure::new(what).exit(Exit::NotVerified).hint(
            "name where statements are: `statements: DIR`, or install a file: `--package FILE`",
        )
    })?;
    let directory = beside(policy, directory);
    let begins = format!("{}_", release.package_name());
    let names = fs::names(&directory)?;
    let is_its = |name: &&String| name.starts_with(&begins) && name.ends_with(".provenance.json");
    let name = names.iter().find(is_its).cloned();
    let name = name.unwrap_or_else(|| format!("{begins}VERSION.provenance.json"));
    let thing = Thing::Release(app.clone());
    judged(policy, &rules, directory.join(name), &thing, app.as_str())
}

/// The digests that a statement may have of a package: that of the file, and that of an .rpm as it
/// was before a repository signed it.
fn digests(file: &File) -> Result<Vec<Sha256Digest>, Failure> {
    let (digest, _) = fs::digest(file)?;
    if !matches!(sign::signed(file), Ok(Some(_))) {
        return Ok(vec![digest]);
    }
    let mut unsigned = fs::scratch()?;
    sign::write_unsigned(file, &mut unsigned).map_err(|error| {
        Failure::new("failed to read an .rpm without its signature").because(error)
    })?;
    Ok(vec![fs::digest(&unsigned)?.0, digest])
}

const HOW_TO_WRITE: &str = "it says who may sign: `keys: [release.asc]`";

fn read(path: &Path) -> Result<Policy, Failure> {
    let shown = path.display();
    let refused = |what: String| Failure::new(what).exit(Exit::NotVerified);
    let text = fs::read_bounded(path, LARGEST).map_err(|failure| {
        instead::of_document(failure.exit(Exit::NotVerified), path, HOW_TO_WRITE)
    })?;
    let text = text.ok_or_else(|| {
        let failure = refused(format!("there is no policy `{shown}`"));
        instead::of_document(failure, path, HOW_TO_WRITE)
    })?;
    Policy::parse(&text)
        .map_err(|error| refused(format!("the policy `{shown}` is not valid")).because(error))
}

fn beside(policy: &Path, name: &str) -> PathBuf {
    policy.parent().unwrap_or(Path::new("/")).join(name)
}

/// Those who may sign.
fn signers(policy: &Path, rules: &Policy) -> Result<Verifier, Failure> {
    let verifier = Verifier::without_keys()?;
    for key in &rules.keys {
        let path = beside(policy, key);
        let what = |what| {
            let (policy, path) = (policy.display(), path.display());
            Failure::new(format!("`{policy}` names {what}: `{path}`")).exit(Exit::NotVerified)
        };
        let text = fs::read_bounded(&path, LARGEST)
            .map_err(|failure| failure.exit(Exit::NotVerified))?
            .ok_or_else(|| what("a key that is not there"))?;
        let none = |error| what("a key that gpg cannot import").because(error);
        verifier.import(&text)?.map_err(|error| none(error).hint("gpg --armor --export KEY"))?;
    }
    Ok(verifier)
}

fn refused(policy: &Path, shown: &str) -> Failure {
    let what = format!("`{shown}` is not taken by the policy `{}`", policy.display());
    Failure::new(what).exit(Exit::NotVerified)
}

fn not_taken(policy: &Path, shown: &str, statement: &Path, lines: &[String]) -> Failure {
    let lines: String = lines.iter().map(|line| format!("\n    {line}")).collect();
    let told = format!("`{}` says what it does not take:{lines}", statement.display());
    refused(policy, shown).because(Failure::new(told))
}

fn judged(
    policy: &Path,
    rules: &Policy,
    statement: PathBuf,
    of: &Thing,
    shown: &str,
) -> Result<Judged, Failure> {
    let what = || refused(policy, shown);
    let there = |path: &Path| {
        fs::read_bounded(path, provenance::LARGEST)?.ok_or_else(|| {
            what()
                .because(Failure::new(format!("there is no `{}`", path.display())))
                .hint("localpuppet bundle APP_PATH --provenance --sign KEY")
        })
    };
    let text = there(&statement)?;
    let mut signature = statement.as_os_str().to_owned();
    signature.push(".asc");
    let signature = there(Path::new(&signature))?;
    signers(policy, rules)?.check(&text, &signature).map_err(|error| {
        let signed = format!("`{}` is signed by none of its keys", statement.display());
        what().because(Failure::new(signed).because(error))
    })?;
    let claims = Claims::parse(&text).map_err(|error| what().because(error))?;
    let lines = rules.refused(&claims, of);
    match lines.is_empty() {
        true => Ok(Judged { policy: policy.to_owned(), statement, claims }),
        false => Err(not_taken(policy, shown, &statement, &lines)),
    }
}
