//! apt-get and dpkg.
//!
//! Below a root that is not `/`, apt is told by a configuration of its own
//! where everything is; the node's own apt is neither read nor changed.
#![allow(clippy::disallowed_methods)]

use super::package_manager::{Site, Wanted, refused};
use super::process::{OnSignal, ProcessError};
use super::state::State;
use crate::model::command::{CommandLine, Environment};
use crate::model::event::Event;
use crate::model::failure::Failure;
use std::fs::{self, OpenOptions};
use std::io;

/// Installs a package: at once where the index knows it, else after a refresh of the index.
pub fn install(site: &Site, wanted: &Wanted) -> Result<(), Failure> {
    let environment = environment(site, wanted)?;
    let missed = match attempt(site, &environment, wanted) {
        Ok(()) => return Ok(()),
        Err(missed) => missed,
    };
    if !missed.stale || site.signals.received().is_some() {
        return Err(refused(site, wanted, missed.why));
    }
    // Without the option, apt-get update ends with 0 where no server answered.
    let update = ["update", "-q", "-o", "APT::Update::Error-Mode=any"].map(str::to_owned);
    let refresh = get(site, &environment, &update);
    match (attempt(site, &environment, wanted), refresh) {
        (Ok(()), Ok(())) => Ok(()),
        (Ok(()), Err(error)) => {
            // Another repository of the node may be down; this package came all the same.
            let text = format!("the index was not refreshed whole: {error}");
            (site.say)(Event::Warning { text });
            Ok(())
        }
        (Err(missed), Err(refresh)) => {
            let why = Failure::new(missed.why.to_string()).because(refresh);
            Err(refused(site, wanted, why.into()))
        }
        (Err(missed), Ok(())) => Err(refused(site, wanted, missed.why).hint(format!(
            "is a repository with it configured? `apt-cache policy {}`",
            wanted.package
        ))),
    }
}

/// Why an attempt brought no package.
struct Missed {
    why: Box<dyn std::error::Error + Send + Sync>,
    /// True where a newer index may help.
    stale: bool,
}

/// apt-get ends with 0 where the index has no package of the name, so dpkg is asked.
fn attempt(site: &Site, environment: &Environment, wanted: &Wanted) -> Result<(), Missed> {
    get(site, environment, &install_arguments(site, wanted)).map_err(|error| {
        let stale = is_stale(error.stderr());
        Missed { why: error.into(), stale }
    })?;
    let found = installed(site, wanted);
    found.map(drop).map_err(|why| Missed { why: why.into(), stale: true })
}

fn install_arguments(site: &Site, wanted: &Wanted) -> Vec<String> {
    let name = exactly(wanted.package.as_str());
    let package = match &wanted.version {
        Some(version) => format!("{name}={version}"),
        None => name,
    };
    let timeout = format!("DPkg::Lock::Timeout={}", site.lock_timeout);
    let options = ["install", "-q", "-y", "--no-install-recommends", "--no-remove", "-o"];
    let options = options.into_iter().map(str::to_owned);
    options.chain([timeout, "--".to_owned(), package]).collect()
}

/// A name that the index does not know is a regular expression to apt-get:
/// `foo-1.2` would bring `foo-1x2`. So it is always one, which matches nothing
/// but the name; apt knows `?exact-name(…)` since 2.0 only.
fn exactly(name: &str) -> String {
    format!("^{}$", name.replace('.', "\\.").replace('+', "\\+"))
}

fn get(site: &Site, environment: &Environment, arguments: &[String]) -> Result<(), ProcessError> {
    let line = CommandLine::new("apt-get", arguments).environment(environment.clone());
    site.run(&line, OnSignal::Tell, is_locked).map(drop)
}

/// Installs a package file with dpkg alone; looked at first, so that nothing is left half installed.
pub fn install_file(site: &Site, wanted: &Wanted, file: &str) -> Result<(), Failure> {
    let environment = environment(site, wanted)?;
    let dpkg = |arguments: &[&str]| {
        let arguments =
            root_option(site).into_iter().chain(arguments.iter().map(|&a| a.to_owned()));
        let line = CommandLine::new("dpkg", arguments).environment(environment.clone());
        site.run(&line, OnSignal::Finish, is_locked)
    };
    dpkg(&["--no-act", "--install", file])
        .and_then(|_| dpkg(&["--install", file]))
        .map(drop)
        .map_err(|error| refused(site, wanted, error.into()))
}

fn root_option(site: &Site) -> Vec<String> {
    match site.state.root() {
        "" => Vec::new(),
        root => vec![
            format!("--root={root}"),
            format!("--log={root}/var/log/dpkg.log"),
            "--force-not-root".to_owned(),
            "--force-script-chrootless".to_owned(),
        ],
    }
}

/// The version that is installed, whole; an error where none is.
pub fn installed(site: &Site, wanted: &Wanted) -> Result<String, String> {
    let admindir = format!("--admindir={}", site.state.at("/var/lib/dpkg"));
    let format = "--showformat=${db:Status-Status} ${Version}";
    let arguments = [&admindir, "--show", format, wanted.package.as_str()];
    let environment = Environment::Inherited(vec![("LC_ALL", "C".to_owned())]);
    let line = CommandLine::new("dpkg-query", arguments).environment(environment);
    let told = super::process::capture(&line, site.signals, OnSignal::Finish)
        .map_err(|error| format!("apt-get did nothing: {error}"))?;
    match told.trim_end().split_once(' ') {
        Some(("installed", version)) => Ok(version.to_owned()),
        _ => Err(format!("afterwards, dpkg has it as `{}`", told.trim_end())),
    }
}

/// True where a lock is held that `DPkg::Lock::Timeout` does not cover: those
/// of the lists and of the archives; and for dpkg by itself any.
fn is_locked(stderr: &str) -> bool {
    stderr.contains("Could not get lock")
        || stderr.contains("Unable to lock")
        || stderr.contains("locked by another process")
}

/// True where a newer index may help.
fn is_stale(stderr: &str) -> bool {
    let signs = [
        "Unable to locate package",
        "was not found",
        "has no installation candidate",
        "Couldn't find any package",
        "Failed to fetch",
        "Unable to fetch",
        "unexpected size",
        "Hash Sum mismatch",
    ];
    signs.iter().any(|sign| stderr.contains(sign))
}

fn environment(site: &Site, wanted: &Wanted) -> Result<Environment, Failure> {
    let mut set = vec![
        ("LC_ALL", "C".to_owned()),
        ("DEBIAN_FRONTEND", "noninteractive".to_owned()),
        // Puppet code in a package is no reason to restart a service.
        ("NEEDRESTART_SUSPEND", "1".to_owned()),
    ];
    if !site.state.root().is_empty() {
        let configuration =
            prepare(site.state).map_err(|cause| refused(site, wanted, cause.into()))?;
        set.push(("APT_CONFIG", configuration));
    }
    Ok(Environment::Inherited(set))
}

/// Makes a root one that apt and dpkg can work in, and returns apt's configuration for it.
fn prepare(state: &State) -> Result<String, Failure> {
    let root = state.root();
    let directory = state.subdirectory("apt")?;
    let path = format!("{directory}/apt.conf");
    let write = || {
        for needed in [
            "/var/lib/dpkg/updates",
            "/var/lib/dpkg/info",
            "/var/lib/apt/lists/partial",
            "/var/cache/apt/archives/partial",
            "/var/log/apt",
            "/etc/apt/apt.conf.d",
            "/etc/apt/preferences.d",
            "/etc/apt/sources.list.d",
            "/etc/apt/trusted.gpg.d",
        ] {
            fs::create_dir_all(format!("{root}{needed}"))?;
        }
        let status = format!("{root}/var/lib/dpkg/status");
        OpenOptions::new().append(true).create(true).open(status)?;
        fs::write(&path, configuration(root))
    };
    write().map_err(|error: io::Error| {
        Failure::new(format!("failed to prepare `{root}` for apt")).because(error)
    })?;
    Ok(path)
}

/// No character of `root` is special to apt: see `plan::apply::unfit_for_puppet`.
fn configuration(root: &str) -> String {
    format!(
        r#"Dir "{root}";
Dir::State "{root}/var/lib/apt";
Dir::State::status "{root}/var/lib/dpkg/status";
Dir::Cache "{root}/var/cache/apt";
Dir::Etc "{root}/etc/apt";
Dir::Log "{root}/var/log/apt";
DPkg::Options {{ "--root={root}"; "--log={root}/var/log/dpkg.log"; "--force-not-root"; "--force-script-chrootless"; }};
APT::Sandbox::User "root";
"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_regular_expression_of_itself_alone() {
        assert_eq!(exactly("localpuppet-c+2b-1.2"), r"^localpuppet-c\+2b-1\.2$");
    }

    #[test]
    fn what_apt_says_tells_a_lock_from_a_stale_index() {
        let lists = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt)\nE: Unable to lock directory /var/lib/apt/lists/";
        assert!(is_locked(lists) && !is_stale(lists));
        let dpkg = "dpkg: error: dpkg frontend lock was locked by another process with pid 7";
        assert!(is_locked(dpkg));
        let missing = "E: Version '1' for 'localpuppet-foo-r1' was not found";
        assert!(is_stale(missing) && !is_locked(missing));
        assert!(is_stale("E: Unable to locate package localpuppet-foo-r1"));
        assert!(is_stale("E: Failed to fetch file:/x.deb  File has unexpected size (884 != 872)."));
        assert!(!is_stale("E: Held packages were changed and -y was used"));
    }
}
