//! Each value of `values.txt` held against each type of `types.txt`, whose aliases are in
//! `modules`: what Puppet takes is never called wrong, and what it refuses, or a type that is none
//! to it, is never called right.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "runs Puppet, and prints what it counted"
)]

#[path = "../ruby/mod.rs"]
mod ruby;

use localpuppet::host::interface;
use localpuppet::model::check::{Verdict, check, stranger};
use localpuppet::model::enc::Enc;
use localpuppet::model::puppet_code::definition::Stated;
use localpuppet::model::ruby_regex::Patterns;
use std::collections::BTreeMap;
use std::path::Path;

#[test]
fn values_are_of_a_type_where_puppet_says_so() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/instance");
    let lines = |name: &str| -> Vec<String> {
        let text = std::fs::read_to_string(top.join(name)).unwrap();
        text.lines().map(str::to_owned).collect()
    };
    let (types, values) = (lines("types.txt"), lines("values.txt"));
    let pairs: Vec<(&str, &str)> = types
        .iter()
        .flat_map(|of| values.iter().map(|value| (of.as_str(), value.as_str())))
        .collect();
    let modules = top.join("modules");
    let theirs: Vec<Option<bool>> = ruby::ask("instance/oracle.rb", &[&modules], &pairs);
    let interface = interface::read(&vec![("m/tags/r1".parse().unwrap(), modules)]).unwrap();
    let (aliases, mut patterns) = (interface.aliases(), Patterns::default());
    let (mut table, mut wrong) = (BTreeMap::<_, usize>::new(), Vec::new());
    for ((of, value), theirs) in pairs.into_iter().zip(theirs) {
        let enc = Enc::parse(format!("parameters: {{p: {value}}}").as_bytes()).unwrap();
        let verdict = match Stated::of_source(Some(of.to_owned())) {
            Stated::Known(of) if stranger(&of, &aliases, &interface.defined_types()).is_none() => {
                check(&enc.parameters[0].1, &of, &aliases, &mut patterns)
            }
            _ => Verdict::Undecided(String::new()),
        };
        let (ours, differs) = match verdict {
            Verdict::Ok => ("ok", theirs != Some(true)),
            Verdict::Violation(_) => ("violation", theirs == Some(true)),
            Verdict::Undecided(_) => ("undecided", false),
        };
        *table.entry((ours, theirs)).or_default() += 1;
        if differs {
            wrong.push(format!("{value} as {of}: ours {ours}, Puppet {theirs:?}"));
        }
    }
    for ((ours, theirs), count) in &table {
        println!("{count:>5}  {ours:9}  Puppet {theirs:?}");
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
