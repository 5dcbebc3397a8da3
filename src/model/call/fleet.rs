//! The calls of many nodes, by what was found of them.

use super::{Finding, Severity};
use serde::Serialize;
use std::collections::BTreeMap;

/// One finding, and all nodes that it is of.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Without a place: each node has its own.
    #[serde(flatten)]
    pub finding: Finding,
    pub count: usize,
    pub nodes: Vec<NodePlace>,
}

/// Where a node's document has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct NodePlace {
    /// The name of the file.
    pub enc: String,
    pub line: Option<u64>,
    pub column: Option<u64>,
}

/// Puts together what is the same; violations first, then what most nodes have.
pub fn grouped(found: Vec<(String, Vec<Finding>)>) -> Vec<Group> {
    let mut groups: BTreeMap<Finding, Vec<NodePlace>> = BTreeMap::new();
    for (enc, findings) in found {
        for finding in findings {
            let (line, column) = (finding.line, finding.column);
            let key = Finding { line: None, column: None, ..finding };
            groups.entry(key).or_default().push(NodePlace { enc: enc.clone(), line, column });
        }
    }
    let group = |(finding, mut nodes): (Finding, Vec<NodePlace>)| {
        nodes.sort();
        Group { finding, count: nodes.len(), nodes }
    };
    let mut groups: Vec<Group> = groups.into_iter().map(group).collect();
    groups.sort_by_key(|group| (group.finding.severity, std::cmp::Reverse(group.count)));
    groups
}

/// How many groups are of a severity.
pub fn count(groups: &[Group], severity: Severity) -> usize {
    groups.iter().filter(|group| group.finding.severity == severity).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_finding_of_several_nodes_is_one() {
        let at = |line, why: &str| Finding {
            line: Some(line),
            ..Finding::of_unreadable(why.to_owned())
        };
        let open = Finding { severity: Severity::Undecided, ..at(9, "x") };
        let groups = grouped(vec![
            ("c".into(), vec![at(3, "rare"), open.clone()]),
            ("b".into(), vec![at(2, "often"), open]),
            ("a".into(), vec![at(1, "often")]),
        ]);
        let told: Vec<String> = groups
            .iter()
            .map(|group| {
                let nodes: Vec<String> = group
                    .nodes
                    .iter()
                    .map(|node| format!("{}:{}", node.enc, node.line.unwrap_or(0)))
                    .collect();
                format!("{} {}", group.finding.found, nodes.join(" "))
            })
            .collect();
        assert_eq!(told, ["often a:1 b:2", "rare c:3", "x b:9 c:9"]);
        assert_eq!(groups.iter().map(|group| group.count).collect::<Vec<_>>(), [2, 1, 2]);
        assert_eq!(count(&groups, Severity::Violation), 2);
    }
}
