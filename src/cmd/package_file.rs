//! A package file as a bundle: read, and held against its own `bundle.json`.

use super::instead;
use crate::host::fs;
use crate::model::app::Release;
use crate::model::bundle::{Bundle, FILE_NAME, INSTALL_ROOT, LARGEST, MODULE_ROOT};
use crate::model::compression::{Format, Method};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::inspection::PackageFacts;
use crate::model::interface::{Interface, document};
use crate::model::module::{METADATA, Metadata, Module};
use crate::model::verify::{Found, differences};
use crate::model::version::RPM_RELEASE;
use crate::package::read::{Choice, Package, pick, read, release_document};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

/// A bundle in a package file.
pub struct PackageFile {
    pub facts: PackageFacts,
    pub bundle: Bundle,
    /// Where the file is not what its `bundle.json` says.
    pub problems: Vec<String>,
    /// The text of its `interface.json`.
    interface: Option<Vec<u8>>,
}

impl PackageFile {
    /// The class interface of the release.
    pub fn interface(&self) -> Result<Interface, Failure> {
        called(&self.bundle, self.interface.as_deref())
    }

    /// The same; none where an older localpuppet has built the package.
    pub fn interface_if_any(&self) -> Result<Option<Interface>, Failure> {
        match self.bundle.interface {
            None => Ok(None),
            Some(_) => self.interface().map(Some),
        }
    }
}

/// What can be called of a package, from the text of its `interface.json`.
fn called(bundle: &Bundle, text: Option<&[u8]>) -> Result<Interface, Failure> {
    let app = &bundle.app;
    let Some((text, node)) = text.zip(bundle.interface.as_ref()) else {
        let what = format!("the package of `{app}` has no {}", document::FILE_NAME);
        return Err(Failure::new(what)
            .hint("an older localpuppet built it: bundle it again, or name its checkout with `--module-root DIR`"));
    };
    Interface::of_bundle(text, node).map_err(|error| {
        let what =
            format!("the package of `{app}` has an {} that is not valid", document::FILE_NAME);
        Failure::new(what).exit(Exit::NotVerified).because(error)
    })
}

/// Why a package of the same release is another file.
pub const SAME_RELEASE: &str =
    "the release is the same; compression, maintainer, time or the tool's version differ";

/// Reads a package file that anyone may have made.
pub fn open(path: &Path) -> Result<PackageFile, Failure> {
    opened(path).map_err(|failure| instead::of_package(failure, path, how_to_make))
}

/// The same, for a caller who knows what else may have been meant.
pub fn opened(path: &Path) -> Result<PackageFile, Failure> {
    of_file(fs::open(path)?, &path.display().to_string())
}

/// What is to be done where a release is named in place of its package.
pub fn how_to_make(release: &Release) -> String {
    format!("this makes its package: localpuppet bundle {release}")
}

/// Reads a package that anyone may have made from an open file, which is told of as `shown`.
pub fn of_file(file: File, shown: &str) -> Result<PackageFile, Failure> {
    let failed = |error| fs::failed("look at", Path::new(shown), error);
    let bytes = file.metadata().map_err(failed)?.len();
    let package = read(file).map_err(|error| {
        Failure::new(format!("failed to read `{shown}` as a package")).because(error)
    })?;
    let (format, name, version) = (package.format, &package.name, &package.version);
    let what_it_is = format!("it is the .{format} package `{name}` version `{version}`");
    let Some((directory, text)) = &package.bundle else {
        let method = &package.compression;
        let why = match method.parse::<Method>() {
            Err(_) if method != "none" => format!("none is compressed with {method}"),
            _ => format!("no {FILE_NAME}"),
        };
        let what = format!("`{shown}` is not a localpuppet bundle: {why}");
        return Err(Failure::new(what).because(Failure::new(what_it_is)));
    };
    let bundle = Bundle::from_json(text).map_err(|error| {
        let place = format!("`/{directory}/{FILE_NAME}`: {error}");
        Failure::new(format!("`{shown}` has a {FILE_NAME} that is not valid"))
            .because(Failure::new(place).because(Failure::new(what_it_is)))
    })?;
    let mut problems = problems(&package, directory, &bundle);
    if bundle.to_json().as_bytes() != text.as_slice() {
        problems.push(format!("`{FILE_NAME}` is not as localpuppet writes it"));
    }
    let facts = PackageFacts {
        format,
        bytes,
        compression: package.compression,
        architecture: package.architecture,
        maintainer: package.maintainer,
    };
    let interface = package.interface.filter(|(found, _)| found == directory);
    let interface = interface.map(|(_, text)| text);
    Ok(PackageFile { facts, bundle, problems, interface })
}

/// What a package file says of itself: the description of the release, and what can be called of
/// it. Its other content is not read.
pub fn described(path: &Path) -> Result<(Bundle, Interface), Failure> {
    let shown = path.display();
    let (mut text, mut interface) = (None, None);
    let instead = |failure| instead::of_package(failure, path, how_to_make);
    let picked = pick(fs::open(path).map_err(instead)?, documents()).map_err(|error| {
        instead(Failure::new(format!("failed to read `{shown}` as a package")).because(error))
    })?;
    for (place, content) in picked {
        match place.ends_with(document::FILE_NAME) {
            true => interface = Some(content),
            false => text = text.or(Some((place, content))),
        }
    }
    let Some((place, text)) = text else {
        let what = format!("`{shown}` is not a localpuppet bundle: no {FILE_NAME}");
        return Err(instead(Failure::new(what)));
    };
    let bundle = Bundle::from_json(&text).map_err(|error| {
        Failure::new(format!("`{shown}` has a {FILE_NAME} that is not valid"))
            .because(Failure::new(format!("`/{place}`: {error}")))
    })?;
    let interface = called(&bundle, interface.as_deref())?;
    Ok((bundle, interface))
}

/// Chooses the documents of a release, which come before its files.
fn documents() -> impl FnMut(&str) -> Choice {
    let mut known = false;
    move |path| match release_document(path) {
        Some(FILE_NAME) => {
            known = true;
            Choice::Keep(LARGEST)
        }
        Some(_) => Choice::Keep(document::LARGEST),
        None if known => Choice::Stop,
        None => Choice::Skip,
    }
}

fn problems(package: &Package, directory: &str, bundle: &Bundle) -> Vec<String> {
    let mut problems = package.problems.clone();
    let mut differs = |what: &str, expected: &str, found: &str| {
        if expected != found {
            problems.push(format!("expected {what} `{expected}`, found `{found}`"));
        }
    };
    let (version, architecture) = match package.format {
        Format::Deb => (bundle.version.to_string(), "all"),
        Format::Rpm => (format!("{}-{RPM_RELEASE}", bundle.version), "noarch"),
    };
    differs("package name", bundle.package.as_str(), &package.name);
    differs("package version", &version, &package.version);
    differs("architecture", architecture, &package.architecture);
    differs("the release in", &bundle.directory(), &format!("/{directory}"));
    problems.extend(too_much(package, bundle));
    problems.extend(misnamed(package, directory, bundle));
    let below = format!("{directory}/");
    let documents = format!("usr/share/doc/{}", bundle.package);
    let mut found = BTreeMap::new();
    for (path, what) in &package.paths {
        if let Some(path) = path.strip_prefix(&below) {
            found.insert(path.to_owned(), what.clone());
        } else if !is_scaffold(path, what, directory, &documents) {
            problems.push(format!("`/{path}` is outside of the release"));
        }
    }
    found.remove(FILE_NAME);
    problems.extend(differences(bundle.content(), found).iter().map(ToString::to_string));
    problems
}

/// What a package provides that no bundle of the release does: a package manager would take it for
/// another, and newer rpms make the users that one provides.
fn too_much(package: &Package, bundle: &Bundle) -> Vec<String> {
    let app = bundle.release().map(|release| release.provides()).unwrap_or_default();
    let own = [
        format!("{app} (= {})", bundle.version),
        format!("{} (= {}-{RPM_RELEASE})", bundle.package, bundle.version),
    ];
    let others = package.provides.iter().filter(|provided| !own.contains(provided));
    let told = |other: &String| format!("it provides `{other:.100}`, which no bundle of it does");
    others.take(100).map(told).collect()
}

/// Where the modules of a `bundle.json` are not those of their metadata.json; what is reached by a
/// link is not followed.
fn misnamed(package: &Package, directory: &str, bundle: &Bundle) -> Vec<String> {
    let differences = |module: &Module| {
        let at = format!("{directory}/{MODULE_ROOT}/{}/{}", module.app, module.name);
        let (metadata, nothing) = (format!("{at}/{METADATA}"), Metadata::default());
        match (package.paths.get(&at), package.paths.get(&metadata)) {
            (Some(Found::Directory { .. }), None) => module.differences(&nothing),
            (Some(Found::Directory { .. }), Some(Found::File { .. })) => {
                module.differences(package.metadata.get(&metadata).unwrap_or(&nothing))
            }
            _ => vec![],
        }
    };
    bundle.modules.iter().flat_map(differences).take(100).collect()
}

/// The way to the release, and the package's documentation.
fn is_scaffold(path: &str, found: &Found, directory: &str, documents: &str) -> bool {
    let is_above = |of: &str| of == path || of.starts_with(&format!("{path}/"));
    let way = matches!(found, Found::Directory { mode: 0o755 });
    let document = path.strip_prefix(documents).is_some_and(|rest| rest.starts_with('/'));
    (way && (is_above(directory) || is_above(documents)))
        || (document && matches!(found, Found::File { mode: 0o644, .. }))
        || path == INSTALL_ROOT.trim_start_matches('/')
}
