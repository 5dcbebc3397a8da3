//! Command lines as values: built by `plan`, shown by `report`, run by `host`.

use std::fmt;

/// A program with its arguments and environment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandLine {
    pub program: String,
    pub arguments: Vec<String>,
    pub environment: Environment,
}

/// The variables that a program sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Environment {
    /// Those of this process, and these.
    Inherited(Vec<(&'static str, String)>),
    /// Nothing but these, and the values that this process has of `passed`;
    /// in the directory `/`, so that nothing depends on who starts it.
    Only { set: Vec<(&'static str, String)>, passed: Vec<&'static str> },
}

impl CommandLine {
    /// A program with arguments, in this process's environment.
    pub fn new(
        program: impl Into<String>,
        arguments: impl IntoIterator<Item: Into<String>>,
    ) -> Self {
        CommandLine {
            program: program.into(),
            arguments: arguments.into_iter().map(Into::into).collect(),
            environment: Environment::Inherited(Vec::new()),
        }
    }

    /// The same command line in another environment.
    pub fn environment(mut self, environment: Environment) -> Self {
        self.environment = environment;
        self
    }
}

/// A command of localpuppet's as it is typed for the node below a root; `/` is empty.
pub fn typed(root: &str, command: &str) -> String {
    let below = if root.is_empty() { String::new() } else { format!(" --root {}", quote(root)) };
    format!("localpuppet {command}{below}")
}

/// The line to paste into a shell for the same run. Values of `passed`
/// variables may be secrets (a proxy's password), so the shell fills them in.
impl fmt::Display for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.environment {
            Environment::Inherited(set) => {
                for (name, value) in set {
                    write!(f, "{name}={} ", quote(value))?;
                }
            }
            Environment::Only { set, passed } => {
                f.write_str("cd / && env -i ")?;
                for (name, value) in set {
                    write!(f, "{name}={} ", quote(value))?;
                }
                for name in passed {
                    write!(f, "{name}=\"${name}\" ")?;
                }
                // Which `env` would take for one more variable.
                if self.program.contains('=') {
                    f.write_str("nice -n 0 ")?;
                }
            }
        }
        f.write_str(&quote(&self.program))?;
        self.arguments.iter().try_for_each(|argument| write!(f, " {}", quote(argument)))
    }
}

/// One word as a POSIX shell reads it back.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_would_change_them() {
        assert_eq!(quote("--modulepath=/a:/b"), "--modulepath=/a:/b");
        assert_eq!(quote(""), "''");
        assert_eq!(quote("it's $HOME"), r"'it'\''s $HOME'");
        assert_eq!(quote("~root"), "'~root'");
    }

    #[test]
    fn a_secret_of_the_environment_is_left_to_the_shell() {
        let line = CommandLine::new("/usr/bin/puppet", ["apply"]).environment(Environment::Only {
            set: vec![("LANG", "C.UTF-8".to_owned())],
            passed: vec!["https_proxy"],
        });
        let shown =
            r#"cd / && env -i LANG=C.UTF-8 https_proxy="$https_proxy" /usr/bin/puppet apply"#;
        assert_eq!(line.to_string(), shown);
        let line = CommandLine { program: "/a=b/puppet".to_owned(), ..line };
        assert!(line.to_string().ends_with("\" nice -n 0 /a=b/puppet apply"));
    }
}
