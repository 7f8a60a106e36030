//! A store with faults on demand, for tests: a durable layer, an un-synced one, and a crash that chooses between them.
//!
//! A commit that goes well is durable when it returns, as with every store. The un-synced layer holds the bytes of a
//! group whose sync failed; [`SimulatedStore::crash`] lets the seed decide how much of it reached the disk, and recovers
//! the way a log does, by checksum: the group is there as a whole, or not at all.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Mutex, MutexGuard, PoisonError};

use rand::rngs::SmallRng;
use rand::{Rng, SeedableRng};

use crate::memory::Contents;
use crate::store::{Batch, CommitError, Entries, Error, Lease, OnStop, Order, ShardId, Store, Table};

mod log;

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The commit fails and leaves nothing behind.
    CommitRefused,
    /// As [`Fault::CommitRefused`], because the disk is full.
    DiskFull,
    /// The commit reports an error although it is durable: its answer was lost.
    CommitAmbiguous,
    /// The sync fails: the group is neither durable nor gone, and the store writes nothing more until it crashes.
    SyncFailed,
    /// `acquire` fails and the old lease stays good.
    AcquireRefused,
    /// A `get` or `scan` fails for now.
    ReadUnavailable,
    /// A `get` or `scan` finds damage.
    ReadCorrupt,
}

impl Fault {
    fn is_of_commit(self) -> bool {
        matches!(self, Fault::CommitRefused | Fault::DiskFull | Fault::CommitAmbiguous | Fault::SyncFailed)
    }

    fn is_of_read(self) -> bool {
        matches!(self, Fault::ReadUnavailable | Fault::ReadCorrupt)
    }
}

/// A store in memory that fails as told. Equal seeds and equal calls give equal results.
pub struct SimulatedStore {
    disk: Mutex<Disk>,
}

struct Disk {
    rng: SmallRng,
    durable: Contents,
    /// The log record of a group whose sync failed. Invariant: empty while commits succeed.
    unsynced: Vec<u8>,
    faults: VecDeque<Fault>,
    sync_count: u64,
    /// What a crash goes back to.
    #[cfg(feature = "planted")]
    before_last: Option<Contents>,
    on_stop: Option<OnStop>,
}

impl SimulatedStore {
    pub fn new(seed: u64) -> SimulatedStore {
        let disk = Disk {
            rng: SmallRng::seed_from_u64(seed),
            durable: Contents::default(),
            unsynced: Vec::new(),
            faults: VecDeque::new(),
            sync_count: 0,
            #[cfg(feature = "planted")]
            before_last: None,
            on_stop: None,
        };
        SimulatedStore { disk: Mutex::new(disk) }
    }

    /// Lets the next operation of the fault's sort fail. Further calls queue up behind.
    pub fn fail_next(&self, fault: Fault) {
        self.lock().faults.push_back(fault);
    }

    /// Nothing fails any more, but for what has failed.
    pub fn mend(&self) {
        self.lock().faults.clear();
    }

    /// What a power failure and a new start do: un-synced bytes are lost from a random byte on, or in a random sector,
    /// and the log is recovered. Faults that did not happen yet are forgotten. Says whether a group that had failed its
    /// sync has survived.
    pub fn crash(&self) -> bool {
        let mut disk = self.lock();
        disk.faults.clear();
        #[cfg(feature = "planted")]
        if let Some(before_last) = disk.before_last.take() {
            disk.durable = before_last;
        }
        let mut record = std::mem::take(&mut disk.unsynced);
        log::tear(&mut record, &mut disk.rng);
        match log::decode(&record) {
            Some(group) => {
                disk.durable.apply(&group);
                true
            }
            None => false,
        }
    }

    fn lock(&self) -> MutexGuard<'_, Disk> {
        // A test that panicked elsewhere should fail there, not here.
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Disk {
    /// The first fault of a sort, which thereby happens.
    fn fault(&mut self, is_of_sort: impl Fn(Fault) -> bool) -> Option<Fault> {
        let position = self.faults.iter().position(|fault| is_of_sort(*fault))?;
        self.faults.remove(position)
    }

    fn check_writable(&self) -> Result<(), Error> {
        if self.unsynced.is_empty() { Ok(()) } else { Err(Error::Unavailable("an earlier sync failed".to_owned())) }
    }

    fn before_read(&mut self) -> Result<(), Error> {
        match self.fault(Fault::is_of_read) {
            Some(Fault::ReadCorrupt) => Err(Error::Corrupt("simulated damage".to_owned())),
            Some(_) => Err(Error::Unavailable("simulated read failure".to_owned())),
            None => Ok(()),
        }
    }
}

impl Store for SimulatedStore {
    fn acquire(&self, shard: ShardId) -> Result<Lease, Error> {
        let mut disk = self.lock();
        disk.check_writable()?;
        if disk.fault(|fault| fault == Fault::AcquireRefused).is_some() {
            return Err(Error::Unavailable("simulated acquire failure".to_owned()));
        }
        disk.sync_count += 1;
        Ok(disk.durable.acquire(shard))
    }

    fn commit(&self, group: &[Batch]) -> Result<(), CommitError> {
        let mut disk = self.lock();
        disk.durable.check(group)?;
        if group.iter().all(Batch::is_empty) {
            return Ok(());
        }
        disk.check_writable()?;
        let unavailable = |reason: &str| Err(CommitError::Unavailable(reason.to_owned()));
        let result = match disk.fault(Fault::is_of_commit) {
            Some(Fault::SyncFailed) => {
                disk.unsynced = log::encode(group);
                if let Some(tell) = disk.on_stop.take() {
                    tell("simulated sync failure");
                }
                return unavailable("simulated sync failure");
            }
            Some(Fault::DiskFull) => return unavailable("no space left on simulated device"),
            Some(Fault::CommitAmbiguous) => unavailable("simulated loss of the answer"),
            Some(_) => return unavailable("simulated commit failure"),
            None => Ok(()),
        };
        #[cfg(feature = "planted")]
        if abide_planted::is(abide_planted::Fault::AcknowledgedBeforeSync) {
            disk.before_last = Some(disk.durable.clone());
        }
        disk.durable.apply(group);
        disk.sync_count += 1;
        result
    }

    fn get(&self, shard: ShardId, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        let mut disk = self.lock();
        disk.before_read()?;
        Ok(disk.durable.get(shard, table, key))
    }

    fn scan(
        &self,
        shard: ShardId,
        table: Table,
        range: Range<&[u8]>,
        limit: usize,
        order: Order,
    ) -> Result<Entries, Error> {
        let mut disk = self.lock();
        disk.before_read()?;
        Ok(disk.durable.scan(shard, table, range, limit, order))
    }

    fn on_stop(&self, tell: OnStop) {
        let mut disk = self.lock();
        match disk.check_writable() {
            Ok(()) => disk.on_stop = Some(tell),
            Err(error) => tell(&error.to_string()),
        }
    }

    fn disk_bytes(&self) -> u64 {
        0
    }

    fn sync_count(&self) -> u64 {
        self.lock().sync_count
    }
}

/// A number below `bound`, or 0 where there is none.
fn below(rng: &mut SmallRng, bound: usize) -> usize {
    if bound == 0 { 0 } else { rng.random_range(0..bound) }
}

#[cfg(test)]
mod tests;
