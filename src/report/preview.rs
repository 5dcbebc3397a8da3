//! What a release would change, in prose.

use super::diff::printable;
use crate::model::catalog::{Change, How, ParameterChange};
use crate::model::diff::{Text, unified};
use crate::model::preview::{Against, Preview};
use serde_json::Value;

/// A resource a line, its parameters below it, and what it all comes to.
pub fn prose(preview: &Preview) -> String {
    let mut text = match &preview.against {
        None => format!("nothing -> {}\n", preview.app),
        Some(Against { app, run: None }) => format!("{app} -> {}\n", preview.app),
        Some(Against { app, run: Some(run) }) => format!("{app} of run {run} -> {}\n", preview.app),
    };
    for (sign, classes) in [("+", &preview.classes_added), ("-", &preview.classes_removed)] {
        for class in classes {
            text.push_str(&format!("{sign} Class[{}]\n", printable(class)));
        }
    }
    preview.changes.iter().for_each(|change| text.push_str(&told(change)));
    if preview.reordered {
        text.push_str("resources that stay come in another order\n");
    }
    if preview.regrouped {
        text.push_str("resources that stay are in other classes or defined types\n");
    }
    let count = |how| preview.changes.iter().filter(|change| change.how == how).count();
    text.push_str(&match preview.differs() {
        false => "no differences\n".to_owned(),
        true => format!(
            "{} resources added, {} removed, {} changed\n",
            count(How::Added),
            count(How::Removed),
            count(How::Changed)
        ),
    });
    text.push_str(&format!("plan {}\n", preview.plan));
    text
}

fn told(change: &Change) -> String {
    let sign = match change.how {
        How::Added => "+",
        How::Removed => "-",
        How::Changed => "~",
    };
    let mut text = format!("{sign} {}\n", printable(&change.resource));
    // What comes or goes as a whole is told by its name; `--json` has the rest.
    if change.how == How::Changed {
        change.parameters.iter().for_each(|one| text.push_str(&parameter(one)));
    }
    text
}

fn parameter(change: &ParameterChange) -> String {
    let ParameterChange { name, sensitive, before, after } = change;
    let name = printable(name);
    match (before, after) {
        _ if *sensitive => format!("    {name}: changed (sensitive)\n"),
        (Some(Value::String(old)), Some(Value::String(new)))
            if old.contains('\n') || new.contains('\n') =>
        {
            format!("    {name}:\n{}", lines(old, new))
        }
        (before, after) => format!("    {name}: {} -> {}\n", shown(before), shown(after)),
    }
}

fn shown(value: &Option<Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(value) => printable(&value.to_string()),
    }
}

/// A text of several lines, without the head of `diff -u`.
fn lines(old: &str, new: &str) -> String {
    match unified(("", Some(old.as_bytes())), ("", Some(new.as_bytes()))) {
        Text::Unified(text) => {
            let lines = text.lines().skip(2).map(|line| format!("      {}\n", printable(line)));
            lines.collect()
        }
        _ => "      (no text, or too large to compare)\n".to_owned(),
    }
}
