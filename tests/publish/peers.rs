//! Our indexes beside those of createrepo_c and apt-ftparchive, of the same
//! packages, field by field; each difference is listed with its reason.

use crate::node::{needs, shell};
use crate::{Bench, ok};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

/// The lines of each `<package>` of a document, by its digest, and what is around them.
fn packages(text: &str) -> (BTreeMap<String, Vec<String>>, Vec<String>) {
    let (mut found, mut around) = (BTreeMap::new(), Vec::new());
    let mut package: Option<Vec<String>> = None;
    for line in text.lines() {
        // createrepo_c ends its documents without a line feed.
        let lines = package.get_or_insert_default();
        if line.starts_with("<package ") {
            around.append(lines);
        }
        lines.push(line.to_owned());
        if line == "</package>" {
            let lines = package.take().unwrap_or_default();
            let text = lines.join("\n");
            let digest = text.split(|c: char| !c.is_ascii_hexdigit()).find(|word| word.len() == 64);
            found.insert(digest.unwrap().to_owned(), lines);
        }
    }
    around.extend(package.unwrap_or_default());
    (found, around)
}

/// When a file was changed says nothing where it is copied: ours is when it was published.
const EXPLAINED_PRIMARY: [&str; 1] = ["  <time file="];

#[test]
fn yum_indexes_are_those_of_createrepo() {
    needs(&[("createrepo_c", "createrepo-c")]);
    let bench = Bench::new();
    ok(&bench.publish("", &[]));
    let repository = bench.path("repository/yum");
    shell(
        &repository,
        "mkdir ../peer; cp -r pool ../peer; createrepo_c --quiet --no-database ../peer",
    );
    for document in ["primary", "filelists", "other"] {
        let script = format!("zcat repodata/*-{document}.xml.gz");
        let texts = [&repository, &bench.path("repository/peer")].map(|path| shell(path, &script));
        let [(ours, around), (theirs, peer_around)] = texts.each_ref().map(|text| packages(text));
        assert_eq!(ours.len(), 3, "{document}");
        assert_eq!(around, peer_around, "{document}");
        assert_eq!(
            ours.keys().collect::<Vec<_>>(),
            theirs.keys().collect::<Vec<_>>(),
            "{document}"
        );
        for (digest, lines) in ours {
            let same = |lines: &[String]| -> Vec<String> {
                let kept = lines
                    .iter()
                    .filter(|line| !EXPLAINED_PRIMARY.iter().any(|start| line.starts_with(start)));
                kept.cloned().collect()
            };
            assert_eq!(same(&lines), same(&theirs[&digest]), "{document}");
        }
    }
    // Of repomd.xml, the elements: what they say of compressed documents and times is each one's own.
    let elements = |path: &Path| -> BTreeSet<String> {
        let text = fs::read_to_string(path.join("repodata/repomd.xml")).unwrap();
        let names = text.split('<').skip(1).map(|element| {
            element.split('>').next().unwrap().split(" href=").next().unwrap().to_owned()
        });
        names.collect()
    };
    assert_eq!(elements(&repository), elements(&bench.path("repository/peer")));
}

/// A stanza's fields; lines that go on belong to the field before.
fn fields(stanza: &str) -> BTreeMap<String, String> {
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut name = String::new();
    for line in stanza.lines() {
        match line.split_once(':').filter(|_| !line.starts_with(' ')) {
            Some((field, value)) => {
                name = field.to_owned();
                found.insert(name.clone(), value.trim().to_owned());
            }
            None => found.entry(name.clone()).or_default().push_str(&format!("\n{line}")),
        }
    }
    found
}

/// Digests that no apt of the last ten years asks for.
const EXPLAINED_PACKAGES: [&str; 3] = ["MD5sum", "SHA1", "SHA512"];

/// The same digests; and what apt-ftparchive is told by its configuration, or not at all.
const EXPLAINED_RELEASE: [&str; 4] = ["MD5Sum", "SHA1", "SHA512", "Date"];

#[test]
fn apt_indexes_are_those_of_apt_ftparchive() {
    needs(&[("apt-ftparchive", "apt-utils")]);
    let bench = Bench::new();
    ok(&bench.publish("", &[]));
    let repository = bench.path("repository/apt");
    let theirs = shell(&repository, "apt-ftparchive packages pool");
    let ours = shell(&repository, "cat dists/stable/main/binary-all/Packages");
    let by_name = |text: &str| -> BTreeMap<String, BTreeMap<String, String>> {
        let stanzas = text.split("\n\n").filter(|stanza| !stanza.trim().is_empty()).map(fields);
        stanzas.map(|fields| (fields["Package"].clone(), fields)).collect()
    };
    let (ours, mut theirs) = (by_name(&ours), by_name(&theirs));
    for fields in theirs.values_mut() {
        EXPLAINED_PACKAGES
            .iter()
            .for_each(|name| assert!(fields.remove(*name).is_some(), "{name}"));
    }
    assert_eq!(ours.len(), 3);
    assert_eq!(ours, theirs);

    let options: String = [
        ("Origin", "localpuppet"),
        ("Label", "localpuppet"),
        ("Suite", "stable"),
        ("Codename", "stable"),
        ("Architectures", "all amd64 arm64"),
        ("Components", "main"),
        ("Description", "Releases of Puppet code"),
    ]
    .iter()
    .map(|(name, value)| format!(" -o 'APT::FTPArchive::Release::{name}={value}'"))
    .collect();
    // Its own file is not listed, nor are copies by digest.
    let script = format!(
        "cp -r dists/stable ../peer; cd ../peer; rm -rf main/*/by-hash Release; \
         apt-ftparchive -o APT::FTPArchive::DoByHash=false {options} release . > ../Release; cat ../Release"
    );
    let (theirs, ours) =
        (shell(&repository, &script), shell(&repository, "cat dists/stable/Release"));
    let (ours, mut theirs) = (fields(&ours), fields(&theirs));
    // `Acquire-By-Hash` is written only where apt-ftparchive makes the copies itself.
    let mut ours: BTreeMap<_, _> =
        ours.into_iter().filter(|(name, _)| name != "Acquire-By-Hash").collect();
    for name in EXPLAINED_RELEASE {
        ours.remove(name);
        theirs.remove(name);
    }
    theirs.remove("Acquire-By-Hash");
    let sorted = |fields: &mut BTreeMap<String, String>| {
        let files: BTreeSet<String> = fields
            .remove("SHA256")
            .unwrap()
            .lines()
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .filter(|line| !line.is_empty())
            .collect();
        files
    };
    assert_eq!(sorted(&mut ours), sorted(&mut theirs));
    assert_eq!(ours, theirs);
}
