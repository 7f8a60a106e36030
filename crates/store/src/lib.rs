//! The ordered key-value store under the shards: one trait, its engines, the key space, and group commit.
//!
//! A shard owner decides everything in memory and hands the store finished [`Batch`]es; the store never reads to
//! decide what to write. Batches reach it through a [`Committer`], which makes one durable write of everything that
//! is waiting.
//!
//! - [`store`]: the [`Store`] trait and the types it speaks.
//! - [`keys`]: every key that is ever written, on one screen.
//! - [`committer`]: group commit on a thread of its own.
//! - [`embedded`]: a store in a directory.
//! - [`memory`]: a store without a disk.
//! - [`simulated`]: a store with faults on demand, for tests.

pub mod committer;
pub mod embedded;
pub mod keys;
pub mod memory;
pub mod simulated;
pub mod store;

pub use committer::{CommitQueue, Committer, CommitterStats, GroupWriter, OnGroup, Stepper};
pub use embedded::EmbeddedStore;
pub use memory::MemoryStore;
pub use simulated::SimulatedStore;
pub use store::{Batch, CommitError, Error, Lease, Mutation, Order, ShardId, Store, Table};
