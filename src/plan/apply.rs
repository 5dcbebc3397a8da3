//! What `apply` shall do: which package manager, which package, which command
//! line of Puppet; and what came of it.

use crate::model::app::{AppPath, Line, Release, directory_name};
use crate::model::bundle::{Bundle, MODULE_ROOT};
use crate::model::catalog::Away;
use crate::model::certname::Certname;
use crate::model::command::{CommandLine, Environment};
use crate::model::package_manager::PackageManager;
use crate::model::puppet_report::{PuppetReport, Status};
use crate::model::redaction::unstyled;
use crate::model::run::{Mode, Outcome};
use crate::model::version::Version;

/// Why the package manager of a node is not known.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("neither `ID` nor `ID_LIKE` names a system with apt, dnf or zypper, found `{0}`")]
pub struct UnknownSystem(String);

/// What a system says of itself in its os-release(5).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct System {
    /// `ID`, and what `ID_LIKE` says it is like.
    names: String,
    version: String,
}

impl System {
    /// Reads an os-release(5); what is not in it is empty.
    pub fn of(os_release: &str) -> Self {
        let value = |key: &str| {
            let mut lines = os_release.lines().rev();
            let value = lines.find_map(|line| line.trim().strip_prefix(key)?.strip_prefix('='));
            value.unwrap_or_default().trim_matches(['"', '\'']).to_owned()
        };
        let names = format!("{} {}", value("ID"), value("ID_LIKE"));
        System { names: names.trim().to_owned(), version: value("VERSION_ID") }
    }

    /// Its package manager.
    pub fn package_manager(&self) -> Result<PackageManager, UnknownSystem> {
        let known = self.names.split_whitespace().find_map(|name| match name {
            "debian" | "ubuntu" => Some(PackageManager::Apt),
            "rhel" | "fedora" | "centos" | "rocky" | "almalinux" | "ol" | "amzn" => {
                Some(PackageManager::Dnf)
            }
            "suse" | "opensuse" | "sles" | "sled" => Some(PackageManager::Zypper),
            _ => None,
        });
        known.ok_or_else(|| UnknownSystem(self.names.clone()))
    }

    /// dnf's `$releasever`: `VERSION_ID` without a minor.
    pub fn release_version(&self) -> Option<String> {
        let major = self.version.split('.').next()?;
        let number = !major.is_empty() && major.bytes().all(|b| b.is_ascii_digit());
        number.then(|| major.to_owned())
    }
}

/// The version that a release has where its tag says so; another one was given to `bundle` by hand.
pub fn version(release: &Release) -> Option<Version> {
    Version::of_tag(release.tag()?).ok()
}

/// Puppet code on this node, as Puppet is told of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    pub app: AppPath,
    pub modulepath: Vec<String>,
    /// The app's own `hiera.yaml`, where it has one.
    pub hiera: Option<String>,
}

/// The code of a release that is installed below a root (`/` is empty).
pub fn code(root: &str, bundle: &Bundle) -> Code {
    let own = format!("{MODULE_ROOT}/{}/hiera.yaml", bundle.app);
    let has_own = bundle.files.iter().any(|node| node.path().as_str() == own);
    let directories = bundle.searched().into_iter();
    Code {
        app: bundle.app.clone(),
        modulepath: directories.map(|entry| format!("{root}{}", entry.directory)).collect(),
        hiera: has_own.then(|| format!("{root}{}/{own}", bundle.directory())),
    }
}

/// Where one run of Puppet keeps its things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Places {
    /// This run's directory: configuration, ENC, log, report.
    pub run: String,
    /// This app's directory, the same for every run: Puppet's `vardir` and all it remembers.
    pub memory: String,
}

/// What stands around a run of Puppet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Surroundings {
    /// Puppet's program as found.
    pub puppet: String,
    pub home: String,
    /// The node's name, where the operator gives it another than Puppet would.
    pub certname: Option<Certname>,
    /// Which of [`PASSED`] this process has.
    pub passed: Vec<&'static str>,
    /// Whether Puppet's colours arrive at a terminal.
    pub colour: Colour,
    pub compiled: Compiled,
}

/// What becomes of a catalog that Puppet has compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compiled {
    Applied,
    /// It is kept in the run's directory, and then applied only where this command ends well: the
    /// same process compiles, asks and applies, so that nothing comes between.
    AppliedIf {
        command: String,
    },
}

/// The directory in a run's directory that Puppet keeps its catalog below.
pub const CATALOG: &str = "catalog";

/// The file there in which Puppet names the resources that it will look after.
pub const RESOURCES: &str = "resources.txt";

/// Whether Puppet's output is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    Yes,
    No,
}

/// The variables that Puppet's run may need from this process: how to reach
/// the network, and how its terminal is driven. All others are left out.
pub const PASSED: [&str; 10] = [
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "NO_PROXY",
    "TERM",
    "TZ",
];

const PATH: &str =
    "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/puppetlabs/bin";

/// The first character of a path that Puppet would take for its own: settings
/// are split at white space, `:` and `,`, `$` begins a setting's name, and the
/// rest are patterns where it looks for custom facts.
pub fn unfit_for_puppet(path: &str) -> Option<char> {
    path.chars().find(|&c| !(c.is_ascii_alphanumeric() || "/._-+~@%=".contains(c)))
}

/// The command line of Puppet: nothing of the node's own Puppet configuration has a part in it.
pub fn puppet(code: &Code, places: &Places, around: &Surroundings, mode: Mode) -> CommandLine {
    let (run, memory) = (&places.run, &places.memory);
    let hiera = code.hiera.clone().unwrap_or_else(|| format!("{run}/hiera.yaml"));
    let mut arguments: Vec<String> = vec!["apply".into(), "--detailed-exitcodes".into()];
    let mut flag = |text: &str| arguments.push(text.to_owned());
    flag(if mode == Mode::Noop { "--noop" } else { "--no-noop" });
    if around.colour == Colour::No {
        flag("--color=false");
    }
    let settings = [
        ("confdir", format!("{run}/conf")),
        ("vardir", format!("{memory}/var")),
        ("rundir", format!("{memory}/run")),
        ("logdir", format!("{memory}/log")),
        // There is none on purpose: an environment of the node would bring its own data and modules.
        ("environmentpath", format!("{run}/environments")),
        ("environment", "production".to_owned()),
        ("hiera_config", hiera),
        ("modulepath", code.modulepath.join(":")),
        ("config_version", format!("/bin/echo {}", stamp(&code.app))),
        ("node_terminus", "exec".to_owned()),
        ("external_nodes", format!("/bin/sh {run}/enc.sh")),
        ("route_file", format!("{run}/routes.yaml")),
        ("lastrunreport", format!("{run}/report.json")),
        ("lastrunfile", format!("{run}/summary.yaml")),
        ("reports", "none".to_owned()),
        ("logdest", format!("{run}/log.txt")),
        ("logdest", format!("{run}/log.jsonl")),
        ("logdest", "console".to_owned()),
    ];
    let certname = around.certname.as_ref().map(|certname| ("certname", certname.to_string()));
    let condition = match &around.compiled {
        Compiled::Applied => Vec::new(),
        Compiled::AppliedIf { command } => vec![
            ("catalog_cache_terminus", "json".to_owned()),
            ("client_datadir", format!("{run}/{CATALOG}")),
            ("prerun_command", command.clone()),
            ("classfile", format!("{run}/classes.txt")),
            ("resourcefile", format!("{run}/{RESOURCES}")),
        ],
    };
    if let Compiled::AppliedIf { .. } = &around.compiled {
        arguments.push("--write-catalog-summary".to_owned());
    }
    for (name, value) in settings.into_iter().chain(certname).chain(condition) {
        arguments.extend([format!("--{name}"), value]);
    }
    arguments.push(format!("{run}/default.pp"));
    CommandLine::new(&around.puppet, arguments).environment(environment(around))
}

fn environment(around: &Surroundings) -> Environment {
    let directory = around.puppet.rsplit_once('/').map_or("", |(directory, _)| directory);
    // A Puppet of a Ruby that lies elsewhere finds that Ruby beside itself.
    let path = match PATH.split(':').any(|known| known == directory) || directory.is_empty() {
        true => PATH.to_owned(),
        false => format!("{directory}:{PATH}"),
    };
    Environment::Only {
        set: vec![
            ("HOME", around.home.clone()),
            ("LANG", "C.UTF-8".to_owned()),
            ("LC_ALL", "C.UTF-8".to_owned()),
            ("PATH", path),
        ],
        passed: around.passed.clone(),
    }
}

/// The directories that a catalog of this code may name, and what stands for them in a plan: where
/// the code is, and where the run is, is no part of it.
pub fn away(code: &Code, places: &Places) -> Vec<Away> {
    let away = |directory: &str, stands: String| Away { directory: directory.to_owned(), stands };
    let code = code.modulepath.iter().enumerate();
    let code = code.map(|(at, directory)| away(directory, format!("@modulepath{at}@")));
    let own = [(&places.run, "@run@"), (&places.memory, "@memory@")];
    code.chain(own.map(|(directory, stands)| away(directory, stands.to_owned()))).collect()
}

/// The release as one word, for `configuration_version` in Puppet's reports: `foo-r1`.
fn stamp(app: &AppPath) -> String {
    match app.line() {
        Line::Tag { name, tag } => format!("{name}-{tag}"),
        Line::Branch { name, branch } => format!("{name}-branches/{branch}"),
        Line::Trunk { name } => format!("{name}-trunk"),
        Line::Other => app.to_string(),
    }
}

/// The name of the directory that Puppet remembers an app in; one component, no two apps the same.
pub fn memory(app: &AppPath) -> String {
    directory_name(app.source())
}

/// How Puppet's process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Exited(i32),
    /// A signal from elsewhere ended it.
    Killed(i32),
    /// It was ended because this process was told to end.
    Interrupted(i32),
}

/// The outcome of a run. `report` is this run's own; without one, nothing was applied.
pub fn outcome(ended: Ended, report: Option<&PuppetReport>, mode: Mode) -> Outcome {
    let code = match ended {
        Ended::Interrupted(_) => return Outcome::Interrupted,
        // The kernel's, where memory ran out, or an operator's.
        Ended::Killed(_) => return Outcome::Interrupted,
        Ended::Exited(code) => code,
    };
    let Some(report) = report else {
        return if code == 1 { Outcome::CompileFailed } else { Outcome::Failed };
    };
    if report.noop != (mode == Mode::Noop) {
        return Outcome::Failed;
    }
    match code {
        0 if report.status == Status::Failed => Outcome::Failed,
        0 if report.noop_pending => Outcome::WouldChange,
        0 => Outcome::Unchanged,
        2 => Outcome::Changed,
        4 => Outcome::Failed,
        6 => Outcome::ChangedAndFailed,
        1 => of_exit_1(report),
        _ => Outcome::Failed,
    }
}

/// True where Puppet said that it was through a catalog, or told of a resource
/// in one: on a full disk it leaves no report of that.
pub fn has_begun(stdout: &str) -> bool {
    stdout.contains("Applied catalog in ") || stdout.contains("/Stage[main]")
}

/// Puppet's 1 with a report: a dependency cycle or a failed prerun command
/// (nothing was applied), a signal from elsewhere, a failed postrun command.
fn of_exit_1(report: &PuppetReport) -> Outcome {
    let resources = report.resources();
    match (report.transaction_completed, report.status) {
        (_, Status::Changed | Status::Unchanged) => Outcome::PostrunFailed,
        (Some(false), _) if !report.has_begun() => Outcome::CompileFailed,
        _ if resources.changed > 0 => Outcome::ChangedAndFailed,
        _ if resources.failed > 0 => Outcome::Failed,
        _ => Outcome::Failed,
    }
}

/// Why Puppet did not compile, from the lines of its JSON log: the last error
/// that is not a complaint of Facter's. What Puppet says it `got` is a
/// parameter's value, and left out.
pub fn reason(log: &str) -> Option<String> {
    let errors = log.lines().rev().filter_map(|line| {
        let entry: serde_json::Value = serde_json::from_str(line).ok()?;
        let level = entry.get("level")?.as_str()?;
        let facter = entry.get("source").and_then(|source| source.as_str()) == Some("Facter");
        let error = matches!(level, "err" | "alert" | "emerg" | "crit") && !facter;
        error.then(|| entry.get("message")?.as_str().map(without_value)).flatten()
    });
    errors.into_iter().next()
}

/// The last line of a text that has one; see [`reason`].
pub fn last_line(text: &str) -> Option<String> {
    text.lines().rev().find(|line| !line.trim().is_empty()).map(without_value)
}

/// True where Puppet's exit code alone says what came of the run.
pub fn is_borne_out(ended: Ended, outcome: Outcome) -> bool {
    use Outcome::{Changed, ChangedAndFailed, Failed, Unchanged, WouldChange};
    match ended {
        Ended::Exited(0) => matches!(outcome, Unchanged | WouldChange),
        Ended::Exited(2) => outcome == Changed,
        Ended::Exited(4) => outcome == Failed,
        Ended::Exited(6) => outcome == ChangedAndFailed,
        _ => false,
    }
}

/// What is odd about an end of Puppet that says nothing of the node.
pub fn oddity(ended: Ended, report: Option<&PuppetReport>) -> String {
    match (ended, report) {
        (Ended::Exited(code @ (0 | 2 | 4 | 6)), Some(_)) => {
            format!("Puppet exited with {code}, which its report does not bear out")
        }
        (Ended::Exited(code @ (0 | 2 | 4 | 6)), None) => {
            format!("Puppet exited with {code} and left no report")
        }
        (Ended::Exited(1), _) => "Puppet exited with 1 before it was through".to_owned(),
        (Ended::Exited(code), _) => {
            format!("Puppet exited with {code}, which it has no meaning for")
        }
        (Ended::Killed(signal) | Ended::Interrupted(signal), _) => {
            format!("Puppet was ended by signal {signal}")
        }
    }
}

/// More characters of a message are in the log alone.
const LONGEST: usize = 2000;

/// A message of several lines as one, each without the value that Puppet says it `got`.
fn without_value(message: &str) -> String {
    let lines = message.lines().map(unstyled).map(|line| line_without_value(line.trim()));
    let lines: Vec<String> = lines.filter(|line| !line.is_empty()).collect();
    let text = lines.join(" ");
    match text.char_indices().nth(LONGEST) {
        None => text,
        Some((end, _)) => format!("{}…", &text[..end]),
    }
}

fn line_without_value(line: &str) -> String {
    match line.split_once(", got ") {
        None => line.to_owned(),
        Some((before, after)) => {
            let place = after.rfind(" (file: ").map_or("", |at| &after[at..]);
            format!("{before}{place}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_system_names_its_package_manager() {
        let package_manager = |text: &str| System::of(text).package_manager();
        let debian = "PRETTY_NAME=\"Debian\"\nID=debian\n";
        assert_eq!(package_manager(debian), Ok(PackageManager::Apt));
        let mint = "ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n";
        assert_eq!(package_manager(mint), Ok(PackageManager::Apt));
        let alma = "ID=\"almalinux\"\nID_LIKE=\"rhel centos fedora\"\n";
        assert_eq!(package_manager(alma), Ok(PackageManager::Dnf));
        let leap = "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\n";
        assert_eq!(package_manager(leap), Ok(PackageManager::Zypper));
        assert_eq!(package_manager("ID=\"sles\"\n"), Ok(PackageManager::Zypper));
        assert_eq!(package_manager("ID=alpine\n"), Err(UnknownSystem("alpine".into())));
        assert_eq!(package_manager(""), Err(UnknownSystem(String::new())));
        assert_eq!(System::of("VERSION_ID=\"9.4\"\n").release_version(), Some("9".into()));
    }

    fn line(mode: Mode) -> CommandLine {
        let code = Code {
            app: "team/foo/tags/r1".parse().unwrap(),
            modulepath: vec!["/r/a".into(), "/r/b".into()],
            hiera: None,
        };
        let places = Places { run: "/s/runs/1".into(), memory: "/s/puppet/foo".into() };
        let around = Surroundings {
            puppet: "/opt/ruby/bin/puppet".into(),
            home: "/root".into(),
            certname: Some("web01.example.com".parse().unwrap()),
            passed: vec!["https_proxy"],
            colour: Colour::No,
            compiled: Compiled::Applied,
        };
        puppet(&code, &places, &around, mode)
    }

    #[test]
    fn the_command_line_shuts_the_node_out() {
        let shown = line(Mode::Apply).to_string();
        let expected = "cd / && env -i HOME=/root LANG=C.UTF-8 LC_ALL=C.UTF-8 \
            PATH=/opt/ruby/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/opt/puppetlabs/bin \
            https_proxy=\"$https_proxy\" /opt/ruby/bin/puppet apply --detailed-exitcodes --no-noop \
            --color=false --confdir /s/runs/1/conf --vardir /s/puppet/foo/var --rundir /s/puppet/foo/run \
            --logdir /s/puppet/foo/log --environmentpath /s/runs/1/environments --environment production \
            --hiera_config /s/runs/1/hiera.yaml --modulepath /r/a:/r/b \
            --config_version '/bin/echo team/foo-r1' --node_terminus exec \
            --external_nodes '/bin/sh /s/runs/1/enc.sh' --route_file /s/runs/1/routes.yaml \
            --lastrunreport /s/runs/1/report.json --lastrunfile /s/runs/1/summary.yaml --reports none \
            --logdest /s/runs/1/log.txt --logdest /s/runs/1/log.jsonl --logdest console \
            --certname web01.example.com /s/runs/1/default.pp";
        assert_eq!(shown, expected);
        assert!(line(Mode::Noop).arguments.contains(&"--noop".to_owned()));
    }

    #[test]
    fn paths_that_puppet_would_split_are_found() {
        assert_eq!(unfit_for_puppet("/var/lib/localpuppet/runs/2026-1"), None);
        assert_eq!(unfit_for_puppet("/home/a b"), Some(' '));
        assert_eq!(unfit_for_puppet("/x:y"), Some(':'));
        assert_eq!(unfit_for_puppet("/$x"), Some('$'));
    }

    fn report(text: &str) -> PuppetReport {
        let head =
            r#"{"puppet_version":"7.23.0","metrics":{"resources":{"values":[["changed","Changed","#;
        serde_json::from_str(&format!("{head}{text}")).unwrap()
    }

    #[test]
    fn outcomes_come_from_the_code_and_the_report_of_this_run() {
        use Ended::*;
        use Outcome as O;
        let unchanged = report(r#"0]]}},"status":"unchanged","transaction_completed":true}"#);
        let pending = report(r#"0]]}},"status":"unchanged","noop":true,"noop_pending":true}"#);
        let changed = report(r#"1]]}},"status":"changed","transaction_completed":true}"#);
        let begun =
            r#"],["scheduled","Scheduled",1]]}},"status":"failed","transaction_completed":false}"#;
        let failed = report(&format!("1{begun}"));
        let ended = report(&format!("0{begun}"));
        let cycle = report(
            r#"0],["failed","Failed",2],["total","Total",2]]}},"status":"failed","transaction_completed":false}"#,
        );
        let apply = |ended, report| outcome(ended, report, Mode::Apply);
        assert_eq!(apply(Exited(0), Some(&unchanged)), O::Unchanged);
        assert_eq!(apply(Exited(2), Some(&changed)), O::Changed);
        assert_eq!(apply(Exited(4), Some(&failed)), O::Failed);
        assert_eq!(apply(Exited(6), Some(&failed)), O::ChangedAndFailed);
        assert_eq!(apply(Exited(1), None), O::CompileFailed);
        assert_eq!(apply(Exited(0), None), O::Failed);
        assert_eq!(apply(Exited(0), Some(&failed)), O::Failed);
        assert_eq!(apply(Exited(1), Some(&cycle)), O::CompileFailed);
        assert_eq!(apply(Exited(1), Some(&ended)), O::Failed);
        assert_eq!(apply(Exited(1), Some(&failed)), O::ChangedAndFailed);
        assert_eq!(apply(Exited(1), Some(&changed)), O::PostrunFailed);
        assert_eq!(apply(Exited(1), Some(&unchanged)), O::PostrunFailed);
        assert_eq!(apply(Exited(255), Some(&unchanged)), O::Failed);
        assert_eq!(apply(Killed(9), Some(&failed)), O::Interrupted);
        assert_eq!(apply(Interrupted(15), Some(&failed)), O::Interrupted);
        // A noop that nobody asked for is no success.
        assert_eq!(apply(Exited(0), Some(&pending)), O::Failed);
        assert_eq!(outcome(Exited(0), Some(&pending), Mode::Noop), O::WouldChange);
    }

    #[test]
    fn the_reason_is_puppets_and_has_no_value_in_it() {
        let log = r#"{"level":"err","message":"old","source":"Puppet"}
{"level":"err","message":"parameter 'p' expects a match for Enum['a'], got 's3cret, got x' (file: /f.pp, line: 1)\n  more","source":"Puppet"}
{"level":"err","message":"Permission denied","source":"Facter"}
{"level":"notice","message":"bye","source":"Puppet"}
half a li"#;
        let told = "parameter 'p' expects a match for Enum['a'] (file: /f.pp, line: 1) more";
        assert_eq!(reason(log).as_deref(), Some(told));
        assert_eq!(reason(""), None);
    }

    #[test]
    fn a_puppet_that_told_of_a_resource_has_begun() {
        assert!(has_begun("Notice: /Stage[main]/Foo/File[/x]/ensure: created\n"));
        assert!(has_begun("Notice: Applied catalog in 0.03 seconds\n"));
        let refused = "Notice: Compiled catalog for vm\nError: Parameter mode failed on File[/x]";
        assert!(!has_begun(refused));
    }

    #[test]
    fn no_two_apps_share_a_memory() {
        let memory = |text: &str| memory(&text.parse().unwrap());
        assert_eq!(memory("foo/tags/r1"), memory("foo/tags/r2"));
        assert_ne!(memory("a/b/tags/r1"), memory("a+2fb/tags/r1"));
    }
}
