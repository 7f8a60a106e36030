//! The simulator: a server, its workers, its clients, a network and a disk in one thread, and one seed that decides
//! everything.
//!
//! - [`world`]: time and tasks. [`platform`], [`node`], [`network`]: what stands in for a machine.
//! - [`workloads`]: what clients do. [`faults`]: what goes wrong. [`checks`]: what must hold all the same.
//! - [`plan`]: from a seed to a mix of these. [`sim`]: one life. [`minimize`]: the shortest way to a violation.

pub mod calls;
pub mod checks;
pub mod client;
pub mod faults;
pub mod minimize;
pub mod network;
pub mod node;
pub mod plan;
pub mod platform;
pub mod program;
pub mod sim;
pub mod trace;
pub mod violation;
pub mod worker;
pub mod workloads;
pub mod world;
