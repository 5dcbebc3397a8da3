//! `bundle --provenance`: where a release came from, beside its packages.

use super::prepare::Prepared;
use crate::cli;
use crate::host::fs::{self, Created};
use crate::host::gpg::{Form, Signer};
use crate::model::answer::BuiltPackage;
use crate::model::failure::Failure;
use crate::model::provenance::{self, BUILDER, Build};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

/// Who signs, where a key was given; it is tried before anything is built.
pub fn signer(args: &cli::Bundle) -> Result<Option<Signer>, Failure> {
    let proof = &args.proof;
    let signer = proof.sign.as_ref().map(|key| Signer::new(key, proof.passphrase_file.as_deref()));
    signer.transpose()
}

/// Writes the documents of a release whose packages are there; none is ever replaced.
pub fn write(
    prepared: &Prepared,
    packages: &[BuiltPackage],
    args: &cli::Bundle,
    signer: Option<&Signer>,
) -> Result<Vec<PathBuf>, Failure> {
    let bundle = &prepared.bundle;
    let digest = |package: &BuiltPackage| {
        let name = package.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok((name, fs::digest(&fs::open(&package.path)?)?.0))
    };
    let packages = packages.iter().map(digest).collect::<Result<Vec<_>, Failure>>()?;
    let statement = provenance::statement(&Build {
        bundle,
        packages: &packages,
        materials: &prepared.materials,
        builder: args.proof.builder.as_deref().unwrap_or(BUILDER),
        parameters: parameters(prepared, args),
    });
    let documents = [("provenance", statement), ("cdx", provenance::modules(bundle))];
    let mut written = Vec::new();
    for (end, text) in documents {
        let path = args.out.join(provenance::file_name(bundle, end));
        create(&path, text.as_bytes())?;
        if let Some(signer) = signer {
            written.push(sign(&path, text.as_bytes(), signer)?);
        }
        written.push(path);
    }
    written.sort();
    Ok(written)
}

/// What was asked for; what is not said is the default of this version.
fn parameters(prepared: &Prepared, args: &cli::Bundle) -> Map<String, Value> {
    let mut parameters = Map::new();
    let formats: Vec<String> = args.format.iter().map(ToString::to_string).collect();
    parameters.insert("app".to_owned(), json!(prepared.bundle.app));
    parameters.insert("snapshot".to_owned(), json!(args.snapshot));
    parameters.insert("format".to_owned(), json!(formats));
    parameters.insert("compression".to_owned(), json!(args.compression.to_string()));
    let level = args.compression_level.map(|level| json!(level));
    let version = args.version.as_ref().map(|version| json!(version.to_string()));
    let maintainer = args.maintainer.as_ref().map(|maintainer| json!(maintainer.as_str()));
    let time = args.source_date_epoch.map(|time| json!(time.seconds()));
    let given = [
        ("compressionLevel", level),
        ("version", version),
        ("maintainer", maintainer),
        ("sourceDateEpoch", time),
    ];
    for (key, value) in given {
        if let Some(value) = value {
            parameters.insert(key.to_owned(), value);
        }
    }
    parameters
}

fn create(path: &Path, text: &[u8]) -> Result<(), Failure> {
    use std::io::Write;
    let file = fs::beside(path.parent().unwrap_or(Path::new(".")))?;
    file.file().write_all(text).map_err(|error| fs::failed("write", path, error))?;
    match fs::create(file, path)? {
        Created::New | Created::Unchanged => Ok(()),
        Created::Different => {
            let what = format!("`{}` is there already, and says something else", path.display());
            Err(Failure::new(what)
                .hint("it is of other formats, another builder, or another tag: `--out DIR`"))
        }
    }
}

/// A signature has a time in it: one that is there stays.
fn sign(path: &Path, text: &[u8], signer: &Signer) -> Result<PathBuf, Failure> {
    let mut name = path.as_os_str().to_owned();
    name.push(".asc");
    let signature = PathBuf::from(name);
    if fs::kind(&signature)?.is_none() {
        fs::replace(&signature, &signer.sign(text, Form::Armored)?, 0o644)?;
    }
    Ok(signature)
}
