//! A repository in a bucket of an object store that speaks S3, and keeps the
//! conditions of writes: `If-None-Match: *` and `If-Match`.
#![allow(clippy::disallowed_methods)]

mod account;
mod signature;

use super::{Content, Follower, Seen};
use crate::host::clock;
use crate::host::fs::{self, Created};
use crate::host::http::{self, Again, Credentials, Miss, Tries};
use crate::model::digest::Sha256Digest;
use crate::model::failure::Failure;
use crate::model::repository::LARGEST_INDEX;
use crate::model::url::{BadUrl, Scheme, Url};
use signature::{Account, Request, authorization};
use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::time::Duration;
use ureq::http::Response;
use ureq::http::request::Builder;
use ureq::{Agent, Body, SendBody};

/// For so long a request is tried again where that may help.
const SECONDS: u32 = 120;

/// A store that says nothing for so long says nothing more.
const SILENCE: Duration = Duration::from_secs(60);

/// An error's document is some hundred bytes, a page of a list a thousand keys.
const LARGEST_ANSWER: u64 = 8 << 20;

/// A bucket, or what is below a prefix in it.
pub struct S3 {
    agent: Agent,
    account: Account,
    /// `http://host:port`, without a `/` at its end.
    origin: String,
    host: String,
    /// What is before a key in a path: `/BUCKET/PREFIX/` or `/PREFIX/`.
    base: String,
    bucket: String,
    /// What is before a key in the bucket.
    prefix: String,
    shown: String,
}

/// What is asked of the store.
struct Ask<'a> {
    method: &'a str,
    /// Without the repository's prefix.
    key: &'a str,
    query: &'a str,
    /// A header that says when, or of what.
    condition: Option<(&'static str, String)>,
    content: Content<'a>,
}

impl<'a> Ask<'a> {
    fn new(method: &'a str, key: &'a str) -> Self {
        let content = Content::Bytes(b"");
        Ask { method, key, query: "", condition: None, content }
    }
}

impl S3 {
    /// A bucket by the usual variables of the environment; nothing is asked yet.
    pub fn open(bucket: &str, prefix: &str) -> Result<Self, Failure> {
        let (account, endpoint) = account::account(bucket)?;
        // No certificate is good for a bucket with a `.` before Amazon's name.
        let in_path = endpoint.is_some() || bucket.contains('.');
        let before = if in_path { String::new() } else { format!("{bucket}.") };
        let own = || format!("https://{before}s3.{}.amazonaws.com", account.region);
        let origin = endpoint.unwrap_or_else(own);
        let url: Url = origin.parse().map_err(|error: BadUrl| {
            Failure::new("`AWS_ENDPOINT_URL` is not a URL").because(error)
        })?;
        let origin = url.without_query().trim_end_matches('/').to_owned();
        let host = origin.split("://").nth(1).unwrap_or_default().to_owned();
        let credentials = match url.scheme() {
            Scheme::Https => Credentials::read(http::Files::default())?,
            Scheme::Http => Credentials::none(),
        };
        // Other stores have their buckets in the path.
        let base = if in_path { format!("/{bucket}/") } else { "/".to_owned() };
        Ok(S3 {
            agent: http::agent(&credentials, false),
            account,
            host,
            origin,
            base,
            bucket: bucket.to_owned(),
            prefix: prefix.to_owned(),
            shown: format!("s3://{bucket}/{}", prefix.trim_end_matches('/')),
        })
    }

    /// Tries whether the store keeps conditions: one that does not would let
    /// publishers overwrite each other, and is refused.
    pub fn prepare(&self) -> Result<(), Failure> {
        let name = Sha256Digest::of(format!("{} {}", clock::now(), std::process::id())).to_string();
        let key = format!("ledger/probe/{}", &name[..16]);
        let create = |bytes| self.create(&key, Content::Bytes(bytes));
        let probe = || {
            let created = create(b"1")? != Created::Different;
            let kept = create(b"2")? == Created::Different;
            let wrong = Seen("\"00000000000000000000000000000000\"".to_owned());
            let swapped = self.swap(&key, b"3", Some(&wrong))?;
            let right = self.swap(&key, b"4", self.seen(&key)?.as_ref())?;
            Ok::<_, Failure>([created, kept, !swapped, right])
        };
        let kept = probe();
        // Why it cannot be written tells more than why it cannot be removed.
        let removed = self.remove(&key);
        let kept = kept?;
        removed?;
        if kept == [true; 4] {
            return Ok(());
        }
        Err(Failure::new(format!(
            "the store of `{}` ignores conditional writes, so publishers could overwrite each other",
            self.shown
        ))
        .hint("use a store that keeps `If-None-Match: *` and `If-Match`, as Amazon S3 does"))
    }

    /// An object as it is now.
    pub fn get(&self, key: &str, largest: u64) -> Result<Option<(Vec<u8>, Seen)>, Failure> {
        self.run(&Ask::new("GET", key), |response| match response.status().as_u16() {
            200 => {
                let seen = etag(&response);
                Ok(Some((http::body(response, largest)?, seen)))
            }
            404 => absent(response).map(|()| None),
            _ => Err(refused(response)),
        })
    }

    /// What an object is now, without its bytes.
    pub fn seen(&self, key: &str) -> Result<Option<Seen>, Failure> {
        self.run(&Ask::new("HEAD", key), |response| match response.status().as_u16() {
            200 => Ok(Some(etag(&response))),
            404 => Ok(None),
            _ => Err(refused(response)),
        })
    }

    /// An object as a file without a name.
    pub fn fetch(&self, key: &str) -> Result<File, Failure> {
        let mut file = fs::scratch()?;
        self.run(&Ask::new("GET", key), |response| {
            if response.status() != 200 {
                return Err(refused(response));
            }
            let told = response.body().content_length();
            file.rewind()
                .and_then(|()| file.set_len(0))
                .map_err(|error| Miss::last(error.to_string()))?;
            let mut from = response.into_body().into_reader();
            let copied = io::copy(&mut from, &mut file);
            let copied = copied.map_err(|error| http::miss(ureq::Error::from(error)))?;
            match told {
                Some(told) if told != copied => Err(Miss::again("its answer was cut off")),
                _ => Ok(()),
            }
        })?;
        file.flush()
            .and_then(|()| file.rewind())
            .map_err(|error| Failure::new(error.to_string()))?;
        Ok(file)
    }

    /// Makes an object, unless there is one.
    pub fn create(&self, key: &str, content: Content) -> Result<Created, Failure> {
        if self.put(key, content, Some(("if-none-match", "*".to_owned())))? {
            return Ok(Created::New);
        }
        // It may be ours: the answer to an earlier try may have been lost.
        let (there, _) = fs::digest(&self.fetch(key)?)?;
        let ours = match content {
            Content::Bytes(bytes) => Sha256Digest::of(bytes),
            Content::File { sha256, .. } => sha256,
        };
        Ok(if there == ours { Created::Unchanged } else { Created::Different })
    }

    /// Replaces an object that is still what it was when it was `seen`.
    pub fn swap(&self, key: &str, bytes: &[u8], seen: Option<&Seen>) -> Result<bool, Failure> {
        let condition = match seen {
            Some(Seen(etag)) => ("if-match", etag.clone()),
            None => ("if-none-match", "*".to_owned()),
        };
        if self.put(key, Content::Bytes(bytes), Some(condition))? {
            return Ok(true);
        }
        // No two publishers write the same head, so what is the same is ours.
        let there = self.get(key, bytes.len() as u64 + 1).ok().flatten();
        Ok(there.is_some_and(|(there, _)| there == bytes))
    }

    /// Lets the store copy an object, which costs no bytes on the way.
    pub fn copy(&self, key: &str, of: &str) -> Result<(), Failure> {
        let source = format!("/{}/{}{of}", self.bucket, self.prefix);
        let source = escape(&source).replace("%2F", "/");
        let ask = Ask { condition: Some(("x-amz-copy-source", source)), ..Ask::new("PUT", key) };
        let copied = self.run(&ask, |response| {
            let is_done = response.status().is_success();
            let text = http::body(response, LARGEST_ANSWER)?;
            // An answer that begins well may end in an error.
            Ok(is_done && !String::from_utf8_lossy(&text).contains("<Error>"))
        })?;
        if copied {
            return Ok(());
        }
        let file = self.fetch(of)?;
        let (sha256, bytes) = fs::digest(&file)?;
        self.create(key, Content::File { file: &file, sha256, bytes }).map(drop)
    }

    /// Replaces files: each only as it was before `is_current` was asked.
    pub fn follow(
        &self,
        files: &[Follower],
        is_current: &dyn Fn() -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let mut left: Vec<&Follower> = files.iter().collect();
        while !left.is_empty() {
            let seen = left.iter().map(|file| self.seen(file.path));
            let seen = seen.collect::<Result<Vec<_>, _>>()?;
            if !is_current()? {
                return Ok(());
            }
            let mut overtaken = Vec::new();
            for (file, seen) in left.into_iter().zip(seen) {
                let bytes = match file.bytes {
                    Some(bytes) => Cow::Borrowed(bytes),
                    None => Cow::Owned(self.whole(file.of)?),
                };
                if !self.swap(file.path, &bytes, seen.as_ref())? {
                    overtaken.push(file);
                }
            }
            left = overtaken;
        }
        Ok(())
    }

    fn whole(&self, key: &str) -> Result<Vec<u8>, Failure> {
        let there = self.get(key, LARGEST_INDEX)?.map(|(bytes, _)| bytes);
        there.ok_or_else(|| Failure::new(format!("`{key}` is gone, which the head names")))
    }

    /// The keys that begin with `prefix`, in order.
    pub fn list(&self, prefix: &str) -> Result<Vec<String>, Failure> {
        let mut keys = Vec::new();
        let mut token: Option<String> = None;
        let escaped = escape(&format!("{}{prefix}", self.prefix));
        loop {
            let after = token.map(|token| format!("continuation-token={}&", escape(&token)));
            let query = format!("{}list-type=2&prefix={escaped}", after.unwrap_or_default());
            let ask = Ask { query: &query, ..Ask::new("GET", "") };
            let page = self.run(&ask, |response| match response.status().as_u16() {
                200 => http::body(response, LARGEST_ANSWER),
                _ => Err(refused(response)),
            })?;
            let page = String::from_utf8_lossy(&page);
            let found = page.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next());
            keys.extend(found.filter_map(|key| key.strip_prefix(&self.prefix)).map(str::to_owned));
            token =
                element(&page, "NextContinuationToken").map(|token| token.replace("&amp;", "&"));
            if token.is_none() {
                keys.sort();
                return Ok(keys);
            }
        }
    }

    /// Removes an object.
    pub fn remove(&self, key: &str) -> Result<(), Failure> {
        self.run(&Ask::new("DELETE", key), |response| match response.status().as_u16() {
            200..300 | 404 => Ok(()),
            _ => Err(refused(response)),
        })
    }

    /// Writes an object; false where the condition does not hold.
    fn put(
        &self,
        key: &str,
        content: Content,
        condition: Option<(&'static str, String)>,
    ) -> Result<bool, Failure> {
        let ask = Ask { condition, content, ..Ask::new("PUT", key) };
        self.run(&ask, |response| match response.status().as_u16() {
            200..300 => Ok(true),
            412 => Ok(false),
            // Another write of the same key goes on: Amazon's word for "ask again".
            409 => Err(Miss::again("others write the same object")),
            // `If-Match` of an object that has gone.
            404 => absent(response).map(|()| false),
            _ => Err(refused(response)),
        })
    }

    /// Asks until there is an answer that another try would not better.
    fn run<T>(
        &self,
        ask: &Ask,
        mut judge: impl FnMut(Response<Body>) -> Result<T, Miss>,
    ) -> Result<T, Failure> {
        let verb = match ask.method {
            "PUT" => "write",
            "DELETE" => "remove",
            _ => "read",
        };
        let what = format!("failed to {verb} `{}/{}`", self.shown, ask.key);
        Tries::within(SECONDS).run(&what, || judge(self.send(ask)?))
    }

    fn send(&self, ask: &Ask) -> Result<Response<Body>, Miss> {
        let request = self.request(ask);
        match ask.content {
            _ if ask.method != "PUT" => self.call(request, SendBody::none()),
            Content::Bytes(mut bytes) => self.call(request, SendBody::from_reader(&mut bytes)),
            Content::File { mut file, bytes, .. } => {
                file.rewind().map_err(|error| Miss::last(error.to_string()))?;
                self.call(request, SendBody::from_reader(&mut file.take(bytes)))
            }
        }
    }

    fn call(&self, request: Builder, body: SendBody) -> Result<Response<Body>, Miss> {
        let request = request.body(body).map_err(|error| Miss::last(error.to_string()))?;
        let request = self.agent.configure_request(request).timeout_connect(Some(SILENCE / 6));
        let request = request.timeout_recv_response(Some(SILENCE)).build();
        self.agent.run(request).map_err(http::miss)
    }

    /// A signed request, but for its body.
    fn request(&self, ask: &Ask) -> Builder {
        let (body, length) = match ask.content {
            Content::Bytes(bytes) => (Sha256Digest::of(bytes), bytes.len() as u64),
            Content::File { sha256, bytes, .. } => (sha256, bytes),
        };
        let key = if ask.key.is_empty() { "" } else { self.prefix.as_str() };
        let path = format!("{}{key}{}", self.base, ask.key);
        let time = clock::timestamp().strftime("%Y%m%dT%H%M%SZ").to_string();
        let mut headers = vec![
            ("host", self.host.clone()),
            ("x-amz-content-sha256", body.to_string()),
            ("x-amz-date", time.clone()),
        ];
        headers.extend(self.account.token.clone().map(|token| ("x-amz-security-token", token)));
        headers.extend(ask.condition.clone());
        let (method, query) = (ask.method, ask.query);
        let signed = Request { method, path: &path, query, headers: &headers, body, time: &time };
        let authorization = authorization(&self.account, &signed);
        let mark = if query.is_empty() { "" } else { "?" };
        let mut request = Builder::new()
            .method(method)
            .uri(format!("{}{path}{mark}{query}", self.origin))
            .header("authorization", authorization);
        // The host is written by whoever sends it.
        for (name, value) in headers.into_iter().skip(1) {
            request = request.header(name, value);
        }
        if method == "PUT" { request.header("content-length", length) } else { request }
    }
}

/// What an object is, by its store's own mark.
fn etag(response: &Response<Body>) -> Seen {
    let etag = response.headers().get("etag").and_then(|etag| etag.to_str().ok());
    Seen(etag.unwrap_or_default().to_owned())
}

/// A 404 of an object, and not of its bucket.
fn absent(response: Response<Body>) -> Result<(), Miss> {
    let text = http::body(response, LARGEST_ANSWER).unwrap_or_default();
    match element(&String::from_utf8_lossy(&text), "Code").as_deref() {
        Some("NoSuchBucket") => {
            Err(Miss::last("there is no such bucket").hint("make the bucket, or name another"))
        }
        _ => Ok(()),
    }
}

/// Why the store refuses, in its own words, and what to type.
fn refused(response: Response<Body>) -> Miss {
    let status = response.status();
    let header = |name: &str| Some(response.headers().get(name)?.to_str().ok()?.to_owned());
    let (after, region) = (header("retry-after"), header("x-amz-bucket-region"));
    let text = http::body(response, LARGEST_ANSWER).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let code = element(&text, "Code").unwrap_or_default();
    let message = element(&text, "Message").unwrap_or_default();
    let what = match code.is_empty() {
        true => format!("it answers {status}"),
        false => format!("it answers {status}: {code}: {message:.300}"),
    };
    if status.as_u16() == 429 || status.is_server_error() {
        let after = after.and_then(|text| text.trim().parse().ok()).map(Duration::from_secs);
        let again = Again::After(after.unwrap_or_default());
        return Miss { again, ..Miss::last(what) };
    }
    let region = region.or_else(|| element(&text, "Region"));
    let there = region.map(|region| format!("; the bucket is in region `{region:.50}`"));
    let miss = Miss::last(what + &there.unwrap_or_default());
    match code.as_str() {
        "ExpiredToken" | "TokenRefreshRequired" => miss.hint(
            "get new credentials: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN",
        ),
        "RequestTimeTooSkewed" => miss.hint("set the clock: `date`, `timedatectl`"),
        "NoSuchBucket" => miss.hint("make the bucket, or name another"),
        "PermanentRedirect" | "AuthorizationHeaderMalformed" => miss.hint("export AWS_REGION=…"),
        _ if status.is_redirection() => miss.hint("export AWS_REGION=…"),
        _ if status.as_u16() == 403 => miss.hint(
            "ask who runs it whether AWS_ACCESS_KEY_ID may read, write, list and delete there",
        ),
        _ => miss,
    }
}

/// The text of the first element of that name.
fn element(text: &str, name: &str) -> Option<String> {
    let rest = text.split(&format!("<{name}>")).nth(1)?;
    Some(rest.split(&format!("</{name}>")).next()?.to_owned())
}

/// For a query (RFC 3986, 2.3).
fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                escaped.push(char::from(byte));
            }
            other => escaped.push_str(&format!("%{other:02X}")),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_escaped_and_elements_are_found() {
        assert_eq!(escape("a/b+c=d~"), "a%2Fb%2Bc%3Dd~");
        assert_eq!(element("<Error><Code>NoSuchKey</Code></Error>", "Code").unwrap(), "NoSuchKey");
        assert_eq!(element("<x/>", "Code"), None);
    }
}
