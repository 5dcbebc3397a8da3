//! The outside: disk, programs, clock, locks. One file a neighbour.
//!
//! It does what it is told and says what happened; it never decides and never
//! speaks to the operator.

pub mod again;
pub mod agent;
pub mod apt;
pub mod cache;
pub mod catalog;
pub mod clock;
pub mod detach;
pub mod dnf;
pub mod ec2;
pub mod fs;
pub mod git;
pub mod gpg;
pub mod hostname;
pub mod http;
pub mod input;
pub mod install;
pub mod interface;
pub mod journal;
pub mod kept_enc;
pub mod look;
pub mod package_copy;
pub mod package_manager;
pub mod proc;
pub mod process;
pub mod puppet;
pub mod release;
pub mod rpm;
pub mod scratch;
pub mod source;
pub mod state;
pub mod store;
pub mod svn;
pub mod walk;
pub mod zypper;
