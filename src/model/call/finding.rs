//! One finding of a call, in words and as an error's cause.

use crate::model::enc::EncError;
use crate::model::yaml;
use serde::Serialize;
use std::fmt;

/// One thing that was found of a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    pub severity: Severity,
    /// `classes.apache.mpm_module`
    pub path: String,
    pub line: Option<u64>,
    pub column: Option<u64>,
    pub rule: Rule,
    pub expected: String,
    /// The kind of what was found, or why it cannot be told.
    pub found: String,
    pub hint: Option<String>,
    /// The value itself, as JSON; only where the operator asks to see values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

/// Findings as an error's cause: the one, or a list of them.
#[derive(Debug)]
pub struct Wrong(pub Vec<Finding>);

/// More findings than this are counted, not named.
const NAMED: usize = 20;

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let placed = |f: &mut fmt::Formatter<'_>, finding: &Finding| {
            if let (Some(line), Some(column)) = (finding.line, finding.column) {
                write!(f, "line {line}, column {column}: ")?;
            }
            finding.fmt(f)
        };
        if let [finding] = self.0.as_slice() {
            return placed(f, finding);
        }
        write!(f, "{} things are wrong", self.0.len())?;
        for finding in self.0.iter().take(NAMED) {
            f.write_str("\n    ")?;
            placed(f, finding)?;
        }
        match self.0.len().checked_sub(NAMED) {
            Some(more @ 1..) => write!(f, "\n    and {more} more"),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Wrong {}

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Puppet would refuse it.
    Violation,
    /// Only Puppet can tell.
    Undecided,
}

/// What a call was held against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// The document itself: it cannot be read, or is refused.
    Document,
    UnknownClass,
    UnknownParameter,
    MissingParameter,
    Default,
    Type,
}

pub(super) fn finding(
    severity: Severity,
    rule: Rule,
    path: &str,
    expected: impl Into<String>,
    found: impl Into<String>,
) -> Finding {
    let (path, expected, found) = (path.to_owned(), expected.into(), found.into());
    let (line, column, hint, value) = (None, None, None, None);
    Finding { severity, path, line, column, rule, expected, found, hint, value }
}

impl Finding {
    pub(super) fn hint(self, hint: Option<String>) -> Self {
        Finding { hint, ..self }
    }

    /// What is wrong with a document that was refused.
    pub fn of_refused(error: &EncError) -> Vec<Finding> {
        let of_one = |found: &yaml::Finding| {
            let (expected, what) = (found.expected.clone(), found.found.clone());
            let (line, column) =
                (found.mark.map(|mark| mark.line), found.mark.map(|mark| mark.column));
            let told = finding(Severity::Violation, Rule::Document, &found.path, expected, what);
            Finding { line, column, ..told.hint(found.hint.clone()) }
        };
        error.findings().iter().map(of_one).collect()
    }

    /// A document that cannot be read at all, and why.
    pub fn of_unreadable(why: String) -> Finding {
        finding(Severity::Violation, Rule::Document, "", "a document that can be read", why)
    }
}

/// Without its place: `` `classes.foo.port`: type: expected Integer, found a string ``.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.path.is_empty() {
            write!(f, "`{}`: ", self.path)?;
        }
        write!(f, "{}: expected {}, found {}", self.rule.words(), self.expected, self.found)?;
        if let Some(value) = &self.value {
            write!(f, ": {value}")?;
        }
        self.hint.iter().try_for_each(|hint| write!(f, "; {hint}"))
    }
}

impl Rule {
    /// The rule in words.
    pub fn words(self) -> &'static str {
        match self {
            Rule::Document => "document",
            Rule::UnknownClass => "unknown class",
            Rule::UnknownParameter => "unknown parameter",
            Rule::MissingParameter => "missing parameter",
            Rule::Default => "default",
            Rule::Type => "type",
        }
    }
}
