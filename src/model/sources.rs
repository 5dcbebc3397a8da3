//! `sources.yaml`: where the apps of a module root live, in git or Subversion.

use super::app::{AppPath, AppPathError, Line};
use super::module::is_module_name;
use super::suggest::nearest;
use super::tree::TreePath;
use super::yaml::{self, Finding, Limits, Node};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Component, Path, PathBuf};
use std::str::FromStr;

/// The file in a module root that says where apps come from.
pub const FILE_NAME: &str = "sources.yaml";

/// More bytes than this, and it is not read.
pub const LARGEST: u64 = 1 << 20;

/// What stands for the tag of an app path in a pattern.
const TAG: &str = "{tag}";

/// The sources of a module root, by the name of the app.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sources {
    declared: BTreeMap<String, Declared>,
}

/// Which git tags are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Signatures {
    /// Those whose signature git accepts, and no other source.
    Required,
    NotLookedAt,
}

/// One app's source, and the line that declares it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declared {
    pub source: Source,
    pub line: u64,
}

/// Where the tags, the trunk and the branches of an app are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    Git(Git),
    /// A directory with `tags`, `trunk` and `branches` in it.
    Svn(Location),
}

/// A git repository, or a directory in one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Git {
    pub location: Location,
    /// The directory that is the app; none where it is all of the repository.
    pub path: Option<TreePath>,
    /// The name of the one module that it is; none where it has modules in it, each in a directory.
    pub module: Option<ModuleName>,
    /// What the repository calls a tag of the app.
    pub tag: Pattern,
    /// The branch that is trunk, where it is not the repository's default.
    pub branch: Option<RefName>,
}

/// Where a repository is: a URL, `user@host:path`, or a directory relative to the module root.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Location(String);

/// Why a text is no place that is read from. Never repeats it where it may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LocationError {
    #[error("a URL or a directory, found nothing")]
    Empty,
    #[error("a URL or a directory, found an option, `{0}`")]
    Option(String),
    #[error("a URL without spaces and control characters, found {0:?}")]
    Character(char),
    #[error("one of `https ssh http git svn svn+ssh file`, found the scheme `{0}`")]
    Scheme(String),
    #[error("a URL, found `{0}::`, a program that would be run")]
    Helper(String),
    #[error("a URL without user name and password, which everyone would read here, found one")]
    Password,
    #[error("a URL that ends before `?` and `#`, where tokens are, found one that goes on")]
    Query,
}

/// The part of a ref after `refs/tags/` or `refs/heads/` (git-check-ref-format(1)).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefName(String);

/// Why a text is no name of a tag or branch.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name of a tag or branch, found `{0}`")]
pub struct NotARefName(String);

/// The name of a Puppet module, which is that of its directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ModuleName(String);

/// Why a text is no name of a module.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the name of a module, such as `stdlib`, found `{0}`")]
pub struct NotAModuleName(String);

/// What a repository calls the tag of an app path: `foo-{tag}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    before: String,
    after: String,
}

/// Why a text is no pattern of tags.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    #[error("`{TAG}` once in the name of a tag, found `{0}`")]
    Count(String),
    #[error(transparent)]
    Name(#[from] NotARefName),
}

/// Why a text is no `sources.yaml`; every variant names its place.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
pub struct SourcesError(#[from] Finding);

impl Sources {
    /// Reads the text of a `sources.yaml`; an empty one declares nothing.
    pub fn parse(text: &[u8]) -> Result<Self, SourcesError> {
        let Some(root) = yaml::compose(text, Limits::DEFAULT)? else { return Ok(Self::default()) };
        let mut declared = BTreeMap::new();
        for (key, value) in root.pairs("a map from names of apps to sources", "")? {
            let name = app_name(key)?;
            let line = key.mark.line;
            let source = source(value, &name)?;
            if declared.insert(name.clone(), Declared { source, line }).is_some() {
                let found = format!("`{name}` a second time");
                return Err(Finding::new(key.mark, "each app once", found).into());
            }
        }
        Ok(Sources { declared })
    }

    /// The source of an app.
    pub fn of(&self, name: &str) -> Option<&Source> {
        self.declared.get(name).map(|declared| &declared.source)
    }

    /// The source that an app path is in, with the name of the app; paths below an app are too.
    pub fn within(&self, app: &AppPath) -> Option<(&str, &Source)> {
        let names = self.declared.iter();
        let mut found = names.filter(|(name, _)| {
            let rest = app.as_str().strip_prefix(name.as_str());
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        });
        found.next_back().map(|(name, declared)| (name.as_str(), &declared.source))
    }

    /// The names of all apps that are declared, each with its line.
    pub fn names(&self) -> impl Iterator<Item = (&str, u64)> {
        self.declared.iter().map(|(name, declared)| (name.as_str(), declared.line))
    }
}

fn app_name(key: &Node) -> Result<String, Finding> {
    let expected = "the name of an app, such as `foo`";
    let name = key.text("")?;
    let app: AppPath = name.parse().map_err(|error: AppPathError| {
        Finding::new(key.mark, expected, format!("a key that is none: {error}"))
    })?;
    match app.line() {
        Line::Other => Ok(app.as_str().to_owned()),
        _ => Err(Finding::new(key.mark, expected, format!("the app path `{app}`"))),
    }
}

fn source(node: &Node, name: &str) -> Result<Source, Finding> {
    const KEYS: [&str; 6] = ["git", "svn", "path", "module", "tag", "branch"];
    let mut given: BTreeMap<&str, &Node> = BTreeMap::new();
    for (key, value) in node.pairs("a map with `git` or `svn`", name)? {
        let word = key.text(name)?;
        let Some(known) = KEYS.iter().find(|known| **known == word) else {
            let finding = Finding::new(
                key.mark,
                format!("one of `{}`", KEYS.join("`, `")),
                format!("`{word}`"),
            );
            let meant = nearest(word, &KEYS.map(str::to_owned)).map(str::to_owned);
            let hint = meant.map(|meant| format!("did you mean `{meant}`?"));
            return Err(hint.into_iter().fold(finding.at(name), Finding::hint));
        };
        if given.insert(known, value).is_some() {
            let found = format!("`{known}` a second time");
            return Err(Finding::new(key.mark, "each key once", found).at(name));
        }
    }
    let expected = "either `git` or `svn`";
    match (given.remove("git"), given.remove("svn")) {
        (Some(url), None) => git(url, &given, name).map(Source::Git),
        (None, Some(url)) => match given.into_iter().next() {
            None => Ok(Source::Svn(value(url, &format!("{name}.svn"))?)),
            Some((key, value)) => {
                let hint = "name the directory that has `tags` and `trunk` in it";
                Err(Finding::new(value.mark, "`svn` alone", format!("`{key}`")).at(name).hint(hint))
            }
        },
        (Some(_), Some(second)) => Err(Finding::new(second.mark, expected, "both").at(name)),
        (None, None) => Err(Finding::new(node.mark, expected, "neither").at(name)),
    }
}

fn git(url: &Node, given: &BTreeMap<&str, &Node>, name: &str) -> Result<Git, Finding> {
    let path = |key: &str| format!("{name}.{key}");
    let git = Git {
        location: value(url, &path("git"))?,
        path: given.get("path").map(|node| directory(node, &path("path"))).transpose()?,
        module: given.get("module").map(|node| value(node, &path("module"))).transpose()?,
        tag: match given.get("tag") {
            Some(node) => value(node, &path("tag"))?,
            None => Pattern { before: String::new(), after: String::new() },
        },
        branch: given.get("branch").map(|node| value(node, &path("branch"))).transpose()?,
    };
    Ok(git)
}

/// A value that is read from text; its error says what was expected and what was found.
fn value<T: FromStr<Err: fmt::Display>>(node: &Node, path: &str) -> Result<T, Finding> {
    node.text(path)?.parse().map_err(|error: T::Err| {
        let told = error.to_string();
        let (expected, found) = told.rsplit_once(", found ").unwrap_or((&told, "something else"));
        Finding::new(node.mark, expected, found).at(path)
    })
}

fn directory(node: &Node, path: &str) -> Result<TreePath, Finding> {
    let text = node.text(path)?;
    text.trim_end_matches('/').parse().map_err(|error| {
        let found = format!("`{text}`, which {error}");
        Finding::new(node.mark, "a directory of the repository", found).at(path)
    })
}

impl Location {
    /// The text, as `sources.yaml` has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The directory that it names, of a module root; none where it is a URL or on another host.
    pub fn directory(&self, module_root: &Path) -> Option<PathBuf> {
        let is_remote = self.0.contains("://") || is_scp(&self.0);
        (!is_remote).then(|| normal(&module_root.join(&self.0)))
    }
}

/// A path without `.` and `..`, whether it is there or not: a repository that is away has its name.
fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                normal.pop();
            }
            Component::CurDir => {}
            other => normal.push(other),
        }
    }
    normal
}

/// `user@host:path`: a `:` before the first `/`.
fn is_scp(text: &str) -> bool {
    text.split('/').next().is_some_and(|first| first.contains(':'))
}

impl FromStr for Location {
    type Err = LocationError;

    fn from_str(text: &str) -> Result<Self, LocationError> {
        use LocationError as E;
        if text.is_empty() {
            return Err(E::Empty);
        }
        if text.starts_with('-') {
            return Err(E::Option(text.chars().take(80).collect()));
        }
        if let Some(c) = text.chars().find(|c| c.is_whitespace() || c.is_control()) {
            return Err(E::Character(c));
        }
        if let Some((scheme, rest)) = text.split_once("://")
            && !scheme.contains(['/', ':'])
        {
            let known = ["https", "ssh", "http", "git", "svn", "svn+ssh", "file"];
            if !known.contains(&scheme) {
                return Err(E::Scheme(scheme.to_owned()));
            }
            let authority = rest.split('/').next().unwrap_or_default();
            let user = authority.rsplit_once('@').map_or("", |(user, _)| user);
            let host = authority.rsplit('@').next().unwrap_or_default();
            if user.contains(':') || (scheme.starts_with("http") && !user.is_empty()) {
                return Err(E::Password);
            }
            if rest.contains(['?', '#']) {
                return Err(E::Query);
            }
            if host.starts_with('-') || user.starts_with('-') {
                return Err(E::Option(host.to_owned()));
            }
            return Ok(Location(text.to_owned()));
        }
        if let Some((helper, _)) = text.split_once("::") {
            return Err(E::Helper(helper.to_owned()));
        }
        if text
            .split('/')
            .next()
            .is_some_and(|first| first.matches(':').count() > 1 && first.contains('@'))
        {
            return Err(E::Password);
        }
        Ok(Location(text.to_owned()))
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl ModuleName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ModuleName {
    type Err = NotAModuleName;

    fn from_str(text: &str) -> Result<Self, NotAModuleName> {
        match is_module_name(text) {
            true => Ok(ModuleName(text.to_owned())),
            false => Err(NotAModuleName(text.chars().take(80).collect())),
        }
    }
}

impl RefName {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for RefName {
    type Err = NotARefName;

    fn from_str(text: &str) -> Result<Self, NotARefName> {
        let bad = |c: char| c.is_control() || " ~^:?*[\\".contains(c);
        let component = |part: &str| {
            !part.is_empty() && !part.starts_with(['.', '-']) && !part.ends_with(".lock")
        };
        let fits = text.split('/').all(component)
            && !text.contains(bad)
            && !text.contains("..")
            && !text.contains("@{")
            && !text.ends_with('.');
        match fits {
            true => Ok(RefName(text.to_owned())),
            false => Err(NotARefName(text.chars().take(80).collect())),
        }
    }
}

impl Pattern {
    /// What the repository calls a tag of the app.
    pub fn name(&self, tag: &str) -> String {
        format!("{}{tag}{}", self.before, self.after)
    }

    /// The tag of the app that the repository calls so; none of another app's tag.
    pub fn tag<'a>(&self, name: &'a str) -> Option<&'a str> {
        name.strip_prefix(self.before.as_str())?.strip_suffix(self.after.as_str())
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        let once = text.split_once(TAG).filter(|(_, after)| !after.contains(TAG));
        let (before, after) = once.ok_or_else(|| PatternError::Count(text.to_owned()))?;
        format!("{before}x{after}").parse::<RefName>().map_err(|_| NotARefName(text.to_owned()))?;
        Ok(Pattern { before: before.to_owned(), after: after.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        match Sources::parse(text.as_bytes()) {
            Ok(sources) => format!("{:?}", sources.names().collect::<Vec<_>>()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_source_is_git_with_its_options_or_svn() {
        let text = "# why\nfoo:\n  git: https://git.example/puppet.git\n  path: apps/foo/\n  tag: foo-{tag}\n  \
                    branch: main\nold:\n  svn: svn+ssh://me@svn.example/puppet/old\nteam/x: { git: ../x.git }\n";
        let sources = Sources::parse(text.as_bytes()).unwrap();
        assert_eq!(sources.names().collect::<Vec<_>>(), [("foo", 2), ("old", 7), ("team/x", 9)]);
        let Some(Source::Git(git)) = sources.of("foo") else { panic!() };
        assert_eq!(git.location.as_str(), "https://git.example/puppet.git");
        assert_eq!(git.path.as_ref().unwrap().as_str(), "apps/foo");
        assert_eq!((git.tag.name("r1").as_str(), git.tag.tag("foo-r1")), ("foo-r1", Some("r1")));
        assert_eq!(git.tag.tag("bar-r1"), None);
        let Some(Source::Git(git)) = sources.of("team/x") else { panic!() };
        assert_eq!(git.location.directory(Path::new("/m")), Some("/x.git".into()));
        let within = |app: &str| sources.within(&app.parse().unwrap()).map(|(name, _)| name);
        assert_eq!(within("team/x/tags/r1/below"), Some("team/x"));
        assert_eq!((within("team/y/tags/r1"), within("foobar/trunk")), (None, None));
        assert_eq!(told("# nothing\n"), "[]");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let cases = [
            (
                "- foo\n",
                "line 1, column 1: expected a map from names of apps to sources, found a list",
            ),
            (
                "foo: x\n",
                "line 1, column 6: `foo`: expected a map with `git` or `svn`, found a text",
            ),
            (
                "foo:\n  path: x\n",
                "line 2, column 3: `foo`: expected either `git` or `svn`, found neither",
            ),
            (
                "foo: { git: a, svn: b }\n",
                "line 1, column 21: `foo`: expected either `git` or `svn`, found both",
            ),
            (
                "foo:\n  got: a\n",
                "line 2, column 3: `foo`: expected one of `git`, `svn`, `path`, `module`, `tag`, `branch`, found `got`; \
                 did you mean `git`?",
            ),
            (
                "foo: { svn: a, tag: b }\n",
                "line 1, column 21: `foo`: expected `svn` alone, found `tag`; name the directory that has `tags` \
                 and `trunk` in it",
            ),
            (
                "foo: { git: a, git: b }\n",
                "line 1, column 16: `foo`: expected each key once, found `git` a second time",
            ),
            (
                "a: { git: a }\na: { git: b }\n",
                "line 2, column 1: expected each app once, found `a` a second time",
            ),
            (
                "foo/tags/r1: { git: a }\n",
                "line 1, column 1: expected the name of an app, such as `foo`, found the app path `foo/tags/r1`",
            ),
            (
                "../foo: { git: a }\n",
                "line 1, column 1: expected the name of an app, such as `foo`, found a key that is none: expected a \
                 path inside the module root, found `..` in `../foo`",
            ),
            (
                "foo: { git: a, path: ../b }\n",
                "line 1, column 22: `foo.path`: expected a directory of the repository, found `../b`, which is not \
                 relative and normal",
            ),
            (
                "foo: { git: a, tag: v1 }\n",
                "line 1, column 21: `foo.tag`: expected `{tag}` once in the name of a tag, found `v1`",
            ),
            (
                "foo: { git: a, module: me-foo }\n",
                "line 1, column 24: `foo.module`: expected the name of a module, such as `stdlib`, \
                 found `me-foo`",
            ),
            (
                "foo: { git: a, branch: -b }\n",
                "line 1, column 24: `foo.branch`: expected the name of a tag or branch, found `-b`",
            ),
            ("foo: { git: }\n", "line 1, column 13: `foo.git`: expected a text, found nothing"),
        ];
        for (text, expected) in cases {
            assert_eq!(told(text), expected);
        }
    }

    #[test]
    fn places_that_would_run_a_program_or_show_a_password_are_refused() {
        let refused = |text: &str| text.parse::<Location>().unwrap_err();
        use LocationError as E;
        assert_eq!(refused("--upload-pack=touch x"), E::Option("--upload-pack=touch x".into()));
        assert_eq!(refused("ssh://-oProxyCommand=x/y"), E::Option("-oProxyCommand=x".into()));
        assert_eq!(refused("ext::sh -c x"), E::Character(' '));
        assert_eq!(refused("ext::sh"), E::Helper("ext".into()));
        assert_eq!(refused("transport::https://x/y"), E::Helper("transport".into()));
        assert_eq!(refused("svn+evil://x/y"), E::Scheme("svn+evil".into()));
        assert_eq!(refused("https://me:secret@git.example/x"), E::Password);
        assert_eq!(refused("https://token@git.example/x"), E::Password);
        assert_eq!(refused("svn+ssh://me:secret@svn.example/x"), E::Password);
        assert_eq!(refused("me:secret@git.example:x"), E::Password);
        assert_eq!(refused("https://git.example/x?private_token=secret"), E::Query);
        assert_eq!(refused("https://git.example/x#secret"), E::Query);
        for text in
            ["git@git.example:puppet/foo.git", "ssh://git@git.example/x", "../foo", "/srv/git/foo"]
        {
            assert!(text.parse::<Location>().is_ok(), "{text}");
        }
    }

    #[test]
    fn names_that_git_refuses_are_no_names() {
        for text in [
            "", "-x", "a..b", "a b", "a/", "/a", "a//b", ".a", "a.lock", "a@{1}", "a^", "a.",
            "a\u{7f}",
        ] {
            assert!(text.parse::<RefName>().is_err(), "{text:?}");
        }
        for text in ["main", "release/1.0", "a-b_c", "ä"] {
            assert!(text.parse::<RefName>().is_ok(), "{text:?}");
        }
    }
}
