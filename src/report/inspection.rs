//! A bundle in prose.

use crate::model::inspection::Inspection;
use crate::model::interface::{Interface, shown};
use crate::model::module::{Line, Module};
use crate::model::puppet_code::What;
use crate::model::puppet_code::definition::Definition;
use crate::model::tree::Node;

/// What a release engineer asks of a bundle, a line each.
pub fn prose(inspection: &Inspection) -> String {
    let bundle = &inspection.bundle;
    let mut text = format!("{} version {}\n", bundle.app, bundle.version);
    let mut line = |key: &str, value: String| text.push_str(&format!("{key:<11} {value}\n"));
    line("bundle ID", bundle.bundle_id.to_string());
    line("package", format!("{} {}", bundle.package, bundle.version));
    line("in", inspection.place.clone());
    if let Some(package) = &inspection.package {
        line(
            "format",
            format!("{}, {}, {} bytes", package.format, package.compression, package.bytes),
        );
        line("maintainer", package.maintainer.clone());
    }
    line(
        "content",
        format!("{} bytes in {} files", inspection.content_bytes, inspection.content_files),
    );
    line("built by", bundle.tool.clone());
    text.push_str("modulepath\n");
    for entry in &bundle.modulepath {
        text.push_str(&format!("  {} tree {}\n", entry.directory, entry.tree));
    }
    text.push_str("modules\n");
    bundle.modules.iter().for_each(|module| text.push_str(&self::module(module)));
    if inspection.files {
        text.push_str("files\n");
        bundle.files.iter().for_each(|node| text.push_str(&file(node)));
    }
    if let Some(interface) = &inspection.interface {
        text.push_str(&classes(interface));
    }
    if inspection.checkout {
        text.push_str("not packed yet: it is what `bundle` would make of the checkout now\n");
    } else if inspection.whole {
        text.push_str("whole: every file is what bundle.json says\n");
    } else {
        text.push_str("NOT WHOLE\n");
        for problem in &inspection.problems {
            text.push_str(&format!("  {problem}\n"));
        }
    }
    text
}

/// Every class of the modules that Puppet takes, and what may have more that cannot be read.
fn classes(interface: &Interface) -> String {
    let mut text = "classes\n".to_owned();
    for (name, module) in interface.modules() {
        for (file, found) in module.files() {
            let place = format!("{}/{name}/{file}", module.app);
            match found {
                Ok(found) => text.extend(
                    found
                        .iter()
                        .filter(|d| d.kind == What::Class && interface.is_found(d))
                        .map(|d| class(d, &place)),
                ),
                Err(why) => text.push_str(&format!("  unreadable: {place}: {why}\n")),
            }
        }
    }
    text
}

fn class(class: &Definition, place: &str) -> String {
    let private = if class.private { " (private)" } else { "" };
    let inherits = class.inherits.as_ref().map(|parent| format!(" inherits {parent}"));
    let (name, inherits) = (&class.name, inherits.unwrap_or_default());
    let mut text = format!(
        "  {name}{inherits}{private}{}\n    {place}:{}\n",
        told(&class.summary),
        class.line
    );
    for parameter in &class.parameters {
        let default = match &parameter.default {
            None => "required".to_owned(),
            Some(default) => format!("= {}", one_line(default)),
        };
        let (name, of) = (&parameter.name, one_line(&shown(&parameter.of)));
        text.push_str(&format!("    {of} ${name} {default}{}\n", told(&parameter.summary)));
    }
    text
}

fn told(summary: &Option<String>) -> String {
    summary.as_ref().map(|summary| format!(" -- {}", one_line(summary))).unwrap_or_default()
}

/// Of code no more than a line shows; `--json` has it whole.
fn one_line(text: &str) -> String {
    const LONGEST: usize = 120;
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ").replace(char::is_control, "?");
    match line.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

fn module(module: &Module) -> String {
    let full_name = module.full_name.as_ref().map(|name| format!(" ({name})"));
    let version = module.version.as_ref().map_or("without version", Line::as_str);
    let shadowed = module.shadowed_by.as_ref().map(|app| {
        format!(", shadowed by the one in {app}; Puppet still loads custom facts of this one")
    });
    format!(
        "  {} {version}{} in {}{}\n",
        module.name,
        full_name.unwrap_or_default(),
        module.app,
        shadowed.unwrap_or_default()
    )
}

fn file(node: &Node) -> String {
    match node {
        Node::Directory { path } => format!("  0755 {path}/\n"),
        Node::File { path, mode, size, sha256 } => format!("  {mode} {path} {size} {sha256}\n"),
        Node::Symlink { path, target } => format!("  link {path} -> {target}\n"),
    }
}
