//! App paths, releases, and the package names that releases have.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// Longest component of a path that dpkg and rpm can install: both add a
/// suffix of nine bytes to the name while they unpack, and Linux allows 255.
pub const LONGEST_COMPONENT: usize = 246;

/// A path below the module root: `foo/tags/r1`, `foo/trunk`.
///
/// Relative and normal by construction, so joining it to a module root never
/// leaves the module root; free of `:`, so it can stand in a modulepath.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct AppPath(String);

/// Why a text is not an app path.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AppPathError {
    #[error("an app path is relative to the module root, and this one is empty")]
    Empty,
    #[error("expected a path relative to the module root, found the absolute path `{0}`")]
    Absolute(String),
    #[error("expected a path inside the module root, found `..` in `{0}`")]
    Escapes(String),
    #[error("expected a normal path, found an empty or `.` component in `{0}`{meant}", meant = normal(.0))]
    NotNormal(String),
    #[error("expected letters, digits and `. _ - + ~ @` in an app path, found {1:?} in `{0}`")]
    Character(String, char),
    #[error("expected a letter, a digit or `_` first, found `{1}` in `{0}`")]
    First(String, String),
    #[error("expected at most {LONGEST_COMPONENT} bytes between two `/`, found {1} in `{0}`")]
    TooLong(String, usize),
}

/// What a path with empty or `.` components stands for, to be typed.
fn normal(path: &str) -> String {
    let components = path.split('/').filter(|component| !matches!(*component, "" | "."));
    match components.collect::<Vec<_>>().join("/") {
        path if path.is_empty() => path,
        path => format!("; type `{path}`"),
    }
}

impl AppPath {
    /// The path as text, `/` between components.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the path names: a tag, trunk, a branch, or nothing of these.
    pub fn line(&self) -> Line<'_> {
        let mut rest = self.0.rsplitn(3, '/');
        let (last, kind, name) = (rest.next(), rest.next(), rest.next());
        match (name, kind, last) {
            // A tag `trunk` would share its directory with the snapshot of trunk.
            (Some(name), Some("tags"), Some(tag)) if tag != "trunk" => Line::Tag { name, tag },
            (Some(name), Some("branches"), Some(branch)) => Line::Branch { name, branch },
            _ => match self.0.rsplit_once('/') {
                Some((name, "trunk")) => Line::Trunk { name },
                _ => Line::Other,
            },
        }
    }

    /// The app that this path is a tag, the trunk or a branch of, or the path itself.
    pub fn source(&self) -> &str {
        match self.line() {
            Line::Tag { name, .. } | Line::Branch { name, .. } | Line::Trunk { name } => name,
            Line::Other => &self.0,
        }
    }

    /// True where this path is `other` or below it.
    pub fn is_within(&self, other: &AppPath) -> bool {
        self.0.strip_prefix(&other.0).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    }
}

/// Of the directories of a release, those that Puppet searches: an app that lists directories of
/// its own has its modules there, and would hide them from Puppet if it were searched as well.
pub fn searched<T>(entries: &[T], app: impl Fn(&T) -> &AppPath) -> Vec<&T> {
    let is_inside = |inner: &T, outer: &T| {
        let (inner, outer) = (app(inner), app(outer));
        inner != outer && inner.is_within(outer)
    };
    let has_others = |outer: &&T| entries.iter().any(|inner| is_inside(inner, outer));
    entries.iter().filter(|entry| !has_others(entry)).collect()
}

/// What an app path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// `name/tags/tag`: a release.
    Tag { name: &'a str, tag: &'a str },
    /// `name/branches/branch`.
    Branch { name: &'a str, branch: &'a str },
    /// `name/trunk`.
    Trunk { name: &'a str },
    /// A directory outside that layout.
    Other,
}

impl FromStr for AppPath {
    type Err = AppPathError;

    /// One trailing `/`, as shells complete directories, is taken off.
    fn from_str(text: &str) -> Result<Self, AppPathError> {
        let quoted = || text.chars().take(300).collect::<String>();
        if text.is_empty() {
            return Err(AppPathError::Empty);
        }
        if text.starts_with('/') {
            return Err(AppPathError::Absolute(quoted()));
        }
        let path = text.strip_suffix('/').unwrap_or(text);
        for component in path.split('/') {
            let first = component.chars().next();
            if component == ".." {
                return Err(AppPathError::Escapes(quoted()));
            }
            if component.is_empty() || component == "." {
                return Err(AppPathError::NotNormal(quoted()));
            }
            let allowed = |c: char| c.is_ascii_alphanumeric() || "._-+~@".contains(c);
            if let Some(other) = component.chars().find(|&c| !allowed(c)) {
                return Err(AppPathError::Character(quoted(), other));
            }
            if !first.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_') {
                return Err(AppPathError::First(quoted(), component.chars().take(1).collect()));
            }
            if component.len() > LONGEST_COMPONENT {
                return Err(AppPathError::TooLong(quoted(), component.len()));
            }
        }
        Ok(AppPath(path.to_owned()))
    }
}

impl TryFrom<String> for AppPath {
    type Error = AppPathError;

    fn try_from(text: String) -> Result<Self, AppPathError> {
        text.parse()
    }
}

impl From<AppPath> for String {
    fn from(path: AppPath) -> String {
        path.0
    }
}

impl fmt::Display for AppPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An app at a tag, or a snapshot of its trunk or of a branch: what a bundle is of.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Release {
    path: AppPath,
    name: String,
    label: String,
    tagged: bool,
}

/// Why an app path is not a release.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected an app at a tag, `NAME/tags/TAG`, found `{0}`")]
pub struct NotARelease(pub AppPath);

impl Release {
    /// The release that `path` names; of trunk and branches, which are none, the snapshot.
    pub fn of(path: &AppPath) -> Result<Self, NotARelease> {
        match path.line() {
            Line::Tag { name, tag } => Ok(Release::new(path, name, tag.to_owned(), true)),
            _ => Release::snapshot_of(path),
        }
    }

    /// The snapshot of `path`; of a tag too, where what it depends on is none.
    pub fn snapshot_of(path: &AppPath) -> Result<Self, NotARelease> {
        let (name, label) = match path.line() {
            Line::Tag { name, tag } => (name, format!("tags/{tag}")),
            Line::Trunk { name } => (name, "trunk".to_owned()),
            Line::Branch { name, branch } => (name, format!("branches/{branch}")),
            Line::Other => return Err(NotARelease(path.clone())),
        };
        Ok(Release::new(path, name, label, false))
    }

    fn new(path: &AppPath, name: &str, label: String, tagged: bool) -> Self {
        Release { path: path.clone(), name: name.to_owned(), label, tagged }
    }

    /// The app path of this release.
    pub fn path(&self) -> &AppPath {
        &self.path
    }

    /// The app's name: `foo`, `team/foo`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The tag; none for a snapshot.
    pub fn tag(&self) -> Option<&str> {
        self.tagged.then_some(self.label.as_str())
    }

    /// The package that carries this release on dpkg and rpm alike.
    pub fn package_name(&self) -> PackageName {
        PackageName::of(&self.name, &self.label, self.tagged)
    }

    /// The virtual package that every release of the app provides.
    pub fn provides(&self) -> String {
        format!("localpuppet-{}", escape_hyphens(&escape(&self.name)))
    }

    /// The directory of this release below `/usr/share/localpuppet`: `foo/r1`.
    pub fn directory(&self) -> String {
        format!("{}/{}", directory_name(&self.name), directory_name(&self.label))
    }
}

/// A name with `/` as the name of one directory; no two names become the same.
pub fn directory_name(name: &str) -> String {
    name.replace('+', "+2b").replace('/', "+2f")
}

/// `foo/tags/r1`, or `foo/r1` for short.
impl FromStr for Release {
    type Err = ReleaseError;

    fn from_str(text: &str) -> Result<Self, ReleaseError> {
        let path: AppPath = text.parse()?;
        if let Ok(release) = Release::of(&path) {
            return Ok(release);
        }
        let Some((name, tag)) = path.as_str().rsplit_once('/') else {
            return Err(NotARelease(path).into());
        };
        Ok(Release::of(&format!("{name}/tags/{tag}").parse()?)?)
    }
}

/// Why a text does not name a release.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    #[error(transparent)]
    Path(#[from] AppPathError),
    #[error(transparent)]
    NotARelease(#[from] NotARelease),
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.path.fmt(f)
    }
}

/// The name of a package, legal for dpkg (Debian policy 5.6.1) and for rpm.
///
/// `localpuppet-NAME-TAG`, and injective: no two releases share a name.
/// Lower-case letters, digits, `.` and `-` stand for themselves; any other
/// byte becomes `+` and two hexadecimal digits. The boundary between app and
/// tag stays readable from the left, as the first single `-` before what looks
/// like a tag or a snapshot: a digit, `r` or `v` and a digit, `+`, `trunk` and
/// nothing more, `branches+2f` or `tags+2f`. Such a `-` inside an app's name is doubled,
/// and a tag of another shape begins with `++`, which no escape does.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PackageName(String);

impl PackageName {
    fn of(name: &str, label: &str, tagged: bool) -> Self {
        let name = escape_hyphens(&escape(name));
        let mut tag = escape(label);
        if tagged && (!starts_like_a_tag(&tag) || starts_like_a_snapshot(&tag)) {
            tag.insert_str(0, "++");
        }
        PackageName(format!("localpuppet-{name}-{tag}"))
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for PackageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' => escaped.push(char::from(byte)),
            other => escaped.push_str(&format!("+{other:02x}")),
        }
    }
    escaped
}

fn starts_like_a_tag(text: &str) -> bool {
    let rest = text.strip_prefix(['r', 'v']).unwrap_or(text);
    text.starts_with('+')
        || rest.starts_with(|c: char| c.is_ascii_digit())
        || starts_like_a_snapshot(text)
}

fn starts_like_a_snapshot(text: &str) -> bool {
    text == "trunk" || text.starts_with("branches+2f") || text.starts_with("tags+2f")
}

/// A `-` at the end of a name, which would run into the boundary, is escaped.
fn escape_hyphens(name: &str) -> String {
    let body = name.trim_end_matches('-');
    let trailing = name.len() - body.len();
    let mut escaped = String::new();
    for (at, c) in body.char_indices() {
        escaped.push(c);
        if c == '-' && starts_like_a_tag(&body[at + 1..]) {
            escaped.push('-');
        }
    }
    escaped + &"+2d".repeat(trailing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn path(text: &str) -> AppPath {
        text.parse().unwrap()
    }

    fn package(text: &str) -> String {
        text.parse::<Release>().unwrap().package_name().to_string()
    }

    #[test]
    fn paths_that_leave_the_module_root_or_break_a_modulepath_are_refused() {
        use AppPathError as E;
        let refused = |text: &str| text.parse::<AppPath>().unwrap_err();
        let long = "x".repeat(247);
        assert_eq!(refused(""), E::Empty);
        assert_eq!(refused("/foo"), E::Absolute("/foo".into()));
        assert_eq!(refused("foo/../bar"), E::Escapes("foo/../bar".into()));
        assert_eq!(refused("foo//bar"), E::NotNormal("foo//bar".into()));
        assert_eq!(refused("./foo"), E::NotNormal("./foo".into()));
        assert_eq!(refused("foo:bar"), E::Character("foo:bar".into(), ':'));
        assert_eq!(refused("foo\n"), E::Character("foo\n".into(), '\n'));
        assert_eq!(refused("foo/-rf"), E::First("foo/-rf".into(), "-".into()));
        assert_eq!(refused(".git/x"), E::First(".git/x".into(), ".".into()));
        assert_eq!(refused(&long), E::TooLong(long.clone(), 247));
    }

    #[test]
    fn a_name_with_two_dots_inside_is_no_escape_and_a_completed_slash_is_taken_off() {
        assert_eq!(path("a..b/tags/r1/").as_str(), "a..b/tags/r1");
    }

    #[test]
    fn what_has_others_inside_is_not_searched() {
        let all = ["a/tags/1", "a/tags/1/site", "a/tags/1/modules", "a/tags/10"].map(path);
        let searched: Vec<_> = searched(&all, |app| app).into_iter().map(AppPath::as_str).collect();
        assert_eq!(searched, ["a/tags/1/site", "a/tags/1/modules", "a/tags/10"]);
    }

    #[test]
    fn lines() {
        let tag = Line::Tag { name: "team/foo", tag: "r1" };
        assert_eq!(path("team/foo/tags/r1").line(), tag);
        assert_eq!(path("foo/trunk").line(), Line::Trunk { name: "foo" });
        assert_eq!(path("tags/r1").line(), Line::Other);
        assert_eq!(path("foo/tags/r1/x").line(), Line::Other);
        assert_eq!(path("foo/branches/x").source(), "foo");
    }

    #[test]
    fn package_names_read_as_one_would_type_them() {
        assert_eq!(package("foo/tags/r1"), "localpuppet-foo-r1");
        assert_eq!(package("foo/r1"), "localpuppet-foo-r1");
        assert_eq!(package("my-app/tags/1.2.0-rc1"), "localpuppet-my-app-1.2.0-rc1");
        assert_eq!(package("my_app/tags/R1"), "localpuppet-my+5fapp-+521");
        assert_eq!(package("foo/tags/stable"), "localpuppet-foo-++stable");
        assert_eq!(package("foo-1/tags/r2"), "localpuppet-foo--1-r2");
        assert_eq!(package("foo/trunk"), "localpuppet-foo-trunk");
    }

    #[test]
    fn a_release_directory_is_two_components() {
        let directory = |text: &str| text.parse::<Release>().unwrap().directory();
        assert_eq!(directory("foo/tags/r1"), "foo/r1");
        assert_eq!(directory("team/foo/tags/r+1"), "team+2ffoo/r+2b1");
    }

    #[test]
    fn a_snapshot_of_a_tag_has_a_name_and_a_directory_of_its_own() {
        let snapshot = Release::snapshot_of(&path("foo/tags/r1")).unwrap();
        assert_eq!(snapshot.package_name().as_str(), "localpuppet-foo-tags+2fr1");
        assert_eq!(snapshot.directory(), "foo/tags+2fr1");
        assert_eq!(snapshot.tag(), None);
    }

    /// Reads a package name back, as the rule in the documentation of `PackageName` says.
    fn read_back(package: &str) -> (String, String) {
        let text = package.strip_prefix("localpuppet-").unwrap();
        let boundary = text
            .char_indices()
            .filter(|&(at, c)| c == '-' && starts_like_a_tag(&text[at + 1..]))
            .map(|(at, _)| at)
            .find(|&at| !text[..at].ends_with('-'))
            .unwrap();
        let unescape = |text: &str| {
            let mut bytes = text.bytes();
            let mut plain = Vec::new();
            while let Some(byte) = bytes.next() {
                plain.push(match byte {
                    b'+' => {
                        let digits = [bytes.next().unwrap(), bytes.next().unwrap()];
                        u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
                    }
                    other => other,
                });
            }
            String::from_utf8(plain).unwrap()
        };
        let mut name = String::new();
        let app = &text[..boundary];
        for (at, c) in app.char_indices() {
            let doubled = c == '-' && app[..at].ends_with('-') && starts_like_a_tag(&app[at + 1..]);
            if !doubled {
                name.push(c);
            }
        }
        let tag = &text[boundary + 1..];
        (unescape(&name), unescape(tag.strip_prefix("++").unwrap_or(tag)))
    }

    proptest! {
        #[test]
        fn package_names_are_injective(
            name in "[a-zA-Z0-9_][a-zA-C0-2._+~@rv-]{0,8}(/[a-z0-9_][a-c1._-]{0,4})?",
            tag in "[a-zA-Z0-9_][a-zA-C0-2._+~@rv-]{0,8}",
        ) {
            let release = Release::of(&path(&format!("{name}/tags/{tag}"))).unwrap();
            let package = release.package_name();
            prop_assert!(package.as_str().bytes().all(|b| b"abcdefghijklmnopqrstuvwxyz0123456789+.-".contains(&b)));
            prop_assert_eq!(read_back(package.as_str()), (name.clone(), tag));
            // What an app provides is no package of any app: it has no boundary.
            let provides = release.provides();
            let other: AppPath = format!("{name}/trunk").parse().unwrap();
            prop_assert_ne!(&provides, package.as_str());
            prop_assert_ne!(provides, Release::of(&other).unwrap().package_name().to_string());
        }
    }
}
