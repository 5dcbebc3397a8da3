//! A web service: asked within a deadline, again where that may help, and
//! believed only where its certificate is good.
//!
//! A token and a client certificate go to the host that the operator named, and
//! to no other that it points to.
#![allow(clippy::disallowed_methods)]

mod credentials;
mod retry;

pub use credentials::{Credentials, Files};
pub use retry::{Again, Miss, Tries};

use crate::model::failure::{Failure, plain};
use crate::model::url::{Scheme, Url};
use rustls::{AlertDescription, CertificateError, Error as TlsError};
use std::io::{self, Read};
use std::time::Duration;
use ureq::http::header::{AUTHORIZATION, CONTENT_LENGTH, LOCATION, RETRY_AFTER, TRANSFER_ENCODING};
use ureq::http::{Response, StatusCode};
use ureq::tls::{RootCerts, TlsConfig};
use ureq::{Agent, Body, Error};

/// So many redirects are followed.
const REDIRECTS: usize = 5;

/// A host that does not answer is left after this part of the deadline, and tried again.
const CONNECT: u32 = 3;

/// Gets a document of at most `largest` bytes.
pub fn get(
    url: &Url,
    credentials: &Credentials,
    tries: &Tries,
    largest: u64,
) -> Result<Vec<u8>, Failure> {
    let what = format!("failed to get the ENC from `{url}`");
    tries.run(&what, || follow(url, credentials, tries, largest))
}

/// One try: the answer, after the redirects that lead to it.
fn follow(
    first: &Url,
    credentials: &Credentials,
    tries: &Tries,
    largest: u64,
) -> Result<Vec<u8>, Miss> {
    let mut url = first.clone();
    for _ in 0..=REDIRECTS {
        let told = |miss| redirected(miss, first, &url);
        let response = ask(first, &url, credentials, tries).map_err(told)?;
        match response.status() {
            StatusCode::OK => return body(response, largest).map_err(told),
            status if is_redirect(status) => url = target(&url, &response).map_err(told)?,
            status => return Err(told(refused(status, &response, credentials))),
        }
    }
    let what = format!("expected an answer after at most {REDIRECTS} redirects, found another");
    Err(Miss::last(what))
}

fn ask(
    first: &Url,
    url: &Url,
    credentials: &Credentials,
    tries: &Tries,
) -> Result<Response<Body>, Miss> {
    let own = url.is_same_origin(first);
    let agent = agent(credentials, own);
    let left = tries.left()?;
    let request = agent.get(url.to_string()).config();
    let request = request.timeout_global(Some(left)).timeout_connect(Some(left / CONNECT));
    let mut request = request.build();
    if let Some(token) = credentials.token.as_ref().filter(|_| own) {
        request = request.header(AUTHORIZATION, token.clone());
    }
    request.call().map_err(miss)
}

/// Redirects are followed and statuses judged here, not by the library.
pub fn agent(credentials: &Credentials, own: bool) -> Agent {
    let identity = credentials.identity.clone().filter(|_| own);
    let tls = TlsConfig::builder()
        .root_certs(RootCerts::new_with_certs(&credentials.authorities))
        .client_cert(identity)
        .unversioned_rustls_crypto_provider(std::sync::Arc::new(
            rustls::crypto::ring::default_provider(),
        ));
    let config = Agent::config_builder()
        .max_redirects(0)
        .http_status_as_error(false)
        .user_agent(concat!("localpuppet/", env!("CARGO_PKG_VERSION")))
        .tls_config(tls.build());
    config.build().new_agent()
}

/// A miss that names where it was missed, if that is not where one began.
fn redirected(miss: Miss, first: &Url, url: &Url) -> Miss {
    match url == first {
        true => miss,
        false => {
            Miss { what: format!("{}, redirected to `{}`", miss.what, url.without_query()), ..miss }
        }
    }
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

/// Where an answer points to; never from https to http.
fn target(from: &Url, response: &Response<Body>) -> Result<Url, Miss> {
    let status = response.status();
    let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
    let Some(location) = location else {
        return Err(Miss::last(format!("expected a location in the answer {status}, found none")));
    };
    let url = from
        .join(location)
        .map_err(|error| Miss::last(format!("it redirects to what is no good URL: {error}")))?;
    match (from.scheme(), url.scheme()) {
        (Scheme::Https, Scheme::Http) => {
            let to = url.without_query();
            Err(Miss::last(format!("it redirects from https to `{to}`, which anyone could answer")))
        }
        _ => Ok(url),
    }
}

/// The whole body, which has to come within `largest` bytes. One that ends with
/// the connection may have been cut off, and what is left be YAML all the same.
pub fn body(response: Response<Body>, largest: u64) -> Result<Vec<u8>, Miss> {
    let too_much = || Miss::last(format!("expected at most {largest} bytes, found more"));
    if response.body().content_length().is_some_and(|length| length > largest) {
        return Err(too_much());
    }
    let headers = response.headers();
    if !headers.contains_key(CONTENT_LENGTH) && !headers.contains_key(TRANSFER_ENCODING) {
        let what =
            "expected `Content-Length` or chunks in its answer, found neither: it may be cut off";
        return Err(Miss::last(what));
    }
    let mut content = Vec::new();
    let read = response.into_body().into_reader().take(largest + 1).read_to_end(&mut content);
    read.map_err(|error| miss(Error::from(error)))?;
    if content.len() as u64 > largest { Err(too_much()) } else { Ok(content) }
}

/// An answer that is neither the document nor a redirect. What it says beside
/// its status is not told: it may repeat what it was asked with.
fn refused(status: StatusCode, response: &Response<Body>, credentials: &Credentials) -> Miss {
    let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    let after = after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
    let miss = Miss { what: format!("it answers {status}"), hint: None, again: Again::No };
    match status.as_u16() {
        408 | 429 | 500.. => Miss { again: Again::After(after.unwrap_or_default()), ..miss },
        401 if credentials.token.is_none() => {
            miss.hint("give it a bearer token: `--enc-token-file FILE`")
        }
        401 | 403 => miss.hint("ask who runs it whether this node may read that URL"),
        _ => miss,
    }
}

/// Why there is no answer, in words; connections and timeouts are worth another try.
pub fn miss(error: Error) -> Miss {
    match error {
        Error::Timeout(_) => Miss::again("there was no whole answer in time"),
        Error::HostNotFound => Miss::again("its host name is not known"),
        Error::ConnectionFailed => Miss::again("there was no connection"),
        Error::Rustls(error) => tls(&error),
        Error::Io(error) => match error.get_ref().and_then(|inner| inner.downcast_ref()) {
            Some(error) => tls(error),
            None => of_io(&error),
        },
        Error::ConnectProxyFailed(what) => {
            Miss::again(format!("there was no connection through the proxy: {what}"))
        }
        Error::Protocol(error) => Miss::last(format!("it does not answer as HTTP: {error}")),
        other => Miss::last(other.to_string()),
    }
}

fn of_io(error: &io::Error) -> Miss {
    match error.kind() {
        io::ErrorKind::TimedOut => Miss::again("there was no whole answer in time"),
        io::ErrorKind::UnexpectedEof => {
            Miss::again("it closed the connection before its answer was whole")
        }
        _ => Miss::again(plain(error).trim_start_matches("failed to lookup address information: ")),
    }
}

/// TLS that fails will fail again.
fn tls(error: &TlsError) -> Miss {
    match error {
        TlsError::InvalidCertificate(error) => certificate(error),
        TlsError::AlertReceived(
            AlertDescription::CertificateRequired | AlertDescription::HandshakeFailure,
        ) => Miss::last("it asks for another client certificate than it got")
            .hint("show it who this is: `--enc-client-cert FILE --enc-client-key FILE`"),
        TlsError::AlertReceived(alert) => Miss::last(format!("it refuses TLS: {alert:?}")),
        TlsError::InvalidMessage(_) => Miss::last("it does not speak TLS"),
        other => Miss::last(format!("TLS failed: {other}")),
    }
}

fn certificate(error: &CertificateError) -> Miss {
    use CertificateError as Bad;
    match error {
        Bad::UnknownIssuer => {
            Miss::last("no authority that this node knows has signed its certificate")
                .hint("name the authority's certificate: `--enc-ca FILE`")
        }
        Bad::Expired | Bad::ExpiredContext { .. } => Miss::last("its certificate has expired"),
        Bad::NotValidYet | Bad::NotValidYetContext { .. } => {
            Miss::last("its certificate is not valid yet").hint("look at the clock: `date`")
        }
        Bad::NotValidForName | Bad::NotValidForNameContext { .. } => {
            Miss::last("its certificate is for another name")
        }
        Bad::Revoked => Miss::last("its certificate was revoked"),
        other => Miss::last(format!("its certificate is not good: {other:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_certificate_is_not_tried_again_and_a_lost_connection_is() {
        let tls = |error| miss(Error::Io(io::Error::new(io::ErrorKind::InvalidData, error)));
        let expired = tls(TlsError::InvalidCertificate(CertificateError::Expired));
        assert_eq!(
            (expired.what.as_str(), expired.again),
            ("its certificate has expired", Again::No)
        );
        let lost = miss(Error::Io(io::Error::from_raw_os_error(111)));
        assert_eq!(lost.what, "Connection refused");
        assert_eq!(lost.again, Again::After(Duration::ZERO));
    }
}
