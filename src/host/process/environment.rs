//! What programs have around them: variables, a path, a home.

use crate::model::command::{CommandLine, Environment, quote};
use crate::model::failure::Failure;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Where systems have their programs.
pub const USUAL_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// A program as it is started, with the variables that it is to have.
pub(super) fn command(line: &CommandLine) -> Command {
    let mut command = Command::new(&line.program);
    command.args(&line.arguments);
    match &line.environment {
        Environment::Inherited(set) => {
            command.env("PATH", path(std::env::var_os("PATH")));
            command.envs(set.iter().map(|(name, value)| (name, value)));
        }
        Environment::Only { set, passed } => {
            command.env_clear().current_dir("/");
            command.envs(set.iter().map(|(name, value)| (name, value)));
            let passed = passed.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
            command.envs(passed);
        }
    }
    command
}

/// Where programs are looked for: as the caller says, then where systems have
/// them. cron and `env -i` leave out what dpkg refuses to work without.
fn path(inherited: Option<OsString>) -> OsString {
    let inherited = inherited.unwrap_or_default();
    let given = std::env::split_paths(&inherited).filter(|directory| directory.is_absolute());
    let mut directories: Vec<PathBuf> = given.collect();
    for usual in USUAL_PATH.split(':').map(PathBuf::from) {
        if !directories.contains(&usual) {
            directories.push(usual);
        }
    }
    std::env::join_paths(directories).unwrap_or_else(|_| USUAL_PATH.into())
}

/// Which of some variables this process has.
pub fn present(names: &[&'static str]) -> Vec<&'static str> {
    names.iter().copied().filter(|name| std::env::var_os(name).is_some()).collect()
}

/// The command by which Puppet asks this program whether to apply the catalog of a run.
pub fn asks_if_planned(run: &str) -> Result<String, Failure> {
    let program = std::env::current_exe()
        .map_err(|error| Failure::new("failed to find this program").because(error))?;
    Ok(format!("{} planned {}", quote(&program.to_string_lossy()), quote(run)))
}

/// The home directory for programs: always the same for root, whoever became it.
pub fn home(otherwise: &str) -> String {
    if rustix::process::geteuid().is_root() {
        return "/root".to_owned();
    }
    let is_there = |home: &String| home.starts_with('/') && Path::new(home).is_dir();
    let home = std::env::var("HOME").ok().filter(is_there);
    home.unwrap_or_else(|| otherwise.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_are_found_whatever_path_the_caller_has() {
        let path = |text: &str| path(Some(text.into())).into_string().unwrap();
        assert_eq!(super::path(None).to_str(), Some(USUAL_PATH));
        assert_eq!(path(""), USUAL_PATH);
        assert_eq!(
            path("/usr/bin:.:/bin:/opt/x"),
            "/usr/bin:/bin:/opt/x:/usr/local/sbin:/usr/local/bin:/usr/sbin:/sbin"
        );
    }
}
