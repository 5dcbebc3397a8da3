//! Subversion: the user's own program, with their configuration and credentials.
//!
//! A directory is exported at the last revision that changed it: keywords are not expanded,
//! `svn:eol-style native` is a line feed, and externals are refused by name.

use super::cache::{Cache, MORE_TIME, name_of};
use super::fs;
use super::process::{ProcessError, feed_within};
use crate::model::command::{CommandLine, Environment};
use crate::model::failure::Failure;
use crate::model::sources::Location;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The most that svn may print.
const LARGEST: u64 = 64 << 20;

/// What svn says where a path is not there, in any of its ways to reach a repository.
const NOT_THERE: [&str; 2] = ["W170000", "E160013"];

/// A directory of a repository, as it was when it was asked.
#[derive(Debug)]
pub struct Directory {
    url: String,
    repository: String,
    /// The last revision that changed it.
    pub revision: u64,
    /// Why it could not be asked now, where `revision` is that of the last time.
    pub away: Option<String>,
}

impl Directory {
    /// Asks for a directory below a location; none where there is no such directory.
    pub fn ask(
        cache: &Cache,
        location: &Location,
        module_root: &Path,
        below: &str,
    ) -> Result<Option<Self>, Failure> {
        let url = url(location, module_root, below);
        let seen = format!("{}.revision", name_of(&url));
        let (text, away) = match svn(&["info", &format!("{url}@")], cache.to_answer()) {
            Ok(text) => {
                let text = text?;
                cache.remember(&seen, &text)?;
                (text, None)
            }
            Err(error) if is_not_there(&error) => return Ok(None),
            Err(error) => match cache.recall(&seen)?.filter(|_| !error.is_absent()) {
                Some(text) => (text, Some(error.reason())),
                None => return Err(unread(&url, error)),
            },
        };
        let line = |key: &str| text.lines().find_map(|line| line.strip_prefix(key));
        let (Some(repository), Some(revision)) = (
            line("Repository UUID: ").map(str::to_owned),
            line("Last Changed Rev: ").and_then(|revision| revision.trim().parse().ok()),
        ) else {
            return Err(Failure::new(format!("`svn info {url}` names no revision")));
        };
        Ok(Some(Directory { url, repository, revision, away }))
    }

    /// Its content as a directory of the cache.
    pub fn tree(&self, cache: &Cache) -> Result<PathBuf, Failure> {
        let Directory { url, repository, revision, .. } = self;
        let name = format!("svn-{}-{revision}", name_of(format!("{repository} {url}")));
        cache.make("trees", &name, |place| {
            let what = || Failure::new(format!("failed to export `{url}` at revision {revision}"));
            if let Some(away) = &self.away {
                return Err(what().because(Failure::new(away.clone())));
            }
            let at = ["-r", &revision.to_string(), &format!("{url}@{revision}")];
            self.refuse_externals(&at, cache.to_send())?;
            let line = ["export", "--quiet", "--force", "--ignore-externals", "--ignore-keywords"];
            let place = place.display().to_string();
            let rest = ["--native-eol", "LF", at[0], at[1], at[2], &place];
            let exported = svn(&[&line[..], &rest].concat(), cache.to_send());
            exported.map_err(|error| unsent(what(), error))?.map(drop)
        })
    }

    fn refuse_externals(&self, at: &[&str; 3], time: Duration) -> Result<(), Failure> {
        let found = svn(&[&["propget", "svn:externals", "--recursive"], &at[..]].concat(), time);
        let found = found.map_err(|error| unread(&self.url, error))??;
        if found.trim().is_empty() {
            return Ok(());
        }
        let lines = found.lines().filter(|line| !line.trim().is_empty());
        let lines: String = lines.map(|line| format!("\n    {line}")).collect();
        let what = format!("externals cannot be released: their content is elsewhere:{lines}");
        Err(Failure::new(what).hint("give each a source and an app path of its own"))
    }
}

/// The names of the directories below a location; none where it cannot be asked.
pub fn names(
    cache: &Cache,
    location: &Location,
    module_root: &Path,
    below: &str,
) -> Result<Vec<String>, Failure> {
    let url = url(location, module_root, below);
    match svn(&["list", &format!("{url}@")], cache.to_answer()) {
        Ok(text) => {
            Ok(text?.lines().filter_map(|line| line.strip_suffix('/')).map(str::to_owned).collect())
        }
        Err(_) => Ok(Vec::new()),
    }
}

fn url(location: &Location, module_root: &Path, below: &str) -> String {
    let base = match location.directory(module_root) {
        None => location.as_str().to_owned(),
        Some(directory) => {
            format!("file://{}", encoded(directory.as_os_str().as_encoded_bytes()))
        }
    };
    format!("{}/{below}", base.trim_end_matches('/'))
}

/// A path as a URL has it (RFC 3986, 2.3).
fn encoded(path: &[u8]) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-._~".contains(&byte);
    let byte = |&byte: &u8| match plain(byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    path.iter().map(byte).collect()
}

fn svn(arguments: &[&str], time: Duration) -> Result<Result<String, Failure>, ProcessError> {
    let set = vec![("LC_ALL", "C.UTF-8".to_owned())];
    let line = CommandLine::new("svn", [&["--non-interactive"], arguments].concat())
        .environment(Environment::Inherited(set));
    let all = |out: &mut dyn Read| fs::bounded(out, Path::new("svn"), LARGEST);
    let text = feed_within(&line, &[], time, all)?;
    Ok(text.map(|text| String::from_utf8_lossy(&text).into_owned()))
}

fn is_not_there(error: &ProcessError) -> bool {
    NOT_THERE.iter().any(|code| error.stderr().contains(code))
}

fn unsent(failure: Failure, error: ProcessError) -> Failure {
    let late = error.is_late();
    let failure = failure.because(error);
    if late { failure.hint(MORE_TIME) } else { failure }
}

fn unread(url: &str, error: ProcessError) -> Failure {
    let hint = match (error.is_absent(), error.is_late()) {
        (true, _) => "apt-get install subversion".to_owned(),
        (_, true) => MORE_TIME.to_owned(),
        _ => format!("see that this works: svn info {url}"),
    };
    let what = format!("failed to read `{url}`, and the cache has nothing of it");
    Failure::new(what).because(error).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_a_url_and_stays_one_word() {
        let url = |text: &str| url(&text.parse().unwrap(), Path::new("/a b/m"), "tags/r1");
        assert_eq!(url("https://svn.example/x/"), "https://svn.example/x/tags/r1");
        assert_eq!(url("old@1"), "file:///a%20b/m/old%401/tags/r1");
    }
}
