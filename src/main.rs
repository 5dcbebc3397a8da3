//! Parse, run, print, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    let command = match localpuppet::cli::parse() {
        Ok(command) => command,
        Err(usage) => return localpuppet::report::usage(&usage, asks_for_json()),
    };
    let voice = localpuppet::report::Voice::new(&command.voice);
    let is_query = command.verb.is_query();
    match localpuppet::cmd::run(command.verb, voice.for_programs(), &|event| voice.event(event)) {
        Ok(answer) if is_query => voice.must_answer(&answer),
        Ok(answer) => voice.answer(&answer),
        Err(failure) => voice.failure(&failure),
    }
}

/// A command line that was not understood may still say how to answer.
fn asks_for_json() -> bool {
    std::env::args_os().any(|argument| argument == "--json")
}
