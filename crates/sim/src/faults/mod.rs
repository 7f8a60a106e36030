//! What goes wrong. A new fault is a file here and a line in [`ALL`].
use std::{sync::Arc, time::Duration};

use abide_server::env::BoxFuture;

use crate::sim::Sim;

mod clock;
mod disk;
mod kill;
mod network;
mod stall;
mod workers;

/// One way for things to go wrong.
pub struct Fault {
    pub name: &'static str,
    /// Lets it happen, and mends what does not mend itself.
    pub run: fn(Arc<Sim>) -> BoxFuture<()>,
    /// How long after its beginning it may go on, at most.
    pub lasts: Duration,
    /// Whether the wall clock may go back.
    pub moves_clock: bool,
}

pub static ALL: &[Fault] = &[
    kill::KILL,
    kill::DOUBLE_KILL,
    disk::SYNC_FAILED,
    disk::DISK_FULL,
    disk::COMMIT_REFUSED,
    disk::COMMIT_AMBIGUOUS,
    disk::READ_UNAVAILABLE,
    disk::SLOW,
    network::LOSSY,
    network::RESETS,
    network::SLOW,
    stall::STALL,
    clock::FORWARD,
    clock::BACK,
    workers::DIE,
    workers::STALL,
];
