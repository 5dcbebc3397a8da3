//! Facts of two releases: the modulepath, its order, the modules on it and which of them Puppet takes.

use super::{FileChange, Finding, Of, Rule, Verdict, apps, paired};
use crate::model::app::AppPath;
use crate::model::bundle::Bundle;
use crate::model::module::{Line, Module};
use std::collections::{BTreeMap, BTreeSet};

/// Compares two releases; of the app itself, that it is at another tag is no difference.
pub fn of(from: &Bundle, to: &Bundle, files: &[FileChange]) -> Vec<Finding> {
    let mut findings = dependencies(from, to);
    findings.extend(order(from, to));
    findings.extend(modules(from, to));
    findings.extend(data(from, to, files));
    findings
}

fn fact(rule: Rule, of: Of, name: &str, before: Option<String>, after: Option<String>) -> Finding {
    let (verdict, name) = (Verdict::Review, name.to_owned());
    Finding { verdict, rule, of, name, parameter: None, before, after, place: None }
}

fn dependencies(from: &Bundle, to: &Bundle) -> Vec<Finding> {
    let text = |app: Option<&AppPath>| app.map(ToString::to_string);
    let pairs = paired(from, to).into_iter().enumerate();
    let finding = |(at, (old, new)): (usize, (Option<&AppPath>, Option<&AppPath>))| {
        let name = new.or(old)?.source().to_owned();
        let rule = match (old, new) {
            (Some(old), Some(new)) if old == new => return None,
            // The app itself: what else than its tag would differ.
            (Some(old), Some(new)) if at == 0 && old.source() == new.source() => return None,
            (Some(_), Some(_)) => Rule::Moved,
            (None, _) => Rule::Added,
            (_, None) => Rule::Removed,
        };
        Some(fact(rule, Of::Dependency, &name, text(old), text(new)))
    };
    pairs.filter_map(finding).collect()
}

/// The order of those directories that both have.
fn order(from: &Bundle, to: &Bundle) -> Option<Finding> {
    let known = |bundle: &'_ Bundle| -> BTreeSet<String> {
        apps(bundle).skip(1).map(|app| app.source().to_owned()).collect()
    };
    let (old, new) = (known(from), known(to));
    let common: BTreeSet<&String> = old.intersection(&new).collect();
    let listed = |bundle: &Bundle| -> Vec<String> {
        let sources = apps(bundle).skip(1).map(|app| app.source().to_owned());
        sources.filter(|source| common.contains(source)).collect()
    };
    let (before, after) = (listed(from), listed(to));
    let text = |list: &[String]| Some(list.join(":"));
    (before != after)
        .then(|| fact(Rule::Order, Of::Modulepath, to.app.source(), text(&before), text(&after)))
}

/// The modules that Puppet takes, and those that it does not for another of the same name.
fn modules(from: &Bundle, to: &Bundle) -> Vec<Finding> {
    let taken = |bundle: &'_ Bundle| -> BTreeMap<String, Module> {
        let taken = bundle.modules.iter().filter(|module| module.shadowed_by.is_none());
        taken.map(|module| (module.name.clone(), module.clone())).collect()
    };
    let (old, new) = (taken(from), taken(to));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut findings = Vec::new();
    for name in names {
        match (old.get(name), new.get(name)) {
            (Some(before), None) => {
                findings.push(fact(Rule::Removed, Of::Module, name, Some(shown(before)), None));
            }
            (None, Some(after)) => {
                findings.push(fact(Rule::Added, Of::Module, name, None, Some(shown(after))));
            }
            (Some(before), Some(after)) => findings.extend(module(name, before, after)),
            (None, None) => {}
        }
        let (before, after) = (shadowed(from, name), shadowed(to, name));
        if before != after {
            findings.push(fact(Rule::Shadowing, Of::Module, name, before, after));
        }
    }
    findings
}

fn module(name: &str, before: &Module, after: &Module) -> Vec<Finding> {
    let text = |line: &Option<Line>| line.as_ref().map(ToString::to_string);
    let mut findings = Vec::new();
    if before.app.source() != after.app.source() {
        let (before, after) = (before.app.source().to_owned(), after.app.source().to_owned());
        findings.push(fact(Rule::Moved, Of::Module, name, Some(before), Some(after)));
    }
    if (&before.full_name, &before.version) != (&after.full_name, &after.version) {
        // An author that is another is told with the version.
        let told = |module: &Module| match before.full_name == after.full_name {
            true => text(&module.version),
            false => Some(shown(module)),
        };
        let told = fact(Rule::Version, Of::Module, name, told(before), told(after));
        // A number says nothing that the code does not.
        findings.push(Finding { verdict: Verdict::Compatible, ..told });
    }
    findings
}

fn shown(module: &Module) -> String {
    let version = module.version.as_ref().map_or("without version", Line::as_str);
    let full_name = module.full_name.as_ref().map(|name| format!("{name} "));
    format!("{}{version} in {}", full_name.unwrap_or_default(), module.app.source())
}

/// Where else a module of this name lies, which Puppet does not take.
fn shadowed(bundle: &Bundle, name: &str) -> Option<String> {
    let others = bundle.modules.iter().filter(|module| module.name == name);
    let others = others.filter(|module| module.shadowed_by.is_some());
    let others: Vec<&str> = others.map(|module| module.app.source()).collect();
    (!others.is_empty()).then(|| others.join(", "))
}

/// Data that is not as it was: parameters that a call leaves out may have other values.
fn data(from: &Bundle, to: &Bundle, files: &[FileChange]) -> Vec<Finding> {
    let mut sources: BTreeMap<String, usize> = BTreeMap::new();
    for file in files {
        let app = apps(to).chain(apps(from)).find(|app| {
            file.path.strip_prefix(app.as_str()).is_some_and(|rest| rest.starts_with('/'))
        });
        let Some(app) = app else { continue };
        let below = &file.path[app.as_str().len() + 1..];
        let is_data = |path: &str| path == "hiera.yaml" || path.starts_with("data/");
        let of_module = below.split_once('/').filter(|(_, path)| is_data(path));
        let owner = match of_module {
            _ if is_data(below) => app.source(),
            Some((module, _)) => module,
            None => continue,
        };
        *sources.entry(owner.to_owned()).or_default() += 1;
    }
    let told = |(name, count): (String, usize)| {
        let files = if count == 1 { "1 file".to_owned() } else { format!("{count} files") };
        fact(Rule::Data, Of::Module, &name, None, Some(files))
    };
    sources.into_iter().map(told).collect()
}
