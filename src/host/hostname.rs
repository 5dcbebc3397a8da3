//! What this host is called, as Facter would find it.
#![allow(clippy::disallowed_methods)]

use super::process::{Bounds, Signals, document};
use crate::model::certname::Certname;
use crate::model::command::CommandLine;
use crate::model::failure::Failure;
use std::time::Duration;

/// What a resolver says is some lines.
const LARGEST: u64 = 64 << 10;

/// How long the resolver is asked for the domain.
const RESOLVER: Duration = Duration::from_secs(5);

/// The certname of this host where nobody names another (Facter's
/// `resolvers/linux/hostname.rb`): its hostname, and the domain that is part of
/// it, or that the resolver says, or that `/etc/resolv.conf` names.
pub fn certname(signals: &Signals) -> Result<Certname, Failure> {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let certname = match name.split_once('.') {
        Some((host, domain)) if !domain.is_empty() => Certname::of_host(host, Some(domain)),
        _ => {
            let host = name.trim_end_matches('.');
            Certname::of_host(host, domain(host, signals).as_deref())
        }
    };
    certname.map_err(|error| {
        Failure::new(format!("this host's name `{name}` makes no certname"))
            .because(error)
            .hint("name the node: `--certname NAME`")
    })
}

/// This process, for whoever looks for it: `on runner-7, process 4711`.
pub fn process() -> String {
    let name = rustix::system::uname().nodename().to_string_lossy().into_owned();
    format!("on {name}, process {}", std::process::id())
}

fn domain(host: &str, signals: &Signals) -> Option<String> {
    // getaddrinfo(3) with its canonical name, which std does not ask for.
    let line = CommandLine::new("getent", ["ahosts", host]);
    let bounds = Bounds { largest: LARGEST, time: RESOLVER };
    let answer = document(&line, signals, bounds).unwrap_or_default();
    let resolver = || std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    canonical(&String::from_utf8_lossy(&answer), host).or_else(|| of_resolver(&resolver()))
}

/// The domain of a canonical name, where it is this host's: `10.0.0.1 STREAM web01.example.com`.
fn canonical(ahosts: &str, host: &str) -> Option<String> {
    let name = ahosts.lines().next()?.split_whitespace().nth(2)?;
    let domain = name.strip_prefix(host)?.strip_prefix('.')?;
    (!domain.is_empty()).then(|| domain.to_owned())
}

/// The domain in a resolv.conf(5): `domain`, else the first of `search`.
fn of_resolver(text: &str) -> Option<String> {
    let word = |key: &str| {
        let mut lines = text.lines().filter_map(|line| line.strip_prefix(key));
        let rest = lines.find(|rest| rest.starts_with(char::is_whitespace))?;
        rest.split_whitespace().next().map(str::to_owned)
    };
    word("domain").or_else(|| word("search"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_domain_is_found_where_facter_finds_it() {
        let hosts = "127.0.1.1       STREAM web01.example.com\n127.0.1.1       DGRAM  \n";
        assert_eq!(canonical(hosts, "web01").as_deref(), Some("example.com"));
        assert_eq!(canonical("::1 STREAM localhost\n", "web01"), None);
        assert_eq!(canonical("::1 STREAM web01\n", "web01"), None);
        assert_eq!(canonical("", "web01"), None);
        let resolver = "nameserver 10.0.0.2\nsearch a.example b.example\n";
        assert_eq!(of_resolver(resolver).as_deref(), Some("a.example"));
        let both = format!("{resolver}domain\tc.example\n");
        assert_eq!(of_resolver(&both).as_deref(), Some("c.example"));
        assert_eq!(of_resolver("searching x\n"), None);
    }
}
