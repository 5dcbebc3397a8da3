//! `bundle --check`: the same packages, built once more under other conditions.

use super::prepare::Prepared;
use crate::cli;
use crate::host::again::Again;
use crate::host::source::ModuleRoot;
use crate::model::app::AppPath;
use crate::model::failure::Failure;

/// Builds the packages of a release in a place of their own.
pub fn build(root: &ModuleRoot, prepared: &Prepared, args: &cli::Bundle) -> Result<Again, Failure> {
    let apps: Vec<_> = prepared.bundle.modulepath.iter().map(|entry| &entry.app).collect();
    let is_whole = |app: &AppPath| !apps.iter().any(|outer| *outer != app && app.is_within(outer));
    let trees =
        apps.iter().filter(|app| is_whole(app)).map(|&app| Ok((app.clone(), root.app(app)?)));
    let mut again = Again::of(&trees.collect::<Result<Vec<_>, Failure>>()?)?;
    let arguments = arguments(&again, prepared, args);
    again.build(&arguments)?;
    Ok(again)
}

/// What was asked for, of the copy.
fn arguments(again: &Again, prepared: &Prepared, args: &cli::Bundle) -> Vec<String> {
    let joined = |words: Vec<String>| words.join(",");
    let mut line = vec!["bundle".to_owned(), prepared.bundle.app.to_string()];
    let mut add = |option: &str, value: Option<String>| {
        if let Some(value) = value {
            line.push(format!("{option}={value}"));
        }
    };
    add("--module-root", Some(again.module_root().display().to_string()));
    add("--out", Some(again.out().display().to_string()));
    add("--format", Some(joined(args.format.iter().map(ToString::to_string).collect())));
    add("--compression", Some(args.compression.to_string()));
    add("--compression-level", args.compression_level.map(|level| level.to_string()));
    if !args.target.is_empty() {
        add("--target", Some(joined(args.target.iter().map(ToString::to_string).collect())));
    }
    add("--version", args.version.as_ref().map(ToString::to_string));
    add("--maintainer", args.maintainer.as_ref().map(|it| it.as_str().to_owned()));
    add("--source-date-epoch", args.source_date_epoch.map(|time| time.seconds().to_string()));
    if args.snapshot {
        line.push("--snapshot".to_owned());
    }
    line
}
