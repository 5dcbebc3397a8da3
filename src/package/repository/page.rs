//! The pages of a repository: plain HTML, whole without scripts, linked by relative paths.

use crate::model::bundle::Bundle;
use crate::model::diff::{Diff, FileChange, Finding, Verdict};
use crate::model::interface::{Interface, shown};
use crate::model::module::{Line, Module};
use crate::model::offer::{Apps, Offer, Releases};
use crate::model::puppet_code::What;
use crate::model::puppet_code::definition::{Definition, Parameter};
use crate::model::repository::PUBLIC_KEY;
use std::fmt::Write as _;

/// Files that changed are named so far; the packages themselves have all.
const FILES: usize = 200;

/// What stands where nobody has said where the repository is read.
const SOMEWHERE: &str = "https://REPOSITORY";

/// The page that people begin with: how a node uses the repository, and its apps.
pub fn index(apps: &Apps) -> String {
    let releases: usize = apps.apps.values().map(|app| app.releases).sum();
    let mut body = format!(
        "<h1>Releases of Puppet code</h1>\n<p>{} of {}.</p>\n",
        counted(releases, "release"),
        counted(apps.apps.len(), "app")
    );
    body.push_str(&on_a_node(apps));
    body.push_str(
        "<h2>Apps</h2>\n<table>\n<thead><tr><th>App<th>Newest<th>Published<th>Releases</thead>\n",
    );
    for (name, app) in &apps.apps {
        let (page, newest) = (Releases::page(name), app.newest.as_str());
        let (name, newest, count) = (text(name), text(newest), counted(app.releases, "release"));
        let _ = writeln!(
            body,
            "<tr><td><a href=\"{page}\">{name}</a><td><code>{newest}</code>\
             <td class=\"quiet\">{}<td class=\"quiet\">{count}",
            date(&app.published_at)
        );
    }
    body.push_str("</table>");
    page("Releases of Puppet code", &body)
}

/// What a node's operator types, for apt and for the others.
fn on_a_node(apps: &Apps) -> String {
    let url = apps.url.as_ref().map_or(SOMEWHERE.to_owned(), |url| url.to_string());
    let url = url.trim_end_matches('/');
    let (trust, check) = match apps.signed {
        true => ("[signed-by=/etc/apt/keyrings/localpuppet.asc]", "1"),
        false => ("[trusted=yes]", "0"),
    };
    let source = "/etc/apt/sources.list.d/localpuppet.list";
    let mut apt = format!("echo 'deb {trust} {url}/apt stable main' > {source}\n");
    let mut repo = format!(
        "printf '%s\\n' '[localpuppet]' 'name=localpuppet' 'baseurl={url}/yum' \
         'gpgcheck={check}' 'repo_gpgcheck={check}'"
    );
    if apps.signed {
        let key = format!("{url}/{PUBLIC_KEY}");
        apt = format!("curl -fsS --create-dirs {key} -o /etc/apt/keyrings/localpuppet.asc\n{apt}");
        let _ = write!(repo, " 'gpgkey={key}'");
    }
    let told = match apps.url {
        Some(_) => "",
        None => {
            "<p><code>https://REPOSITORY</code> is the address of this page without <code>index.html</code>.</p>\n"
        }
    };
    format!(
        "<h2>On a node</h2>\n{told}<p>With apt, as root:</p>\n<pre id=\"apt\">{}</pre>\n\
         <p>With dnf or yum; for zypper, below <code>/etc/zypp/repos.d</code>:</p>\n\
         <pre id=\"dnf\">{}</pre>\n\
         <p>Then <code>localpuppet apply</code> installs what the node's ENC asks for, and applies it.</p>\n",
        text(&apt),
        text(&(repo + " > /etc/yum.repos.d/localpuppet.repo\n")),
    )
}

/// The page of an app: its releases, the highest version first.
pub fn app(list: &Releases) -> String {
    let mut body = format!(
        "<p><a href=\"../index.html\">All apps</a></p>\n<h1>{}</h1>\n<table>\n\
         <thead><tr><th>Release<th>Published<th>To the one below<th>Packages</thead>\n",
        text(&list.app)
    );
    for offer in &list.releases {
        let page = offer.page();
        let _ = writeln!(
            body,
            "<tr><td><a href=\"{}\"><code>{}</code></a><td class=\"quiet\">{}<td>{}<td>{}",
            up(&page, 1),
            text(&offer.shown()),
            date(&offer.published_at),
            offer.since.as_ref().map_or(String::new(), |(_, verdict)| badge(*verdict)),
            packages(offer, 1)
        );
    }
    body.push_str("</table>");
    page(&list.app, &body)
}

/// The page of a release; `inside` is what its bundle says and what of it can be called, `changes`
/// what is not as in the one below.
pub fn release(
    offer: &Offer,
    inside: Option<(&Bundle, Option<&Interface>)>,
    changes: Option<&Diff>,
) -> String {
    let app = offer.app.source();
    let mut body = format!(
        "<p><a href=\"../../index.html\">All apps</a> / <a href=\"{}\">{}</a></p>\n\
         <h1>{}</h1>\n<dl>\n<dt>Bundle ID<dd><code>{}</code>\n<dt>Package<dd>{} {}\n\
         <dt>Published<dd>{}\n<dt>Files<dd>{}\n",
        up(&Releases::page(app), 2),
        text(app),
        text(&offer.shown()),
        offer.bundle_id,
        text(offer.package.as_str()),
        text(offer.version.as_str()),
        date(&offer.published_at),
        packages(offer, 2)
    );
    if let Some((bundle, _)) = inside {
        let paths = bundle.modulepath.iter().map(|entry| text(entry.app.as_str()));
        let paths: String = paths.map(|path| format!("<li><code>{path}</code>\n")).collect();
        let _ = writeln!(body, "<dt>Modulepath<dd><ol>\n{paths}</ol>");
    }
    body.push_str("</dl>\n");
    body.push_str(&changes.map(changed).unwrap_or_default());
    if let Some((bundle, interface)) = inside {
        body.push_str(&modules(&bundle.modules));
        body.push_str(&interface.map(classes).unwrap_or_default());
    }
    page(&offer.shown(), &body)
}

fn changed(diff: &Diff) -> String {
    let mut body =
        format!("<h2>Changed since {} {}</h2>\n", text(&diff.from.place), badge(diff.verdict));
    let mut findings: Vec<&Finding> = diff.release.iter().chain(&diff.interface).collect();
    findings.sort_by_key(|finding| std::cmp::Reverse(finding.verdict));
    if !findings.is_empty() {
        let item = |finding: &&Finding| {
            let told = finding.told(|name| format!("<code>{}</code>", text(name)));
            format!("<li>{} {told}\n", badge(finding.verdict))
        };
        let items: String = findings.iter().map(item).collect();
        let _ = writeln!(body, "<ul>\n{items}</ul>");
    }
    if !diff.files.is_empty() {
        let files: String = diff.files.iter().take(FILES).map(file).collect();
        let more = diff.files.len().saturating_sub(FILES);
        let more = if more > 0 { format!("<li>and {more} more\n") } else { String::new() };
        let count = counted(diff.files.len(), "file");
        let _ = writeln!(
            body,
            "<details><summary>{count}</summary>\n<ul>\n{files}{more}</ul>\n</details>"
        );
    }
    body
}

fn file(change: &FileChange) -> String {
    format!("<li>{} <code>{}</code>\n", change.word(), text(&change.path))
}

fn modules(modules: &[Module]) -> String {
    if modules.is_empty() {
        return String::new();
    }
    let mut body =
        "<h2>Modules</h2>\n<table>\n<thead><tr><th>Module<th>Version<th>In</thead>\n".to_owned();
    for module in modules {
        let version = module.version.as_ref().map_or("", Line::as_str);
        let shadowed =
            module.shadowed_by.as_ref().map(|by| format!(", not taken for that in {by}"));
        let place = format!("{}{}", module.app, shadowed.unwrap_or_default());
        let (name, version, place) = (text(&module.name), text(version), text(&place));
        let _ = writeln!(body, "<tr><td>{name}<td>{version}<td class=\"quiet\">{place}");
    }
    body + "</table>\n"
}

/// The classes that can be called, a module at a time.
fn classes(interface: &Interface) -> String {
    let mut body = String::new();
    for (name, module) in interface.modules() {
        let defined = module.files().values().flatten().flatten();
        let public = defined.filter(|defined| defined.kind == What::Class && !defined.private);
        let classes: Vec<String> = public.map(class).collect();
        if !classes.is_empty() {
            let (name, count) = (text(name), counted(classes.len(), "class"));
            let _ = writeln!(
                body,
                "<details><summary>{name} <span class=\"quiet\">{count}</span></summary>\n{}</details>",
                classes.concat()
            );
        }
    }
    if body.is_empty() { body } else { format!("<h2>Classes</h2>\n{body}") }
}

fn class(class: &Definition) -> String {
    let mut body = format!("<h3><code>{}</code></h3>\n", text(&class.name));
    if let Some(summary) = &class.summary {
        let _ = writeln!(body, "<p>{}</p>", text(summary));
    }
    if !class.parameters.is_empty() {
        let parameters: String = class.parameters.iter().map(parameter).collect();
        let _ = writeln!(
            body,
            "<table>\n<thead><tr><th>Parameter<th>Type<th>Default<th></thead>\n{parameters}</table>"
        );
    }
    body
}

fn parameter(parameter: &Parameter) -> String {
    let default = match &parameter.default {
        Some(default) => format!("<code>{}</code>", text(default)),
        None => "<strong>required</strong>".to_owned(),
    };
    format!(
        "<tr><td><code>{}</code><td><code>{}</code><td>{default}<td>{}\n",
        text(&parameter.name),
        text(&shown(&parameter.of)),
        text(parameter.summary.as_deref().unwrap_or_default())
    )
}

fn packages(offer: &Offer, depth: usize) -> String {
    let links = offer.files.iter().map(|(format, link)| {
        let kib = link.bytes.div_ceil(1024);
        format!(
            "<a href=\"{}\">.{format}</a> <span class=\"quiet\">{kib} KiB</span>",
            up(&link.path, depth)
        )
    });
    links.collect::<Vec<_>>().join(" ")
}

fn badge(verdict: Verdict) -> String {
    let word = verdict.word();
    format!("<span class=\"{word}\">{word}</span>")
}

/// A path of the repository, from a page that is so many directories below it. No key
/// has a character that means anything in a URL or in HTML.
fn up(path: &str, depth: usize) -> String {
    "../".repeat(depth) + path
}

/// The day of a time of RFC 3339.
fn date(time: &str) -> String {
    text(time.split('T').next().unwrap_or_default())
}

fn counted(number: usize, what: &str) -> String {
    match (number, what.ends_with('s')) {
        (1, _) => format!("1 {what}"),
        (_, true) => format!("{number} {what}es"),
        (_, false) => format!("{number} {what}s"),
    }
}

fn page(title: &str, body: &str) -> String {
    let template = include_str!("../../../templates/page.html");
    // The body last: whatever is in it is not looked at again.
    template.replacen("@title@", &text(title), 1).replacen("@body@", body, 1)
}

/// Text, and nothing of it markup.
fn text(of: &str) -> String {
    let mut escaped = String::with_capacity(of.len());
    for c in of.chars() {
        match c {
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '&' => escaped.push_str("&amp;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Nor what lets text look like another: directions, and what has no width.
            '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
                escaped.push('\u{fffd}')
            }
            c if c.is_control() && c != '\n' => escaped.push('\u{fffd}'),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn text_is_no_markup_and_looks_like_what_it_is() {
        assert_eq!(text("<a\"'&>\n"), "&lt;a&quot;&#39;&amp;&gt;\n");
        assert_eq!(
            text("a\u{202e}b\u{200b}c\u{2066}d\u{7}"),
            "a\u{fffd}b\u{fffd}c\u{fffd}d\u{fffd}"
        );
        assert_eq!(text("\u{e9}\u{2013}"), "\u{e9}\u{2013}");
    }
}
