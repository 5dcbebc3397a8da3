//! Calls of the classes of Debian's Puppet modules, judged by `check` and
//! compiled by the Puppet that is installed here: what Puppet takes is never
//! called wrong, and what it refuses for its class, a parameter or a type is
//! never called right.
#![allow(
    clippy::disallowed_methods,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "runs Puppet, and prints what it counted"
)]

mod ruby;

use localpuppet::host::interface;
use localpuppet::model::call::{Checker, Severity, Values};
use localpuppet::model::enc::Enc;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;

/// How many calls are made up, unless `CALLS` says it: each is compiled, which takes a while.
const CALLS: usize = 520;

/// Values of every kind that an ENC can have, some of which types like.
fn values() -> Vec<Value> {
    vec![
        json!("x"),
        json!(""),
        json!("present"),
        json!("running"),
        json!("/etc/x"),
        json!("1.2.3.4"),
        json!("80"),
        json!("http://a.b/c"),
        json!("10m"),
        json!("absent"),
        json!("a.example.com"),
        json!(0),
        json!(1),
        json!(80),
        json!(70000),
        json!(-1),
        json!(1.5),
        json!(true),
        json!(false),
        json!([]),
        json!(["x"]),
        json!(["/a", "/b"]),
        json!([1]),
        json!({}),
        json!({"a": "x"}),
        json!({"a": {"b": 1}}),
        json!({"host": "x", "port": 1}),
        json!(null),
    ]
}

/// A made-up number that is the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, many: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % many
    }
}

#[test]
fn what_is_told_of_a_call_is_what_puppet_makes_of_it() {
    let modules = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/real/modules/debian/tags/r1");
    assert!(modules.is_dir(), "no modules; type: tests/setup");
    let app = "debian/tags/r1".parse().unwrap();
    let interface = interface::read(&vec![(app, modules.clone())]).unwrap();
    let (classes, values) = (interface.classes(), values());
    let mut dice = Dice(42);
    let many = std::env::var("CALLS").map_or(CALLS, |many| many.parse().unwrap());
    let calls: Vec<Value> = (0..many)
        .map(|at| {
            let class = classes[dice.below(classes.len())];
            let mut parameters = serde_json::Map::new();
            for _ in 0..dice.below(3) {
                if class.parameters.is_empty() {
                    break;
                }
                let parameter = &class.parameters[dice.below(class.parameters.len())];
                parameters.insert(parameter.name.clone(), values[dice.below(values.len())].clone());
            }
            if at % 40 == 0 {
                parameters.insert("no_such_parameter".into(), json!(1));
            }
            let name =
                if at % 50 == 0 { format!("{}::nosuch", class.name) } else { class.name.clone() };
            json!({"classes": {name: parameters}})
        })
        .collect();

    let theirs = puppet(&modules, &calls);
    let mut checker = Checker::new(&interface, Values::Hidden);
    let mut table: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (call, theirs) in calls.iter().zip(theirs) {
        let (enc, places) = Enc::parse_with_places(call.to_string().as_bytes()).unwrap();
        let findings = checker.check(&enc, &places);
        let has = |severity| findings.iter().any(|finding| finding.severity == severity);
        let ours = match (has(Severity::Violation), has(Severity::Undecided)) {
            (true, _) => "violation",
            (_, true) => "undecided",
            _ => "ok",
        };
        let name = &enc.classes[0].name;
        let puppet = match &theirs {
            None => "compiles",
            Some(error) if is_of_the_call(error, name) => "refuses the call",
            Some(_) => "fails elsewhere",
        };
        *table.entry((ours, puppet)).or_default() += 1;
        if matches!((ours, puppet), ("violation", "compiles") | ("ok", "refuses the call")) {
            wrong.push(format!("{call}\n  ours   {findings:?}\n  Puppet {theirs:?}"));
        }
    }
    for ((ours, puppet), count) in &table {
        println!("{count:>5}  {ours:9}  Puppet {puppet}");
    }
    assert!(wrong.is_empty(), "{} of {many}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(
        table.keys().filter(|(_, puppet)| *puppet == "refuses the call").count() >= 1,
        "no call was refused"
    );
}

/// True where Puppet's error is about the class that was called, a parameter of it or its type.
fn is_of_the_call(error: &str, class: &str) -> bool {
    let capital = |segment: &str| segment[..1].to_uppercase() + &segment[1..];
    let title = class.split("::").map(capital).collect::<Vec<_>>().join("::");
    error.contains(&format!("Could not find class {class} "))
        || error.contains(&format!("Class[{title}]: has no parameter"))
        || error.contains(&format!("Class[{title}]: parameter '"))
        || error.contains(&format!("Class[{title}]: expects a value for parameter"))
        || error.contains(&format!("Class[{title}]:\n"))
}

/// Two Puppets compile a half each; a call is compiled by itself all the same.
fn puppet(modules: &Path, calls: &[Value]) -> Vec<Option<String>> {
    let compiled = |calls: &[Value]| ruby::ask::<Vec<_>>("call.rb", &[modules], &calls);
    let (first, second) = calls.split_at(calls.len() / 2);
    std::thread::scope(|scope| {
        let second = scope.spawn(|| compiled(second));
        [compiled(first), second.join().unwrap()].concat()
    })
}
