//! Apps that come from git and Subversion, as directories of the cache.

use crate::host::cache::Cache;
use crate::host::git::{Prompt, Repository};
use crate::host::{fs, svn};
use crate::model::app::{AppPath, Line};
use crate::model::failure::Failure;
use crate::model::origin::Origin;
use crate::model::sources::{Git, Location, Signatures, Source, Sources};
use crate::model::suggest::{listed, nearest};
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// So many app paths are asked for at a time: most of it is waiting for servers.
const AT_A_TIME: usize = 8;

/// The apps of a module root that `sources.yaml` declares.
#[derive(Debug)]
pub struct Remote {
    pub sources: Sources,
    signatures: Signatures,
    /// Where relative locations begin.
    module_root: PathBuf,
    cache: Cache,
    /// A command sees each app path once, and each repository.
    taken: Once<AppPath, Taken>,
    asked: Once<Location, Arc<Repository>>,
}

/// The tree of an app path.
#[derive(Clone, Debug)]
pub struct Taken {
    pub directory: PathBuf,
    pub origin: Origin,
    /// Why its source could not be asked now.
    away: Option<String>,
}

impl Remote {
    /// What `sources` declare; nothing is asked for yet.
    pub fn new(sources: Sources, module_root: &Path, cache: Cache, signatures: Signatures) -> Self {
        let module_root = fs::real(module_root).unwrap_or_else(|_| module_root.to_owned());
        let (taken, asked) = (Once::default(), Once::default());
        Remote { sources, signatures, module_root, cache, taken, asked }
    }

    /// The tree of an app path, or a directory of it; none where no source has it.
    pub fn tree(&self, app: &AppPath) -> Result<Option<Taken>, Failure> {
        self.tree_asking(app, Prompt::of_process())
    }

    fn tree_asking(&self, app: &AppPath, prompt: Prompt) -> Result<Option<Taken>, Failure> {
        let Some((name, source)) = self.sources.within(app) else { return Ok(None) };
        if let Some((whole, below)) = inside(name, app) {
            let Some(mut taken) = self.tree_asking(&whole, prompt)? else { return Ok(None) };
            taken.directory = directory_in(&taken.directory, below, app)?;
            return Ok(Some(taken));
        }
        if app.source() != name || app.line() == Line::Other {
            let what =
                format!("`{app}` is no tag, trunk or branch of `{name}`, which has a source");
            let hint =
                format!("expected `{name}/tags/TAG`, `{name}/trunk` or `{name}/branches/BRANCH`");
            return Err(Failure::new(what).hint(hint));
        }
        let taken = self.taken.get(app, || match source {
            Source::Git(git) => self.git(app, git, prompt),
            Source::Svn(location) => self.svn(app, location),
        });
        taken.map(Some)
    }

    /// Brings app paths that will be asked for next; what fails does so when it is asked for.
    pub fn ready<'a>(&self, apps: impl Iterator<Item = &'a AppPath>) {
        let apps: Vec<&AppPath> = apps.filter(|app| self.sources.within(app).is_some()).collect();
        if apps.len() < 2 {
            return;
        }
        let next = Mutex::new(apps.into_iter());
        let prompt = Prompt::of_process().of_several();
        thread::scope(|scope| {
            for _ in 0..AT_A_TIME {
                scope.spawn(|| {
                    while let Some(app) = locked(&next).next() {
                        let _ = self.tree_asking(app, prompt);
                    }
                });
            }
        });
    }

    /// What was taken from the cache although it may have changed, a line for each source.
    pub fn away(&self) -> Vec<String> {
        let all = self.taken.all();
        let lines: BTreeSet<String> = all.into_iter().filter_map(|taken| taken.away).collect();
        lines.into_iter().collect()
    }

    /// The tags of an app, of those that can be one's of an app path; none where it has no source.
    pub fn tags(&self, name: &str) -> Result<Option<Vec<String>>, Failure> {
        let tags = match self.sources.of(name) {
            None => return Ok(None),
            Some(Source::Git(git)) => {
                let repository = self.repository(&git.location, Prompt::of_process())?;
                let tags = repository.refs.below("refs/tags/").filter_map(|tag| git.tag.tag(tag));
                tags.map(str::to_owned).collect()
            }
            Some(Source::Svn(location)) => {
                svn::names(&self.cache, location, &self.module_root, "tags")?
            }
        };
        let fits = |tag: &String| format!("{name}/tags/{tag}").parse::<AppPath>();
        let is_tag = |tag: &String| {
            fits(tag)
                .is_ok_and(|app| matches!(app.line(), Line::Tag { name: of, .. } if of == name))
        };
        Ok(Some(tags.into_iter().filter(is_tag).collect()))
    }

    fn repository(&self, location: &Location, prompt: Prompt) -> Result<Arc<Repository>, Failure> {
        self.asked.get(location, || {
            Repository::ask(&self.cache, location, &self.module_root, prompt).map(Arc::new)
        })
    }

    fn git(&self, app: &AppPath, git: &Git, prompt: Prompt) -> Result<Taken, Failure> {
        let repository = self.repository(&git.location, prompt)?;
        let reference = match (app.line(), &git.branch) {
            (Line::Tag { tag, .. }, _) => format!("refs/tags/{}", git.tag.name(tag)),
            (Line::Branch { branch, .. }, _) => format!("refs/heads/{branch}"),
            (_, Some(branch)) => format!("refs/heads/{}", branch.as_str()),
            (_, None) => "HEAD".to_owned(),
        };
        let Some(commit) = repository.refs.target(&reference) else {
            return Err(self.no_ref(app, git, &repository, &reference)?);
        };
        if self.signatures == Signatures::Required {
            match reference.strip_prefix("refs/tags/") {
                Some(tag) => repository.refuse_unsigned(tag, prompt)?,
                None => return Err(unsigned(app, "only tags of git are signed")),
            }
        }
        let location = git.location.clone();
        let commit = commit.to_owned();
        let directory = repository
            .tree(&reference, git, prompt)
            .map_err(|failure| untaken(app, &location, failure))?;
        let away = away(&location, repository.away.as_deref());
        Ok(Taken { directory, origin: Origin::Git { location, reference, commit }, away })
    }

    fn svn(&self, app: &AppPath, location: &Location) -> Result<Taken, Failure> {
        if self.signatures == Signatures::Required {
            return Err(unsigned(app, "tags of Subversion are not signed"));
        }
        let path = match app.line() {
            Line::Tag { tag, .. } => format!("tags/{tag}"),
            Line::Branch { branch, .. } => format!("branches/{branch}"),
            _ => "trunk".to_owned(),
        };
        let Some(found) = svn::Directory::ask(&self.cache, location, &self.module_root, &path)?
        else {
            let failure = Failure::new(format!("`{app}`: `{location}` has no `{path}`"));
            return Err(self.hinted(failure, app)?);
        };
        let directory = found.tree(&self.cache);
        let directory = directory.map_err(|failure| untaken(app, location, failure))?;
        let revision = found.revision;
        let away = away(location, found.away.as_deref());
        let origin = Origin::Svn { location: location.clone(), path, revision };
        Ok(Taken { directory, origin, away })
    }

    /// Why a git repository has no such ref, and what it has.
    fn no_ref(
        &self,
        app: &AppPath,
        git: &Git,
        repository: &Repository,
        reference: &str,
    ) -> Result<Failure, Failure> {
        let location = &git.location;
        let mut failure = Failure::new(format!("`{app}`: `{location}` has no `{reference}`"));
        if let Line::Tag { name, tag } = app.line()
            && repository.refs.object(&format!("refs/heads/{tag}")).is_some()
        {
            let branch =
                format!("`{tag}` is a branch there, which can change: `{name}/branches/{tag}`");
            failure = failure.hint(branch);
        }
        if let Some(directory) = location.directory(&self.module_root) {
            let shallow = [directory.join("shallow"), directory.join(".git/shallow")];
            if shallow.iter().any(|path| matches!(fs::kind(path), Ok(Some(_)))) {
                let directory = directory.display();
                failure = failure.hint(format!(
                    "it is a shallow clone: git -C {directory} fetch --unshallow --tags"
                ));
            }
        }
        let hinted = self.hinted(failure, app)?;
        let tags: Vec<String> = repository.refs.below("refs/tags/").map(str::to_owned).collect();
        let fits = |tag: &String| git.tag.tag(tag).is_some();
        Ok(match app.line() {
            Line::Tag { name, .. } if !tags.is_empty() && !tags.iter().any(fits) => {
                let tags = listed(&tags);
                hinted.hint(format!(
                    "it has tags {tags}; what is one of `{name}`'s? `tag: …{{tag}}…`"
                ))
            }
            _ => hinted,
        })
    }

    fn hinted(&self, failure: Failure, app: &AppPath) -> Result<Failure, Failure> {
        let Line::Tag { name, tag } = app.line() else { return Ok(failure) };
        let tags = self.tags(name)?.unwrap_or_default();
        Ok(has_tags(failure, name, tag, &tags))
    }
}

/// The tag, trunk or branch that an app path is a directory of, and which.
fn inside<'a>(name: &str, app: &'a AppPath) -> Option<(AppPath, &'a str)> {
    let rest = app.as_str().strip_prefix(name)?.strip_prefix('/')?;
    let words = if rest.starts_with("trunk/") { 1 } else { 2 };
    let (at, _) = rest.match_indices('/').nth(words - 1)?;
    let whole: AppPath = format!("{name}/{}", &rest[..at]).parse().ok()?;
    let is_whole = whole.source() == name && whole.line() != Line::Other;
    is_whole.then(|| (whole, &rest[at + 1..]))
}

/// A directory of a tree that no link leads to.
fn directory_in(tree: &Path, below: &str, app: &AppPath) -> Result<PathBuf, Failure> {
    let mut directory = tree.to_owned();
    for component in below.split('/') {
        directory.push(component);
        if !fs::kind(&directory)?.is_some_and(|kind| kind.is_dir()) {
            let failure = Failure::new(format!("`{app}` is no directory of its repository"));
            return Err(match fs::kind(&tree.join("Puppetfile"))? {
                None => failure,
                Some(_) => failure.hint(
                    "what its Puppetfile names is elsewhere: bundle a clone of the tag, after \
                     `r10k puppetfile install`",
                ),
            });
        }
    }
    Ok(directory)
}

/// A failure with the tags that there are; unchanged where there are none.
pub fn has_tags(failure: Failure, name: &str, tag: &str, tags: &[String]) -> Failure {
    if tags.is_empty() {
        return failure;
    }
    let meant = nearest(tag, tags).map(|tag| format!("; did you mean `{name}/tags/{tag}`?"));
    failure.hint(format!("`{name}` has tags {}{}", listed(tags), meant.unwrap_or_default()))
}

/// A failure of an app path that has no signature.
pub fn unsigned(app: &AppPath, why: &str) -> Failure {
    let what = format!("`{app}` has no signature, and `--require-signed-tags` was said");
    Failure::new(what).because(Failure::new(why))
}

fn untaken(app: &AppPath, location: &Location, failure: Failure) -> Failure {
    Failure::new(format!("`{app}` cannot be taken from `{location}`")).because(failure)
}

fn away(location: &Location, why: Option<&str>) -> Option<String> {
    let why = why?;
    Some(format!("`{location}` is away; what the cache has of it is taken: {why}"))
}

/// What is found once and shared by all that ask for it; a failure is not kept.
#[derive(Debug)]
struct Once<K, V>(Mutex<HashMap<K, Arc<Mutex<Option<V>>>>>);

impl<K, V> Default for Once<K, V> {
    fn default() -> Self {
        Once(Mutex::default())
    }
}

impl<K: Eq + Hash + Clone, V: Clone> Once<K, V> {
    fn get(&self, key: &K, find: impl FnOnce() -> Result<V, Failure>) -> Result<V, Failure> {
        let place = Arc::clone(locked(&self.0).entry(key.clone()).or_default());
        let mut place = locked(&place);
        if let Some(found) = &*place {
            return Ok(found.clone());
        }
        let found = find()?;
        *place = Some(found.clone());
        Ok(found)
    }

    fn all(&self) -> Vec<V> {
        let places: Vec<_> = locked(&self.0).values().cloned().collect();
        places.iter().filter_map(|place| locked(place).clone()).collect()
    }
}

/// A thread that panicked has left nothing half done in what these protect.
fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
