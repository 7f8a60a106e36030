//! The engine: its keyspaces and how they are set up.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use fjall::compaction::Leveled;
use fjall::config::{BloomConstructionPolicy, CompressionPolicy, FilterPolicy, FilterPolicyEntry};
use fjall::{AbstractTree, CompressionType, Database, Keyspace, KeyspaceCreateOptions};

use super::error::OpenError;
use super::retired::Retired;
use super::{GROUP_KEY, Options};
use crate::store::{Error, ShardId, Table};

/// Every key starts with its shard.
pub(super) const SHARD_BYTES: usize = size_of::<u16>();

/// How large the files of tables become. Eight of them are the first level.
const FILE_BYTES: u64 = 8 * 1024 * 1024;

/// How many flushed files come together before they are merged with the first level. From 20 on writes are slowed.
const L0_FILES: u8 = 8;

/// One per table and one of our own.
pub(super) const KEYSPACES: usize = 6;

/// The numbers the engine gives to its own keyspace and then to those it is asked for.
pub(super) const KEYSPACE_IDS: std::ops::RangeInclusive<u32> = 0..=KEYSPACES as u32;

/// The engine's handles, one per table and one of our own.
pub(super) struct Keyspaces {
    state: Keyspace,
    history: Keyspace,
    timer: Keyspace,
    outbox: Keyspace,
    meta: Keyspace,
    /// The number of the last group under [`GROUP_KEY`]; the epoch of each shard under its two bytes.
    pub(super) control: Keyspace,
}

impl Keyspaces {
    pub(super) fn of(&self, table: Table) -> &Keyspace {
        match table {
            Table::State => &self.state,
            Table::History => &self.history,
            Table::Timer => &self.timer,
            Table::Outbox => &self.outbox,
            Table::Meta => &self.meta,
        }
    }

    fn of_database(database: &Database) -> fjall::Result<Keyspaces> {
        let compression = CompressionPolicy::all(CompressionType::Lz4);
        // Most of what a table of running workflows holds in memory is older versions of the same records, so that little is left
        // when it is flushed. Were a few such files merged with a first level of hundreds of megabytes, every workflow would pay
        // for the runs that just wait; the first level is small, so that only what comes together there goes on.
        let compaction = Arc::new(Leveled::default().with_l0_threshold(L0_FILES).with_table_target_size(FILE_BYTES));
        let open = |name, filter: &FilterPolicy| {
            let settings = || {
                KeyspaceCreateOptions::default()
                    .max_memtable_size(u64::MAX) // see `rotate_full`
                    .filter_policy(filter.clone())
                    .data_block_compression_policy(compression.clone())
                    .compaction_strategy(compaction.clone())
            };
            database.keyspace(name, settings)
        };
        // Only state and meta are read key by key; the others are scanned, and a scan cannot use a filter.
        let filter = FilterPolicy::all(FilterPolicyEntry::Bloom(BloomConstructionPolicy::BitsPerKey(10.0)));
        let none = FilterPolicy::disabled();
        Ok(Keyspaces {
            state: open("state", &filter)?,
            history: open("history", &none)?,
            timer: open("timer", &none)?,
            outbox: open("outbox", &none)?,
            meta: open("meta", &filter)?,
            control: open("control", &none)?,
        })
    }

    fn all(&self) -> [&Keyspace; KEYSPACES] {
        [&self.state, &self.history, &self.timer, &self.outbox, &self.meta, &self.control]
    }

    /// Has the tables flushed that hold enough in memory, `memtable_bytes` for a busy one.
    ///
    /// The engine would do it by itself, and asks its thread for it with every write until it is done. While that thread
    /// compacts, this fills the queue of its tasks, and then it waits for room in it for ever, because only it makes room.
    pub(super) fn rotate_full(&self, memtable_bytes: u64, retired: &mut Retired) -> fjall::Result<()> {
        // Every group writes to control, so its table holds back the log until it is flushed: often, because it is small.
        let parts = [1, 1, 4, 4, 16, 16];
        for (index, (keyspace, part)) in self.all().into_iter().zip(parts).enumerate() {
            let active = keyspace.tree.active_memtable();
            // What waits for its turn to be flushed is not joined by more of the same size: the engine stops all writes
            // when there are four of them.
            let waiting = keyspace.tree.sealed_memtable_count() as u64;
            let is_full = active.size() > (1 + waiting) * memtable_bytes / part;
            retired.hold(index, active);
            if is_full {
                keyspace.rotate_memtable()?;
            }
        }
        Ok(())
    }

    /// Whether every batch with a sequence number below this one is in tables. Nothing may be written meanwhile.
    pub(super) fn is_flushed_below(&self, seqno: u64) -> bool {
        self.all().into_iter().all(|keyspace| {
            // In this order: what leaves the active memtable appears among the sealed ones, then in tables.
            let unflushed = keyspace.tree.active_memtable().size() > 0 || keyspace.tree.sealed_memtable_count() > 0;
            !unflushed || keyspace.tree.get_highest_persisted_seqno().is_some_and(|last| seqno <= last + 1)
        })
    }

    /// Writes everything in memory to tables.
    pub(super) fn flush(&self) -> fjall::Result<()> {
        for keyspace in self.all() {
            keyspace.rotate_memtable_and_wait()?;
        }
        Ok(())
    }

    /// The last group the engine has; 0 before the first.
    pub(super) fn last_group(&self) -> Result<u64, String> {
        let Some(numbers) = self.control.get(GROUP_KEY).map_err(|error| error.to_string())? else { return Ok(0) };
        let (group, _) = numbers.split_first_chunk().ok_or("group record is too short")?;
        Ok(u64::from_be_bytes(*group))
    }

    /// The epochs of all shards that were ever acquired.
    pub(super) fn epochs(&self) -> Result<BTreeMap<ShardId, u64>, String> {
        let mut epochs = BTreeMap::new();
        for entry in self.control.iter() {
            let (key, epoch) = entry.into_inner().map_err(|error| error.to_string())?;
            if *key == GROUP_KEY {
                continue;
            }
            let shard = key.as_ref().try_into().map_err(|_| "shard key is not two bytes")?;
            let epoch = epoch.as_ref().try_into().map_err(|_| "epoch is not eight bytes")?;
            epochs.insert(ShardId(u16::from_be_bytes(shard)), u64::from_be_bytes(epoch));
        }
        Ok(epochs)
    }
}

/// A key as the engine has it.
pub(super) fn key(shard: ShardId, key: &[u8]) -> Vec<u8> {
    let mut full = Vec::with_capacity(SHARD_BYTES + key.len());
    full.extend_from_slice(&shard.0.to_be_bytes());
    full.extend_from_slice(key);
    full
}

/// Makes the files of an empty engine.
pub(super) fn create(path: &Path, options: &Options) -> Result<(), OpenError> {
    start(path, options).and_then(|database| Keyspaces::of_database(&database)).map_err(open_error(path))?;
    Ok(())
}

/// Opens what [`create`] made.
pub(super) fn open(path: &Path, options: &Options) -> Result<(Database, Keyspaces), OpenError> {
    // The engine meets some damage with a panic.
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let database = start(path, options)?;
        let count = database.keyspace_count();
        let keyspaces = Keyspaces::of_database(&database)?;
        Ok((count, database, keyspaces))
    }));
    let corrupt = |reason: &str| OpenError::Corrupt { path: path.to_owned(), reason: reason.to_owned() };
    let opened: fjall::Result<_> = opened.map_err(|_| corrupt("the engine panicked on it"))?;
    let (count, database, keyspaces) = opened.map_err(open_error(path))?;
    if count != KEYSPACE_IDS.count() - 1 {
        return Err(corrupt("keyspaces are missing"));
    }
    Ok((database, keyspaces))
}

fn start(path: &Path, options: &Options) -> fjall::Result<Database> {
    Database::builder(path)
        .cache_size(options.cache_bytes)
        .max_journaling_size(options.journal_bytes_max)
        .worker_threads(options.worker_threads)
        // The log is verified by its layout, see `journal`.
        .journal_compression(CompressionType::None)
        .open()
}

fn open_error(path: &Path) -> impl FnOnce(fjall::Error) -> OpenError {
    let path = path.to_owned();
    move |error| match io_source(&error) {
        Some(source) => OpenError::Io { path, source },
        None => OpenError::Corrupt { path, reason: error.to_string() },
    }
}

/// An error of the engine while it runs.
pub(super) fn error_in(path: &Path, error: &fjall::Error) -> Error {
    if let Some(source) = io_source(error) {
        return Error::Unavailable(format!("{}: {source}", path.display()));
    }
    if matches!(error, fjall::Error::Poisoned) {
        let reason = "the thread that writes tables has met a disk that fails or is full, or a damaged table";
        return Error::Unavailable(format!("{}: {reason}", path.display()));
    }
    Error::Corrupt(format!("{}: {error}", path.display()))
}

/// The failure of the disk behind an error, if that is what it was: a file that is too short is damage, not failure.
fn io_source(error: &fjall::Error) -> Option<std::io::Error> {
    let mut source: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            use std::io::ErrorKind::{InvalidData, InvalidInput, NotFound, UnexpectedEof};
            let damage = matches!(error.kind(), UnexpectedEof | InvalidData | InvalidInput | NotFound);
            return (!damage).then(|| std::io::Error::new(error.kind(), error.to_string()));
        }
        source = error.source();
    }
    None
}
