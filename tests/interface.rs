//! Classes are read as Puppet reads them: every manifest of Debian's Puppet
//! modules, beside `Puppet::InfoService::ClassInformationService` of the Puppet
//! that is installed here.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "reads modules, runs Puppet, and prints what it counted"
)]

mod ruby;

use localpuppet::host::interface;
use localpuppet::model::interface::Interface;
use localpuppet::model::puppet_code::definition::{Definition, Stated, What, definitions};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Files that the two read differently, and why.
const EXPLAINED: &[(&str, &str)] = &[];

#[test]
fn every_manifest_of_debians_modules_is_read_as_puppet_reads_it() {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/real/modules/debian");
    assert!(modules.is_dir(), "no modules; type: tests/setup");
    let files = manifests(&modules);
    let texts: Vec<String> =
        files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let start = Instant::now();
    let ours: Vec<_> = texts.iter().map(|text| definitions(text)).collect();
    println!("{} files read in {:?}", files.len(), start.elapsed());
    let theirs: Value = ruby::ask("interface.rb", &[], &files);

    let mut differences = Vec::new();
    let (mut classes, mut parameters) = (0, 0);
    for (file, ours) in files.iter().zip(ours) {
        let name = file.to_str().unwrap();
        let theirs = &theirs[name];
        let theirs = theirs["classes"].as_array().unwrap_or_else(|| panic!("{name}: {theirs}"));
        classes += theirs.len();
        parameters += theirs.iter().map(|c| c["params"].as_array().unwrap().len()).sum::<usize>();
        let theirs: Vec<String> = theirs.iter().map(of_puppet).collect();
        let ours: Vec<String> = match ours {
            Ok(found) => found.iter().filter(|d| d.kind == What::Class).map(of_ours).collect(),
            Err(error) => vec![error.to_string()],
        };
        if ours != theirs && !EXPLAINED.iter().any(|(explained, _)| name.ends_with(explained)) {
            differences.push(format!("{name}\n  ours   {ours:#?}\n  Puppet {theirs:#?}"));
        }
    }
    println!(
        "{} files, {classes} classes, {parameters} parameters: {} differ",
        files.len(),
        differences.len()
    );
    assert!(classes > 1000, "the modules are not all there");
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn the_interface_of_debians_modules_is_read_back_as_written() {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/real/modules/debian/tags/r1");
    assert!(modules.is_dir(), "no modules; type: tests/setup");
    let interface = interface::read(&vec![("debian/tags/r1".parse().unwrap(), modules)]).unwrap();
    let text = interface.to_json();
    println!("{} definitions in {} bytes", text.lines().count(), text.len());
    let read = Interface::from_json(text.as_bytes()).unwrap();
    for (name, module) in interface.modules() {
        for (path, found) in module.files() {
            assert_eq!(read.modules()[name].files().get(path), Some(found), "{name}/{path}");
        }
    }
    assert!(read == interface && read.to_json() == text);
}

fn manifests(below: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut directories = vec![below.to_owned()];
    while let Some(directory) = directories.pop() {
        for entry in std::fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                directories.push(path);
            } else if path.extension().is_some_and(|extension| extension == "pp") {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

/// A class in one line: its name, and each parameter with its type and whether it is required.
fn of_puppet(class: &Value) -> String {
    let parameters = class["params"].as_array().unwrap().iter().map(|parameter| {
        let of = parameter["type"].as_str().map(without_references).unwrap_or("-".to_owned());
        let required = if parameter.get("default_source").is_some() { "" } else { "!" };
        format!("{} {of}{required}", parameter["name"].as_str().unwrap())
    });
    let parameters: Vec<String> = parameters.collect();
    format!("{}({})", class["name"].as_str().unwrap(), parameters.join("; "))
}

/// `TypeReference['Foo::Bar']` is what Puppet makes of an alias that is not loaded.
fn without_references(text: &str) -> String {
    let mut parts = text.split("TypeReference['");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (name, rest) = part.split_once("']").unwrap();
        out.push_str(name);
        out.push_str(rest);
    }
    out
}

fn of_ours(class: &Definition) -> String {
    let parameters = class.parameters.iter().map(|parameter| {
        let of = match &parameter.of {
            Stated::Known(of) => of.to_string(),
            Stated::No | Stated::Unknown(_) => "-".to_owned(),
        };
        let required = if parameter.default.is_some() { "" } else { "!" };
        format!("{} {of}{required}", parameter.name)
    });
    format!("{}({})", class.name, parameters.collect::<Vec<_>>().join("; "))
}
