//! The instance metadata service of EC2: user-data, by its second version only.
//!
//! Nothing is asked without a token: who can make this machine send a request
//! for them (an open proxy, say) still cannot read what is meant for it alone.
#![allow(clippy::disallowed_methods)]

use super::http::{self, Again, Miss, Tries};
use crate::model::failure::Failure;
use crate::model::url::Url;
use std::time::Duration;
use ureq::Agent;
use ureq::http::{HeaderValue, StatusCode};

/// The service is on the same machine, or is not there.
const ANSWER: Duration = Duration::from_secs(2);

/// For how many seconds the token is good.
const TTL: &str = "60";

/// A token is some dozens of characters.
const LONGEST_TOKEN: u64 = 4 << 10;

/// Gets the instance's user-data, of at most `largest` bytes.
pub fn user_data(endpoint: &Url, tries: &Tries, largest: u64) -> Result<Vec<u8>, Failure> {
    let what = format!("failed to get user-data from the metadata service `{endpoint}`");
    let agent = agent();
    tries.run(&what, || {
        let token = token(&agent, endpoint, tries)?;
        let url = at(endpoint, "/latest/user-data")?;
        let request = agent.get(url.to_string()).header("X-aws-ec2-metadata-token", token);
        let request = request.config().timeout_global(Some(tries.left()?.min(ANSWER)));
        let response = request.build().call().map_err(http::miss)?;
        match response.status() {
            StatusCode::OK => text(http::body(response, largest)?),
            StatusCode::NOT_FOUND => Err(Miss::last("this instance has no user-data")),
            // It forgets tokens when it starts anew.
            StatusCode::UNAUTHORIZED => {
                Err(Miss::again("it refuses the token that it gave").hint(SEE))
            }
            status => Err(refused(status)),
        }
    })
}

const SEE: &str = "see what it is set to: `aws ec2 describe-instances --query \
                   'Reservations[].Instances[].MetadataOptions'`";

/// cloud-init takes its data compressed, too.
fn text(data: Vec<u8>) -> Result<Vec<u8>, Miss> {
    match data.starts_with(&[0x1f, 0x8b]) {
        true => Err(Miss::last("expected user-data as text, found it compressed by gzip")),
        false => Ok(data),
    }
}

fn token(agent: &Agent, endpoint: &Url, tries: &Tries) -> Result<HeaderValue, Miss> {
    let url = at(endpoint, "/latest/api/token")?;
    let request = agent.put(url.to_string()).header("X-aws-ec2-metadata-token-ttl-seconds", TTL);
    let request = request.config().timeout_global(Some(tries.left()?.min(ANSWER)));
    let response = request.build().send_empty().map_err(|error| {
        let miss = http::miss(error);
        // In a container, the answer with the token does not come through.
        miss.hint("in a container, it needs `--http-put-response-hop-limit 2` of `aws ec2 modify-instance-metadata-options`")
    })?;
    match response.status() {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED => {
            return Err(Miss::last("it has no tokens, and is not asked without one"));
        }
        status => return Err(refused(status)),
    }
    let token = HeaderValue::from_maybe_shared(http::body(response, LONGEST_TOKEN)?);
    let mut token = token.map_err(|_| Miss::last("its token is none"))?;
    token.set_sensitive(true);
    Ok(token)
}

fn refused(status: StatusCode) -> Miss {
    let miss = Miss::last(format!("it answers {status}"));
    match status.as_u16() {
        429 | 500.. => Miss { again: Again::After(Duration::ZERO), ..miss },
        403 => miss.hint(SEE),
        _ => miss,
    }
}

fn at(endpoint: &Url, path: &str) -> Result<Url, Miss> {
    endpoint.join(path).map_err(|error| Miss::last(error.to_string()))
}

/// Never through a proxy, which would be asked for its own metadata; never elsewhere.
fn agent() -> Agent {
    let config = Agent::config_builder().proxy(None).max_redirects(0).http_status_as_error(false);
    config.user_agent(concat!("localpuppet/", env!("CARGO_PKG_VERSION"))).build().new_agent()
}
