//! The [`Store`] trait: an ordered map per shard and table, with atomic durable commits fenced by a lease.

use std::ops::Range;

/// One of the fixed number of slices of the id space. A shard has one owner at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ShardId(pub u16);

/// The right to write to a shard, until somebody acquires the shard again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Lease {
    pub shard: ShardId,
    /// Grows by one with each [`Store::acquire`] of the shard; never reused, not even across restarts.
    pub epoch: u64,
}

/// A keyspace. What each one holds is in [`crate::keys`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Table {
    State,
    History,
    Timer,
    Outbox,
    Meta,
}

impl Table {
    pub const ALL: [Table; 5] = [Table::State, Table::History, Table::Timer, Table::Outbox, Table::Meta];
}

/// One change. Mutations of a batch, and batches of a group, take effect in order: the last one on a key wins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mutation {
    Put {
        table: Table,
        key: Vec<u8>,
        value: Vec<u8>,
    },
    /// Deleting a key that is not there is no error.
    Delete {
        table: Table,
        key: Vec<u8>,
    },
    /// Deletes every key in `start..end`. Costs as much as deleting them one by one.
    DeleteRange {
        table: Table,
        start: Vec<u8>,
        end: Vec<u8>,
    },
}

impl Mutation {
    /// Bytes of keys and values.
    pub fn size_bytes(&self) -> usize {
        match self {
            Mutation::Put { key, value, .. } => key.len() + value.len(),
            Mutation::Delete { key, .. } => key.len(),
            Mutation::DeleteRange { start, end, .. } => start.len() + end.len(),
        }
    }
}

/// The longest key a store accepts, in bytes. Ids are bounded far below it where they enter the server.
pub const KEY_BYTES_MAX: usize = 32 * 1024;

/// The mutations of one transition of one shard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub lease: Lease,
    pub mutations: Vec<Mutation>,
}

impl Batch {
    pub fn new(lease: Lease) -> Batch {
        Batch { lease, mutations: Vec::new() }
    }

    pub fn put(&mut self, table: Table, key: Vec<u8>, value: Vec<u8>) {
        self.mutations.push(Mutation::Put { table, key, value });
    }

    pub fn delete(&mut self, table: Table, key: Vec<u8>) {
        self.mutations.push(Mutation::Delete { table, key });
    }

    pub fn delete_range(&mut self, table: Table, range: Range<Vec<u8>>) {
        self.mutations.push(Mutation::DeleteRange { table, start: range.start, end: range.end });
    }

    /// Without mutations a batch writes nothing; in a [`crate::Committer`] it is a barrier.
    pub fn is_empty(&self) -> bool {
        self.mutations.is_empty()
    }

    /// Bytes of keys and values of all mutations.
    pub fn size_bytes(&self) -> usize {
        self.mutations.iter().map(Mutation::size_bytes).sum()
    }
}

/// The direction of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    Forward,
    Reverse,
}

/// Why a read, or the acquisition of a shard, failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The store cannot answer now; it may later.
    #[error("store unavailable: {0}")]
    Unavailable(String),
    /// What is on disk is not what was written. The text names the file or directory.
    #[error("store corrupt: {0}")]
    Corrupt(String),
}

/// Why a commit failed.
///
/// After `LeaseLost` and `Invalid` nothing of the group was applied. After the others the group may or may not become
/// durable: the owner drops what it has in memory, acquires the shard again and reloads it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// The shard was acquired again after this lease was given out.
    #[error("lease lost: shard {} is no longer at epoch {}", .0.shard.0, .0.epoch)]
    LeaseLost(Lease),
    #[error("store unavailable: {0}")]
    Unavailable(String),
    #[error("store corrupt: {0}")]
    Corrupt(String),
    /// A mutation breaks a limit of the store ([`KEY_BYTES_MAX`]); only a bug in the caller leads here.
    #[error("batch invalid: {0}")]
    Invalid(String),
}

impl From<Error> for CommitError {
    fn from(error: Error) -> CommitError {
        match error {
            Error::Unavailable(reason) => CommitError::Unavailable(reason),
            Error::Corrupt(reason) => CommitError::Corrupt(reason),
        }
    }
}

/// What is called, with the reason, when a store stops for good.
pub type OnStop = Box<dyn FnOnce(&str) + Send>;

/// Keys and values in the order asked for.
pub type Entries = Vec<(Vec<u8>, Vec<u8>)>;

/// An ordered map from key to value per shard and [`Table`]. Synchronous: an engine blocks the calling thread.
///
/// Reads see what the last commit that returned `Ok` left behind. Of a commit that is still under way they may see
/// nothing, all, or a part, so a caller does not read what it has in flight.
pub trait Store: Send + Sync {
    /// Takes the shard over: every earlier lease of it is stale from now on. Durable before it returns, so no commit
    /// under an earlier lease can land after it.
    fn acquire(&self, shard: ShardId) -> Result<Lease, Error>;

    /// [`Store::acquire`] for many shards, at the price of one where the engine can.
    fn acquire_all(&self, shards: &[ShardId]) -> Result<Vec<Lease>, Error> {
        shards.iter().map(|shard| self.acquire(*shard)).collect()
    }

    /// Writes all batches in one atomic, durable step. Every lease is checked first, also those of empty batches.
    fn commit(&self, group: &[Batch]) -> Result<(), CommitError>;

    fn get(&self, shard: ShardId, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// At most `limit` entries of the half-open `range`, from its start or, in reverse, from its end.
    fn scan(
        &self,
        shard: ShardId,
        table: Table,
        range: Range<&[u8]>,
        limit: usize,
        order: Order,
    ) -> Result<Entries, Error>;

    /// Has `tell` called once when the store stops for good: from then on every commit fails until it is opened again.
    /// Called at once if it has stopped already; a later call replaces an earlier one. A store that never stops drops it.
    fn on_stop(&self, tell: OnStop) {
        drop(tell);
    }

    /// Puts the store into a shape that opens quickly; for a graceful shutdown. Nothing depends on it.
    fn flush(&self) -> Result<(), Error> {
        Ok(())
    }

    /// Bytes on disk; 0 for a store that has none.
    fn disk_bytes(&self) -> u64;

    /// How often the store has synced its log to disk since it was opened.
    fn sync_count(&self) -> u64;
}

/// Refuses what [`CommitError::Invalid`] describes.
pub(crate) fn check_limits(group: &[Batch]) -> Result<(), CommitError> {
    for mutation in group.iter().flat_map(|batch| &batch.mutations) {
        let key_bytes = match mutation {
            Mutation::Put { key, .. } | Mutation::Delete { key, .. } => key.len(),
            Mutation::DeleteRange { start, end, .. } => start.len().max(end.len()),
        };
        if key_bytes > KEY_BYTES_MAX {
            return Err(CommitError::Invalid(format!("key of {key_bytes} bytes exceeds {KEY_BYTES_MAX}")));
        }
    }
    Ok(())
}
