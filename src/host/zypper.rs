//! zypper.

use super::package_manager::{Deed, Site, Wanted, refused, shown};
use super::process::{self, OnSignal, ProcessError};
use super::{fs as files, rpm};
use crate::model::command::{CommandLine, Environment};
use crate::model::event::Event;
use crate::model::failure::Failure;
use crate::model::version::RPM_RELEASE;
use std::path::Path;

/// Installs or downloads packages: at once where the metadata know them, which needs no network
/// for what was downloaded before; else after a refresh of them.
pub fn get(site: &Site, deed: Deed, wanted: &[&Wanted]) -> Result<(), Failure> {
    let first = match attempt(site, deed, wanted) {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    if site.signals.received().is_some() || !is_stale(first.code()) || is_locked(first.stderr()) {
        return Err(refused(site, deed, shown(wanted), first));
    }
    let refresh = zypper(site, &["refresh"]);
    match (attempt(site, deed, wanted), refresh) {
        (Ok(()), Ok(())) => Ok(()),
        (Ok(()), Err(error)) => {
            // Another repository of the node may be down; this package came all the same.
            let text = format!("the metadata were not refreshed whole: {error}");
            (site.say)(Event::Warning { text });
            Ok(())
        }
        (Err(missed), Ok(())) => {
            let packages = wanted.iter().map(|wanted| wanted.package.as_str());
            let ask = format!("zypper search -s {}", packages.collect::<Vec<_>>().join(" "));
            let hint = format!("is a repository with it configured? `{ask}`");
            Err(refused(site, deed, shown(wanted), missed).hint(hint))
        }
        (Err(missed), Err(refresh)) => {
            // zypper trusts no key by itself, not even one that a repository names.
            let unsigned = refresh.stderr().contains("Signature verification failed");
            let why = Failure::new(missed.to_string()).because(refresh);
            let failure = refused(site, deed, shown(wanted), why);
            Err(match unsigned {
                true => failure.hint("is the key of the repository trusted? `rpm --import KEY`"),
                false => failure,
            })
        }
    }
}

/// Reads the metadata anew, for what came by the old ones was not what it should be.
pub fn forget(site: &Site) -> Result<(), Failure> {
    let refreshed = zypper(site, &["refresh"]);
    refreshed.map_err(|error| Failure::new("failed to refresh metadata").because(error))
}

/// Takes a package out, and nothing else with it.
pub fn remove(site: &Site, wanted: &Wanted) -> Result<(), Failure> {
    let package = format!("{}.noarch", wanted.package);
    // zypper would take along what depends on it; rpm refuses.
    rpm::test_erase(site, wanted)
        .and_then(|()| zypper(site, &["remove", "--no-clean-deps", "--name", &package]))
        .map_err(|error| refused(site, Deed::Remove, wanted, error))
}

/// The directories where zypper keeps what it downloaded.
pub fn caches(site: &Site) -> Vec<String> {
    directories(site.state.at("/var/cache/zypp/packages"))
}

/// A directory and those below it: zypper puts a package where it is in its repository, below the
/// name of that.
pub fn directories(top: String) -> Vec<String> {
    let mut found = vec![top];
    let mut at = 0;
    while let Some(directory) = found.get(at).cloned() {
        let names = files::names(Path::new(&directory)).unwrap_or_default();
        let paths = names.into_iter().map(|name| format!("{directory}/{name}"));
        found.extend(paths.filter(|path| {
            files::kind(Path::new(path)).is_ok_and(|kind| kind.is_some_and(|kind| kind.is_dir()))
        }));
        at += 1;
    }
    found
}

fn attempt(site: &Site, deed: Deed, wanted: &[&Wanted]) -> Result<(), ProcessError> {
    let names: Vec<String> = wanted.iter().map(|wanted| name(wanted)).collect();
    let names = names.iter().map(String::as_str);
    let common = ["--no-recommends", "--name"];
    let verb = match deed {
        Deed::Fetch(into) => {
            vec!["--no-refresh", "--pkg-cache-dir", into, "install", "--download-only"]
        }
        Deed::Download => vec!["--no-refresh", "install", "--download-only"],
        Deed::Install | Deed::Remove => vec!["--no-refresh", "install"],
    };
    zypper(site, &verb.into_iter().chain(common).chain(names).collect::<Vec<_>>())
}

/// A package, and nothing that only provides its name.
fn name(wanted: &Wanted) -> String {
    let version = wanted.version.as_ref().map(|version| format!("={version}-{RPM_RELEASE}"));
    format!("{}.noarch{}", wanted.package, version.unwrap_or_default())
}

fn zypper(site: &Site, arguments: &[&str]) -> Result<(), ProcessError> {
    let root = match site.state.root() {
        "" => vec![],
        root => vec!["--root", root],
    };
    let arguments = ["--non-interactive"].iter().chain(&root).chain(arguments);
    let line = CommandLine::new("zypper", arguments.copied()).environment(environment(site));
    match site.run(&line, OnSignal::Tell, is_locked) {
        Err(error) if is_done(error.code()) => Ok(()),
        result => result.map(drop),
    }
}

fn environment(site: &Site) -> Environment {
    let mut set = vec![
        ("LC_ALL", "C".to_owned()),
        // Where rpm is not the system's own, its database is in the home directory.
        ("HOME", process::home("/")),
        // zypper is run again while its lock is held.
        ("ZYPP_LOCK_TIMEOUT", "0".to_owned()),
    ];
    if !site.state.root().is_empty() {
        // It would write to the machine's own.
        set.push(("ZYPP_LOGFILE", site.state.at("/var/log/zypper.log")));
    }
    Environment::Inherited(set)
}

/// True where another program holds zypper's or rpm's lock.
pub fn is_locked(stderr: &str) -> bool {
    stderr.contains("System management is locked") || rpm::is_locked(stderr)
}

/// True where all was done, and zypper has a note on it: that a restart is needed, or that a
/// repository was left out.
fn is_done(code: Option<i32>) -> bool {
    matches!(code, Some(102 | 103 | 106))
}

/// True where newer metadata may help: nothing can be solved, a download failed, nothing of the
/// name is known.
fn is_stale(code: Option<i32>) -> bool {
    matches!(code, Some(4 | 8 | 104))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::app::{AppPath, Release};

    #[test]
    fn what_zypper_says_tells_a_lock_from_stale_metadata() {
        let lock = "System management is locked by the application with pid 7 (zypper).\n";
        assert!(is_locked(lock) && !is_stale(Some(7)) && !is_done(Some(7)));
        assert!(is_locked("error: can't create transaction lock on /x (Resource unavailable)"));
        assert!(!is_locked("Package 'x.noarch=1-1' not found.") && is_stale(Some(104)));
        assert!(is_done(Some(106)) && !is_stale(Some(106)));
        // A script of a package failed.
        assert!(!is_done(Some(107)) && !is_stale(Some(107)) && !is_done(None));
    }

    #[test]
    fn a_package_is_asked_for_at_one_version() {
        let path: AppPath = "foo/tags/1.0-rc1".parse().unwrap();
        let release = Release::of(&path).unwrap();
        let version = crate::model::version::Version::of_tag("1.0-rc1").ok();
        let wanted = Wanted { package: release.package_name(), version };
        assert_eq!(name(&wanted), "localpuppet-foo-1.0-rc1.noarch=1.0~rc1-1");
        let wanted = Wanted { version: None, ..wanted };
        assert_eq!(name(&wanted), "localpuppet-foo-1.0-rc1.noarch");
    }
}
