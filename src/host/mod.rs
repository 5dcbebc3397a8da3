//! The outside: disk, programs, clock, locks. One file a neighbour.
//!
//! It does what it is told and says what happened; it never decides and never
//! speaks to the operator.

pub mod fs;
pub mod source;
pub mod walk;
