//! Puppet on this node: its program, and what it leaves of a run.
#![allow(clippy::disallowed_methods)]

use super::fs;
use crate::model::failure::Failure;
use crate::model::puppet_report::PuppetReport;
use std::fs::{File, canonicalize, metadata};
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// Where packages put Puppet, after `PATH`: those of Puppet and OpenVox, then those of systems.
const USUAL: [&str; 2] = ["/opt/puppetlabs/bin/puppet", "/usr/bin/puppet"];

/// A report of more than this is not read.
const LARGEST_REPORT: u64 = 512 << 20;

/// So much of a log's end is looked at for the reason of a failure.
const LOG_TAIL: u64 = 256 << 10;

/// Puppet's program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Program {
    /// As it was found.
    pub path: String,
    /// Without links.
    pub real: String,
}

/// Finds Puppet; `given` is what the operator says.
pub fn find(given: Option<&Path>) -> Result<Program, Failure> {
    if let Some(given) = given {
        return program(given).ok_or_else(|| {
            Failure::new(format!("`{}` of `--puppet` is no program", given.display()))
                .hint("name Puppet's program, or leave `--puppet` out: it is looked for")
        });
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let on_path = std::env::split_paths(&path).filter(|directory| directory.is_absolute());
    let usual = USUAL.into_iter().map(PathBuf::from);
    let mut candidates = on_path.map(|directory| directory.join("puppet")).chain(usual);
    candidates.find_map(|candidate| program(&candidate)).ok_or_else(|| {
        Failure::new(
            "no Puppet on this node, neither on `PATH` nor at `/opt/puppetlabs/bin/puppet`",
        )
        .hint("install it (`apt-get install puppet-agent`), or name it with `--puppet FILE`")
    })
}

fn program(path: &Path) -> Option<Program> {
    let metadata = metadata(path).ok()?;
    if !metadata.is_file() || metadata.permissions().mode() & 0o111 == 0 {
        return None;
    }
    let text = |path: PathBuf| path.into_os_string().into_string().ok();
    let path = std::path::absolute(path).ok()?;
    let real = canonicalize(&path).ok()?;
    Some(Program { path: text(path)?, real: text(real)? })
}

/// True where stdout takes colour: a terminal, unless `NO_COLOR` and its like say otherwise.
pub fn is_coloured() -> bool {
    anstream::AutoStream::choice(&io::stdout()) != anstream::ColorChoice::Never
}

/// The report that a run left in its directory; none where Puppet applied nothing.
pub fn report(run: &str) -> Result<Option<PuppetReport>, Failure> {
    let path = format!("{run}/report.json");
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(fs::failed("read", Path::new(&path), error)),
    };
    // Most of it is skipped, so it is never in memory as a whole.
    let report = serde_json::from_reader(BufReader::new(file.take(LARGEST_REPORT)));
    report.map(Some).map_err(|error| match error.is_io() {
        true => fs::failed("read", Path::new(&path), error.into()),
        false => Failure::new(format!("`{path}` is no report of Puppet")).because(error),
    })
}

/// The end of the log that a run left in its directory.
pub fn log_tail(run: &str) -> String {
    let read = || {
        let mut file = File::open(format!("{run}/log.jsonl"))?;
        let size = file.metadata()?.len();
        file.seek(SeekFrom::Start(size.saturating_sub(LOG_TAIL)))?;
        let mut tail = Vec::new();
        file.take(LOG_TAIL).read_to_end(&mut tail)?;
        io::Result::Ok(String::from_utf8_lossy(&tail).into_owned())
    };
    read().unwrap_or_default()
}
