//! A URL of a web service: `http` or `https`, a host, and the rest.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// How a web service is spoken to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    Http,
    Https,
}

/// An absolute URL without user information and without fragment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Url {
    scheme: Scheme,
    /// In lower case, without the port that the scheme has anyway.
    authority: String,
    /// Path and query; begins with `/`.
    rest: String,
}

/// Why a text is not a URL. Never repeats the text, which may hold a password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadUrl {
    #[error("expected `https://` or `http://`, found another scheme")]
    Scheme,
    #[error("expected a host after `://`, found none")]
    NoHost,
    #[error("expected a host of letters, digits, `.` and `-`, found {0:?} in it")]
    Host(char),
    #[error("expected a port between 1 and 65535, found another")]
    Port,
    #[error(
        "expected a URL without user name and password, which the process list shows to everyone: \
         write a token to a file, and name that with `--enc-token-file`"
    )]
    UserInfo,
    #[error("expected a URL without {0:?}, which has to be percent-encoded")]
    Character(char),
}

impl Url {
    /// How its host is spoken to.
    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    /// True where both have the same scheme, host and port.
    pub fn is_same_origin(&self, other: &Url) -> bool {
        self.scheme == other.scheme && self.authority == other.authority
    }

    /// What a `Location` means that this URL answered with (RFC 3986, 5.2).
    pub fn join(&self, location: &str) -> Result<Url, BadUrl> {
        let location = location.split('#').next().unwrap_or_default();
        if location.split(['/', '?']).next().is_some_and(|first| first.contains(':')) {
            return location.parse();
        }
        let scheme = self.scheme.as_str();
        if let Some(rest) = location.strip_prefix("//") {
            return format!("{scheme}://{rest}").parse();
        }
        let path = self.rest.split('?').next().unwrap_or("/");
        let directory = path.rsplit_once('/').map_or("", |(directory, _)| directory);
        let rest = match location.chars().next() {
            None => self.rest.clone(),
            Some('/') => location.to_owned(),
            Some('?') => format!("{path}{location}"),
            Some(_) => format!("{directory}/{location}"),
        };
        format!("{scheme}://{}{rest}", self.authority).parse()
    }

    /// The URL without its query: what another host put there may be a secret.
    pub fn without_query(&self) -> String {
        let path = self.rest.split('?').next().unwrap_or_default();
        format!("{}://{}{path}", self.scheme.as_str(), self.authority)
    }
}

impl Scheme {
    /// Its name, in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }
    }

    fn default_port(self) -> &'static str {
        match self {
            Scheme::Http => "80",
            Scheme::Https => "443",
        }
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", self.scheme.as_str(), self.authority, self.rest)
    }
}

impl FromStr for Url {
    type Err = BadUrl;

    fn from_str(text: &str) -> Result<Self, BadUrl> {
        let (scheme, after) = text.split_once("://").ok_or(BadUrl::Scheme)?;
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "http" => Scheme::Http,
            "https" => Scheme::Https,
            _ => return Err(BadUrl::Scheme),
        };
        let end = after.find(['/', '?', '#']).unwrap_or(after.len());
        let (authority, rest) = after.split_at(end);
        let authority = checked_authority(authority, scheme)?;
        if let Some(c) = rest.chars().find(|&c| !is_allowed(c)) {
            return Err(BadUrl::Character(c));
        }
        let slash = if rest.starts_with('/') { "" } else { "/" };
        Ok(Url { scheme, authority, rest: format!("{slash}{rest}") })
    }
}

/// Host and port, in the one way to write them.
fn checked_authority(text: &str, scheme: Scheme) -> Result<String, BadUrl> {
    if text.contains('@') {
        return Err(BadUrl::UserInfo);
    }
    // The colons of an address in brackets are no port's.
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, Some(port)),
        _ => (text, None),
    };
    let is_port = |port: &str| {
        port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0)
    };
    if port.is_some_and(|port| !is_port(port)) {
        return Err(BadUrl::Port);
    }
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let bad = match address {
        Some(address) => address.chars().find(|c| !c.is_ascii_hexdigit() && !":.".contains(*c)),
        None => host.chars().find(|c| !c.is_ascii_alphanumeric() && !"._-".contains(*c)),
    };
    match (bad, port) {
        _ if host.is_empty() || address.is_some_and(str::is_empty) => Err(BadUrl::NoHost),
        (Some(c), _) => Err(BadUrl::Host(c)),
        (None, Some(port)) if port != scheme.default_port() => {
            Ok(format!("{}:{port}", host.to_ascii_lowercase()))
        }
        (None, _) => Ok(host.to_ascii_lowercase()),
    }
}

/// What RFC 3986 lets stand in a path and a query.
fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._~%!$&'()*+,;=:@/?".contains(c)
}

impl TryFrom<String> for Url {
    type Error = BadUrl;

    fn try_from(text: String) -> Result<Self, BadUrl> {
        text.parse()
    }
}

impl From<Url> for String {
    fn from(value: Url) -> String {
        value.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn a_url_is_written_in_one_way() {
        assert_eq!(url("HTTPS://Enc.Example:443").to_string(), "https://enc.example/");
        assert_eq!(url("http://[fd00:ec2::254]?a=b").to_string(), "http://[fd00:ec2::254]/?a=b");
        assert_eq!(url("http://127.0.0.1:8080/x").to_string(), "http://127.0.0.1:8080/x");
        assert_eq!(url("https://x/a?token=s").without_query(), "https://x/a");
    }

    #[test]
    fn each_way_to_be_wrong_has_its_refusal() {
        let refused = |text: &str| text.parse::<Url>().unwrap_err();
        assert_eq!(refused("ftp://x/"), BadUrl::Scheme);
        assert_eq!(refused("https:///x"), BadUrl::NoHost);
        assert_eq!(refused("https://[]/x"), BadUrl::NoHost);
        assert_eq!(refused("https://a b/"), BadUrl::Host(' '));
        assert_eq!(refused("https://a::1/"), BadUrl::Host(':'));
        assert_eq!(refused("https://a:/"), BadUrl::Port);
        assert_eq!(refused("https://a:+1/"), BadUrl::Port);
        assert_eq!(refused("https://a:0/"), BadUrl::Port);
        assert_eq!(refused("https://a:99999/"), BadUrl::Port);
        assert_eq!(refused("https://me:s3cret@x/"), BadUrl::UserInfo);
        assert_eq!(refused("https://x/ä"), BadUrl::Character('ä'));
        assert_eq!(refused("https://x/a#b"), BadUrl::Character('#'));
        assert_eq!(refused("https://x/a\r\nHost: y"), BadUrl::Character('\r'));
        assert!(!refused("https://me:s3cret@x/").to_string().contains("s3cret"));
    }

    #[test]
    fn a_location_is_taken_from_where_it_was_said() {
        let from = url("https://enc.example/nodes/a?x=1");
        let to = |location: &str| from.join(location).unwrap().to_string();
        assert_eq!(to("b"), "https://enc.example/nodes/b");
        assert_eq!(to("/b?y#z"), "https://enc.example/b?y");
        assert_eq!(to("?y"), "https://enc.example/nodes/a?y");
        assert_eq!(to("//other/b"), "https://other/b");
        assert_eq!(to("http://other/b"), "http://other/b");
        assert_eq!(to("b/c:d"), "https://enc.example/nodes/b/c:d");
        assert_eq!(from.join("file:///etc/passwd"), Err(BadUrl::Scheme));
        assert_eq!(from.join("javascript:x"), Err(BadUrl::Scheme));
    }

    proptest::proptest! {
        #[test]
        fn what_is_printed_is_read_back_and_no_location_stops_the_program(
            text in "(https?|HTTP)://[a-zA-Z0-9.:\\[\\]@-]{0,12}[/?#]?.{0,12}",
            location in ".{0,12}|[a-z]{0,4}:?/{0,2}[a-z?#@:/.]{0,9}",
        ) {
            if let Ok(url) = text.parse::<Url>() {
                proptest::prop_assert_eq!(url.to_string().parse::<Url>(), Ok(url.clone()));
                if let Ok(joined) = url.join(&location) {
                    let authority = joined.authority;
                    proptest::prop_assert!(!authority.is_empty() && !authority.contains('@'));
                }
            }
        }
    }

    #[test]
    fn origins_are_scheme_host_and_port() {
        let same = |a: &str, b: &str| url(a).is_same_origin(&url(b));
        assert!(same("https://a/x", "https://A:443/y"));
        assert!(!same("https://a/", "http://a/"));
        assert!(!same("https://a/", "https://a:444/"));
        assert!(!same("https://a/", "https://b/"));
    }
}
