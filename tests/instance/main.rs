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
use localpuppet::model::interface::Interface;
use localpuppet::model::puppet_code::data_type::Type;
use localpuppet::model::puppet_code::definition::Stated;
use localpuppet::model::ruby_regex::Patterns;
use localpuppet::model::subtype::{Change, Stands, change};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

/// The types, the values, and what Puppet says of each value as one of each type.
struct Asked {
    types: Vec<String>,
    values: Vec<String>,
    theirs: Vec<Option<bool>>,
    interface: Interface,
}

static ASKED: LazyLock<Asked> = LazyLock::new(|| {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/instance");
    let lines = |name: &str| -> Vec<String> {
        let text = std::fs::read_to_string(top.join(name)).unwrap();
        text.lines().map(str::to_owned).collect()
    };
    let (types, values, modules) = (lines("types.txt"), lines("values.txt"), top.join("modules"));
    let pairs: Vec<(&String, &String)> =
        types.iter().flat_map(|of| values.iter().map(move |value| (of, value))).collect();
    let theirs = ruby::ask("instance/oracle.rb", &[&modules], &pairs);
    let interface = interface::read(&vec![("m/tags/r1".parse().unwrap(), modules)]).unwrap();
    Asked { types, values, theirs, interface }
});

#[test]
fn values_are_of_a_type_where_puppet_says_so() {
    let Asked { types, values, theirs, interface } = &*ASKED;
    let (aliases, mut patterns) = (interface.aliases(), Patterns::default());
    let (mut table, mut wrong) = (BTreeMap::<_, usize>::new(), Vec::new());
    let pairs = types.iter().flat_map(|of| values.iter().map(move |value| (of, value)));
    for ((of, value), theirs) in pairs.zip(theirs) {
        let enc = Enc::parse(format!("parameters: {{p: {value}}}").as_bytes()).unwrap();
        let verdict = match Stated::of_source(Some(of.to_owned())) {
            Stated::Known(of) if stranger(&of, &aliases, &interface.defined_types()).is_none() => {
                check(&enc.parameters[0].1, &of, &aliases, &mut patterns)
            }
            _ => Verdict::Undecided(String::new()),
        };
        let (ours, differs) = match verdict {
            Verdict::Ok => ("ok", *theirs != Some(true)),
            Verdict::Violation(_) => ("violation", *theirs == Some(true)),
            Verdict::Undecided(_) => ("undecided", false),
        };
        *table.entry((ours, *theirs)).or_default() += 1;
        if differs {
            wrong.push(format!("{value} as {of}: ours {ours}, Puppet {theirs:?}"));
        }
    }
    for ((ours, theirs), count) in &table {
        println!("{count:>5}  {ours:9}  Puppet {theirs:?}");
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_became_of_a_type_is_what_became_of_the_values_that_puppet_takes() {
    let Asked { types, values, theirs, interface } = &*ASKED;
    let aliases = interface.aliases();
    // The types that are some to Puppet, each with the values that it takes.
    let mut known: Vec<(&str, Type, Vec<bool>)> = Vec::new();
    for (of, theirs) in types.iter().zip(theirs.chunks(values.len())) {
        let taken: Option<Vec<bool>> = theirs.iter().copied().collect();
        if let (Stated::Known(read), Some(taken)) = (Stated::of_source(Some(of.clone())), taken) {
            known.push((of, read, taken));
        }
    }
    let mut wrong = Vec::new();
    for ((old, from, before), (new, to, after)) in
        known.iter().flat_map(|old| known.iter().map(move |new| (old, new)))
    {
        let side = |of| Stands { of, aliases: &aliases };
        let any = |is: fn(bool, bool) -> bool| before.iter().zip(after).any(|(a, b)| is(*a, *b));
        let (lost, won, both) = (any(|a, b| a && !b), any(|a, b| !a && b), any(|a, b| a && b));
        let became = change(side(from), side(to));
        let differs = match became {
            Change::Same => lost || won,
            Change::Widened | Change::SameOrWidened => lost,
            Change::Narrowed | Change::SameOrNarrowed => won,
            Change::Disjoint => both,
            Change::Incomparable | Change::Undecided => false,
        };
        if differs {
            wrong.push(format!("{old} -> {new}: {became:?}"));
        }
    }
    assert!(known.len() > 100, "{} types", known.len());
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}
