//! Arbitrary bytes as Puppet code, and as an interface.json.
#![no_main]

#[path = "../read.rs"]
mod read;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| read::anything(bytes));
