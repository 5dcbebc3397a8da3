//! Who asks, by the usual variables; else by the profile of the usual files.
#![allow(clippy::disallowed_methods)]

use super::signature::Account;
use crate::host::fs;
use crate::model::failure::Failure;
use std::path::{Path, PathBuf};

/// More than this, and a file has no profiles.
const LARGEST: u64 = 1 << 20;

/// A variable that says something.
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// The account that is to use a bucket, and the endpoint that its profile names.
pub fn account(bucket: &str) -> Result<(Account, Option<String>), Failure> {
    let named = variable("AWS_PROFILE");
    let own =
        variable("AWS_ACCESS_KEY_ID").is_some() || variable("AWS_SECRET_ACCESS_KEY").is_some();
    let profile = match Profile::read(named.as_deref().unwrap_or("default")) {
        // Where variables have a key, nobody needs the files.
        Err(_) if own => Profile::default(),
        read => read?,
    };
    let needed = |variable_name: &str, key: &str| {
        let there = if own { variable(variable_name) } else { profile.get(key) };
        there.ok_or_else(|| match (&named, own) {
            (Some(name), false) => Failure::new(format!(
                "profile `{name}` (`AWS_PROFILE`) has no `{key}`"
            ))
            .hint(format!(
                "eval \"$(aws configure export-credentials --profile {name} --format env)\""
            )),
            _ => Failure::new(format!(
                "`s3://{bucket}` needs credentials, and `{variable_name}` is not set"
            ))
            .hint("export AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…, or AWS_PROFILE=…"),
        })
    };
    let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
    let region = region.or_else(|| profile.get("region"));
    let account = Account {
        id: needed("AWS_ACCESS_KEY_ID", "aws_access_key_id")?,
        secret: needed("AWS_SECRET_ACCESS_KEY", "aws_secret_access_key")?,
        token: match own {
            true => variable("AWS_SESSION_TOKEN"),
            false => profile.get("aws_session_token"),
        },
        region: region.unwrap_or_else(|| "us-east-1".to_owned()),
    };
    let endpoint = variable("AWS_ENDPOINT_URL_S3").or_else(|| variable("AWS_ENDPOINT_URL"));
    Ok((account, endpoint.or_else(|| profile.get("endpoint_url"))))
}

/// What the files say of one profile: those with secrets first.
#[derive(Default)]
struct Profile {
    settings: Vec<(String, String)>,
}

impl Profile {
    fn read(name: &str) -> Result<Self, Failure> {
        let in_config = if name == "default" { name.to_owned() } else { format!("profile {name}") };
        let mut settings = Vec::new();
        let files = [
            ("AWS_SHARED_CREDENTIALS_FILE", "credentials", name),
            ("AWS_CONFIG_FILE", "config", &in_config),
        ];
        for (place, file, section) in files {
            let home = || Some(Path::new(&variable("HOME")?).join(".aws").join(file));
            let Some(path) = variable(place).map(PathBuf::from).or_else(home) else { continue };
            let text = fs::read_bounded(&path, LARGEST)?.unwrap_or_default();
            settings.extend(section_of(&String::from_utf8_lossy(&text), section));
        }
        Ok(Profile { settings })
    }

    fn get(&self, key: &str) -> Option<String> {
        let found = self.settings.iter().find(|(name, _)| name == key);
        found.map(|(_, value)| value.clone())
    }
}

/// The settings of one section; those below a setting belong to it.
fn section_of(text: &str, section: &str) -> Vec<(String, String)> {
    let mut is_in = false;
    let mut settings = Vec::new();
    for line in text.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.split(']').next()) {
            is_in = name.split_whitespace().eq(section.split_whitespace());
        } else if let Some((key, value)) = line.split_once('=')
            && is_in
            && !line.starts_with(['#', ';', ' ', '\t'])
            && !value.trim().is_empty()
        {
            settings.push((key.trim().to_ascii_lowercase(), value.trim().to_owned()));
        }
    }
    settings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_is_its_section_and_no_other() {
        let text = "[default]\nregion = a\n[profile  b]\r\n# region = x\ns3 =\n  region = y\r\nregion=b\n[c]\nregion = c\n";
        let region = |of| Profile { settings: section_of(text, of) }.get("region");
        assert_eq!(region("profile b").as_deref(), Some("b"));
        assert_eq!(region("default").as_deref(), Some("a"));
        assert_eq!(region("b"), None);
    }
}
