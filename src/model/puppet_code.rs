//! Puppet code, as far as others may call it: classes, defined types, type
//! aliases and functions, with their parameters.
//!
//! Read as Puppet's own lexer and grammar read it
//! (`lib/puppet/pops/parser/lexer2.rb`, `egrammar.ra`). What cannot be read is
//! said with its line; nothing is guessed.

pub mod data_type;
pub mod definition;
pub mod grammar;
pub mod lexer;

use serde::{Deserialize, Serialize};
use std::fmt;

/// What is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    Class,
    DefinedType,
    TypeAlias,
    Function,
}

/// What could not be read, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// Counted from 1.
    pub line: usize,
    pub what: String,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

impl std::error::Error for Unreadable {}
