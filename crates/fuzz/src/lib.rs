//! Fuzzing: targets that take any bytes, and what they are made of.
//!
//! `cargo xtask fuzz` drives them with coverage as the guide; the tests play what was kept, and fresh random inputs.
#![allow(clippy::missing_panics_doc)] // to panic is how a target reports

mod choices;
mod message;
mod probe;
mod scene;
mod server;
mod session;
#[path = "../../engine/tests/support/mod.rs"]
mod support;
mod targets;
mod vocabulary;
mod wire;
mod world;

pub use targets::{TARGETS, Target};
