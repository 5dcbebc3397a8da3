//! A module root on disk: app paths, their manifests, and what exists instead.

use super::fs;
use super::interface::Modulepath;
use crate::model::app::{AppPath, Line};
use crate::model::failure::Failure;
use crate::model::manifest::{self, Manifest};
use crate::model::module::{LARGEST_METADATA, METADATA, Metadata};
use crate::model::suggest::{listed, nearest};
use std::path::{Path, PathBuf};

/// A directory that app paths are relative to.
#[derive(Debug)]
pub struct ModuleRoot {
    directory: PathBuf,
}

impl ModuleRoot {
    /// Takes a directory as module root.
    pub fn open(directory: &Path) -> Result<Self, Failure> {
        if fs::is_directory(directory)? {
            return Ok(ModuleRoot { directory: directory.to_owned() });
        }
        let what = format!("the module root `{}` is no directory", directory.display());
        Err(Failure::new(what)
            .hint("name the directory that has `foo/tags/r1` in it: `--module-root DIR`"))
    }

    /// The directory.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The directories of a modulepath.
    pub fn directories(&self, modulepath: &[AppPath]) -> Modulepath {
        modulepath.iter().map(|app| (app.clone(), self.directory.join(app.as_str()))).collect()
    }

    /// The directory of an app path, which has to be there.
    pub fn app(&self, app: &AppPath) -> Result<PathBuf, Failure> {
        let directory = self.directory.join(app.as_str());
        match fs::is_directory(&directory) {
            Ok(true) => Ok(directory),
            Ok(false) => Err(self.missing(app, &directory)?),
            Err(failure) => Err(failure),
        }
    }

    /// The manifest of an app path; a dependency need not have one.
    pub fn manifest(&self, app: &AppPath, is_dependency: bool) -> Result<Manifest, Failure> {
        let path = self.app(app)?.join(manifest::FILE_NAME);
        let text = match fs::read_bounded(&path, manifest::LARGEST)? {
            Some(text) => text,
            None if is_dependency => return Ok(Manifest::default()),
            None => {
                return Err(Failure::new(format!("`{app}` has no `{}`", manifest::FILE_NAME))
                    .hint(format!(
                        "an app without dependencies has an empty one: touch {}",
                        path.display()
                    )));
            }
        };
        Manifest::parse(&text).map_err(|error| {
            Failure::new(format!("manifest of `{app}` is not valid"))
                .because(Failure::new(format!("`{}`: {error}", path.display())))
                .hint("it lists app paths: `modulepath: [dist/tags/r1]`")
        })
    }

    /// Refuses an app path with a symbolic link in it: what it leads to is no part of the tag.
    pub fn refuse_links(&self, app: &AppPath) -> Result<(), Failure> {
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
        let path = self.directory.join(app.as_str()).join(module).join(METADATA);
        let Some(text) = fs::read_bounded(&path, LARGEST_METADATA)? else {
            return Ok(Ok(Metadata::default()));
        };
        Ok(serde_json::from_slice(&text)
            .map_err(|error| format!("`{app}/{module}/{METADATA}` is not read: {error}")))
    }

    /// The tags of an app that are there.
    pub fn tags(&self, name: &str) -> Result<Vec<String>, Failure> {
        fs::names(&self.directory.join(name).join("tags"))
    }

    /// What is there instead of a directory that is not.
    fn missing(&self, app: &AppPath, directory: &Path) -> Result<Failure, Failure> {
        let what = format!(
            "failed to read directory `{}`: No such file or directory",
            directory.display()
        );
        let failure = Failure::new(what);
        if let Line::Tag { name, tag } = app.line() {
            let tags = self.tags(name)?;
            if !tags.is_empty() {
                let meant =
                    nearest(tag, &tags).map(|tag| format!("; did you mean `{name}/tags/{tag}`?"));
                let hint =
                    format!("`{name}` has tags {}{}", listed(&tags), meant.unwrap_or_default());
                return Ok(failure.hint(hint));
            }
        }
        let first = app.as_str().split('/').next().unwrap_or_default();
        let names = fs::names(&self.directory)?;
        let names: Vec<String> = names.into_iter().filter(|name| !name.starts_with('.')).collect();
        if names.iter().any(|name| name == first) {
            let below = fs::names(&self.directory.join(first)).unwrap_or_default();
            return Ok(failure.hint(format!("`{first}` has {}", listed(&below))));
        }
        let root = self.directory.display();
        if names.is_empty() {
            return Ok(failure.hint(format!("the module root `{root}` is empty")));
        }
        let meant = nearest(first, &names).map(|name| format!("; did you mean `{name}`?"));
        let hint =
            format!("the module root `{root}` has {}{}", listed(&names), meant.unwrap_or_default());
        Ok(failure.hint(hint))
    }
}
