//! Pure decisions: facts in, steps out.
//!
//! Nothing here does what it decides: it asks for facts through what it is
//! given, and `cmd` hands the steps to `host` and `package`.

pub mod apply;
pub mod drift;
pub mod formats;
pub mod history;
pub mod lock;
pub mod prune;
pub mod prune_repository;
pub mod publish;
pub mod resolve;
pub mod stage;
pub mod version;
