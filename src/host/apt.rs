//! apt-get and dpkg.
//!
//! Below a root that is not `/`, apt is told by a configuration of its own
//! where everything is; the node's own apt is neither read nor changed.
#![allow(clippy::disallowed_methods)]

use super::package_manager::{Deed, Site, Wanted, refused, shown};
use super::process::{OnSignal, ProcessError};
use super::state::State;
use crate::model::command::{CommandLine, Environment, quote};
use crate::model::event::Event;
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use crate::model::package_manager::Recorded;
use std::error::Error;
use std::fs::{self, OpenOptions};
use std::io;

/// Without the option, apt-get update ends with 0 where no server answered.
const UPDATE: [&str; 4] = ["update", "-q", "-o", "APT::Update::Error-Mode=any"];

/// Installs or downloads packages: at once where the index knows them, else after a refresh of it.
pub fn get(site: &Site, deed: Deed, wanted: &[&Wanted]) -> Result<(), Failure> {
    let environment = environment(site)?;
    let refused = |why| refused(site, deed, shown(wanted), why);
    let missed = match attempt(site, &environment, deed, wanted) {
        Ok(()) => return Ok(()),
        Err(missed) => missed,
    };
    if !missed.stale || site.signals.received().is_some() {
        return Err(missed.hinted(refused));
    }
    let refresh = apt_get(site, &environment, &UPDATE.map(str::to_owned));
    match (attempt(site, &environment, deed, wanted), refresh) {
        (Ok(()), Ok(_)) => Ok(()),
        (Ok(()), Err(error)) => {
            // Another repository of the node may be down; this package came all the same.
            let text = format!("the index was not refreshed whole: {error}");
            (site.say)(Event::Warning { text });
            Ok(())
        }
        (Err(missed), Err(refresh)) => {
            let why = Failure::new(missed.why.to_string()).because(refresh);
            Err(refused(why.into()))
        }
        (Err(missed), Ok(_)) if !missed.stale => Err(missed.hinted(refused)),
        (Err(missed), Ok(_)) => {
            let packages: Vec<&str> = wanted.iter().map(|wanted| wanted.package.as_str()).collect();
            let below = match site.state.root() {
                "" => String::new(),
                _ => format!("APT_CONFIG={} ", quote(&configuration_file(site.state))),
            };
            let ask = format!("{below}apt-cache policy {}", packages.join(" "));
            Err(refused(missed.why).hint(format!("is a repository with it configured? `{ask}`")))
        }
    }
}

/// Reads the index anew, for what came by the old one was not what it should be.
pub fn refresh(site: &Site) -> Result<(), Failure> {
    let environment = environment(site)?;
    let refreshed = apt_get(site, &environment, &UPDATE.map(str::to_owned));
    refreshed.map(drop).map_err(|error| Failure::new("failed to refresh the index").because(error))
}

/// Why an attempt brought no package.
struct Missed {
    why: Box<dyn std::error::Error + Send + Sync>,
    /// True where a newer index may help.
    stale: bool,
    hint: Option<String>,
}

impl Missed {
    fn hinted(
        self,
        refused: impl FnOnce(Box<dyn std::error::Error + Send + Sync>) -> Failure,
    ) -> Failure {
        let failure = refused(self.why);
        match self.hint {
            Some(hint) => failure.hint(hint),
            None => failure,
        }
    }
}

/// apt-get ends with 0 where the index has no package of the name, so it is asked what it did.
fn attempt(
    site: &Site,
    environment: &Environment,
    deed: Deed,
    wanted: &[&Wanted],
) -> Result<(), Missed> {
    let arguments = arguments(site, deed, wanted);
    let told = match deed {
        // It writes where it is, and copies what a repository of files has too.
        Deed::Fetch(directory) => {
            let inside = [&format!("--chdir={directory}"), "apt-get"].map(str::to_owned);
            let line = CommandLine::new("env", inside.into_iter().chain(arguments));
            site.run(&line.environment(environment.clone()), OnSignal::Tell, is_locked)
        }
        _ => apt_get(site, environment, &arguments),
    };
    let told = told.map_err(|error| {
        let stale = is_stale(error.stderr());
        let hint = error.stderr().contains("Held packages were changed").then(|| {
            let package = &wanted[0].package;
            format!("it is on hold: `apt-mark showhold`, `apt-mark unhold {package}`")
        });
        Missed { why: error.into(), stale, hint }
    })?;
    let missed = |why: String| Missed { why: why.into(), stale: true, hint: None };
    wanted.iter().try_for_each(|wanted| match deed {
        Deed::Download | Deed::Fetch(_) if !names(&told, wanted.package.as_str()) => {
            Err(missed("apt-get did not name it among what it downloads".to_owned()))
        }
        Deed::Download | Deed::Fetch(_) | Deed::Remove => Ok(()),
        Deed::Install => match recorded(site, wanted) {
            Ok(Recorded::Installed(_)) => Ok(()),
            Ok(Recorded::Absent) => Err(missed("apt-get did nothing".to_owned())),
            Ok(Recorded::Broken(state)) => {
                Err(missed(format!("afterwards, dpkg has it as `{state}`")))
            }
            Err(error) => Err(missed(error.to_string())),
        },
    })
}

fn names(told: &str, package: &str) -> bool {
    told.split_whitespace().any(|word| word == package)
}

fn arguments(site: &Site, deed: Deed, wanted: &[&Wanted]) -> Vec<String> {
    let options: &[&str] = match deed {
        Deed::Remove => &["remove", "-q", "-y", "-o"],
        Deed::Install => &["install", "-q", "-y", "--no-install-recommends", "--no-remove", "-o"],
        Deed::Download => &[
            "install",
            "--download-only",
            "-q",
            "-y",
            "--no-install-recommends",
            "--no-remove",
            "-o",
        ],
        Deed::Fetch(_) => &["download", "-q", "-y", "-o"],
    };
    let options = options.iter().map(|&option| option.to_owned());
    let timeout = format!("DPkg::Lock::Timeout={}", site.lock_timeout);
    // What dpkg has to say goes to stderr, and not to a terminal of apt-get's.
    let plain = ["-o", "Dpkg::Use-Pty=0", "--"].map(str::to_owned);
    let packages = wanted.iter().map(|wanted| {
        let name = exactly(wanted.package.as_str());
        match (deed, &wanted.version) {
            (Deed::Install | Deed::Download | Deed::Fetch(_), Some(version)) => {
                format!("{name}={version}")
            }
            _ => name,
        }
    });
    options.chain([timeout]).chain(plain).chain(packages).collect()
}

/// A name that the index does not know is a regular expression to apt-get:
/// `foo-1.2` would bring `foo-1x2`. So it is always one, which matches nothing
/// but the name; apt knows `?exact-name(…)` since 2.0 only.
fn exactly(name: &str) -> String {
    format!("^{}$", name.replace('.', "\\.").replace('+', "\\+"))
}

/// Runs apt-get; where it says that dpkg was cut off, dpkg ends its work and apt-get is run again.
fn apt_get(
    site: &Site,
    environment: &Environment,
    arguments: &[String],
) -> Result<String, ProcessError> {
    let line = CommandLine::new("apt-get", arguments).environment(environment.clone());
    let first = site.run(&line, OnSignal::Tell, is_locked);
    match &first {
        Err(error) if error.stderr().contains("dpkg was interrupted") => {
            dpkg(site, environment, &["--configure", "-a"])?;
            site.run(&line, OnSignal::Tell, is_locked)
        }
        _ => first,
    }
}

/// The directories where apt-get keeps what it downloaded.
pub fn caches(site: &Site) -> Vec<String> {
    vec![site.state.at("/var/cache/apt/archives")]
}

/// Installs a package file with dpkg alone; looked at first, so that nothing is left half installed.
pub fn install_file(site: &Site, file: &str) -> Result<(), Box<dyn Error + Send + Sync>> {
    let environment = environment(site)?;
    dpkg(site, &environment, &["--no-act", "--install", file])
        .and_then(|_| dpkg(site, &environment, &["--install", file]))?;
    Ok(())
}

fn dpkg(
    site: &Site,
    environment: &Environment,
    arguments: &[&str],
) -> Result<String, ProcessError> {
    let arguments = root_option(site).into_iter().chain(arguments.iter().map(|&a| a.to_owned()));
    let line = CommandLine::new("dpkg", arguments).environment(environment.clone());
    site.run(&line, OnSignal::Finish, is_locked)
}

/// Lets dpkg end what it was cut off at; waits for a dpkg that is still at work.
pub fn settle(site: &Site) -> Result<(), Failure> {
    let environment = environment(site)?;
    dpkg(site, &environment, &["--configure", "-a"]).map(drop).map_err(|error| {
        Failure::new("dpkg was cut off, and failed to end its work")
            .exit(Exit::InstallFailed)
            .because(error)
    })
}

/// Takes one package out, in whatever state it is; its dependants are refused, never taken along.
pub fn erase(site: &Site, wanted: &Wanted) -> Result<(), Failure> {
    let environment = environment(site)?;
    let arguments = ["--purge", "--force-remove-reinstreq", wanted.package.as_str()];
    dpkg(site, &environment, &arguments)
        .map(drop)
        .map_err(|error| refused(site, Deed::Remove, wanted, error))
}

/// Takes a package out, and nothing else with it; one on hold stays.
pub fn remove(site: &Site, wanted: &Wanted) -> Result<(), Failure> {
    let environment = environment(site)?;
    let package = wanted.package.as_str();
    // apt-get would take along what depends on it; dpkg refuses.
    dpkg(site, &environment, &["--no-act", "--remove", package])
        .and_then(|_| apt_get(site, &environment, &arguments(site, Deed::Remove, &[wanted])))
        .map(drop)
        .map_err(|error| refused(site, Deed::Remove, wanted, error))
}

/// The locks of dpkg and of the programs above it (lib/dpkg/dbmodify.c).
pub fn locks(site: &Site) -> Vec<String> {
    ["/var/lib/dpkg/lock-frontend", "/var/lib/dpkg/lock"].map(|lock| site.state.at(lock)).to_vec()
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

/// What dpkg has of a package.
pub fn recorded(site: &Site, wanted: &Wanted) -> Result<Recorded, Failure> {
    let admindir = format!("--admindir={}", site.state.at("/var/lib/dpkg"));
    let format = "--showformat=${db:Status-Eflag} ${db:Status-Status} ${Version}";
    let arguments = [&admindir, "--show", format, wanted.package.as_str()];
    let line = CommandLine::new("dpkg-query", arguments).environment(environment(site)?);
    match super::process::capture(&line, site.signals, OnSignal::Finish) {
        Ok(told) => Ok(status(&told)),
        Err(error) if error.stderr().contains("no packages found matching") => Ok(Recorded::Absent),
        Err(error) => Err(Failure::new(format!("failed to ask dpkg for {wanted}"))
            .exit(Exit::InstallFailed)
            .because(error)),
    }
}

/// A package without conffiles passes through `config-files` while it is removed, and is left there where
/// that was cut off.
fn status(told: &str) -> Recorded {
    let words: Vec<&str> = told.split_whitespace().collect();
    match words[..] {
        ["ok", "installed", version] => Recorded::Installed(version.to_owned()),
        ["ok", "not-installed", ..] => Recorded::Absent,
        [flag, state, ..] if flag != "ok" => Recorded::Broken(format!("{state}, {flag}")),
        [_, state, ..] => Recorded::Broken(state.to_owned()),
        _ => Recorded::Absent,
    }
}

/// True where another program holds a lock. `DPkg::Lock::Timeout` does not cover
/// those of the lists and of the archives, nor any for dpkg by itself.
pub fn is_locked(stderr: &str) -> bool {
    stderr.contains("Could not get lock")
        || stderr.contains("Unable to lock")
        || stderr.contains("Unable to acquire the dpkg")
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

fn environment(site: &Site) -> Result<Environment, Failure> {
    let mut set = vec![
        ("LC_ALL", "C".to_owned()),
        ("DEBIAN_FRONTEND", "noninteractive".to_owned()),
        // Puppet code in a package is no reason to restart a service.
        ("NEEDRESTART_SUSPEND", "1".to_owned()),
    ];
    if !site.state.root().is_empty() {
        let configuration =
            prepare(site.state).map_err(|failure| failure.exit(Exit::InstallFailed))?;
        set.push(("APT_CONFIG", configuration));
    }
    Ok(Environment::Inherited(set))
}

fn configuration_file(state: &State) -> String {
    format!("{}/apt/apt.conf", state.directory())
}

/// Makes a root one that apt and dpkg can work in, and returns apt's configuration for it.
fn prepare(state: &State) -> Result<String, Failure> {
    let root = state.root();
    state.subdirectory("apt")?;
    let path = configuration_file(state);
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
    fn what_dpkg_has_of_a_package_is_read_from_its_status() {
        assert_eq!(status("ok installed 1~rc1"), Recorded::Installed("1~rc1".to_owned()));
        assert_eq!(status("ok not-installed "), Recorded::Absent);
        assert_eq!(status("ok unpacked 1"), Recorded::Broken("unpacked".to_owned()));
        let broken = Recorded::Broken("half-installed, reinstreq".to_owned());
        assert_eq!(status("reinstreq half-installed 1"), broken);
        assert!(matches!(status("reinstreq installed 1"), Recorded::Broken(_)));
    }

    #[test]
    fn what_apt_says_tells_a_lock_from_a_stale_index() {
        let lists = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt)\nE: Unable to lock directory /var/lib/apt/lists/";
        assert!(is_locked(lists) && !is_stale(lists));
        let dpkg = "dpkg: error: dpkg frontend lock was locked by another process with pid 7";
        assert!(is_locked(dpkg));
        assert!(is_locked(
            "E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?"
        ));
        let missing = "E: Version '1' for 'localpuppet-foo-r1' was not found";
        assert!(is_stale(missing) && !is_locked(missing));
        assert!(is_stale("E: Unable to locate package localpuppet-foo-r1"));
        assert!(is_stale("E: Failed to fetch file:/x.deb  File has unexpected size (884 != 872)."));
        assert!(!is_stale("E: Held packages were changed and -y was used"));
    }
}
