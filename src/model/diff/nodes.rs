//! Whose calls break: ENCs of nodes, held against what a release was and what it is.

use super::{Finding, Of, Rule, Verdict};
use crate::model::app::AppPath;
use crate::model::call::{self, Checker, Severity};
use crate::model::enc::{Class, Enc};
use crate::model::yaml::Places;
use serde::Serialize;
use std::collections::BTreeMap;

/// What a difference is to nodes, each by the name of its ENC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Nodes {
    /// What is refused now and was not, the most nodes first.
    pub broken: Vec<Broken>,
    /// Nodes whose calls break.
    pub breaking: Vec<String>,
    /// Nodes that call what someone has to look at.
    pub review: Vec<String>,
    /// Nodes that call nothing that matters to them.
    pub untouched: Vec<String>,
    /// Nodes of another app.
    pub others: Vec<String>,
    /// Files that are no ENC, and why.
    pub refused: BTreeMap<String, String>,
}

/// One thing that breaks, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Broken {
    pub finding: call::Finding,
    pub nodes: Vec<String>,
}

/// The two releases, and what is different between them.
pub struct Releases<'a> {
    pub app: &'a AppPath,
    pub from: Checker<'a>,
    pub to: Checker<'a>,
    pub findings: &'a [Finding],
}

impl Nodes {
    /// Judges one node.
    pub fn add(&mut self, node: &str, enc: &Enc, places: &Places, releases: &mut Releases) {
        let node = node.to_owned();
        if enc.app.as_ref().is_some_and(|app| app.source() != releases.app.source()) {
            return self.others.push(node);
        }
        let before = releases.from.check(enc, places);
        let after = releases.to.check(enc, places);
        let known = |finding: &call::Finding| {
            before.iter().any(|old| (&old.path, old.rule) == (&finding.path, finding.rule))
        };
        let news: Vec<call::Finding> = after
            .into_iter()
            .filter(|finding| finding.severity == Severity::Violation)
            .filter(|finding| !known(finding))
            .collect();
        if news.is_empty() {
            let touched = releases.findings.iter().any(|finding| concerns(finding, enc));
            return if touched { &mut self.review } else { &mut self.untouched }.push(node);
        }
        for finding in news {
            self.group(finding, &node);
        }
        self.breaking.push(node);
    }

    /// Takes note of a document that is no ENC.
    pub fn refuse(&mut self, node: &str, why: String) {
        self.refused.insert(node.to_owned(), why);
    }

    /// How many were judged.
    pub fn count(&self) -> usize {
        [&self.breaking, &self.review, &self.untouched].iter().map(|nodes| nodes.len()).sum()
    }

    /// True where there was no document at all.
    pub fn is_empty(&self) -> bool {
        self.count() + self.others.len() + self.refused.len() == 0
    }

    /// Puts what is the same of several nodes together; line and column are each node's own.
    fn group(&mut self, finding: call::Finding, node: &str) {
        let finding = call::Finding { line: None, column: None, ..finding };
        match self.broken.iter_mut().find(|known| known.finding == finding) {
            Some(known) => known.nodes.push(node.to_owned()),
            None => self.broken.push(Broken { finding, nodes: vec![node.to_owned()] }),
        }
    }

    /// Brings all into the order in which it is told.
    pub fn sort(&mut self) {
        self.broken.sort_by(|a, b| {
            (b.nodes.len(), &a.finding.path).cmp(&(a.nodes.len(), &b.finding.path))
        });
    }
}

/// Whether a call has to do with a difference that someone has to look at: what it gives, or
/// leaves to a default.
fn concerns(finding: &Finding, enc: &Enc) -> bool {
    let called = |class: &&Class| finding.of == Of::Class && class.name == finding.name;
    let Some(class) = enc.classes.iter().find(called) else { return false };
    let gives = |name: &String| class.parameters.iter().any(|(given, _)| given == name);
    let given = finding.parameter.as_ref().map(gives);
    match finding.rule {
        _ if finding.verdict < Verdict::Review => false,
        Rule::DefaultAdded | Rule::DefaultRemoved | Rule::DefaultChanged | Rule::Data => {
            given == Some(false)
        }
        _ => given != Some(false),
    }
}
