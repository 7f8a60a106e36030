//! The store on a local disk: a log-structured merge engine (fjall) in a directory of its own.
//!
//! What this module adds to the engine:
//! - Every group is one engine batch with one `fdatasync`; nothing is readable before it is durable.
//! - Leases: epochs live in a keyspace of their own and are cached in memory.
//! - *No silent loss.* The engine takes the end of a damaged log for the end of the log. Groups are therefore numbered
//!   without gaps, and on opening the log is checked against the number of the last acknowledged group (see
//!   `journal` and `watermark`): what is missing was never acknowledged, or the directory is refused.
//! - *Fail-stop.* After a failed write or sync nobody knows what the disk holds, so every later commit fails until the
//!   directory is opened again.
//!
//! The engine's own tables carry a checksum per block, verified on each read from disk.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use fjall::{Database, Keyspace, OwnedWriteBatch, PersistMode};

use crate::store::{Batch, CommitError, Entries, Error, Lease, OnStop, Order, ShardId, Store, Table, check_limits};

mod archive;
mod background;
mod coalesce;
mod directory;
mod engine;
mod error;
mod journal;
mod manifest;
mod retired;
#[cfg(target_os = "linux")]
mod scratch;
mod watermark;

pub use error::OpenError;

use coalesce::{Write, coalesce};
use directory::Directory;
use engine::Keyspaces;
use retired::Retired;
use watermark::{Reached, Watermark};

/// What an embedded store may use. The defaults suit a small server.
#[derive(Debug, Clone)]
pub struct Options {
    /// Memory for blocks read from disk.
    pub cache_bytes: u64,
    /// Unflushed writes to keep in memory for each of the two busy tables; the others get less. More means
    /// fewer flushes under load, more to replay after a crash, and more memory.
    pub memtable_bytes: u64,
    /// Log files on disk before the tables that hold them back are flushed. At least 64 MiB.
    pub journal_bytes_max: u64,
    /// Threads that flush and compact. With more than one, the engine's first keeps a core busy for as long as others
    /// compact, only to leave them that work.
    pub worker_threads: usize,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            cache_bytes: 16 * 1024 * 1024,
            memtable_bytes: 16 * 1024 * 1024,
            journal_bytes_max: 64 * 1024 * 1024,
            worker_threads: 1,
        }
    }
}

/// How often to look how much of the log is in tables, in groups.
const GROUPS_PER_FLUSH_CHECK: u64 = 64;

/// The first item of every engine batch: the number of its group and the engine's sequence number before it.
const GROUP_KEY: [u8; 1] = [0];

/// A store in a directory. One process at a time can open it.
pub struct EmbeddedStore {
    // Fields drop in this order: the engine stops its threads before the directory is unlocked.
    writer: Mutex<Writer>,
    keyspaces: Keyspaces,
    database: Database,
    directory: Directory,
    memtable_bytes: u64,
    sync_count: AtomicU64,
}

/// What only one commit at a time may touch.
struct Writer {
    epochs: BTreeMap<ShardId, u64>,
    /// The number of the last group written. Invariant: never reused, because a failed write stops the writer.
    group: u64,
    watermark: Watermark,
    /// Some of the groups not known to be in tables, oldest first, each with a sequence number above its own. These
    /// numbers are of this process: after a restart the engine gives out some of them again.
    unflushed: VecDeque<(u64, u64)>,
    retired: Retired,
    /// Why nothing can be written any more.
    failed: Option<String>,
    /// Told when `failed` is set.
    on_stop: Option<OnStop>,
}

impl Writer {
    /// Lets every later commit fail, for the first reason that there was.
    fn stop(&mut self, reason: String) {
        let reason = self.failed.get_or_insert(reason);
        if let Some(tell) = self.on_stop.take() {
            tell(reason);
        }
    }
}

impl EmbeddedStore {
    /// Opens the store in `path`, or creates it where there is none.
    pub fn open(path: &Path, options: &Options) -> Result<EmbeddedStore, OpenError> {
        // The engine looks it up even where all paths are absolute, and panics without it.
        std::env::current_dir().map_err(OpenError::WorkingDirectory)?;
        let directory = Directory::lock(path)?;
        if !directory.exists()? {
            directory.create(|engine_path| engine::create(engine_path, options))?;
        }
        directory.check()?;
        manifest::verify(&directory.engine_path())?;
        let watermark = Watermark::open(&directory.watermark_path())?;
        let reached = watermark.reached();
        // What the log is trimmed by must not be forgotten by a power failure after the trim.
        watermark.sync().map_err(error::io_error(&directory.watermark_path()))?;
        let last_in_journal = journal::verify(&directory.engine_path(), reached)?;
        let thread = |source| OpenError::Thread { directory: path.to_owned(), source };
        // The threads that flush and compact start here.
        let opened = background::open(|| engine::open(&directory.engine_path(), options)).map_err(thread)?;
        let (database, keyspaces) = opened.map_err(|error| directory.with_place(error))?;

        let corrupt = |reason| directory.with_place(directory.corrupt(reason));
        let group = keyspaces.last_group().map_err(corrupt)?;
        if group < reached.group || last_in_journal.is_some_and(|last| last != group) {
            return Err(directory.corrupt(format!(
                "ends at group {group}, its log at {last_in_journal:?}, but group {} was acknowledged",
                reached.group
            )));
        }
        let epochs = keyspaces.epochs().map_err(corrupt)?;
        let (unflushed, retired) = (VecDeque::new(), Retired::start().map_err(thread)?);
        let writer = Writer { epochs, group, watermark, unflushed, retired, failed: None, on_stop: None };
        let writer = Mutex::new(writer);
        let (memtable_bytes, sync_count) = (options.memtable_bytes, AtomicU64::new(0));
        Ok(EmbeddedStore { writer, keyspaces, database, directory, memtable_bytes, sync_count })
    }

    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    fn lock(&self) -> MutexGuard<'_, Writer> {
        // A panic between the engine's write and the bookkeeping leaves `group` behind: stop, as after a failed write.
        self.writer.lock().unwrap_or_else(|poisoned: PoisonError<_>| {
            let mut writer: MutexGuard<'_, Writer> = poisoned.into_inner();
            writer.stop("a commit panicked".to_owned());
            writer
        })
    }

    /// Writes a group that `fill` adds to, durably.
    fn write(
        &self,
        writer: &mut Writer,
        fill: impl FnOnce(&mut OwnedWriteBatch) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if let Some(reason) = &writer.failed {
            return Err(Error::Unavailable(reason.clone()));
        }
        let group = writer.group + 1;
        let mut batch = self.database.batch().durability(Some(PersistMode::SyncData));
        let numbers = [group.to_be_bytes(), self.database.seqno().to_be_bytes()].concat();
        batch.insert(&self.keyspaces.control, GROUP_KEY, numbers.as_slice());
        fill(&mut batch)?;
        let rotate = |()| self.keyspaces.rotate_full(self.memtable_bytes, &mut writer.retired);
        let committed = batch.commit().and_then(rotate);
        let written = committed.map_err(|error| self.error(&error));
        let written = written.and_then(|()| self.acknowledge(writer, group));
        match written {
            Ok(()) => {
                writer.group = group;
                self.sync_count.fetch_add(1, Ordering::Relaxed);
                Ok(())
            }
            Err(error) => {
                writer.stop(format!("{}: an earlier write failed: {error}", self.path().display()));
                Err(error)
            }
        }
    }

    /// Records that a group is acknowledged and, now and then, which groups are in tables.
    fn acknowledge(&self, writer: &mut Writer, group: u64) -> Result<(), Error> {
        let mut reached = Reached { group, ..writer.watermark.reached() };
        if group.is_multiple_of(GROUPS_PER_FLUSH_CHECK) {
            writer.unflushed.push_back((group, self.database.seqno()));
            while let Some((group, next_seqno)) = writer.unflushed.front()
                && self.keyspaces.is_flushed_below(*next_seqno)
            {
                reached.flushed_group = *group;
                writer.unflushed.pop_front();
            }
        }
        writer.watermark.advance(reached).map_err(|error| self.directory.failed(&error))
    }

    /// An error of the engine, which says what it met and not where.
    fn error(&self, error: &fjall::Error) -> Error {
        match engine::error_in(self.path(), error) {
            Error::Corrupt(reason) => Error::Corrupt(self.with_place(reason)),
            // The engine's own threads have failed: a full disk, or damage that they met.
            Error::Unavailable(reason) if matches!(error, fjall::Error::Poisoned) => {
                Error::Unavailable(self.with_place(reason))
            }
            error => error,
        }
    }

    fn with_place(&self, reason: String) -> String {
        match manifest::damaged_table(&self.directory.engine_path()) {
            Some(path) => format!("{} is damaged: {reason}", path.display()),
            None => reason,
        }
    }

    fn table(&self, table: Table) -> &Keyspace {
        self.keyspaces.of(table)
    }
}

impl Store for EmbeddedStore {
    fn acquire(&self, shard: ShardId) -> Result<Lease, Error> {
        let leases = self.acquire_all(&[shard])?;
        Ok(leases[0])
    }

    fn acquire_all(&self, shards: &[ShardId]) -> Result<Vec<Lease>, Error> {
        let mut writer = self.lock();
        let leases: Vec<Lease> = shards
            .iter()
            .map(|shard| Lease { shard: *shard, epoch: writer.epochs.get(shard).copied().unwrap_or_default() + 1 })
            .collect();
        self.write(&mut writer, |batch| {
            for lease in &leases {
                batch.insert(&self.keyspaces.control, lease.shard.0.to_be_bytes(), lease.epoch.to_be_bytes());
            }
            Ok(())
        })?;
        writer.epochs.extend(leases.iter().map(|lease| (lease.shard, lease.epoch)));
        Ok(leases)
    }

    fn commit(&self, group: &[Batch]) -> Result<(), CommitError> {
        check_limits(group)?;
        let mut writer = self.lock();
        let stale =
            group.iter().map(|batch| batch.lease).find(|lease| writer.epochs.get(&lease.shard) != Some(&lease.epoch));
        if let Some(lease) = stale {
            return Err(CommitError::LeaseLost(lease));
        }
        if group.iter().all(Batch::is_empty) {
            return Ok(());
        }
        let filled = self.write(&mut writer, |batch| {
            let existing = |table, range: Range<&[u8]>| self.keys_in(table, range);
            coalesce(group, existing, |table, key, write| match write {
                Write::Put(value) => batch.insert(self.table(table), key, value),
                Write::Delete => batch.remove(self.table(table), key),
            })
        });
        Ok(filled?)
    }

    fn get(&self, shard: ShardId, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let value = self.table(table).get(engine::key(shard, key)).map_err(|error| self.error(&error))?;
        Ok(value.map(|value| value.to_vec()))
    }

    fn scan(
        &self,
        shard: ShardId,
        table: Table,
        range: Range<&[u8]>,
        limit: usize,
        order: Order,
    ) -> Result<Entries, Error> {
        if range.start >= range.end {
            return Ok(Vec::new()); // the engine panics on a reversed range
        }
        let mut entries = self.table(table).range(engine::key(shard, range.start)..engine::key(shard, range.end));
        let next = || match order {
            Order::Forward => entries.next(),
            Order::Reverse => entries.next_back(),
        };
        std::iter::from_fn(next)
            .take(limit)
            .map(|entry| {
                let (key, value) = entry.into_inner().map_err(|error| self.error(&error))?;
                Ok((key[engine::SHARD_BYTES..].to_vec(), value.to_vec()))
            })
            .collect()
    }

    fn on_stop(&self, tell: OnStop) {
        let mut writer = self.lock();
        writer.on_stop = Some(tell);
        if let Some(reason) = writer.failed.clone() {
            writer.stop(reason);
        }
    }

    fn flush(&self) -> Result<(), Error> {
        let mut writer = self.lock();
        if writer.failed.is_some() {
            return Ok(()); // nothing more is written, and the log has what was acknowledged
        }
        self.keyspaces.flush().map_err(|error| self.error(&error))?;
        if self.keyspaces.is_flushed_below(self.database.seqno()) {
            let reached = Reached { group: writer.group, flushed_group: writer.group };
            writer.watermark.advance(reached).map_err(|error| self.directory.failed(&error))?;
        }
        Ok(())
    }

    fn disk_bytes(&self) -> u64 {
        self.directory.size_bytes()
    }

    fn sync_count(&self) -> u64 {
        self.sync_count.load(Ordering::Relaxed)
    }
}

impl EmbeddedStore {
    /// The full keys, with their shard, of a table between two full keys.
    fn keys_in(&self, table: Table, range: Range<&[u8]>) -> Result<Vec<fjall::UserKey>, Error> {
        let entries = self.table(table).range(range);
        entries.map(|entry| entry.key().map_err(|error| self.error(&error))).collect()
    }
}

impl std::fmt::Debug for EmbeddedStore {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("EmbeddedStore").field(&PathBuf::from(self.path())).finish()
    }
}

#[cfg(test)]
mod tests;
