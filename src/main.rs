//! Parse, run, print, exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    let command = match localpuppet::cli::parse() {
        Ok(command) => command,
        Err(usage) => {
            let typed = localpuppet::cli::Typed::of(std::env::args_os());
            return localpuppet::report::usage(&usage, &typed);
        }
    };
    let voice = localpuppet::report::Voice::new(&command.voice);
    let is_query = command.verb.is_query();
    match localpuppet::cmd::run(command.verb, voice.for_programs(), &|event| voice.event(event)) {
        Ok(answer) if is_query => voice.must_answer(&answer),
        Ok(answer) => voice.answer(&answer),
        Err(failure) => voice.failure(&failure),
    }
}
