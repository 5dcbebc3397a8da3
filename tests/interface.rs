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
use localpuppet::model::puppet_code::What;
use localpuppet::model::puppet_code::definition::{Definition, Stated, definitions};
use localpuppet::model::puppet_code::lexer::lex;
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
    let theirs: Value = ruby::ask("interface.rb", &[&modules], &files);

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
fn what_can_be_parsed_is_what_puppet_parses() {
    let cases = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/syntax.txt");
    let text = std::fs::read_to_string(cases).unwrap();
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with("# ")).collect();
    let body = |line: &&str| line.replace("\\n", "\n").replace("\\\\", "\\");
    let texts: Vec<String> =
        lines.iter().map(|line| format!("class t {{\n{}\n}}\n", body(line))).collect();
    let theirs: Vec<Option<String>> = ruby::ask("syntax.rb", &[], &texts);
    let mut wrong = Vec::new();
    for ((line, text), theirs) in lines.iter().zip(&texts).zip(&theirs) {
        let ours = definitions(text).err();
        if ours.is_some() != theirs.is_some() {
            wrong.push(format!("{line}\n  ours   {ours:?}\n  Puppet {theirs:?}"));
        }
    }
    let refused = theirs.iter().flatten().count();
    println!("{} bodies: {refused} refused", lines.len());
    assert!(refused > 100 && refused + 100 < lines.len(), "the cases are of one kind");
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn the_examples_are_puppet_code() {
    let files = manifests(&Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/modules"));
    let texts: Vec<String> =
        files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect();
    let theirs: Vec<Option<String>> = ruby::ask("syntax.rb", &[], &texts);
    let refused: Vec<_> = files.iter().zip(&theirs).filter(|(_, why)| why.is_some()).collect();
    assert!(files.len() > 3 && refused.is_empty(), "{refused:#?}");
}

/// Why ours refuses what Puppet's parser leaves to the compiler.
const SAID_EARLIER: [&str; 3] =
    ["is defined twice", "is a type of Puppet's own", "no parameter may be"];

#[test]
fn damaged_manifests_are_refused_where_puppet_refuses_them() {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/real/modules/debian/tags/r1");
    assert!(modules.is_dir(), "no modules; type: tests/setup");
    let many = std::env::var("DAMAGED").map_or(1_500, |many| many.parse().unwrap());
    let files = manifests(&modules);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let texts: Vec<String> = (0..many).map(|_| damaged(&files, &mut random)).collect();
    let theirs: Vec<Option<String>> = ruby::ask("syntax.rb", &[], &texts);
    let (mut taken, mut refused, mut wrong) = (0, 0, Vec::new());
    for (text, theirs) in texts.iter().zip(theirs) {
        match (definitions(text), theirs) {
            (Ok(_), None) => taken += 1,
            (Err(_), Some(_)) => refused += 1,
            (Ok(_), Some(why)) => wrong.push(format!("Puppet alone: {why}\n{text}")),
            (Err(why), None) if SAID_EARLIER.iter().any(|said| why.what.contains(said)) => {}
            (Err(why), None) => wrong.push(format!("ours alone: {why}\n{text}")),
        }
    }
    println!("{many} damaged manifests: {taken} taken by both, {refused} refused by both");
    assert!(taken > many / 20 && refused > many / 4, "the damage is of one kind");
    assert!(wrong.is_empty(), "{} differ\n{}", wrong.len(), wrong.join("\n----\n"));
}

/// A short manifest with a token left out, doubled, moved, or another in its place.
fn damaged(files: &[PathBuf], random: &mut Random) -> String {
    const LONGEST: usize = 1_500;
    const OTHERS: [&str; 36] = [
        "{", "}", "(", ")", "[", "]", "=>", "=", ",", ";", ":", ".", "->", "?", "|", "<|", "|>",
        "@", "+>", "-", "!", "*", "in", "and", "if", "else", "class", "type", "default", "$x",
        "foo", "Foo", "'x'", "\"${x}\"", "1", "/a/",
    ];
    loop {
        let text = std::fs::read_to_string(&files[random.below(files.len())]).unwrap();
        let tokens = lex(&text).unwrap().tokens;
        if tokens.len() < 4 || text.len() > LONGEST {
            continue;
        }
        let at = random.below(tokens.len() - 1);
        let (one, next) = (&tokens[at], &tokens[at + 1]);
        let [before, one, between, next, behind] = [
            &text[..one.start],
            &text[one.start..one.end],
            &text[one.end..next.start],
            &text[next.start..next.end],
            &text[next.end..],
        ];
        let other = OTHERS[random.below(OTHERS.len())];
        return match random.below(5) {
            0 => format!("{before}{between}{next}{behind}"),
            1 => format!("{before}{one} {one}{between}{next}{behind}"),
            2 => format!("{before}{next}{between}{one}{behind}"),
            3 => format!("{before}{other}{between}{next}{behind}"),
            _ => format!("{before}{one}{between} {other} {next}{behind}"),
        };
    }
}

/// `xorshift64`: the same damage each time.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % end
    }
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
