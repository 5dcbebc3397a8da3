//! Puppet's own agent on this node: kept out while we run, and left in peace while it runs.
//!
//! The agent takes `agent_catalog_run.lock` for every run, and gives way to a
//! process that is called after Puppet (`lib/puppet/util/pidlock.rb`). `puppet
//! apply` neither takes that lock nor reads the one of `puppet agent
//! --disable`, so both are our affair.
#![allow(clippy::disallowed_methods)]

use super::process::{OnSignal, Signals, USUAL_PATH, capture_within, home};
use super::puppet::Program;
use super::state::{Patience, State};
use super::{fs as files, proc};
use crate::model::command::{CommandLine, Environment};
use crate::model::exit::Exit;
use crate::model::failure::Failure;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::time::Duration;

/// A pid, or what `puppet agent --disable` writes.
const LARGEST: u64 = 64 << 10;

/// Puppet takes a second to say where its locks are; the node is held meanwhile.
const LONGEST: Duration = Duration::from_secs(60);

/// Where the agent of this node has its locks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agent {
    /// `agent_catalog_run_lockfile`
    lock: String,
    /// `agent_disabled_lockfile`
    disabled: String,
}

/// What Puppet said of its locks, and what it was asked with.
#[derive(Serialize, Deserialize)]
struct Remembered {
    program: String,
    /// Size, inode and times of the program and of the configuration.
    stamps: Vec<String>,
    agent: Agent,
}

/// Where packages of Puppet have its configuration.
const CONFIGURATIONS: [&str; 2] = ["/etc/puppet/puppet.conf", "/etc/puppetlabs/puppet/puppet.conf"];

impl Agent {
    /// Asks Puppet where its locks are, which takes it a second; the answer is
    /// remembered until the program or its configuration changes.
    pub fn of(state: &State, program: &Program, signals: &Signals) -> Result<Self, Failure> {
        let path = format!("{}/agent.json", state.directory());
        let files = [program.real.as_str()].into_iter().chain(CONFIGURATIONS);
        let stamps: Vec<String> = files.map(stamp).collect();
        // What cannot be remembered is asked again.
        let known = files::read_own(Path::new(&path), LARGEST).ok().flatten();
        let known = known.and_then(|text| serde_json::from_slice::<Remembered>(&text).ok());
        if let Some(known) = known.filter(|k| k.program == program.real && k.stamps == stamps) {
            return Ok(known.agent.below(state));
        }
        let agent = ask(program, signals)?;
        let remembered = Remembered { program: program.real.clone(), stamps, agent };
        let text = serde_json::to_string(&remembered).unwrap_or_default();
        let _ = files::replace(Path::new(&path), text.as_bytes(), 0o600);
        Ok(remembered.agent.below(state))
    }

    fn below(self, state: &State) -> Self {
        Agent { lock: state.at(&self.lock), disabled: state.at(&self.disabled) }
    }

    /// Refuses where the agent is disabled, with who did it, when and why.
    pub fn refuse_if_disabled(&self) -> Result<(), Failure> {
        let path = &self.disabled;
        let Some(text) = files::read_bounded(Path::new(path), LARGEST)? else { return Ok(()) };
        let metadata = fs::metadata(path).map_err(|e| files::failed("look at", Path::new(path), e));
        let who = metadata.map(|metadata| told(&metadata)).unwrap_or_default();
        Err(Failure::new(format!("Puppet is disabled on this node{who}: {}", why(&text)))
            .exit(Exit::Disabled)
            .hint("enable it: `puppet agent --enable`; or apply all the same: `--ignore-disabled`"))
    }

    /// Takes the agent's lock, or says which agent runs.
    pub fn hold(&self, patience: &Patience) -> Result<AgentLock, Failure> {
        let path = Path::new(&self.lock);
        if let Some(above) = path.parent() {
            files::create_system_directory(above)?;
        }
        patience.wait_for(|| self.take())?;
        Ok(AgentLock { path: self.lock.clone(), pid: std::process::id() })
    }

    fn take(&self) -> Result<Result<(), Failure>, Failure> {
        let path = Path::new(&self.lock);
        // One look at who has it, one more after a stale lock was taken away.
        for _ in 0..2 {
            if files::create_new(path, std::process::id().to_string().as_bytes(), 0o644)? {
                return Ok(Ok(()));
            }
            let holder = holder(path)?;
            match holder {
                Some((pid, since)) if proc::is_puppet(pid) => {
                    let what = format!("Puppet's own agent is at work: pid {pid}{since}");
                    return Ok(Err(Failure::new(what)
                        .exit(Exit::Locked)
                        .hint("wait for it with `--wait-lock SECONDS`")));
                }
                _ => remove(path)?,
            }
        }
        let what = format!("another program takes `{}` again and again", self.lock);
        Ok(Err(Failure::new(what).exit(Exit::Locked)))
    }
}

/// The agent's lock, ours until it is dropped.
pub struct AgentLock {
    path: String,
    pid: u32,
}

impl AgentLock {
    /// The lock is Puppet's from here on: whoever kills this process does not free it.
    pub fn hand_to(&mut self, pid: u32) -> Result<(), Failure> {
        files::replace(Path::new(&self.path), pid.to_string().as_bytes(), 0o644)?;
        self.pid = pid;
        Ok(())
    }
}

impl Drop for AgentLock {
    fn drop(&mut self) {
        let path = Path::new(&self.path);
        // What cannot be taken away is stale once this process has ended.
        if holder(path).is_ok_and(|holder| holder.is_some_and(|(pid, _)| pid == self.pid)) {
            let _ = fs::remove_file(path);
        }
    }
}

fn ask(program: &Program, signals: &Signals) -> Result<Agent, Failure> {
    let names = ["agent_catalog_run_lockfile", "agent_disabled_lockfile"];
    let arguments = ["config", "print", "--color=false", "--section", "agent"].into_iter();
    // As a run of Puppet: no `RUBYOPT` of the caller's comes between.
    let set = vec![("HOME", home("/")), ("LC_ALL", "C.UTF-8".to_owned()), ("PATH", path(program))];
    let environment = Environment::Only { set, passed: Vec::new() };
    let line = CommandLine::new(&program.path, arguments.chain(names)).environment(environment);
    let failed = || Failure::new("failed to ask Puppet where its agent has its locks");
    let told = capture_within(&line, signals, OnSignal::Tell, LONGEST)
        .map_err(|error| failed().because(error))?;
    let setting = |name: &str| {
        let value = told.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(" = "));
        value.map(str::trim).filter(|value| value.starts_with('/')).map(str::to_owned)
    };
    match (setting(names[0]), setting(names[1])) {
        (Some(lock), Some(disabled)) => Ok(Agent { lock, disabled }),
        _ => Err(failed().because(format!("found neither in what `{line}` printed"))),
    }
}

/// Where Puppet finds its Ruby, and Ruby what it asks of the node.
fn path(program: &Program) -> String {
    let beside = Path::new(&program.path).parent().unwrap_or(Path::new("/"));
    format!("{}:{USUAL_PATH}", beside.display())
}

fn stamp(path: &str) -> String {
    match fs::metadata(path) {
        Ok(m) => format!("{} {} {} {}", m.ino(), m.size(), m.mtime(), m.ctime()),
        Err(error) => format!("{:?}", error.kind()),
    }
}

/// The pid in a lock file, and since when it is there.
fn holder(path: &Path) -> Result<Option<(u32, String)>, Failure> {
    let Some(text) = files::read_own(path, LARGEST)? else { return Ok(None) };
    let pid = String::from_utf8_lossy(&text).trim().parse().ok();
    let since = fs::symlink_metadata(path).map(|metadata| since(&metadata)).unwrap_or_default();
    Ok(pid.map(|pid| (pid, since)))
}

fn remove(path: &Path) -> Result<(), Failure> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(files::failed("remove", path, error))
        }
        _ => Ok(()),
    }
}

fn told(metadata: &Metadata) -> String {
    let user = metadata.uid();
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, uid) = (fields.next()?, fields.nth(1)?);
        (uid == user.to_string()).then(|| name.to_owned())
    });
    let by = name.map_or_else(|| format!(" by user {user}"), |name| format!(" by `{name}`"));
    format!("{by}{}", since(metadata))
}

fn since(metadata: &Metadata) -> String {
    let time = Timestamp::from_second(metadata.mtime());
    time.map(|time| format!(" since {time}")).unwrap_or_default()
}

/// The reason that `puppet agent --disable REASON` leaves, as one line.
fn why(text: &[u8]) -> String {
    #[derive(Deserialize)]
    struct Lock {
        disabled_message: String,
    }
    let lock = serde_json::from_slice::<Lock>(text).ok();
    let message = lock.map_or_else(String::new, |lock| lock.disabled_message);
    let message: String = message.chars().filter(|c| !c.is_control()).collect();
    if message.is_empty() { "no reason given".to_owned() } else { message }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_one_line_whatever_the_file_holds() {
        assert_eq!(
            why(br#"{"disabled_message":"disk swap\u001b[2J\n, call me"}"#),
            "disk swap[2J, call me"
        );
        assert_eq!(why(b""), "no reason given");
        assert_eq!(why(b"[1]"), "no reason given");
    }
}
