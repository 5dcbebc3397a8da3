//! Processes as the kernel shows them below /proc.
#![allow(clippy::disallowed_methods)]

use crate::model::failure::Failure;
use crate::model::run::Process;
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;

/// What the kernel says of a process.
#[derive(Clone, Copy, Debug)]
struct Stat {
    parent: i32,
    group: i32,
    session: i32,
    /// Clock ticks from boot.
    start: u64,
    state: char,
}

/// This boot's identity; empty where the kernel does not tell.
fn boot() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

/// A process that runs now, so that it can be told from a later one with the same pid.
pub fn identify(pid: u32) -> Process {
    let start = i32::try_from(pid).ok().and_then(stat).map_or(0, |stat| stat.start);
    Process { pid, start, boot: boot() }
}

/// True where that very process still runs.
pub fn is_alive(process: &Process) -> bool {
    let Some(stat) = i32::try_from(process.pid).ok().and_then(stat) else { return false };
    stat.start == process.start && stat.state != 'Z' && process.boot == boot()
}

/// Asks a process to end, if it is still the one that is meant.
pub fn tell_to_end(process: &Process) -> Result<(), Failure> {
    let pid = i32::try_from(process.pid).ok().and_then(Pid::from_raw);
    let Some(pid) = pid else { return Ok(()) };
    // A descriptor of the process: once it is had, the pid can be given to no other.
    let told = match rustix::process::pidfd_open(pid, PidfdFlags::empty()) {
        Ok(descriptor) if is_alive(process) => {
            rustix::process::pidfd_send_signal(descriptor, Signal::TERM)
        }
        Ok(_) => Ok(()),
        Err(Errno::NOSYS) if is_alive(process) => rustix::process::kill_process(pid, Signal::TERM),
        Err(error) => Err(error),
    };
    match told {
        Ok(()) | Err(Errno::SRCH | Errno::NOSYS) => Ok(()),
        Err(error) => {
            let what = format!("failed to end process {}", process.pid);
            Err(Failure::new(what).because(std::io::Error::from(error)))
        }
    }
}

/// True where some process has this pid.
pub fn exists(pid: u32) -> bool {
    i32::try_from(pid).ok().and_then(stat).is_some_and(|stat| stat.state != 'Z')
}

/// True where the process of a pid is a Puppet, as Puppet itself tells
/// (`lib/puppet/util/pidlock.rb`): by its name, or by its arguments where it is a Ruby.
pub fn is_puppet(pid: u32) -> bool {
    // A zombie has its name still, and does nothing any more.
    if !exists(pid) {
        return false;
    }
    let read = |name: &str| fs::read(format!("/proc/{pid}/{name}")).unwrap_or_default();
    let text = |name: &str| String::from_utf8_lossy(&read(name)).into_owned();
    let name = text("comm");
    let name = name.trim_end();
    let named = name.ends_with("puppet") || name.contains("puppet-");
    named || name.contains("ruby") && text("cmdline").contains("puppet")
}

/// Gives this process the name that Puppet's agent knows the holder of its
/// lock by, however the program's file is called.
pub fn take_name() {
    let _ = rustix::thread::set_name(c"localpuppet");
}

/// True where this process was started with a signal ignored, as `nohup` does.
pub fn ignores(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (signal - 1)) != 0
}

/// The processes of one program: itself, and what it started, each of which
/// may have made a session of its own (Puppet gives one to every command).
#[derive(Debug)]
pub struct Family {
    leader: i32,
    /// Every member that was ever seen.
    members: BTreeSet<i32>,
}

impl Family {
    /// The family of the leader of a process group.
    pub fn of(leader: u32) -> Self {
        let leader = i32::try_from(leader).unwrap_or(i32::MAX);
        let mut family = Family { leader, members: BTreeSet::from([leader]) };
        family.look();
        family
    }

    /// Finds members that were born since the last look. What a member leaves
    /// behind as a daemon has another parent by then, and is none.
    pub fn look(&mut self) {
        let all = all();
        loop {
            let born = all.iter().filter(|(pid, stat)| {
                !self.members.contains(*pid) && self.members.contains(&stat.parent)
            });
            let born: Vec<i32> = born.map(|(pid, _)| *pid).collect();
            if born.is_empty() {
                break;
            }
            self.members.extend(born);
        }
    }

    /// Sends a signal to every member, the leader first.
    pub fn signal(&self, signal: Signal) {
        let leader = Pid::from_raw(self.leader);
        if let Some(leader) = leader {
            // A process that has ended meanwhile needs no signal; not every one leads a group.
            if rustix::process::kill_process_group(leader, signal).is_err() {
                let _ = rustix::process::kill_process(leader, signal);
            }
        }
        for pid in self.others().filter_map(Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    /// The same to each by itself, where the leader's group is not its own.
    pub fn signal_each(&self, signal: Signal) {
        for pid in self.members.iter().copied().filter_map(Pid::from_raw) {
            let _ = rustix::process::kill_process(pid, signal);
        }
    }

    /// True where a member still runs.
    pub fn is_alive(&self) -> bool {
        self.others().next().is_some()
            || all().values().any(|stat| stat.group == self.leader && stat.state != 'Z')
    }

    fn others(&self) -> impl Iterator<Item = i32> {
        let members = all().into_iter().filter(|(_, stat)| {
            // A session is the family's only where a member began it: the leader may well be in
            // that of a shell, with all that runs there.
            stat.group != self.leader && stat.state != 'Z' && self.members.contains(&stat.session)
        });
        members.map(|(pid, _)| pid)
    }
}

fn all() -> BTreeMap<i32, Stat> {
    let Ok(entries) = fs::read_dir("/proc") else { return BTreeMap::new() };
    let pids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    pids.filter_map(|pid| Some((pid, stat(pid)?))).collect()
}

fn stat(pid: i32) -> Option<Stat> {
    parse(&fs::read_to_string(format!("/proc/{pid}/stat")).ok()?)
}

/// proc(5): the name in brackets may hold anything, brackets too; fields are counted behind it.
fn parse(text: &str) -> Option<Stat> {
    let (_, behind) = text.rsplit_once(')')?;
    let fields: Vec<&str> = behind.split_whitespace().collect();
    let number = |at: usize| fields.get(at)?.parse::<i32>().ok();
    Some(Stat {
        state: fields.first()?.chars().next()?,
        parent: number(1)?,
        group: number(2)?,
        session: number(3)?,
        start: fields.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_brackets_does_not_move_the_fields() {
        let text = "42 (a) b) c) S 1 42 40 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 987 65 4";
        let stat = parse(text).unwrap();
        assert_eq!((stat.parent, stat.group, stat.session, stat.start), (1, 42, 40, 987));
    }

    #[test]
    fn this_process_is_alive_and_another_of_its_pid_is_not() {
        let process = identify(std::process::id());
        assert!(is_alive(&process));
        assert!(!is_alive(&Process { start: process.start + 1, ..process }));
    }
}
