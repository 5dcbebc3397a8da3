//! What was typed wrong, said as any other failure.

use crate::cli::{self, Typed};
use crate::model::failure::Failure;
use crate::model::subject::Elsewhere;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use std::error::Error;
use std::num::ParseIntError;

/// The failure that clap's error is.
pub fn told(error: &clap::Error, typed: &Typed) -> Failure {
    let context = |kind| error.get(kind).map(ToString::to_string);
    let argument = context(ContextKind::InvalidArg).unwrap_or_default();
    let value = context(ContextKind::InvalidValue).unwrap_or_default();
    let variable =
        typed.variable(&argument).filter(|_| error.kind() != ErrorKind::MissingRequiredArgument);
    let argument = variable.clone().unwrap_or(argument);
    let (what, meant) = match (error.kind(), error.source()) {
        (_, Some(source)) => of_value(source, &value, &argument, typed),
        (ErrorKind::InvalidValue, _) if value.is_empty() => {
            (format!("expected a value, found nothing, in `{argument}`"), None)
        }
        (ErrorKind::MissingRequiredArgument, _) => {
            let argument = argument.replace(", ", "`, `");
            // One of several, as clap has it: `<--keep <N>|--older-than <AGE>>`.
            let group = argument.strip_prefix("<--").and_then(|rest| rest.strip_suffix('>'));
            let argument = match group {
                Some(group) => format!("--{}", group.replace("|--", "` or `--")),
                None => argument,
            };
            (format!("expected `{argument}`, found nothing"), None)
        }
        (ErrorKind::UnknownArgument, _) if !argument.starts_with('-') => {
            (format!("expected no more than was typed before, found `{argument}`"), None)
        }
        (ErrorKind::UnknownArgument, _) => (format!("unknown argument `{argument}`"), None),
        (ErrorKind::InvalidSubcommand, _) => {
            let typed = context(ContextKind::InvalidSubcommand).unwrap_or_default();
            (format!("unknown command `{typed}`"), None)
        }
        _ => {
            let text = error.render().to_string();
            let first = text.lines().take_while(|line| !line.is_empty()).collect::<Vec<_>>();
            let first = first.join(" ");
            (first.strip_prefix("error: ").unwrap_or(&first).replace('\'', "`"), None)
        }
    };
    let suggested = || suggested(error).map(|meant| format!("did you mean `{meant}`?"));
    let help = || match typed.verb() {
        Some(verb) => format!("localpuppet {verb} --help"),
        None => "localpuppet --help".to_owned(),
    };
    let unset = || variable.map(|name| format!("it is in the environment: unset {name}"));
    Failure::new(what).hint(meant.or_else(suggested).or_else(unset).unwrap_or_else(help))
}

/// What is wrong with a value, and what to type instead where that is known.
fn of_value(
    source: &(dyn Error + 'static),
    value: &str,
    argument: &str,
    typed: &Typed,
) -> (String, Option<String>) {
    let text = source.to_string();
    if source.is::<ParseIntError>() {
        return (format!("expected a whole number, found `{value}`, in `{argument}`"), None);
    }
    if let Some((found, (least, most))) = text
        .split_once(" is not in ")
        .and_then(|(found, range)| Some((found, range.split_once("..=")?)))
    {
        return (format!("expected {least} to {most}, found `{found}`, in `{argument}`"), None);
    }
    let is_option = argument.starts_with('-');
    let elsewhere = Elsewhere::of(value).filter(|_| !is_option);
    let meant = elsewhere.and_then(|elsewhere| match elsewhere {
        Elsewhere::Checkout { app, root } if typed.is_of_checkouts() => {
            Some(format!("type `{app} --module-root {root}`"))
        }
        Elsewhere::Installed { release, root } if typed.takes("root") => Some(match root {
            Some(root) => format!("type `{release} --root {root}`"),
            None => format!("type `{release}`"),
        }),
        _ => None,
    });
    match text.rsplit_once("; ") {
        Some((what, meant)) if meant.starts_with("type `") || meant.starts_with("did you mean") => {
            (format!("{what}, in `{argument}`"), Some(meant.to_owned()))
        }
        _ => (format!("{text}, in `{argument}`"), meant),
    }
}

/// What is nearest to what was typed, of all that `--help` shows.
fn suggested(error: &clap::Error) -> Option<String> {
    let kinds = [ContextKind::SuggestedArg, ContextKind::SuggestedSubcommand];
    kinds.into_iter().find_map(|kind| match error.get(kind)? {
        ContextValue::String(meant) => Some(meant.clone()),
        ContextValue::Strings(meant) => {
            let shown = |name: &&String| !cli::is_hidden(name);
            meant.iter().rev().find(shown).cloned()
        }
        _ => None,
    })
}
