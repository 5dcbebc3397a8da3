//! Pure nouns: what is true of releases, packages, nodes and runs.
//!
//! Nothing here touches a disk, a process, a clock, the network or the
//! environment, and nothing here prints.

pub mod age;
pub mod answer;
pub mod app;
pub mod bundle;
pub mod call;
pub mod certname;
pub mod check;
pub mod command;
pub mod compression;
pub mod destination;
pub mod diff;
pub mod digest;
pub mod document;
pub mod enc;
pub mod enc_source;
pub mod event;
pub mod exit;
pub mod failure;
pub mod inspection;
pub mod interface;
pub mod ledger;
pub mod links;
pub mod litter;
pub mod maintainer;
pub mod manifest;
pub mod module;
pub mod offer;
pub mod package_manager;
pub mod pruned;
pub mod psych;
pub mod publication;
pub mod puppet_code;
pub mod puppet_report;
pub mod redaction;
pub mod repository;
pub mod request;
pub mod ruby_regex;
pub mod run;
pub mod run_id;
pub mod scalar;
pub mod source_date;
pub mod staged;
pub mod subject;
pub mod subtype;
pub mod suggest;
pub mod tree;
pub mod url;
pub mod value;
pub mod verified;
pub mod verify;
pub mod version;
pub mod yaml;
