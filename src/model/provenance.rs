//! Where a release came from, in the words of others: an in-toto statement with SLSA provenance v1,
//! and a CycloneDX list of the Puppet modules in it. Neither has a time or a name of a machine, so
//! the same release has the same documents.

use super::bundle::Bundle;
use super::digest::Sha256Digest;
use super::lock::Locked;
use super::module::{Line, Module};
use super::origin::Origin;
use serde_json::{Map, Value, json};

/// Whoever builds, where nothing else is said.
pub const BUILDER: &str = "https://github.com/rmt/localpuppet";

/// What is done by this kind of build, and what its parameters mean.
const BUILD_TYPE: &str = "https://github.com/rmt/localpuppet/bundle/v1";

/// More bytes than this, and a statement is not read.
pub const LARGEST: u64 = 16 << 20;

/// What a statement is about.
pub struct Build<'a> {
    pub bundle: &'a Bundle,
    /// The packages: file names and digests.
    pub packages: &'a [(String, Sha256Digest)],
    pub materials: &'a [Locked],
    pub builder: &'a str,
    /// What the operator has asked for, as the command line has it.
    pub parameters: Map<String, Value>,
}

/// The name of a bundle's document: of its statement, of its list of modules.
pub fn file_name(bundle: &Bundle, end: &str) -> String {
    format!("{}_{}.{end}.json", bundle.package, bundle.version)
}

/// The statement, <https://in-toto.io/Statement/v1> with <https://slsa.dev/provenance/v1>.
pub fn statement(build: &Build) -> String {
    let Build { bundle, packages, materials, builder, parameters } = build;
    let subject = |(name, digest): &(String, Sha256Digest)| json!({ "name": name, "digest": { "sha256": digest } });
    let own = (bundle_subject(bundle), bundle.bundle_id);
    let subjects: Vec<Value> = packages.iter().chain([&own]).map(subject).collect();
    let materials: Vec<Value> = materials.iter().map(material).collect();
    let document = json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects,
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": BUILD_TYPE,
                "externalParameters": parameters,
                "internalParameters": {},
                "resolvedDependencies": materials,
            },
            "runDetails": {
                "builder": {
                    "id": builder,
                    "version": { "localpuppet": env!("CARGO_PKG_VERSION") },
                },
            },
        },
    });
    format!("{document:#}\n")
}

/// The name of the subject whose digest is the bundle ID.
fn bundle_subject(bundle: &Bundle) -> String {
    format!("bundle:{}", bundle.app)
}

fn material(locked: &Locked) -> Value {
    let Locked { app, origin, tree } = locked;
    let mut digest = json!({ "localpuppetTree": tree });
    let (uri, location) = match origin {
        Origin::Directory => (None, "directory"),
        Origin::Git { location, reference, commit } => {
            digest["gitCommit"] = json!(commit);
            (Some(format!("git+{}@{reference}", url(location.as_str()))), location.as_str())
        }
        Origin::Svn { location, path, revision } => {
            let url = url(location.as_str());
            (Some(format!("svn+{url}/{path}@{revision}")), location.as_str())
        }
    };
    let mut material =
        json!({ "name": app, "digest": digest, "annotations": { "location": location } });
    if let Some(uri) = uri {
        material["uri"] = json!(uri);
    }
    material
}

/// `git@host:path` as a URL; all else as it is.
fn url(location: &str) -> String {
    match location.split_once(':') {
        Some((host, path)) if !location.contains("://") && !host.contains('/') => {
            format!("ssh://{host}/{}", path.trim_start_matches('/'))
        }
        _ => location.to_owned(),
    }
}

/// What a statement says that a policy asks about.
#[derive(Debug, PartialEq, Eq)]
pub struct Claims {
    /// The digests of all that it is about, by name.
    pub subjects: Vec<(String, String)>,
    pub builder: String,
    /// Where its materials are, `directory` for one of a module root.
    pub sources: Vec<String>,
}

/// Why a text is no statement of ours.
#[derive(Debug, thiserror::Error)]
pub enum NotAStatement {
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    #[error("expected `{key}` to be {expected}, found something else")]
    Shape { key: &'static str, expected: &'static str },
}

impl Claims {
    /// Reads a statement that anyone may have written.
    pub fn parse(text: &[u8]) -> Result<Self, NotAStatement> {
        let document: Value = serde_json::from_slice(text)?;
        let types = [
            ("/_type", "https://in-toto.io/Statement/v1"),
            ("/predicateType", "https://slsa.dev/provenance/v1"),
            ("/predicate/buildDefinition/buildType", BUILD_TYPE),
        ];
        for (key, expected) in types {
            if document.pointer(key).and_then(Value::as_str) != Some(expected) {
                return Err(NotAStatement::Shape { key, expected });
            }
        }
        let list = |key: &'static str| {
            let list = document.pointer(key).and_then(Value::as_array);
            list.ok_or(NotAStatement::Shape { key, expected: "a list" })
        };
        let text = |of: &Value, key: &'static str| {
            let text = of.pointer(key).and_then(Value::as_str).map(str::to_owned);
            text.ok_or(NotAStatement::Shape { key, expected: "a text" })
        };
        let subjects = list("/subject")?.iter();
        let subjects = subjects.map(|it| Ok((text(it, "/name")?, text(it, "/digest/sha256")?)));
        let materials = list("/predicate/buildDefinition/resolvedDependencies")?.iter();
        Ok(Claims {
            subjects: subjects.collect::<Result<_, NotAStatement>>()?,
            builder: text(&document, "/predicate/runDetails/builder/id")?,
            sources: materials
                .map(|it| text(it, "/annotations/location"))
                .collect::<Result<_, _>>()?,
        })
    }

    /// True where it is about a file of that digest.
    pub fn is_of(&self, digest: Sha256Digest) -> bool {
        self.subjects.iter().any(|(_, of)| *of == digest.to_string())
    }

    /// The bundle ID that it is about.
    pub fn bundle_id(&self, bundle: &str) -> Option<Sha256Digest> {
        let name = format!("bundle:{bundle}");
        let (_, digest) = self.subjects.iter().find(|(of, _)| *of == name)?;
        digest.parse().ok()
    }
}

/// The modules of a release, as CycloneDX 1.5 has components.
pub fn modules(bundle: &Bundle) -> String {
    let release = json!({
        "type": "application",
        "bom-ref": bundle.package,
        "name": bundle.package,
        "version": bundle.version.to_string(),
        "description": format!("Puppet release {}, bundle ID {}", bundle.app, bundle.bundle_id),
    });
    let document = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "serialNumber": format!("urn:uuid:{}", uuid(bundle.bundle_id)),
        "version": 1,
        "metadata": {
            "component": release,
            "tools": { "components": [
                { "type": "application", "name": "localpuppet", "version": env!("CARGO_PKG_VERSION") },
            ] },
        },
        "components": bundle.modules.iter().map(component).collect::<Vec<_>>(),
    });
    format!("{document:#}\n")
}

fn component(module: &Module) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": format!("{}/{}", module.app, module.name),
        "name": module.name,
    });
    let version = module.version.as_ref().map(Line::as_str);
    let full_name = module.full_name.as_ref().map(Line::as_str);
    if let Some(version) = version {
        component["version"] = json!(version);
    }
    // `puppetlabs-stdlib`, or with a `/` as older modules have it.
    if let Some((author, name)) = full_name.and_then(|name| name.split_once(['-', '/'])) {
        let version = version.map(|version| format!("@{}", encoded(version)));
        let version = version.unwrap_or_default();
        component["group"] = json!(author);
        component["purl"] =
            json!(format!("pkg:puppet/{}/{}{version}", encoded(author), encoded(name)));
    }
    if let Some(license) = &module.license {
        component["licenses"] = json!([{ "license": license_of(license.as_str()) }]);
    }
    component
}

/// By its name of the SPDX list where it is one that modules have; by what the module says else.
fn license_of(text: &str) -> Value {
    const KNOWN: [&str; 14] = [
        "Apache-2.0",
        "MIT",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "MPL-2.0",
        "GPL-2.0-only",
        "GPL-2.0-or-later",
        "GPL-3.0-only",
        "GPL-3.0-or-later",
        "LGPL-3.0-only",
        "AGPL-3.0-only",
        "Artistic-2.0",
        "Unlicense",
    ];
    if KNOWN.contains(&text) { json!({ "id": text }) } else { json!({ "name": text }) }
}

/// A text inside a package URL.
fn encoded(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let byte = |byte: u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(byte).collect()
}

/// A UUID (RFC 9562, version 8) that is always that of the same bundle.
fn uuid(bundle_id: Sha256Digest) -> String {
    let mut hex: Vec<char> = bundle_id.to_string().chars().take(32).collect();
    (hex[12], hex[16]) = ('8', '8');
    let part = |from: usize, to: usize| hex[from..to].iter().collect::<String>();
    [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)].join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_ours_is_told() {
        let told = |text: &str| Claims::parse(text.as_bytes()).unwrap_err().to_string();
        assert_eq!(
            told("{}"),
            "expected `/_type` to be https://in-toto.io/Statement/v1, found something else"
        );
        assert!(told("[").starts_with("EOF while parsing"));
    }

    #[test]
    fn places_on_other_hosts_are_urls() {
        assert_eq!(url("git@git.example:puppet/x.git"), "ssh://git@git.example/puppet/x.git");
        assert_eq!(url("https://git.example/x"), "https://git.example/x");
        assert_eq!(url("../x"), "../x");
    }

    #[test]
    fn a_uuid_has_its_form() {
        let uuid = uuid(Sha256Digest::of(""));
        assert_eq!(uuid, "e3b0c442-98fc-8c14-8afb-f4c8996fb924");
    }
}
