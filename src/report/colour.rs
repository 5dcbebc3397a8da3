//! Colour: of the words that an operator looks for, where a terminal shows it.

use crate::model::exit::Exit;
use crate::model::run::Record;
use anstream::{AutoStream, ColorChoice, stream::RawStream};
use clap::builder::styling::{AnsiColor, Style};

/// The words at the beginning of a line that are coloured, after what stands before them.
const LABELS: [(&str, &str, Style); 5] = [
    ("localpuppet: ", "error:", AnsiColor::Red.on_default().bold()),
    ("localpuppet: ", "warning:", AnsiColor::Yellow.on_default()),
    ("  ", "hint:", AnsiColor::Cyan.on_default()),
    ("", "whole:", AnsiColor::Green.on_default()),
    ("", "NOT WHOLE", AnsiColor::Red.on_default().bold()),
];

/// Whether what is written to a stream is coloured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Colour {
    Yes,
    No,
}

impl Colour {
    /// What a stream takes: a terminal that is not dumb, unless `NO_COLOR` or
    /// `CLICOLOR_FORCE` say otherwise (no-color.org, bixense.com/clicolors).
    pub fn of(stream: &impl RawStream) -> Self {
        match AutoStream::choice(stream) {
            ColorChoice::Never => Colour::No,
            _ => Colour::Yes,
        }
    }

    /// Colours the words at the beginnings of lines.
    pub fn labels(self, text: String) -> String {
        if self == Colour::No {
            return text;
        }
        text.split_inclusive('\n').map(label).collect()
    }

    /// Colours the headline of a run, its first line, after how it ended.
    pub fn headline(self, text: String, record: &Record) -> String {
        match text.split_once('\n') {
            Some((first, rest)) if self == Colour::Yes => {
                format!("{}\n{rest}", painted(first, of_run(record)))
            }
            _ => text,
        }
    }
}

fn label(line: &str) -> String {
    let found = LABELS.iter().find_map(|(before, word, style)| {
        let rest = line.strip_prefix(before)?.strip_prefix(word)?;
        Some(format!("{before}{}{rest}", painted(word, *style)))
    });
    found.unwrap_or_else(|| line.to_owned())
}

fn of_run(record: &Record) -> Style {
    let colour = match record.exit() {
        Exit::Ok | Exit::Changed => AnsiColor::Green,
        Exit::Running | Exit::Interrupted | Exit::Locked | Exit::Disabled => AnsiColor::Yellow,
        _ => AnsiColor::Red,
    };
    colour.on_default()
}

fn painted(text: &str, style: Style) -> String {
    format!("{style}{text}{style:#}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_coloured_at_the_beginning_of_a_line_only() {
        let text = "localpuppet: error: no hint: here\n  hint: type this\n";
        assert_eq!(
            Colour::Yes.labels(text.to_owned()),
            "localpuppet: \u{1b}[1m\u{1b}[31merror:\u{1b}[0m no hint: here\n  \u{1b}[36mhint:\u{1b}[0m type this\n"
        );
        assert_eq!(Colour::No.labels(text.to_owned()), text);
    }
}
