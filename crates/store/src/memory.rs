//! A store without a disk: nothing outlives the process.

use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Included};
use std::ops::Range;
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::store::{Batch, CommitError, Entries, Error, Lease, Mutation, Order, ShardId, Store, Table, check_limits};

/// Everything in `BTreeMap`s behind one lock.
#[derive(Debug, Default)]
pub struct MemoryStore {
    contents: RwLock<Contents>,
}

impl MemoryStore {
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    // A panic under the lock leaves the maps readable; the shard that was writing fails by its own panic.
    fn read(&self) -> RwLockReadGuard<'_, Contents> {
        self.contents.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Contents> {
        self.contents.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for MemoryStore {
    fn acquire(&self, shard: ShardId) -> Result<Lease, Error> {
        Ok(self.write().acquire(shard))
    }

    fn commit(&self, group: &[Batch]) -> Result<(), CommitError> {
        let mut contents = self.write();
        contents.check(group)?;
        contents.apply(group);
        Ok(())
    }

    fn get(&self, shard: ShardId, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        Ok(self.read().get(shard, table, key))
    }

    fn scan(
        &self,
        shard: ShardId,
        table: Table,
        range: Range<&[u8]>,
        limit: usize,
        order: Order,
    ) -> Result<Entries, Error> {
        Ok(self.read().scan(shard, table, range, limit, order))
    }

    fn disk_bytes(&self) -> u64 {
        0
    }

    fn sync_count(&self) -> u64 {
        0
    }
}

/// The maps themselves, shared with the simulated store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Contents {
    epochs: BTreeMap<ShardId, u64>,
    tables: BTreeMap<(ShardId, Table), BTreeMap<Vec<u8>, Vec<u8>>>,
}

impl Contents {
    pub(crate) fn acquire(&mut self, shard: ShardId) -> Lease {
        let epoch = self.epochs.entry(shard).or_default();
        *epoch += 1;
        Lease { shard, epoch: *epoch }
    }

    /// What must hold before a group may be applied.
    pub(crate) fn check(&self, group: &[Batch]) -> Result<(), CommitError> {
        check_limits(group)?;
        #[cfg(feature = "planted")]
        if abide_planted::is(abide_planted::Fault::StaleOwner) {
            return Ok(());
        }
        let stale =
            group.iter().map(|batch| batch.lease).find(|lease| self.epochs.get(&lease.shard) != Some(&lease.epoch));
        stale.map_or(Ok(()), |lease| Err(CommitError::LeaseLost(lease)))
    }

    pub(crate) fn apply(&mut self, group: &[Batch]) {
        for batch in group {
            for mutation in &batch.mutations {
                self.apply_one(batch.lease.shard, mutation);
            }
        }
    }

    fn apply_one(&mut self, shard: ShardId, mutation: &Mutation) {
        match mutation {
            Mutation::Put { table, key, value } => {
                self.tables.entry((shard, *table)).or_default().insert(key.clone(), value.clone());
            }
            Mutation::Delete { table, key } => {
                if let Some(entries) = self.tables.get_mut(&(shard, *table)) {
                    entries.remove(key);
                }
            }
            Mutation::DeleteRange { table, start, end } => {
                if let Some(entries) = self.tables.get_mut(&(shard, *table)) {
                    entries.retain(|key, _| !(start..end).contains(&key));
                }
            }
        }
    }

    pub(crate) fn get(&self, shard: ShardId, table: Table, key: &[u8]) -> Option<Vec<u8>> {
        self.tables.get(&(shard, table))?.get(key).cloned()
    }

    pub(crate) fn scan(
        &self,
        shard: ShardId,
        table: Table,
        range: Range<&[u8]>,
        limit: usize,
        order: Order,
    ) -> Entries {
        let Some(entries) = self.tables.get(&(shard, table)) else { return Vec::new() };
        if range.start >= range.end {
            return Vec::new(); // `BTreeMap::range` panics on a reversed range
        }
        let entries = entries
            .range::<[u8], _>((Included(range.start), Excluded(range.end)))
            .map(|(key, value)| (key.clone(), value.clone()));
        match order {
            Order::Forward => entries.take(limit).collect(),
            Order::Reverse => entries.rev().take(limit).collect(),
        }
    }
}
