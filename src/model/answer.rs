//! What each command answers with; `report` turns it into prose or JSON.

use super::exit::Exit;
use serde::Serialize;

/// The answer of a command.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {}

impl Answer {
    /// The exit code that goes with the answer.
    pub fn exit(&self) -> Exit {
        Exit::Ok
    }
}
