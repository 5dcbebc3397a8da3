//! A package as a list before it is bytes; then the bytes of .deb and .rpm.
//!
//! Writers take `impl Write`, readers `impl Read`; no path of this machine is
//! known here. One description and one pass over the content feed both
//! formats, through the two methods of [`Payload`].

pub mod build;
pub mod compress;
pub mod deb;
pub mod item;
pub mod layout;
pub mod read;
pub mod repository;
pub mod rpm;
pub mod sign;
