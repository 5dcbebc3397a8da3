//! AWS Signature Version 4 (docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html).
//!
//! Keys of a repository need no escape in a URL, and its requests have few
//! headers: a page of code, where a crate would bring thirty-five.

use crate::model::digest::{Sha256Digest, hex};
use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// Who asks.
pub struct Account {
    pub id: String,
    pub secret: String,
    /// Of credentials that expire.
    pub token: Option<String>,
    pub region: String,
}

/// What is asked, as it will be sent.
pub struct Request<'a> {
    pub method: &'a str,
    /// With a `/` before it.
    pub path: &'a str,
    /// Escaped, in the order of its names.
    pub query: &'a str,
    /// Names in lower case; `host` and the body's digest among them.
    pub headers: &'a [(&'static str, String)],
    pub body: Sha256Digest,
    /// `20260102T030405Z`.
    pub time: &'a str,
}

/// The value of `Authorization`.
pub fn authorization(account: &Account, request: &Request) -> String {
    let mut headers: Vec<_> = request.headers.iter().collect();
    headers.sort();
    let names: Vec<&str> = headers.iter().map(|(name, _)| *name).collect();
    let names = names.join(";");
    let mut canonical = format!("{}\n{}\n{}\n", request.method, request.path, request.query);
    for (name, value) in headers {
        let _ = writeln!(canonical, "{name}:{}", value.trim());
    }
    let _ = write!(canonical, "\n{names}\n{}", request.body);
    let day = &request.time[..8];
    let scope = format!("{day}/{}/s3/aws4_request", account.region);
    let digest = Sha256Digest::of(canonical);
    let text = format!("AWS4-HMAC-SHA256\n{}\n{scope}\n{digest}", request.time);
    let parts = [day, &account.region, "s3", "aws4_request", &text];
    let first = format!("AWS4{}", account.secret).into_bytes();
    let signature = parts.iter().fold(first, |key, part| hmac(&key, part.as_bytes()).to_vec());
    format!(
        "AWS4-HMAC-SHA256 Credential={}/{scope},SignedHeaders={names},Signature={}",
        account.id,
        hex(&signature)
    )
}

/// HMAC-SHA256 (RFC 2104).
fn hmac(key: &[u8], text: &[u8]) -> [u8; 32] {
    const BLOCK: usize = 64;
    let mut block = [0; BLOCK];
    match key.len() > BLOCK {
        true => block[..32].copy_from_slice(&Sha256::digest(key)),
        false => block[..key.len()].copy_from_slice(key),
    }
    let padded = |pad: u8| block.map(|byte| byte ^ pad);
    let inner = Sha256::new().chain_update(padded(0x36)).chain_update(text).finalize();
    Sha256::new().chain_update(padded(0x5c)).chain_update(inner).finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hmac_is_that_of_rfc_4231() {
        let known = "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7";
        assert_eq!(hex(&hmac(&[0x0b; 20], b"Hi There")), known);
        let known = "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54";
        let text = b"Test Using Larger Than Block-Size Key - Hash Key First";
        assert_eq!(hex(&hmac(&[0xaa; 131], text)), known);
    }

    /// The example "GET Object" of Amazon's documents (sig-v4-header-based-auth).
    #[test]
    fn a_signature_is_that_of_amazons_example() {
        let account = Account {
            id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
            secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
            token: None,
            region: "us-east-1".to_owned(),
        };
        let headers = [
            ("host", "examplebucket.s3.amazonaws.com".to_owned()),
            ("range", "bytes=0-9".to_owned()),
            ("x-amz-content-sha256", Sha256Digest::of("").to_string()),
            ("x-amz-date", "20130524T000000Z".to_owned()),
        ];
        let request = Request {
            method: "GET",
            path: "/test.txt",
            query: "",
            headers: &headers,
            body: Sha256Digest::of(""),
            time: "20130524T000000Z",
        };
        let known = "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41";
        assert!(authorization(&account, &request).ends_with(&format!("Signature={known}")));
    }
}
