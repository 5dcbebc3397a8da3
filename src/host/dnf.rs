//! dnf and rpm.

use super::package_manager::{Site, Wanted, refused};
use super::process::{self, OnSignal, ProcessError};
use crate::model::command::{CommandLine, Environment};
use crate::model::failure::Failure;

/// Installs a package: at once where the metadata know it, else after a refresh of them.
pub fn install(site: &Site, wanted: &Wanted) -> Result<(), Failure> {
    let first = match dnf(site, &[], wanted) {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    if site.signals.received().is_some() || !is_stale(first.stderr()) {
        return Err(refused(site, wanted, first.into()));
    }
    dnf(site, &["--refresh"], wanted).map_err(|error| {
        let hint = format!("is a repository with it configured? `dnf list {}`", wanted.package);
        let why = Failure::new(error.to_string()).hint(hint);
        refused(site, wanted, why.into())
    })
}

fn dnf(site: &Site, options: &[&str], wanted: &Wanted) -> Result<(), ProcessError> {
    let package = match &wanted.version {
        Some(version) => format!("{}-{version}-1.noarch", wanted.package),
        None => wanted.package.to_string(),
    };
    let mut arguments: Vec<String> = vec!["-y".into()];
    // dnf would wait for its own lock without end.
    arguments.push("--setopt=exit_on_lock=True".into());
    arguments.push("--setopt=install_weak_deps=False".into());
    if !site.state.root().is_empty() {
        let root = site.state.root();
        arguments.push(format!("--installroot={root}"));
        arguments.push(format!("--setopt=reposdir={root}/etc/yum.repos.d"));
        arguments
            .extend(site.release_version.iter().map(|version| format!("--releasever={version}")));
    }
    arguments.extend(options.iter().map(|&option| option.to_owned()));
    arguments.extend(["install".to_owned(), package]);
    let line = CommandLine::new("dnf", arguments).environment(environment());
    site.run(&line, OnSignal::Tell, is_locked).map(drop)
}

/// Installs a package file with rpm alone; looked at first, so that nothing is left half installed.
pub fn install_file(site: &Site, wanted: &Wanted, file: &str) -> Result<(), Failure> {
    let rpm = |arguments: &[&str]| {
        let arguments =
            root_option(site).into_iter().chain(arguments.iter().map(|&a| a.to_owned()));
        let line = CommandLine::new("rpm", arguments).environment(environment());
        site.run(&line, OnSignal::Finish, is_locked)
    };
    rpm(&["--install", "--test", file])
        .and_then(|_| rpm(&["--install", file]))
        .map(drop)
        .map_err(|error| refused(site, wanted, error.into()))
}

fn root_option(site: &Site) -> Vec<String> {
    match site.state.root() {
        "" => Vec::new(),
        root => vec!["--root".to_owned(), root.to_owned()],
    }
}

/// The version that is installed; an error where none is.
pub fn installed(site: &Site, wanted: &Wanted) -> Result<String, String> {
    let query = ["--query", "--queryformat", "%{VERSION}\n", wanted.package.as_str()];
    let arguments = root_option(site).into_iter().chain(query.map(str::to_owned));
    let line = CommandLine::new("rpm", arguments).environment(environment());
    let told = process::capture(&line, site.signals, OnSignal::Finish)
        .map_err(|error| format!("afterwards, it is not installed: {error}"))?;
    Ok(told.lines().last().unwrap_or_default().to_owned())
}

/// Where rpm is not the system's own, its database is in the home directory.
fn environment() -> Environment {
    Environment::Inherited(vec![("LC_ALL", "C".to_owned()), ("HOME", process::home("/"))])
}

/// True where another program holds dnf's or rpm's lock.
fn is_locked(stderr: &str) -> bool {
    let stderr = stderr.to_ascii_lowercase();
    stderr.contains("existing lock")
        || stderr.contains("already locked by")
        || stderr.contains("transaction lock")
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
        let missing =
            "No match for argument: x-1-1.noarch\nError: Unable to find a match: x-1-1.noarch";
        assert!(is_stale(missing) && !is_locked(missing));
    }
}
