//! Manual pages: what clap knows of a command, then our own sections.
//!
//! Nothing of a page comes from a clock: the same version has the same pages.

use crate::cli::Cli;
use crate::model::exit::Exit;
use clap::{Arg, Command, CommandFactory};
use clap_mangen::Man;
use clap_mangen::roff::{Roff, bold, roman};
use std::io::{self, Write};

/// How `--help` heads the codes.
const EXIT_CODES: &str = "Exit codes";

/// What is on a node: path, and what is there.
const FILES: [(&str, &str); 7] = [
    ("/etc/puppet/input.yaml", "The node's ENC document, where --enc says nothing else."),
    (
        "/usr/share/localpuppet/APP/TAG",
        "An installed release: bundle.json, with the modulepath and the digest of every file, \
         and modules, a module root cut down to the release.",
    ),
    (
        "/var/lib/localpuppet",
        "The runs on this node, each with its record, Puppet's log and report, and the ENC. \
         For root alone, as an ENC has secrets.",
    ),
    (
        "/etc/localpuppet/policy.yaml",
        "Whose releases this node takes: apply and stage refuse others before they install.",
    ),
    ("MODULE_ROOT/sources.yaml", "Where apps live, in git and Subversion."),
    ("MODULE_ROOT/bundle.lock", "What releases are made of, as lock has written it."),
    ("~/.cache/localpuppet", "What came from git and Subversion; it may be deleted."),
];

/// The variables that stand for no option.
const VARIABLES: [(&str, &str); 5] = [
    ("LOCALPUPPET_SIGN_PASSPHRASE", "The passphrase of the key that publish signs with."),
    (
        "LOCALPUPPET_SOURCE_TIMEOUT",
        "Seconds that a git or Subversion server has to say what it has; 60 where nothing is said.",
    ),
    ("CLICOLOR_FORCE", "Set and not empty: colour even where stdout is no terminal."),
    ("NO_COLOR", "Set and not empty: no colour, of ours or of Puppet's."),
    ("TERM", "Where this is dumb or not set, no colour and no progress."),
];

/// The commands that have a page, in the order of `--help`.
pub fn commands(program: &Command) -> impl Iterator<Item = &Command> {
    program.get_subcommands().filter(|command| !command.is_hide_set())
}

/// The page of a command, or of the program, in the language of man(7).
pub fn page(name: Option<&str>) -> String {
    let mut program = Cli::command().disable_help_subcommand(true);
    program.build();
    let found = name.and_then(|name| program.find_subcommand(name)).unwrap_or(&program);
    let mut page = Vec::new();
    // Writing to memory does not fail.
    let _ = of_clap(found.clone(), &mut page);
    let mut roff = Roff::new();
    examples(found, &mut roff);
    exit_status(found, &mut roff);
    environment(found, &mut roff);
    files(&mut roff);
    see_also(&program, found, &mut roff);
    let _ = roff.to_writer(&mut page);
    String::from_utf8_lossy(&page).lines().map(|line| format!("{}\n", line.trim_end())).collect()
}

/// Title, name, synopsis, description, options and commands.
fn of_clap(command: Command, page: &mut Vec<u8>) -> io::Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name());
    // Not clap_mangen's: without a date, it takes the version for one. No hyphens in paths.
    let version = env!("CARGO_PKG_VERSION");
    writeln!(page, ".TH {name} 1 \"\" \"localpuppet {version}\" \"localpuppet\"\n.nh")?;
    let has_commands = command.has_subcommands();
    let command = command.mut_args(explained);
    let command = command.subcommand_help_heading("COMMANDS").subcommand_value_name("command");
    let man = Man::new(command);
    man.render_name_section(page)?;
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)?;
    if has_commands {
        man.render_subcommands_section(page)?;
    }
    Ok(())
}

/// An option with all that `--help` says of it, in its own line.
fn explained(argument: Arg) -> Arg {
    let mut help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<_> = argument.get_possible_values();
    if !values.is_empty() && argument.get_num_args().is_some_and(|count| count.takes_values()) {
        let values: Vec<_> = values.iter().map(|value| value.get_name()).collect();
        help.push_str(&format!(" [possible values: {}]", values.join(", ")));
    }
    if let Some(variable) = argument.get_env() {
        help.push_str(&format!(" [env: {}]", variable.to_string_lossy()));
    }
    argument.hide_possible_values(true).help(help)
}

/// The paragraphs of `--help` after the options: `Title:` and lines, or `Title: a line`.
fn paragraphs(command: &Command) -> Vec<(String, String)> {
    let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let parted = help.split("\n\n").filter_map(|paragraph| paragraph.split_once(':'));
    parted.map(|(title, text)| (title.to_owned(), text.trim_end().to_owned())).collect()
}

fn examples(command: &Command, roff: &mut Roff) {
    for (title, text) in paragraphs(command).iter().filter(|(title, _)| title != EXIT_CODES) {
        roff.control("SH", [title.to_uppercase().as_str()]);
        roff.control("nf", []);
        for line in text.trim().lines() {
            roff.text([roman(line.trim())]);
        }
        roff.control("fi", []);
    }
}

/// What this command makes of the codes, then the table that is the same for all.
fn exit_status(command: &Command, roff: &mut Roff) {
    roff.control("SH", ["EXIT STATUS"]);
    let own = paragraphs(command).into_iter().find(|(title, _)| title == EXIT_CODES);
    let own = own.map(|(_, text)| text.trim_start_matches(' ').to_owned());
    // The table itself, or a word on where it is.
    if let Some(own) = own.filter(|own| !own.starts_with('\n') && !own.starts_with("see ")) {
        roff.text([roman(format!("{own}."))]);
        roff.control("PP", []);
        roff.text([roman("Of every command:")]);
    }
    for exit in Exit::ALL {
        entry(&exit.code().to_string(), exit.meaning(), roff);
    }
}

/// Every variable that stands for an option of this command, or of those below it.
fn environment(command: &Command, roff: &mut Roff) {
    let mut options: Vec<(String, String, Vec<&str>)> = Vec::new();
    for of in std::iter::once(command).chain(commands(command)) {
        for argument in of.get_arguments() {
            let Some((variable, meaning)) = variable(argument) else { continue };
            match options.iter_mut().find(|(known, _, _)| *known == variable) {
                Some((_, _, commands)) => commands.push(of.get_name()),
                None => options.push((variable, meaning, vec![of.get_name()])),
            }
        }
    }
    options.sort();
    roff.control("SH", ["ENVIRONMENT"]);
    for (variable, meaning, commands) in options {
        let of = match command.has_subcommands() {
            true => format!(" ({})", commands.join(", ")),
            false => String::new(),
        };
        entry(&variable, &format!("{meaning}{of}"), roff);
    }
    VARIABLES.iter().for_each(|(name, meaning)| entry(name, meaning, roff));
}

fn variable(argument: &Arg) -> Option<(String, String)> {
    let name = argument.get_env()?.to_string_lossy().into_owned();
    let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
    Some((name, format!("As --{}: {help}", argument.get_long()?)))
}

fn files(roff: &mut Roff) {
    roff.control("SH", ["FILES"]);
    FILES.iter().for_each(|(path, what)| entry(path, what, roff));
}

fn see_also(program: &Command, this: &Command, roff: &mut Roff) {
    let others = commands(program).map(|command| format!("localpuppet-{}", command.get_name()));
    let others = std::iter::once("localpuppet".to_owned()).chain(others);
    let this = this.get_display_name().unwrap_or("localpuppet");
    let pages = others.filter(|name| name != this).flat_map(|name| [bold(name), roman("(1), ")]);
    roff.control("SH", ["SEE ALSO"]);
    roff.text(pages.chain([bold("puppet-apply"), roman("(8)")]).collect::<Vec<_>>());
}

fn entry(term: &str, meaning: &str, roff: &mut Roff) {
    roff.control("TP", []);
    roff.text([bold(term)]);
    roff.text([roman(meaning)]);
}
