//! A module root: app paths, their manifests, and what exists instead. An app is a directory of
//! it, or comes from where its `sources.yaml` says.

mod remote;

use super::cache::Cache;
use super::fs;
use super::interface::Modulepath;
use crate::model::app::{AppPath, Line, searched};
use crate::model::command::quote;
use crate::model::failure::Failure;
use crate::model::manifest::{self, Manifest};
use crate::model::module::{LARGEST_METADATA, METADATA, Metadata};
use crate::model::origin::Origin;
use crate::model::sources::{self, Signatures, Sources};
use crate::model::suggest::{listed, nearest};
use crate::model::version::Version;
use remote::{Remote, has_tags, unsigned};
use std::path::{Path, PathBuf};

/// What `sources.yaml` is called by mistake.
const MISNAMED: &str = "sources.yml";

/// What a manifest is called by mistake.
const MISNAMED_MANIFEST: &str = "manifest.yml";

/// A directory that app paths are relative to.
#[derive(Debug)]
pub struct ModuleRoot {
    directory: PathBuf,
    signatures: Signatures,
    remote: Option<Remote>,
}

impl ModuleRoot {
    /// Refuses a module root that is no directory.
    pub fn must_be(directory: &Path) -> Result<(), Failure> {
        if fs::is_directory(directory)? {
            return Ok(());
        }
        let what = format!("the module root `{}` is no directory", directory.display());
        Err(Failure::new(what)
            .hint("name the directory that has `foo/tags/r1` in it: `--module-root DIR`"))
    }

    /// Takes a directory as module root; `cache` keeps what comes from git and Subversion.
    pub fn open(
        directory: &Path,
        cache: Option<&Path>,
        signatures: Signatures,
    ) -> Result<Self, Failure> {
        ModuleRoot::must_be(directory)?;
        let file = directory.join(sources::FILE_NAME);
        ModuleRoot::with(declared(directory, &file)?, directory, cache, signatures)
    }

    /// Takes a file that says where apps live, with the directory that it is in.
    pub fn of_sources(
        file: &Path,
        cache: Option<&Path>,
        signatures: Signatures,
    ) -> Result<Self, Failure> {
        if fs::is_directory(file)? {
            let (what, name) = (file.display(), sources::FILE_NAME);
            return Err(Failure::new(format!("`{what}` is a directory"))
                .hint(format!("name the file in it: `--sources {what}/{name}`")));
        }
        let directory = match file.parent() {
            Some(directory) if !directory.as_os_str().is_empty() => directory,
            _ => Path::new("."),
        };
        let Some(sources) = declared(directory, file)? else {
            return Err(Failure::new(format!("there is no `{}`", file.display()))
                .hint("it says where apps are: `foo: { git: URL }`"));
        };
        ModuleRoot::with(Some(sources), directory, cache, signatures)
    }

    fn with(
        sources: Option<Sources>,
        directory: &Path,
        cache: Option<&Path>,
        signatures: Signatures,
    ) -> Result<Self, Failure> {
        let remote = match sources {
            None => None,
            Some(sources) => Some(Remote::new(sources, directory, Cache::at(cache)?, signatures)),
        };
        Ok(ModuleRoot { directory: directory.to_owned(), signatures, remote })
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The directories of a release that Puppet searches.
    pub fn directories(&self, apps: &[AppPath]) -> Result<Modulepath, Failure> {
        let searched = searched(apps, |app| app).into_iter();
        searched.map(|app| Ok((app.clone(), self.app(app)?))).collect()
    }

    /// True where an app path is there, or is of an app that has a source.
    pub fn has(&self, app: &AppPath) -> Result<bool, Failure> {
        match &self.remote {
            Some(remote) if remote.sources.within(app).is_some() => Ok(true),
            _ => fs::is_directory(&self.directory.join(app.as_str())),
        }
    }

    /// The directory of an app path, which has to be there.
    pub fn app(&self, app: &AppPath) -> Result<PathBuf, Failure> {
        self.found(app).map(|(directory, _)| directory)
    }

    /// Where the tree of an app path comes from.
    pub fn origin(&self, app: &AppPath) -> Result<Origin, Failure> {
        self.found(app).map(|(_, origin)| origin)
    }

    /// Which sources could not be asked, so that what the cache has of them was taken.
    pub fn away(&self) -> Vec<String> {
        self.remote.as_ref().map(Remote::away).unwrap_or_default()
    }

    fn found(&self, app: &AppPath) -> Result<(PathBuf, Origin), Failure> {
        if let Some(remote) = &self.remote
            && let Some(taken) = remote.tree(app)?
        {
            return Ok((taken.directory, taken.origin));
        }
        let directory = self.directory.join(app.as_str());
        if !fs::is_directory(&directory)? {
            return Err(self.missing(app, &directory)?);
        }
        match self.signatures {
            Signatures::Required => Err(unsigned(app, "it is a directory of the module root")),
            Signatures::NotLookedAt => Ok((directory, Origin::Directory)),
        }
    }

    /// The manifest of an app path; a dependency need not have one.
    pub fn manifest(&self, app: &AppPath, is_dependency: bool) -> Result<Manifest, Failure> {
        let directory = self.app(app)?;
        let path = directory.join(manifest::FILE_NAME);
        if fs::kind(&path)?.is_some_and(|kind| kind.is_symlink()) {
            return Err(Failure::new(format!("`{}` is a symbolic link", path.display()))
                .hint("what it leads to may be no part of the tag: put the file itself there"));
        }
        let text = match fs::read_bounded(&path, manifest::LARGEST)? {
            Some(text) => text,
            None if fs::kind(&directory.join(MISNAMED_MANIFEST))?.is_some() => {
                let name = manifest::FILE_NAME;
                return Err(Failure::new(format!("`{app}` has no `{name}`"))
                    .hint(format!("`{MISNAMED_MANIFEST}` is not read: its name is `{name}`")));
            }
            None if is_dependency => return Ok(Manifest::default()),
            None => {
                let failure = Failure::new(format!("`{app}` has no `{}`", manifest::FILE_NAME));
                return Err(match Version::latest(&self.tags(app.as_str()).unwrap_or_default()) {
                    Some(tag) => failure.hint(format!("name one of its tags: `{app}/tags/{tag}`")),
                    None => failure.hint(self.how_to_add(app)),
                });
            }
        };
        let manifest = Manifest::parse(&text, app).map_err(|error| {
            Failure::new(format!("manifest of `{app}` is not valid"))
                .because(Failure::new(format!("`{}`: {error}", path.display())))
                .hint("it lists app paths: `modulepath: [dist/tags/r1]`")
        })?;
        if let Some(remote) = &self.remote {
            remote.ready(manifest.modulepath.iter().map(|listed| &listed.app));
        }
        Ok(manifest)
    }

    fn how_to_add(&self, app: &AppPath) -> String {
        let empty = "an app without dependencies has an empty one:";
        let is_remote = |remote: &Remote| remote.sources.within(app).is_some();
        match self.remote.as_ref().is_some_and(is_remote) {
            true => format!("{empty} add it to the repository, and tag that"),
            false => {
                let path = self.directory.join(app.as_str()).join(manifest::FILE_NAME);
                format!("{empty} touch {}", path.display())
            }
        }
    }

    /// Refuses an app path with a symbolic link in it: what it leads to is no part of the tag.
    pub fn refuse_links(&self, app: &AppPath) -> Result<(), Failure> {
        if self.origin(app)? != Origin::Directory {
            return Ok(());
        }
        let mut directory = self.directory.clone();
        for component in app.as_str().split('/') {
            directory.push(component);
            if fs::kind(&directory)?.is_some_and(|kind| kind.is_symlink()) {
                return Err(Failure::new(format!("`{}` is a symbolic link", directory.display()))
                    .hint("a release is bundled from the directory itself: name that"));
            }
        }
        Ok(())
    }

    /// What the metadata.json of a module tells; the inner error says what is wrong with it.
    pub fn metadata(
        &self,
        app: &AppPath,
        module: &str,
    ) -> Result<Result<Metadata, String>, Failure> {
        let path = self.app(app)?.join(module).join(METADATA);
        let Some(text) = fs::read_bounded(&path, LARGEST_METADATA)? else {
            return Ok(Ok(Metadata::default()));
        };
        Ok(serde_json::from_slice(&text)
            .map_err(|error| format!("`{app}/{module}/{METADATA}` is not read: {error}")))
    }

    /// The tags of an app that are there.
    pub fn tags(&self, name: &str) -> Result<Vec<String>, Failure> {
        let remote = self.remote.as_ref().map(|remote| remote.tags(name)).transpose()?.flatten();
        match remote {
            Some(tags) => Ok(tags),
            None => fs::directories(&self.directory.join(name).join("tags")),
        }
    }

    /// What is there instead of a directory that is not.
    fn missing(&self, app: &AppPath, directory: &Path) -> Result<Failure, Failure> {
        let shown = directory.display().to_string();
        let failure = |why| Failure::new(format!("failed to read directory `{shown}`: {why}"));
        if fs::kind(directory)?.is_some_and(|kind| !kind.is_symlink()) {
            return Ok(
                failure("Not a directory").hint(format!("look at it: ls -l {}", quote(&shown)))
            );
        }
        let failure = failure("No such file or directory");
        if let Line::Tag { name, tag } = app.line() {
            let tags = self.tags(name)?;
            if !tags.is_empty() {
                return Ok(has_tags(failure, name, tag, &tags));
            }
        }
        if let Some(meant) = self.end_of(app)? {
            return Ok(failure
                .hint(format!("app paths begin in the module root; did you mean `{meant}`?")));
        }
        if fs::kind(&directory.with_file_name("Puppetfile"))?.is_some() {
            return Ok(failure.hint("there is a Puppetfile: r10k puppetfile install"));
        }
        if self.remote.is_none() && fs::kind(&self.directory.join(MISNAMED))?.is_some() {
            let name = sources::FILE_NAME;
            return Ok(failure.hint(format!("`{MISNAMED}` is not read: its name is `{name}`")));
        }
        let first = app.as_str().split('/').next().unwrap_or_default();
        let names = fs::names(&self.directory)?;
        let is_app = |name: &String| {
            !name.starts_with('.') && fs::is_directory(&self.directory.join(name)).unwrap_or(false)
        };
        let mut names: Vec<String> = names.into_iter().filter(is_app).collect();
        if names.iter().any(|name| name == first) {
            return Ok(failure.hint(self.beside(app)));
        }
        if let Some(remote) = &self.remote {
            names.extend(remote.sources.names().map(|(name, _)| name.to_owned()));
            names.sort();
        }
        let root = self.directory.display();
        if names.is_empty() {
            let hint = format!("the module root `{root}` has no apps: `--module-root DIR`");
            return Ok(failure.hint(hint));
        }
        let meant = nearest(first, &names).map(|name| format!("; did you mean `{name}`?"));
        let hint =
            format!("the module root `{root}` has {}{}", listed(&names), meant.unwrap_or_default());
        let failure = failure.hint(hint);
        Ok(match self.directory == Path::new(".") {
            true => failure.hint("is it another? `--module-root DIR`"),
            false => failure,
        })
    }

    /// The end of a path that is an app path by itself: before it is where the module root is, or
    /// the app whose manifest lists it.
    fn end_of(&self, app: &AppPath) -> Result<Option<AppPath>, Failure> {
        let mut rest = app.as_str();
        while let Some((_, shorter)) = rest.split_once('/') {
            rest = shorter;
            let meant = rest.parse().ok().filter(|end: &AppPath| end.line() != Line::Other);
            if let Some(meant) = meant
                && fs::is_directory(&self.directory.join(meant.as_str()))?
            {
                return Ok(Some(meant));
            }
        }
        Ok(None)
    }

    /// What is in the directory that a missing one would be in, or in the nearest above it.
    fn beside(&self, app: &AppPath) -> String {
        let mut name = app.as_str();
        while let Some((above, last)) = name.rsplit_once('/') {
            name = above;
            let mut directories = fs::directories(&self.directory.join(above)).unwrap_or_default();
            directories.retain(|name| !name.starts_with('.'));
            if directories.is_empty() {
                continue;
            }
            let meant = nearest(last, &directories).map(|name| format!("{above}/{name}"));
            let meant = meant.map(|meant| format!("; did you mean `{meant}`?"));
            return format!("`{above}` has {}{}", listed(&directories), meant.unwrap_or_default());
        }
        format!("`{name}` is empty")
    }
}

/// Where a path is that begins with one of some app paths.
pub fn place(directories: &[(AppPath, PathBuf)], path: &str) -> Option<PathBuf> {
    directories.iter().find_map(|(app, directory)| {
        let rest = path.strip_prefix(app.as_str())?.strip_prefix('/')?;
        Some(directory.join(rest))
    })
}

/// What the `sources.yaml` of a module root declares; none where there is none.
fn declared(module_root: &Path, path: &Path) -> Result<Option<Sources>, Failure> {
    let Some(text) = fs::read_bounded(path, sources::LARGEST)? else { return Ok(None) };
    let shown = path.display();
    let refused = |cause: String| {
        Failure::new(format!("`{shown}` is not valid")).because(Failure::new(cause))
    };
    let sources = Sources::parse(&text).map_err(|error| {
        refused(error.to_string()).hint("it says where apps are: `foo: { git: URL }`")
    })?;
    for (name, line) in sources.names() {
        let directory = module_root.join(name);
        if fs::kind(&directory)?.is_some() {
            let there = directory.display();
            let cause =
                format!("line {line}: `{name}` has a source, and `{there}` is there as well");
            return Err(refused(cause).hint("rename the directory, or take the entry out"));
        }
    }
    Ok(Some(sources))
}
