//! Whose calls break: ENCs of nodes, held against what a release was and what it is.

use super::{Finding, Of, Rule, Verdict};
use crate::model::app::AppPath;
use crate::model::call::{self, Checker, Severity};
use crate::model::enc::{Class, Enc};
use crate::model::yaml::Places;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// What a difference is to nodes, each by the name of its ENC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Nodes {
    /// What is refused now and was not, the most nodes first.
    pub broken: Vec<Broken>,
    /// Nodes whose calls break.
    pub breaking: Vec<String>,
    /// Nodes that call what someone has to look at.
    pub review: Vec<String>,
    /// Nodes that are refused by both releases.
    pub broken_already: Vec<String>,
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
        let is_wrong = |finding: &call::Finding| finding.severity == Severity::Violation;
        let known = |finding: &call::Finding| {
            before.iter().any(|old| (&old.path, old.rule) == (&finding.path, finding.rule))
        };
        if before.iter().any(is_wrong) && after.iter().any(is_wrong) {
            return self.broken_already.push(node);
        }
        let news: Vec<call::Finding> =
            after.into_iter().filter(|finding| !known(finding) || is_wrong(finding)).collect();
        if !news.iter().any(is_wrong) {
            let concerned = Concerned::of(enc, releases);
            let touched = releases.findings.iter().any(|finding| concerned.by(finding));
            let list = match touched || !news.is_empty() {
                true => &mut self.review,
                false => &mut self.untouched,
            };
            return list.push(node);
        }
        let news = news.into_iter().filter(is_wrong);
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
        [&self.breaking, &self.review, &self.broken_already, &self.untouched]
            .iter()
            .map(|nodes| nodes.len())
            .sum()
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

/// What of a difference has to do with a call: what it gives, or leaves to a default.
struct Concerned<'a> {
    enc: &'a Enc,
    /// Classes that come with those of the call: they inherit from them.
    parents: BTreeSet<String>,
}

impl<'a> Concerned<'a> {
    fn of(enc: &'a Enc, releases: &Releases) -> Self {
        let above = |class: &Class| {
            [&releases.from, &releases.to].map(|checker| checker.ancestors(&class.name)).concat()
        };
        Concerned { enc, parents: enc.classes.iter().flat_map(above).collect() }
    }

    /// Whether someone has to look at a difference for it.
    fn by(&self, finding: &Finding) -> bool {
        if finding.verdict < Verdict::Review || finding.of != Of::Class {
            return false;
        }
        let class = self.enc.classes.iter().find(|class| class.name == finding.name);
        if class.is_none() && !self.parents.contains(&finding.name) {
            return false;
        }
        let parameter = finding.parameter.as_deref();
        let gives = class.zip(parameter).is_some_and(|(class, name)| class.given(name).is_some());
        match finding.rule {
            Rule::DefaultAdded | Rule::DefaultRemoved | Rule::DefaultChanged | Rule::Data => !gives,
            _ => gives || finding.parameter.is_none(),
        }
    }
}
