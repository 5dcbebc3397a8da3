//! dnf.
#![allow(clippy::disallowed_methods)]

use super::fs as files;
use super::package_manager::{Deed, Site, Wanted, refused, shown};
use super::process::{OnSignal, ProcessError};
use super::rpm;
use crate::model::command::{CommandLine, quote};
use crate::model::event::Event;
use crate::model::failure::Failure;
use crate::model::version::RPM_RELEASE;
use std::fs;
use std::path::Path;

/// Installs or downloads packages: at once where the metadata know them, else after a refresh of
/// them; and where no repository answers, of what was downloaded before.
pub fn get(site: &Site, deed: Deed, wanted: &[&Wanted]) -> Result<(), Failure> {
    let first = match dnf(site, deed, &[], wanted) {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    if site.signals.received().is_some() || !is_stale(first.stderr()) {
        return Err(refused(site, deed, shown(wanted), first));
    }
    let error = match dnf(site, deed, &["--refresh"], wanted) {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    // Metadata that are too old for dnf do for a package that is in its cache.
    let offline = deed == Deed::Install && is_unreachable(error.stderr());
    if offline
        && site.signals.received().is_none()
        && dnf(site, deed, &["--cacheonly"], wanted).is_ok()
    {
        return Ok(());
    }
    let packages: Vec<&str> = wanted.iter().map(|wanted| wanted.package.as_str()).collect();
    let below: String = below(site).iter().map(|option| format!(" {}", quote(option))).collect();
    let ask = format!("dnf list {}{below}", packages.join(" "));
    let hint = format!("is a repository with it configured? `{ask}`");
    Err(refused(site, deed, shown(wanted), error).hint(hint))
}

fn dnf(site: &Site, deed: Deed, options: &[&str], wanted: &[&Wanted]) -> Result<(), ProcessError> {
    let mut arguments = common(site);
    let directory;
    let verb: &[&str] = match deed {
        Deed::Install => &["install"],
        // Kept beyond the next transaction, whatever the node keeps.
        Deed::Download => &["--setopt=keepcache=True", "--downloadonly", "install"],
        Deed::Fetch(into) => {
            directory = format!("--destdir={into}");
            &["--downloadonly", &directory, "install"]
        }
        Deed::Remove => &["--setopt=clean_requirements_on_remove=False", "remove"],
    };
    arguments.extend(options.iter().chain(verb).map(|&option| option.to_owned()));
    arguments.extend(wanted.iter().map(|wanted| match (deed, &wanted.version) {
        (Deed::Install | Deed::Download | Deed::Fetch(_), Some(version)) => {
            format!("{}-{version}-{RPM_RELEASE}.noarch", wanted.package)
        }
        _ => wanted.package.to_string(),
    }));
    let line = CommandLine::new("dnf", arguments).environment(rpm::environment());
    match site.run(&line, OnSignal::Tell, is_locked) {
        Err(error) if is_half_made(error.stderr()) && set_history_aside(site) => {
            site.run(&line, OnSignal::Tell, is_locked).map(drop)
        }
        result => result.map(drop),
    }
}

/// The directories where dnf keeps what it downloaded.
pub fn caches(site: &Site) -> Vec<String> {
    let cache = site.state.at("/var/cache/dnf");
    let repositories = files::names(Path::new(&cache)).unwrap_or_default();
    repositories.iter().map(|name| format!("{cache}/{name}/packages")).collect()
}

/// Makes the next dnf ask whether its metadata are what the repositories have.
pub fn expire(site: &Site) -> Result<(), Failure> {
    let mut arguments = common(site);
    arguments.extend(["clean", "expire-cache"].map(str::to_owned));
    let line = CommandLine::new("dnf", arguments).environment(rpm::environment());
    let cleaned = site.run(&line, OnSignal::Tell, is_locked);
    cleaned.map(drop).map_err(|error| Failure::new("failed to expire metadata").because(error))
}

/// What makes dnf look at the node's root; none where that is `/`.
fn below(site: &Site) -> Vec<String> {
    let root = site.state.root();
    if root.is_empty() {
        return Vec::new();
    }
    let version = site.release_version.iter().map(|version| format!("--releasever={version}"));
    let own =
        [format!("--installroot={root}"), format!("--setopt=reposdir={root}/etc/yum.repos.d")];
    own.into_iter().chain(version).collect()
}

fn common(site: &Site) -> Vec<String> {
    let mut arguments: Vec<String> = vec!["-y".into()];
    // dnf would wait for its own lock without end.
    arguments.push("--setopt=exit_on_lock=True".into());
    arguments.push("--setopt=install_weak_deps=False".into());
    arguments.extend(below(site));
    arguments
}

/// True where the first dnf of a node was cut off while it made its history: a database without
/// tables, which no later dnf completes.
fn is_half_made(stderr: &str) -> bool {
    stderr.contains("history.sqlite") && stderr.contains("no such table: config")
}

/// Gives a history without tables another name; true where dnf can make a new one.
fn set_history_aside(site: &Site) -> bool {
    let path = site.state.at("/var/lib/dnf/history.sqlite");
    let text = format!("`{path}` was left without tables; it is set aside as `{path}.cut-off`");
    (site.say)(Event::Warning { text });
    // Its journals belong to it; they are not there where it was closed.
    for end in ["-wal", "-shm"] {
        let _ = fs::rename(format!("{path}{end}"), format!("{path}.cut-off{end}"));
    }
    fs::rename(&path, format!("{path}.cut-off")).is_ok()
}

/// Takes a package out, and nothing else with it.
pub fn remove(site: &Site, wanted: &Wanted) -> Result<(), Failure> {
    // dnf would take along what depends on it; rpm refuses.
    rpm::test_erase(site, wanted)
        .and_then(|()| dnf(site, Deed::Remove, &[], &[wanted]))
        .map_err(|error| refused(site, Deed::Remove, wanted, error))
}

/// True where another program holds dnf's or rpm's lock.
pub fn is_locked(stderr: &str) -> bool {
    let lower = stderr.to_ascii_lowercase();
    lower.contains("existing lock") || lower.contains("already locked by") || rpm::is_locked(stderr)
}

/// True where newer metadata may help.
fn is_stale(stderr: &str) -> bool {
    let signs = [
        "Unable to find a match",
        "No match for argument",
        "No package",
        "incorrect checksum",
        "Error downloading packages",
        "Cannot download",
    ];
    signs.iter().any(|sign| stderr.contains(sign))
}

/// True where no repository answers.
fn is_unreachable(stderr: &str) -> bool {
    let signs = ["Curl error", "Failed to download metadata", "Ignoring repositories"];
    signs.iter().any(|sign| stderr.contains(sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_dnf_says_tells_a_lock_from_stale_metadata() {
        let lock =
            "Existing lock /var/cache/dnf/metadata_lock.pid: another copy is running as pid 7.";
        assert!(is_locked(lock) && !is_stale(lock));
        assert!(is_locked(
            "Failed to obtain rpm transaction lock. Another transaction is in progress."
        ));
        let history = "SQLite error on \"/var/lib/dnf/history.sqlite\": no such table: config";
        assert!(is_half_made(history) && !is_stale(history));
        let missing =
            "No match for argument: x-1-1.noarch\nError: Unable to find a match: x-1-1.noarch";
        assert!(is_stale(missing) && !is_locked(missing));
    }
}
