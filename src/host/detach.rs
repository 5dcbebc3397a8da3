//! A run that goes on by itself: in a unit of systemd where that runs, in a session of its own elsewhere.
#![allow(clippy::disallowed_methods)]

use super::fs as files;
use super::process::{OnSignal, Signals, capture};
use super::state::{Run, State};
use crate::model::command::CommandLine;
use crate::model::failure::Failure;
use rustix::process::geteuid;
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// Variables that a run may need from whoever asked for it.
const KEPT: [&str; 17] = [
    "PATH",
    "HOME",
    "TZ",
    "XDG_CACHE_HOME",
    "SSH_AUTH_SOCK",
    "http_proxy",
    "https_proxy",
    "ftp_proxy",
    "no_proxy",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "FTP_PROXY",
    "NO_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
];

/// The process that takes a run over, as far as it is a child of this one.
pub struct Started {
    child: Option<Child>,
}

impl Started {
    /// How it ended, where it has.
    pub fn end(&mut self) -> Option<String> {
        let status = self.child.as_mut()?.try_wait().ok().flatten()?;
        Some(status.to_string())
    }
}

/// Starts the process that takes a run over.
pub fn start(state: &State, run: &Run, signals: &Signals) -> Result<Started, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::new("failed to find this program").because(error))?;
    let root = if state.root().is_empty() { "/" } else { state.root() };
    let id = &run.record.id;
    let arguments = ["resume", id.as_str(), "--root", root];
    // sd_booted(3)
    if Path::new("/run/systemd/system").is_dir() && geteuid().is_root() {
        in_unit(run, &program, &arguments, signals)?;
        Ok(Started { child: None })
    } else {
        in_session(&program, &arguments)
    }
}

fn in_unit(
    run: &Run,
    program: &Path,
    arguments: &[&str],
    signals: &Signals,
) -> Result<(), Failure> {
    // Not on the command line: a proxy may have its password in it.
    let environment = format!("{}/environment", run.directory());
    files::replace(Path::new(&environment), variables().as_bytes(), 0o600)?;
    let program = program.to_string_lossy().into_owned();
    let mut line = vec![
        format!("--unit=localpuppet-{}.service", run.record.id),
        format!("--description=localpuppet run {}", run.record.id),
        "--collect".to_owned(),
        "--quiet".to_owned(),
        format!("--property=EnvironmentFile={environment}"),
        // Its words are in the log of the run.
        "--property=StandardOutput=null".to_owned(),
        // Time for Puppet to end in order.
        "--property=TimeoutStopSec=30".to_owned(),
        // A daemon that Puppet started without systemd outlives the run.
        "--property=KillMode=process".to_owned(),
        "--".to_owned(),
        program,
    ];
    line.extend(arguments.iter().map(|&argument| argument.to_owned()));
    let line = CommandLine::new("systemd-run", line);
    capture(&line, signals, OnSignal::Finish)
        .map(drop)
        .map_err(|error| Failure::new("failed to start the run").because(error))
}

/// What it inherits is its environment alone: no terminal, no pipe and no lock of whoever asked.
fn in_session(program: &Path, arguments: &[&str]) -> Result<Started, Failure> {
    const CLOSED: &str = "exec \"$0\" \"$@\" 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-";
    let mut command = Command::new("/bin/sh");
    command.args(["-c", CLOSED]).arg(program).args(arguments).current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    match command.spawn() {
        Ok(child) => Ok(Started { child: Some(child) }),
        Err(error) => Err(Failure::new("failed to start the run").because(error)),
    }
}

/// Leaves the session, terminal and process group of whoever asked for the run.
pub fn leave_session() {
    // It leads a group already where systemd started it, in a session of its own.
    let _ = rustix::process::setsid();
}

/// systemd.exec(5), `EnvironmentFile=`: values in double quotes.
fn variables() -> String {
    let mut text = String::new();
    for name in KEPT {
        let value = std::env::var(name).ok().filter(|value| !value.contains(['\n', '\0']));
        if let Some(value) = value {
            let value = value.replace('\\', "\\\\").replace('"', "\\\"").replace('$', "\\$");
            text.push_str(&format!("{name}=\"{}\"\n", value.replace('`', "\\`")));
        }
    }
    text
}
