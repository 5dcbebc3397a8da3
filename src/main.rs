//! Parse, run, print, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    let command = match localpuppet::cli::parse() {
        Ok(command) => command,
        Err(usage) => return localpuppet::report::usage(&usage),
    };
    let voice = localpuppet::report::Voice::new(&command.voice);
    match localpuppet::cmd::run(command.verb, voice.for_programs(), &|event| voice.event(event)) {
        Ok(answer) => voice.answer(&answer),
        Err(failure) => voice.failure(&failure),
    }
}
