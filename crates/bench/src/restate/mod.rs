//! A Restate server beside this one: the same work on both by turns, and the same counters read.
mod server;
mod work;

pub use server::{Idle, RestateServer};
pub use work::{PAIRS, Pair, abide, bars, row};
