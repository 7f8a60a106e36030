//! Calls over a real connection to a server in this process.
#![allow(clippy::unwrap_used)]

mod common;
mod conventions;
mod lifecycle;
mod namespaces;
