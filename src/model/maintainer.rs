//! Who answers for a package.

use std::fmt;
use std::str::FromStr;

/// `Name <mail>` on one line (Debian policy 5.6.2; `Packager` of an .rpm).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Maintainer(String);

/// Why a text is no maintainer.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected `Name <mail@example.org>`, found {0:?}")]
pub struct MaintainerError(String);

impl Maintainer {
    /// The text as a package has it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whoever runs the program, where nobody is named.
impl Default for Maintainer {
    fn default() -> Self {
        Maintainer("localpuppet <localpuppet@users.noreply.github.com>".to_owned())
    }
}

impl FromStr for Maintainer {
    type Err = MaintainerError;

    /// An empty text, as an environment variable may have, is the default.
    fn from_str(text: &str) -> Result<Self, MaintainerError> {
        if text.is_empty() {
            return Ok(Maintainer::default());
        }
        let parts = || {
            let (name, mail) = text.strip_suffix('>')?.split_once(" <")?;
            let (user, host) = mail.split_once('@')?;
            let plain = |part: &str| {
                let odd = |c: char| c.is_control() || c.is_whitespace() || "<>,@".contains(c);
                !part.is_empty() && !part.contains(odd)
            };
            let name_is_plain = !name.trim().is_empty() && !name.contains(['<', '>', ',']);
            (name_is_plain && plain(user) && plain(host)).then_some(())
        };
        let one_line = text.len() <= 256 && !text.chars().any(char::is_control);
        if one_line && parts().is_some() {
            return Ok(Maintainer(text.to_owned()));
        }
        Err(MaintainerError(text.chars().take(300).collect()))
    }
}

impl fmt::Display for Maintainer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Maintainer;

    #[test]
    fn only_a_name_and_a_mail_on_one_line_are_taken() {
        assert!("Web Team <web@example.org>".parse::<Maintainer>().is_ok());
        assert_eq!("".parse(), Ok(Maintainer::default()));
        for text in ["Eve <e@x>\nDepends: evil", "Eve", "<e@x>", "Eve <e>", "A <a@b>, C <c@d>"] {
            assert!(text.parse::<Maintainer>().is_err(), "{text}");
        }
    }
}
