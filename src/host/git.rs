//! git: the user's own program, with their configuration and credentials.
//!
//! Nothing of a repository is checked out, so that no filter of it is run and no attribute
//! changes a byte; no hook is run either. What is taken are objects, by their names.
#![allow(clippy::disallowed_methods)]

use super::cache::{Cache, MORE_TIME, name_of};
use super::fs::{self, failed};
use super::process::{ProcessError, feed, feed_within};
use crate::model::command::{CommandLine, Environment, quote};
use crate::model::failure::Failure;
use crate::model::git::{self, Leaf, LeafKind, Refs};
use crate::model::sources::{Git, Location};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::OpenOptions;
use std::io::{BufRead, BufReader, IsTerminal, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The most that git may print: some 500,000 refs, or as many paths.
const LARGEST: u64 = 128 << 20;

/// A link's target is not longer (PATH_MAX).
const LONGEST_TARGET: u64 = 4096;

/// The name of an object, and the end of the line.
const LONGEST_REF: u64 = 100;

/// The configuration of a repository that names objects by SHA-1 or SHA-256.
const SHA1: &str = "[core]\n\trepositoryformatversion = 0\n\tbare = true\n";
const SHA256: &str = "[core]\n\trepositoryformatversion = 1\n\tbare = true\n\
                      [extensions]\n\tobjectformat = sha256\n";

/// What would make git work on another repository: a hook of one has them set.
const KEPT_FROM_GIT: [&str; 9] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_COMMON_DIR",
    "GIT_NAMESPACE",
    "GIT_QUARANTINE_PATH",
    "GIT_PREFIX",
];

/// A repository, as it was when it was asked.
#[derive(Debug)]
pub struct Repository {
    cache: Cache,
    /// Where it is, for git.
    url: String,
    name: String,
    pub refs: Refs,
    /// Why it could not be asked now, where `refs` are those that it had before.
    pub away: Option<String>,
}

impl Repository {
    /// Asks a repository for its refs; one that is away has those that it had last.
    pub fn ask(
        cache: &Cache,
        location: &Location,
        module_root: &Path,
        prompt: Prompt,
    ) -> Result<Self, Failure> {
        let url = match location.directory(module_root) {
            None => location.as_str().to_owned(),
            Some(directory) => directory.display().to_string(),
        };
        let name = name_of(&url);
        let refs = Refs::default();
        let cache = cache.clone();
        let mut repository = Repository { cache, url, name, refs, away: None };
        let seen = format!("{}.refs", repository.name);
        match repository.asked(&["ls-remote", "--quiet", "--", &repository.url], prompt) {
            Ok(text) => {
                let text = text?;
                repository.cache.remember(&seen, &text)?;
                repository.refs = Refs::parse(&text);
            }
            Err(error) => {
                let serves = !error.is_absent() && !prompt.may_help(&error);
                let last = repository.cache.recall(&seen)?.filter(|_| serves);
                let Some(last) = last else {
                    return Err(unread(&repository.url, location.directory(module_root), error));
                };
                repository.refs = Refs::parse(&last);
                repository.away = Some(error.reason());
            }
        }
        Ok(repository)
    }

    /// The tree of a ref as a directory of the cache: all of it, or what `source` says.
    pub fn tree(&self, reference: &str, source: &Git, prompt: Prompt) -> Result<PathBuf, Failure> {
        let below = source.path.as_ref().map(|path| path.as_str());
        let module = source.module.as_ref().map(|module| module.as_str());
        let commit = self.refs.target(reference).unwrap_or_default();
        let name = match (below, module) {
            (None, None) => commit.to_owned(),
            part => format!("{commit}-{}", name_of(format!("{part:?}"))),
        };
        self.cache.make("trees", &name, |place| {
            self.bring(reference, prompt)?;
            match module {
                None => self.fill(place, reference, below),
                Some(module) => {
                    let place = place.join(module);
                    fs::create_directory(&place)?;
                    self.fill(&place, reference, below)
                }
            }
        })
    }

    /// Refuses a tag whose signature git does not accept, or which is signed as another tag.
    pub fn refuse_unsigned(&self, tag: &str, prompt: Prompt) -> Result<(), Failure> {
        let reference = format!("refs/tags/{tag}");
        self.bring(&reference, prompt)?;
        let object = self.refs.object(&reference).unwrap_or_default();
        let what = || Failure::new(format!("the git tag `{tag}` is not accepted as signed"));
        if self.refs.target(&reference) == Some(object) {
            return Err(what()
                .because(Failure::new("it is a name for a commit, with nothing to sign"))
                .hint(format!("git tag --sign {tag} COMMIT")));
        }
        let text =
            self.text(&["cat-file", "tag", object]).map_err(|error| what().because(error))??;
        match git::own_name(&text) {
            Some(own) if own == tag => {}
            own => {
                let told = format!("it was made as `{}`", own.unwrap_or_default());
                return Err(what().because(Failure::new(told)));
            }
        }
        self.text(&["verify-tag", object])
            .map_err(|error| {
                what().because(error).hint("take in the key of who releases: gpg --import KEY")
            })?
            .map(drop)
    }

    /// Brings the object of a ref into the cache, alone and without its history.
    fn bring(&self, reference: &str, prompt: Prompt) -> Result<(), Failure> {
        let object = self.refs.object(reference).unwrap_or_default();
        let _lock = self.cache.lock(&self.name)?;
        let bare = self.bare(self.refs.is_sha256())?;
        // git writes a ref when all that it leads to is there.
        let brought = bare.join(format!("refs/localpuppet/{object}"));
        let has = || {
            let found = fs::read_own(&brought, LONGEST_REF)?;
            Ok::<_, Failure>(found.is_some_and(|found| found.trim_ascii() == object.as_bytes()))
        };
        if has()? {
            return Ok(());
        }
        if let Some(away) = &self.away {
            let what =
                format!("`{}` is away, and `{reference}` of it is not in the cache", self.url);
            return Err(Failure::new(what).because(Failure::new(away.clone())));
        }
        let refspec = format!("+{reference}:refs/localpuppet/{object}");
        let fetch = |depth: &[&str]| {
            let quiet = ["fetch", "--quiet", "--force", "--no-tags", "--no-recurse-submodules"];
            let line = [&quiet, depth, &["--", &self.url, &refspec]].concat();
            self.asked(&line, prompt).map(|text| text.map(drop))
        };
        let fetched = match fetch(&["--depth=1"]) {
            // A web server that has nothing but files cannot leave the history out.
            Err(error) if error.stderr().contains("shallow") => fetch(&[]),
            fetched => fetched,
        };
        fetched.map_err(|error| {
            let late = error.is_late();
            let what = format!("failed to fetch `{reference}` of `{}`", self.url);
            let failure = Failure::new(what).because(error);
            if late { failure.hint(MORE_TIME) } else { failure }
        })??;
        if has()? {
            return Ok(());
        }
        let what = format!("`{reference}` of `{}` was moved while it was read", self.url);
        Err(Failure::new(what).hint("try again"))
    }

    fn fill(&self, place: &Path, reference: &str, below: Option<&str>) -> Result<(), Failure> {
        let commit = self.refs.target(reference).unwrap_or_default();
        let what = |problem: String| Failure::new(format!("`{reference}`: {problem}"));
        let git = |arguments: &[&str], problem: &str| {
            let text = self.bytes(arguments, b"", |out| fs::bounded(out, place, LARGEST));
            text.map_err(|error| what(problem.to_owned()).because(error))?
        };
        let unread = "it cannot be read from the cache";
        let damaged = |failure: Failure| match self.bare(self.refs.is_sha256()) {
            Ok(bare) => failure.hint(format!("rm -r {}", quote(&bare.to_string_lossy()))),
            Err(_) => failure,
        };
        let tree = format!("{commit}^{{commit}}");
        let tree = below.map_or_else(|| tree.clone(), |below| format!("{tree}:{below}"));
        let problem = format!("it has no directory `{}`", below.unwrap_or("."));
        let text = git(&["ls-tree", "-r", "-z", "--full-tree", &tree], &problem);
        let text = text.or_else(|failure| {
            let kind = git(&["cat-file", "-t", commit], unread).map_err(damaged)?;
            if kind == b"commit\n" {
                return Err(failure);
            }
            let kind = String::from_utf8_lossy(&kind).trim_end().to_owned();
            Err(what(format!("expected a commit, found a {kind}")))
        })?;
        let leaves = git::leaves(&text).map_err(what)?;
        refuse(
            &leaves,
            LeafKind::Submodule,
            "is a submodule, whose content is in another repository",
        )
        .map_err(|failure| {
            failure.hint("give the submodule a source and an app path of its own")
        })?;
        let wanted: String = leaves.iter().map(|leaf| format!("{}\n", leaf.object)).collect();
        let write = |out: &mut dyn Read| write_all(&leaves, out, place);
        let written = self.bytes(&["cat-file", "--batch"], wanted.as_bytes(), write);
        written.map_err(|error| damaged(what(unread.to_owned()).because(error)))?
    }

    /// The repository that keeps the objects, without a hook, a remote or a branch; laid out as
    /// gitrepository-layout(5) has it, whatever the user's git would make of a new one.
    fn bare(&self, sha256: bool) -> Result<PathBuf, Failure> {
        let (format, config) = if sha256 { ("sha256", SHA256) } else { ("sha1", SHA1) };
        let name = format!("{}-{format}.git", self.name);
        self.cache.make("git", &name, |place| {
            for directory in ["objects/pack", "refs/heads"] {
                fs::create_directory(&place.join(directory))?;
            }
            for (name, text) in [("HEAD", "ref: refs/heads/none\n"), ("config", config)] {
                let path = place.join(name);
                std::fs::write(&path, text).map_err(|error| failed("write", &path, error))?;
            }
            Ok(())
        })
    }

    fn text(&self, arguments: &[&str]) -> Result<Result<String, Failure>, ProcessError> {
        self.asked(arguments, Prompt::Never)
    }

    /// What git prints that may have to ask for a password.
    fn asked(
        &self,
        arguments: &[&str],
        prompt: Prompt,
    ) -> Result<Result<String, Failure>, ProcessError> {
        let bare = match self.bare(self.refs.is_sha256()) {
            Ok(bare) => bare,
            Err(failure) => return Ok(Err(failure)),
        };
        let all = |out: &mut dyn Read| fs::bounded(out, Path::new(&self.url), LARGEST);
        let line = in_repository(&bare, arguments, prompt);
        let time = match (arguments.first(), prompt) {
            (Some(&"ls-remote"), Prompt::NotNow | Prompt::Never) => self.cache.to_answer(),
            _ => self.cache.to_send(),
        };
        let text = feed_within(&line, &KEPT_FROM_GIT, time, all)?;
        Ok(text.map(|text| String::from_utf8_lossy(&text).into_owned()))
    }

    /// Runs git in the cache's repository: what the directory of the caller says is not read.
    fn bytes<T>(
        &self,
        arguments: &[&str],
        input: &[u8],
        read: impl FnOnce(&mut dyn Read) -> Result<T, Failure>,
    ) -> Result<Result<T, Failure>, ProcessError> {
        match self.bare(self.refs.is_sha256()) {
            Ok(bare) => {
                let line = in_repository(&bare, arguments, Prompt::Never);
                feed(&line, &KEPT_FROM_GIT, input, read)
            }
            Err(failure) => Ok(Err(failure)),
        }
    }
}

fn in_repository(bare: &Path, arguments: &[&str], prompt: Prompt) -> CommandLine {
    let bare = format!("--git-dir={}", bare.display());
    command(&[&[bare.as_str()], arguments].concat(), prompt)
}

/// git, which runs no hook and no program that a URL names, and leaves no process behind.
fn command(arguments: &[&str], prompt: Prompt) -> CommandLine {
    let settings =
        ["core.hooksPath=/dev/null", "protocol.ext.allow=never", "maintenance.auto=false"];
    let settings = settings.into_iter().flat_map(|setting| ["-c", setting]);
    let mut set = vec![("LC_ALL", "C".to_owned())];
    if prompt != Prompt::Terminal {
        set.push(("GIT_TERMINAL_PROMPT", "0".to_owned()));
    }
    CommandLine::new("git", settings.chain(arguments.iter().copied()))
        .environment(Environment::Inherited(set))
}

/// Whether git may ask for a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Prompt {
    /// There is a terminal, and somebody to answer.
    Terminal,
    /// There is one, and others ask at the same time: it is asked again afterwards.
    NotNow,
    /// Nobody would answer.
    Never,
}

impl Prompt {
    /// How this process may ask.
    pub fn of_process() -> Self {
        if std::io::stderr().is_terminal() { Prompt::Terminal } else { Prompt::Never }
    }

    /// The same, of several at a time.
    pub fn of_several(self) -> Self {
        if self == Prompt::Terminal { Prompt::NotNow } else { self }
    }

    /// True where git may succeed once it may ask.
    fn may_help(self, error: &ProcessError) -> bool {
        self == Prompt::NotNow && error.stderr().contains("terminal prompts disabled")
    }
}

fn absent(failure: Failure, error: ProcessError) -> Failure {
    let absent = error.is_absent();
    let failure = failure.because(error);
    if absent { failure.hint("apt-get install git") } else { failure }
}

fn unread(url: &str, directory: Option<PathBuf>, error: ProcessError) -> Failure {
    let what =
        format!("failed to read the git repository `{url}`, and the cache has nothing of it");
    if directory.is_some_and(|directory| matches!(fs::kind(&directory), Ok(None))) {
        return Failure::new(what).because(Failure::new("there is no such directory")).hint(
            "a location without `://` or `HOST:` is relative to the module root: `https://HOST/PATH`",
        );
    }
    let hint = match error.is_late() {
        true => MORE_TIME.to_owned(),
        false => format!("see that this works: git ls-remote {}", quote(url)),
    };
    absent(Failure::new(what), error).hint(hint)
}

/// Refuses a tree with paths of a kind, all of them named.
fn refuse(leaves: &[Leaf], kind: LeafKind, reason: &str) -> Result<(), Failure> {
    let found = leaves.iter().filter(|leaf| leaf.kind == kind);
    let found: Vec<String> = found.map(|leaf| shown(&leaf.path)).collect();
    match found.as_slice() {
        [] => Ok(()),
        found => Err(named(found, reason)),
    }
}

fn named(found: &[String], reason: &str) -> Failure {
    let lines: String = found.iter().map(|path| format!("\n    {path:?} {reason}")).collect();
    let plural = if found.len() == 1 { "path" } else { "paths" };
    Failure::new(format!("{} {plural} cannot be taken:{lines}", found.len()))
}

fn shown(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// Writes what `git cat-file --batch` prints: directories and files first, so that no path goes
/// through a link that the tree itself has made.
fn write_all(leaves: &[Leaf], from: &mut dyn Read, place: &Path) -> Result<(), Failure> {
    let at = |path: &[u8]| place.join(OsStr::from_bytes(path));
    let mut directories = BTreeSet::new();
    for leaf in leaves {
        let above = Path::new(OsStr::from_bytes(&leaf.path)).ancestors().skip(1);
        directories.extend(above.filter(|path| !path.as_os_str().is_empty()).map(Path::to_owned));
    }
    for directory in &directories {
        let directory = place.join(directory);
        std::fs::create_dir(&directory)
            .map_err(|error| failed("create directory", &directory, error))?;
    }
    let (mut from, mut links, mut pointers) = (BufReader::new(from), Vec::new(), Vec::new());
    for leaf in leaves {
        let size = size(&mut from, &leaf.object)?;
        let mut content = (&mut from).take(size);
        if leaf.kind == LeafKind::Symlink {
            links.push((at(&leaf.path), fs::bounded(&mut content, place, LONGEST_TARGET)?));
        } else if write_one(&mut content, size, &at(&leaf.path), leaf.kind)? == Written::Pointer {
            pointers.push(shown(&leaf.path));
        }
        std::io::copy(&mut (&mut from).take(1), &mut std::io::sink())
            .map_err(|error| failed("write in", place, error))?;
    }
    if !pointers.is_empty() {
        return Err(named(&pointers, "is a pointer of git-lfs, and not the file")
            .hint("put the file itself into the repository: git lfs migrate export"));
    }
    for (path, target) in links {
        std::os::unix::fs::symlink(OsStr::from_bytes(&target), &path)
            .map_err(|error| failed("write", &path, error))?;
    }
    Ok(())
}

/// The size that the line before an object tells.
fn size(from: &mut impl BufRead, object: &str) -> Result<u64, Failure> {
    let mut line = String::new();
    let read = from.take(200).read_line(&mut line);
    read.map_err(|error| failed("read", Path::new(object), error))?;
    let size = line.trim_end().strip_prefix(object).and_then(|rest| rest.strip_prefix(" blob "));
    size.and_then(|size| size.parse().ok()).ok_or_else(|| {
        Failure::new(format!("expected the file `{object}`, found `{}`", line.trim_end()))
    })
}

#[derive(Debug, PartialEq, Eq)]
enum Written {
    File,
    Pointer,
}

/// Writes a file that nobody edits: the cache has it for every command to come.
fn write_one(
    content: &mut impl Read,
    size: u64,
    path: &Path,
    kind: LeafKind,
) -> Result<Written, Failure> {
    let fail = |error| failed("write", path, error);
    let mode = if kind == LeafKind::Executable { 0o555 } else { 0o444 };
    let mut file =
        OpenOptions::new().write(true).create_new(true).mode(mode).open(path).map_err(fail)?;
    if size >= 1024 {
        let written = std::io::copy(content, &mut file).map_err(fail)?;
        return if written == size { Ok(Written::File) } else { Err(cut_off(path)) };
    }
    let mut bytes = Vec::new();
    content.read_to_end(&mut bytes).map_err(fail)?;
    if bytes.len() as u64 != size {
        return Err(cut_off(path));
    }
    file.write_all(&bytes).map_err(fail)?;
    Ok(if git::is_lfs_pointer(&bytes) { Written::Pointer } else { Written::File })
}

fn cut_off(path: &Path) -> Failure {
    Failure::new(format!("git ended before all of `{}` was there", path.display()))
}
