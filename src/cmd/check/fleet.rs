//! `check --enc-dir`: the ENCs of a fleet, on all processors.

use crate::cli::Check;
use crate::host::fs;
use crate::model::answer::{Answer, CalledByMany, is_refused};
use crate::model::app::AppPath;
use crate::model::call::{Checker, Finding, fleet};
use crate::model::enc::{self, Enc};
use crate::model::event::{Say, during};
use crate::model::failure::Failure;
use crate::model::subject::Subject;
use rayon::prelude::*;
use std::path::Path;

/// So many documents go to a processor at once, which learns what it needs of the classes once.
const CHUNK: usize = 256;

/// Checks every document of a directory against one release.
pub fn check(
    args: &Check,
    directory: &Path,
    bundle: &Subject,
    say: Say,
) -> Result<Answer, Failure> {
    let names = names(directory)?;
    let (app, interface) = super::called(args, bundle, say)?;
    let values = super::values(args);
    let checked = |names: &[String]| {
        let mut checker = Checker::new(&interface, values);
        let one =
            |name: &String| (name.clone(), of_file(&directory.join(name), &app, &mut checker));
        names.iter().map(one).collect::<Vec<_>>()
    };
    let what = format!("checking {} ENCs", names.len());
    let all: Vec<(String, Node)> =
        during(say, what, || names.par_chunks(CHUNK).flat_map_iter(checked).collect());
    let (mut pinned, mut others, mut found) = (Vec::new(), Vec::new(), Vec::new());
    for (name, node) in all {
        match node {
            Node::OfAnotherApp => others.push(name),
            Node::Pinned(findings) => {
                pinned.push(name.clone());
                found.push((name, findings));
            }
            Node::Checked(findings) => found.push((name, findings)),
        }
    }
    let refused = found.iter().filter(|(_, findings)| is_refused(findings, args.strict)).count();
    Ok(Answer::CalledByMany(CalledByMany {
        app,
        directory: directory.display().to_string(),
        strict: args.strict,
        nodes: found.len(),
        pinned,
        others,
        refused,
        findings: fleet::grouped(found),
    }))
}

/// What came of one document.
enum Node {
    Checked(Vec<Finding>),
    /// It asks for another release of the app.
    Pinned(Vec<Finding>),
    OfAnotherApp,
}

fn names(directory: &Path) -> Result<Vec<String>, Failure> {
    if !fs::is_directory(directory)? {
        let shown = directory.display();
        return Err(match fs::kind(directory)? {
            Some(_) => Failure::new(format!("`{shown}` is no directory"))
                .hint("check one ENC: `--enc FILE`"),
            None => Failure::new(format!("`{shown}` does not exist"))
                .hint("name a directory of `NODE.yaml`: `--enc-dir DIR`"),
        });
    }
    let mut names = fs::names(directory)?;
    names.retain(|name| name.ends_with(".yaml") || name.ends_with(".yml"));
    match names.is_empty() {
        false => Ok(names),
        true => Err(Failure::new(format!("`{}` has no *.yaml or *.yml", directory.display()))
            .hint("name a directory of `NODE.yaml`: `--enc-dir DIR`")),
    }
}

/// What cannot be read or is refused is a finding among others.
fn of_file(path: &Path, app: &AppPath, checker: &mut Checker) -> Node {
    let read = fs::open(path).and_then(|file| fs::bounded(file, path, enc::LARGEST));
    let text = match read {
        Ok(text) => text,
        // Without its name, that of many is one finding.
        Err(failure) => {
            let why = failure.to_string().replace(&format!("`{}`", path.display()), "it");
            return Node::Checked(vec![Finding::of_unreadable(why)]);
        }
    };
    match Enc::parse_with_places(&text) {
        Err(error) => Node::Checked(Finding::of_refused(&error)),
        Ok((enc, places)) => match &enc.app {
            Some(asked) if asked.source() != app.source() => Node::OfAnotherApp,
            Some(asked) if !super::is_same(asked, app) => {
                Node::Pinned(checker.check(&enc, &places))
            }
            _ => Node::Checked(checker.check(&enc, &places)),
        },
    }
}
