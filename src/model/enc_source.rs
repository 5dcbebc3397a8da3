//! Where a node's ENC comes from: what `--enc` takes.

use super::certname::Certname;
use super::url::{BadUrl, Url};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// A source of ENC documents.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum EncSource {
    /// `-`
    Stdin,
    File(PathBuf),
    /// A web service; `{certname}` stands for the name of the node.
    Web(WebSource),
    /// The instance's user-data.
    Ec2(Below),
    /// A program that prints it, by its absolute path; its argument is the certname.
    Program(String),
}

/// A URL that may have [`CERTNAME`] in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebSource(String);

/// Where in a document the ENC stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Below {
    /// Below this key, or else it is the document.
    Usual(&'static str),
    /// Below this key and nowhere else.
    Key(String),
}

/// What stands for the node's name in a URL; nothing of the name has to be encoded there.
const CERTNAME: &str = "{certname}";

/// The key of user-data that the ENC is looked for below.
const KEY: &str = "localpuppet";

/// Why a text is no source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadEncSource {
    #[error("expected a file, `-`, a URL, `ec2` or `exec:/PROGRAM`, found nothing")]
    Empty,
    #[error(
        "expected a file, `-`, `https://…`, `http://…`, `ec2`, `ec2:KEY` or `exec:/PROGRAM`, \
         found `{0}://`"
    )]
    Scheme(String),
    #[error("expected `{{certname}}` as the only thing in braces of a URL, found another")]
    Braces,
    #[error(transparent)]
    Url(BadUrl),
    #[error(
        "expected a key of letters, digits, `_` and `-` after `ec2:`, found {0}; \
         a file of that name is `./ec2:…`"
    )]
    Key(&'static str),
    #[error(
        "expected the absolute path of a program after `exec:`, found `{0}`; type `exec:$PWD/{0}`"
    )]
    RelativeProgram(String),
}

impl Below {
    /// The key.
    pub fn key(&self) -> &str {
        match self {
            Below::Usual(key) => key,
            Below::Key(key) => key,
        }
    }
}

impl EncSource {
    /// True where what the source says depends on the name of the node.
    pub fn asks_by_name(&self) -> bool {
        match self {
            EncSource::Web(WebSource(url)) => url.contains(CERTNAME),
            EncSource::Program(_) => true,
            EncSource::Stdin | EncSource::File(_) | EncSource::Ec2(_) => false,
        }
    }

    /// True where it is read once and by this process only: stdin, and the pipes of a shell's `<(…)`.
    pub fn is_passing(&self) -> bool {
        match self {
            EncSource::Stdin => true,
            // Memory is no device.
            EncSource::File(path) if path.starts_with("/dev/shm") => false,
            EncSource::File(path) => path.starts_with("/dev") || path.starts_with("/proc"),
            EncSource::Web(_) | EncSource::Ec2(_) | EncSource::Program(_) => false,
        }
    }

    /// What is asked for a node: its URL, or the program with the name as its argument.
    pub fn asked(&self, certname: Option<&Certname>) -> String {
        match (self, certname) {
            (EncSource::Stdin, _) => "stdin".to_owned(),
            (EncSource::Web(WebSource(url)), Some(name)) => url.replace(CERTNAME, name.as_str()),
            (EncSource::Program(_), Some(name)) => format!("{self} {name}"),
            _ => self.to_string(),
        }
    }
}

impl fmt::Display for EncSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EncSource::Stdin => f.write_str("-"),
            EncSource::File(path) => write!(f, "{}", path.display()),
            EncSource::Web(WebSource(url)) => f.write_str(url),
            EncSource::Ec2(Below::Usual(_)) => f.write_str("ec2"),
            EncSource::Ec2(Below::Key(key)) => write!(f, "ec2:{key}"),
            EncSource::Program(path) => write!(f, "exec:{path}"),
        }
    }
}

impl FromStr for EncSource {
    type Err = BadEncSource;

    fn from_str(text: &str) -> Result<Self, BadEncSource> {
        match text {
            "" => return Err(BadEncSource::Empty),
            "-" => return Ok(EncSource::Stdin),
            "ec2" => return Ok(EncSource::Ec2(Below::Usual(KEY))),
            _ => {}
        }
        if let Some(key) = text.strip_prefix("ec2:") {
            return key_of_user_data(key).map(EncSource::Ec2);
        }
        if let Some(program) = text.strip_prefix("exec:") {
            return match Path::new(program).is_absolute() {
                true => Ok(EncSource::Program(program.to_owned())),
                false => Err(BadEncSource::RelativeProgram(program.to_owned())),
            };
        }
        match text.split_once("://") {
            Some((scheme, _)) if is_scheme(scheme) => web(scheme, text),
            _ => Ok(EncSource::File(PathBuf::from(text))),
        }
    }
}

/// What RFC 3986 calls a scheme; a path is none.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
}

fn web(scheme: &str, text: &str) -> Result<EncSource, BadEncSource> {
    if !["http", "https"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err(BadEncSource::Scheme(scheme.to_owned()));
    }
    // Whatever the node is called, it is a URL or it is not.
    let example = text.replace(CERTNAME, "node");
    example.parse::<Url>().map_err(|error| match error {
        BadUrl::Character('{' | '}') => BadEncSource::Braces,
        other => BadEncSource::Url(other),
    })?;
    Ok(EncSource::Web(WebSource(text.to_owned())))
}

fn key_of_user_data(key: &str) -> Result<Below, BadEncSource> {
    let good = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    match key {
        "" => Err(BadEncSource::Key("none")),
        _ if !key.chars().all(good) => Err(BadEncSource::Key("other characters")),
        _ => Ok(Below::Key(key.to_owned())),
    }
}

impl TryFrom<String> for EncSource {
    type Error = BadEncSource;

    fn try_from(text: String) -> Result<Self, BadEncSource> {
        text.parse()
    }
}

impl From<EncSource> for String {
    fn from(value: EncSource) -> String {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_source_is_written_as_it_was_read() {
        let sources = [
            "-",
            "node.yaml",
            "/etc/puppet/input.yaml",
            "./ec2",
            "a:b",
            "https://enc.example/{certname}.yaml",
            "http://127.0.0.1:8000/?node={certname}",
            "ec2",
            "ec2:my-key_1",
            "exec:/usr/local/bin/enc",
        ];
        for text in sources {
            assert_eq!(text.parse::<EncSource>().unwrap().to_string(), text);
        }
        assert_eq!("./ec2".parse(), Ok(EncSource::File("./ec2".into())));
        assert_eq!("./x://y".parse(), Ok(EncSource::File("./x://y".into())));
    }

    #[test]
    fn what_is_read_once_is_told_from_files() {
        let passing = |text: &str| text.parse::<EncSource>().unwrap().is_passing();
        assert!(["-", "/dev/stdin", "/dev/fd/63", "/proc/self/fd/0"].into_iter().all(passing));
        assert!(
            !["node.yaml", "/dev/shm/node.yaml", "/developers/x", "ec2"].into_iter().any(passing)
        );
    }

    #[test]
    fn each_way_to_be_wrong_has_its_refusal() {
        let refused = |text: &str| text.parse::<EncSource>().unwrap_err();
        assert_eq!(refused(""), BadEncSource::Empty);
        assert_eq!(refused("s3://bucket/x"), BadEncSource::Scheme("s3".into()));
        assert_eq!(refused("file:///x"), BadEncSource::Scheme("file".into()));
        assert_eq!(refused("https://a:s3cret@x/"), BadEncSource::Url(BadUrl::UserInfo));
        assert_eq!(refused("https://x/{node}"), BadEncSource::Braces);
        assert_eq!(refused("https://x/ä"), BadEncSource::Url(BadUrl::Character('ä')));
        assert_eq!(refused("exec:bin/enc"), BadEncSource::RelativeProgram("bin/enc".into()));
        assert_eq!(refused("ec2:"), BadEncSource::Key("none"));
        assert_eq!(refused("ec2:tag/x"), BadEncSource::Key("other characters"));
    }

    #[test]
    fn the_name_of_the_node_goes_into_the_url() {
        let source: EncSource = "https://enc.example/{certname}?n={certname}".parse().unwrap();
        let name = "web01.example.com".parse().unwrap();
        let url = "https://enc.example/web01.example.com?n=web01.example.com";
        assert_eq!(source.asked(Some(&name)), url);
        assert!(url.parse::<Url>().is_ok());
        assert!(source.asks_by_name());
        let program: EncSource = "exec:/bin/enc".parse().unwrap();
        assert_eq!(program.asked(Some(&name)), "exec:/bin/enc web01.example.com");
    }
}
