//! Ruby's own Psych says whether we read an ENC as Puppet does.

#![allow(clippy::disallowed_methods, reason = "runs Ruby, which knows better")]
#![allow(clippy::expect_used, reason = "a test fails where its tools do")]

mod breadth;

use breadth::breadth;
use localpuppet::model::enc::Enc;
use localpuppet::model::psych::{Path, Reader};
use localpuppet::model::value::Value;
use localpuppet::model::yaml::{Limits, compose};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value as Json, json};
use std::io::Write;
use std::process::{Command, Stdio};

/// What Psych makes of documents: one answer each, a typed value or none where it raises.
fn psych(documents: &[String]) -> Vec<Result<Json, String>> {
    let missing = "these tests ask the Ruby that Puppet runs on: `apt-get install puppet-agent`";
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/psych.rb");
    let mut ruby = Command::new("ruby");
    ruby.arg(script).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut ruby = ruby.spawn().expect(missing);
    let mut input = ruby.stdin.take().expect("stdin is a pipe");
    let lines: String = documents.iter().map(|text| json!([text]).to_string() + "\n").collect();
    let writer = std::thread::spawn(move || input.write_all(lines.as_bytes()));
    let output = ruby.wait_with_output().expect("Ruby runs");
    assert!(output.status.success(), "Ruby failed; {missing}");
    writer.join().expect("no panic").expect("Ruby reads everything");
    let answers = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    let answers: Vec<_> = answers.lines().map(answer).collect();
    assert_eq!(answers.len(), documents.len());
    answers
}

fn answer(line: &str) -> Result<Json, String> {
    let mut answer: Json = serde_json::from_str(line).expect("Ruby writes JSON");
    match answer.get("error") {
        Some(error) => Err(format!("{error}: {}", answer["message"])),
        None => Ok(answer["value"].take()),
    }
}

/// A value in the words of `psych.rb`.
fn typed(value: &Value) -> Json {
    match value {
        Value::Null => json!(["null"]),
        Value::Boolean(value) => json!(["boolean", value]),
        Value::Integer(digits) => json!(["integer", digits]),
        Value::Float(value) if value.is_nan() => json!(["float", "nan"]),
        Value::Float(value) => json!(["float", format!("{:016x}", value.to_bits())]),
        Value::String(text) => json!(["string", text]),
        Value::Array(items) => json!(["array", items.iter().map(typed).collect::<Vec<_>>()]),
        Value::Hash(pairs) => {
            let pair = |(key, value): &(Value, Value)| json!([typed(key), typed(value)]);
            json!(["hash", pairs.iter().map(pair).collect::<Vec<_>>()])
        }
    }
}

/// What we make of a document.
fn ours(document: &str) -> Result<Json, String> {
    let node = compose(document.as_bytes(), Limits::DEFAULT).map_err(|error| error.to_string())?;
    let Some(node) = node else { return Ok(json!(["null"])) };
    let mut reader = Reader::default();
    let value = reader.value(&node, &Path::Top);
    let findings: Vec<_> = reader.into_findings().iter().map(ToString::to_string).collect();
    if findings.is_empty() { Ok(typed(&value)) } else { Err(findings.join("\n")) }
}

/// The traps that the head of `psych.rs` and of `compose` list: refused, although Psych takes them.
const TRAPS: &[&str] = &[
    "found a symbol",
    "found the symbol `",
    "again, after line",
    " tagged `",
    "a very long number",
    "one document",
    "inside of `&",
    "a tag and a comma",
    "only spaces on it",
    "at most ",
];

/// Zero differences, but for the traps; how many documents both took, and how many both refused.
fn compare(documents: &[String]) -> (usize, usize) {
    let mut counts = (0, 0);
    let mut differences = Vec::new();
    for (document, theirs) in documents.iter().zip(psych(documents)) {
        match (ours(document), theirs) {
            (Ok(ours), Ok(theirs)) if ours == theirs => counts.0 += 1,
            (Err(_), Err(_)) => counts.1 += 1,
            (Err(ours), Ok(_)) if TRAPS.iter().any(|trap| ours.contains(trap)) => {}
            (ours, theirs) => {
                differences.push(format!("{document:?}\n  ours   {ours:?}\n  Psych  {theirs:?}"));
            }
        }
    }
    let shown = differences.iter().take(30).cloned().collect::<Vec<_>>().join("\n");
    assert!(differences.is_empty(), "{} differences:\n{shown}", differences.len());
    counts
}

fn generate<T: std::fmt::Debug>(count: usize, strategy: impl Strategy<Value = T>) -> Vec<T> {
    let mut runner = TestRunner::deterministic();
    let mut one = || strategy.new_tree(&mut runner).expect("no filters").current();
    (0..breadth(count)).map(|_| one()).collect()
}

const SCALARS: &str = include_str!("scalars.txt");

#[test]
fn hand_picked_scalars_in_each_style() {
    let mut documents = Vec::new();
    for scalar in SCALARS.lines().filter(|line| !line.starts_with("## ")) {
        let quoted = scalar.replace('\'', "''");
        for text in [scalar.to_owned(), format!("'{quoted}'"), format!("\"{scalar}\"")] {
            documents.push(format!("a: {text}\n"));
            documents.push(format!("[{text}]"));
            documents.push(text);
        }
        documents.push(format!("{scalar}: 1"));
        documents.push(format!("- |-\n  {scalar}"));
        for tag in TAGS {
            documents.push(format!("a: {tag} {scalar}"));
            documents.push(format!("a: {tag} '{quoted}'"));
        }
    }
    let (taken, refused) = compare(&documents);
    assert!(taken > 3000 && refused > 100, "{taken} taken, {refused} refused");
}

const TAGS: &[&str] = &[
    "!",
    "!!str",
    "!!int",
    "!!float",
    "!!bool",
    "!!null",
    "!!binary",
    "!!set",
    "!!omap",
    "!!map",
    "!!seq",
    "!!timestamp",
    "!!merge",
    "!!foo",
    "!foo",
    "!str",
    "!float",
    "!binary",
    "!str:Symbol",
    "!str:",
    "!ruby/symbol",
    "!ruby/sym",
    "!ruby/object:Object",
    "!ruby/class",
    "!ruby/regexp",
    "!ruby/range",
    "!ruby/string",
    "!ruby/object:BigDecimal",
    "!ruby/encoding",
    "!<tag:x.org,2002:y>",
    "!map:Hash",
    "!seq:Array",
    "!e%21",
    "!x!y",
];

#[test]
fn hand_written_documents() {
    let documents: Vec<String> = include_str!("documents.txt")
        .split("\n%%%%\n")
        .flat_map(|text| [text.to_owned(), text.trim_end().to_owned(), format!("{text}\n")])
        .collect();
    let (taken, refused) = compare(&documents);
    assert!(taken > 60 && refused > 20, "{taken} taken, {refused} refused");
}

#[test]
fn collections_with_tags() {
    let mut documents = Vec::new();
    for tag in TAGS {
        for value in ["[a, b]", "{a: b}", "[]", "{}", "{str: a}", "[{a: b}]"] {
            documents.push(format!("a: {tag} {value}"));
        }
    }
    compare(&documents);
}

#[test]
fn generated_scalars() {
    let number = "[-+]?[0-9]{0,4}[0-9,_.:xb]{0,4}[0-9a-f_,.:]{0,4}([eE][-+]?[0-9]{1,3})?";
    let time = "-?[0-9]{3,4}-[0-9]{1,2}-[0-9]{1,2}([Tt ][0-9]{1,2}:[0-5][0-9](:[0-9]{2})?(\\.[0-9]*)?( ?(Z|[-+][0-9:]{1,5}))?)?";
    let sixty = "[-+]?[0-9_]{1,4}(:[0-9]{1,2}){1,3}(\\.[0-9_]{0,3})?";
    let any = "[0-9a-fxob_,.:+\\-eE~yYnNoOtrulsINFinfaAT Z]{1,12}";
    let words =
        "[-+.]?(yes|no|true|false|on|off|null|y|n|inf|nan|~|[yYeEsS]{3}|[nNoO]{2}|[oOfF]{3})";
    let mut documents = Vec::new();
    for (count, pattern) in [(6000, number), (2500, time), (2500, sixty), (8000, any), (800, words)]
    {
        documents.extend(generate(count, pattern));
    }
    documents.extend(generate(1500, "! \"[0-9a-fx_,.:+\\-eETZ\\n ]{1,12}\""));
    documents.extend(generate(1500, "[yno~tYN]{1,2}\n\n[yesnoftrulYN~]{1,4}"));
    compare(&documents);
}

#[test]
fn generated_texts() {
    let pieces = "([-?:,{}&*!|>'\"%@`#~ \\[\\]\\\\ab01<=\n\t+.é]|- |: |\\? |\n  |\n- |\na: |--- |\\.\\.\\.\n|!!str |!x |&a |\\*a|<<: |\\|\n  |>-\n  |\\\\x41|\r\n|# ){0,14}";
    let block = "(a|b: |- |  |\n|\n|\n  |\n    |\\|\n|>\n|\\|\\+\n|>2\n|\\|-|# x|\"|'|\\[|\\]|, |\\{|\\}|c d){0,24}";
    let mut documents = generate(12_000, pieces);
    documents.extend(generate(12_000, block));
    compare(&documents);
}

/// Values as an ENC may hold them, in YAML.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-z]{1,6}( [a-z0-9]{1,4})?",
        "[0-9]{1,22}|0[0-7]{1,3}|0x[0-9a-f]{1,20}|[0-9]{1,2}:[0-5][0-9]",
        "-?[0-9]{1,3}\\.[0-9]{1,5}(e[-+][0-9]{1,3})?",
        "yes|No|null|~|true|\\.inf|-\\.INF|\\.nan|y|1e3|''|<<|\"<<\"",
        "\"([a-z\u{e9}\u{1f600}\u{7f}\u{feff}\u{fffe}\u{2028}é ]|\\\\[nte0\\\\\"]|\\\\u00[0-9a-f]{2}|\\\\U0001f600){0,8}\""
            .prop_map(|text: String| text.replace(['\u{7f}', '\u{fffe}'], "")),
        "a{1,3}".prop_map(|text| text.repeat(600)),
        Just("!!str 0644".to_owned()),
        Just("!!binary aGVsbG8=".to_owned()),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let key = prop_oneof![
            4 => "[a-z]{1,4}",
            1 => Just("<<".to_owned()),
            1 => "[0-9]{1,2}|0x1f|1\\.5|true|null|'[0-9]'|\\.inf|\\.nan|!!str <<",
            1 => inner.clone().prop_map(|key| format!("? {key}\n ")),
        ];
        let pair = (key, inner.clone()).prop_map(|(key, value)| format!("{key} : {value}"));
        prop_oneof![
            proptest::collection::vec(inner, 0..4)
                .prop_map(|items| format!("[{}]", items.join(", "))),
            proptest::collection::vec(pair, 0..4)
                .prop_map(|pairs| format!("{{{}}}", pairs.join(", "))),
        ]
    })
}

fn document() -> impl Strategy<Value = String> {
    let params = || proptest::collection::vec(("[a-z][a-z0-9_]{0,5}", value()), 0..5);
    let classes = proptest::collection::vec(("[a-z]{1,4}(::[a-z]{1,3})?", params()), 0..4);
    (classes, params(), 0..3_u8).prop_map(|(classes, parameters, shape)| {
        let pairs = |pairs: &[(String, String)]| {
            pairs.iter().map(|(key, value)| format!("    {key}: {value}\n")).collect::<String>()
        };
        let class = |(name, params): &(String, Vec<(String, String)>)| match (shape, params.len()) {
            (0, _) => format!("  - {name}\n"),
            (_, 0) => format!("  {name}:\n"),
            _ => format!("  {name}:\n{}", pairs(params)),
        };
        let classes: String = classes.iter().map(class).collect();
        let parameters = pairs(&parameters);
        format!("app: foo/tags/r1\nclasses:\n{classes}\nparameters:\n{parameters}\n")
    })
}

/// What `Enc` is said to change, done to Psych's value: no other key, a map of classes.
fn normalised(value: &Json) -> Json {
    let null = json!(["null"]);
    let get = |key: &str| {
        let pairs = value[1].as_array().into_iter().flatten();
        let mut found = pairs.filter(|pair| pair[0] == json!(["string", key])).map(|pair| &pair[1]);
        found.next().unwrap_or(&null)
    };
    let items = |value: &Json| value[1].as_array().cloned().unwrap_or_default();
    let class = |pair: &Json| json!([pair[0], ["hash", items(&pair[1])]]);
    let classes = get("classes");
    let classes: Vec<Json> = match classes[0] == "array" {
        true => items(classes).iter().map(|name| json!([name, ["hash", []]])).collect(),
        false => items(classes).iter().map(class).collect(),
    };
    let parameters = items(get("parameters"));
    json!([
        "hash",
        [
            [["string", "classes"], ["hash", classes]],
            [["string", "parameters"], ["hash", parameters]],
        ]
    ])
}

#[test]
fn the_cases_are_what_psych_reads() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/enc");
    let mut documents = Vec::new();
    for case in std::fs::read_dir(root).expect("there are cases") {
        let case = case.expect("a case").path();
        let read = |name| std::fs::read_to_string(case.join(name));
        if let (Ok(before), Ok(after)) = (read("enc.yaml"), read("puppet.yaml")) {
            // Psych counts a byte order mark as a column, and then finds no second key.
            documents.extend([before.trim_start_matches('\u{feff}').to_owned(), after]);
        }
    }
    let answers = psych(&documents);
    for (texts, answers) in documents.chunks(2).zip(answers.chunks(2)) {
        let values: Vec<&Json> = answers.iter().map(|answer| answer.as_ref().unwrap()).collect();
        assert_eq!(&normalised(values[0]), values[1], "{}", texts.join("\n"));
    }
}

#[test]
fn what_is_written_is_what_was_read() {
    let documents = generate(2500, document());
    let accepted: Vec<(String, String)> = documents
        .into_iter()
        .filter_map(|text| Enc::parse(text.as_bytes()).ok().map(|enc| (text, enc.to_yaml())))
        .collect();
    assert!(accepted.len() > breadth(1000), "{} accepted", accepted.len());
    let (read, written): (Vec<_>, Vec<_>) = accepted.into_iter().unzip();
    assert!(written.iter().all(|text| text.is_ascii()));
    for ((read, written), (before, after)) in
        read.iter().zip(&written).zip(psych(&read).into_iter().zip(psych(&written)))
    {
        let before = before.unwrap_or_else(|error| panic!("{error}\n{read}"));
        let after = after.unwrap_or_else(|error| panic!("{error}\n{written}"));
        assert_eq!(normalised(&before), after, "{read}\n{written}");
    }
}
