//! `check --enc-dir`: the ENCs of a fleet, on all processors.

use crate::cli::Check;
use crate::host::fs;
use crate::model::answer::{Answer, CalledByMany, is_refused};
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
        let one = |name: &String| (name.clone(), of_file(&directory.join(name), &mut checker));
        names.iter().map(one).collect::<Vec<_>>()
    };
    let what = format!("checking {} ENCs", names.len());
    let found: Vec<_> =
        during(say, what, || names.par_chunks(CHUNK).flat_map_iter(checked).collect());
    let refused = found.iter().filter(|(_, findings)| is_refused(findings, args.strict)).count();
    Ok(Answer::CalledByMany(CalledByMany {
        app,
        directory: directory.display().to_string(),
        strict: args.strict,
        nodes: found.len(),
        refused,
        findings: fleet::grouped(found),
    }))
}

fn names(directory: &Path) -> Result<Vec<String>, Failure> {
    if !fs::is_directory(directory)? {
        let what = format!("`{}` is no directory", directory.display());
        return Err(Failure::new(what).hint("check one ENC: `--enc FILE`"));
    }
    let mut names = fs::names(directory)?;
    names.retain(|name| name.ends_with(".yaml") || name.ends_with(".yml"));
    match names.is_empty() {
        false => Ok(names),
        true => Err(Failure::new(format!("`{}` has no *.yaml or *.yml", directory.display()))),
    }
}

/// What cannot be read or is refused is a finding among others.
fn of_file(path: &Path, checker: &mut Checker) -> Vec<Finding> {
    let read = fs::open(path).and_then(|file| fs::bounded(file, path, enc::LARGEST));
    let text = match read {
        Ok(text) => text,
        // Without its name, that of many is one finding.
        Err(failure) => {
            let why = failure.to_string().replace(&format!("`{}`", path.display()), "it");
            return vec![Finding::of_unreadable(why)];
        }
    };
    match Enc::parse_with_places(&text) {
        Ok((enc, places)) => checker.check(&enc, &places),
        Err(error) => Finding::of_refused(&error),
    }
}
