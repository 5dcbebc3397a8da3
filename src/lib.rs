//! localpuppet: Puppet code as releases.
//!
//! | room | what it is | what it must never do |
//! |---|---|---|
//! | [`model`] | what is true: releases, versions, manifests, ENCs, runs | touch a disk, a process, a clock or the environment |
//! | [`plan`] | what to do: facts in, steps out | do it |
//! | [`host`] | does it, one file per neighbour | decide, or speak to the operator |
//! | [`package`] | writes and reads the bytes of .deb and .rpm | know a path of this machine |
//! | [`cmd`] | tells the story of one verb | print |
//! | [`report`] | says it aloud: prose, JSON, errors, hints, exit codes | decide |
//! | [`cli`] | what was typed, as model types | have an effect |
//!
//! Arrows go one way: `cmd` calls `host`, `package` and `plan`; those are
//! strangers to each other and meet in `cmd`, speaking `model`. `tests/tidy.rs`
//! and `.clippy.toml` hold the walls up.

pub mod cli;
pub mod cmd;
pub mod host;
pub mod model;
pub mod package;
pub mod plan;
pub mod report;
