//! Whom a web service is trusted to be, and who this node shows itself to be.

use crate::host::fs::{self, failed};
use crate::model::failure::Failure;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use ureq::http::HeaderValue;
use ureq::tls::{Certificate, ClientCert, PemItem, PrivateKey, parse_pem};

/// A token, a key or a bundle of certificates is not longer.
const LARGEST: u64 = 4 << 20;

/// What the operator named, each a file.
#[derive(Clone, Copy, Debug, Default)]
pub struct Files<'a> {
    /// A bearer token.
    pub token: Option<&'a Path>,
    /// A client certificate with those that lead to its authority, and its key; PEM.
    pub identity: Option<(&'a Path, &'a Path)>,
    /// Certificates of authorities to trust instead of the system's; PEM.
    pub authorities: Option<&'a Path>,
}

/// What connections are made with.
pub struct Credentials {
    pub token: Option<HeaderValue>,
    pub identity: Option<ClientCert>,
    pub authorities: Vec<Certificate<'static>>,
}

impl Credentials {
    /// Reads what the operator named, and the system's authorities where nobody named others.
    pub fn read(files: Files) -> Result<Self, Failure> {
        Ok(Credentials {
            token: files.token.map(token).transpose()?,
            identity: files.identity.map(identity).transpose()?,
            authorities: match files.authorities {
                Some(path) => certificates(path)?,
                None => system(),
            },
        })
    }

    /// For what is asked without TLS.
    pub fn none() -> Self {
        Credentials { token: None, identity: None, authorities: Vec::new() }
    }
}

/// The system's authorities, or those of `SSL_CERT_FILE` and `SSL_CERT_DIR`.
/// Where there are none, no certificate is good.
fn system() -> Vec<Certificate<'static>> {
    let found = rustls_native_certs::load_native_certs();
    found.certs.iter().map(|one| Certificate::from_der(one).to_owned()).collect()
}

fn token(path: &Path) -> Result<HeaderValue, Failure> {
    let text = secret(path)?;
    let text = text.trim_ascii();
    let is_token = !text.is_empty() && text.iter().all(u8::is_ascii_graphic);
    let value = [b"Bearer ", text].concat();
    // The word of neither error holds any of the token.
    let mut value = HeaderValue::from_bytes(&value).ok().filter(|_| is_token).ok_or_else(|| {
        let path = path.display();
        Failure::new(format!("expected a token alone in `{path}`, printable and without spaces"))
    })?;
    value.set_sensitive(true);
    Ok(value)
}

fn identity((chain, key): (&Path, &Path)) -> Result<ClientCert, Failure> {
    let chain = certificates(chain)?;
    let no_key = || Failure::new(format!("expected a private key in PEM in `{}`", key.display()));
    let key = PrivateKey::from_pem(&secret(key)?).map_err(|_| no_key())?;
    Ok(ClientCert::new_with_certs(&chain, key))
}

fn certificates(path: &Path) -> Result<Vec<Certificate<'static>>, Failure> {
    let text = fs::bounded(fs::open(path)?, path, LARGEST)?;
    let items = parse_pem(&text).collect::<Result<Vec<_>, _>>().unwrap_or_default();
    let certificates = items.into_iter().filter_map(|item| match item {
        PemItem::Certificate(certificate) => Some(certificate),
        _ => None,
    });
    let certificates: Vec<_> = certificates.collect();
    match certificates.is_empty() {
        true => Err(Failure::new(format!("expected certificates in PEM in `{}`", path.display()))),
        false => Ok(certificates),
    }
}

/// As ssh reads a key: a file of this user's that others may read is refused.
fn secret(path: &Path) -> Result<Vec<u8>, Failure> {
    let file = fs::open(path)?;
    let metadata = file.metadata().map_err(|error| failed("read", path, error))?;
    let mode = metadata.mode() & 0o777;
    if metadata.uid() == rustix::process::geteuid().as_raw() && mode & 0o077 != 0 {
        let shown = path.display();
        let what =
            format!("expected a file for its owner only, found `{shown}` with mode {mode:04o}");
        return Err(Failure::new(what).hint(format!("chmod 600 {shown}")));
    }
    fs::bounded(file, path, LARGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_too_long_is_refused_and_not_cut() {
        let file = tempfile::NamedTempFile::new().unwrap();
        file.as_file().set_len(LARGEST + 1).unwrap();
        let refused = [secret(file.path()).unwrap_err(), certificates(file.path()).unwrap_err()];
        for refused in refused.map(|failure| failure.to_string()) {
            assert!(refused.starts_with("expected at most 4194304 bytes in `"), "{refused}");
        }
    }
}
