//! The sans-IO engine: `(state, input, now) -> (new state, events, effects)`.
//!
//! Nothing here reads a clock, draws a random number, spawns, locks, or touches a disk or a socket. The caller passes
//! the time and the ids in, and carries out what [`workflow::Commit`] asks for.

#![allow(deprecated)] // deprecated fields are still on the wire, and clients still send and read them

pub mod api;
pub mod backoff;
pub mod context;
pub mod cron;
pub mod payload;
pub mod refusal;
pub mod settings;
pub mod time;
pub mod tracked;
pub mod workflow;

pub use context::{Context, Ids, NoWorkers, Workers};
pub use refusal::Refusal;
pub use settings::Settings;
pub use time::Time;
