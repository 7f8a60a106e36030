//! Reduces a group to one write per key.
//!
//! The engine gives all items of a batch the same sequence number, so a batch must not hold two writes of one key.
//! And when a busy run makes many transitions in one group, only its last header is worth writing.

use std::ops::Range;

use fjall::UserKey;
use rustc_hash::FxHashSet;

use super::engine::key;
use crate::store::{Batch, Error, Mutation, Table};

/// What remains of a key's mutations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Write<'g> {
    Put(&'g [u8]),
    Delete,
}

/// Calls `emit` once for each key the group writes, with its last write. `existing` lists the keys of a range that are
/// in the store. Keys are full keys: they start with the shard.
pub(super) fn coalesce<'g>(
    group: &'g [Batch],
    existing: impl Fn(Table, Range<&[u8]>) -> Result<Vec<UserKey>, Error>,
    mut emit: impl FnMut(Table, UserKey, Write<'g>),
) -> Result<(), Error> {
    // Walks backwards, so that the first write met is the one that stays.
    let mut written: FxHashSet<(Table, UserKey)> = FxHashSet::default();
    let mut deleted: Vec<(Table, Range<Vec<u8>>)> = Vec::new();
    let mutations = group.iter().flat_map(|batch| batch.mutations.iter().map(|mutation| (batch.lease.shard, mutation)));
    for (shard, mutation) in mutations.rev() {
        let (table, key, write) = match mutation {
            Mutation::Put { table, key: short, value } => (*table, key(shard, short), Write::Put(value)),
            Mutation::Delete { table, key: short } => (*table, key(shard, short), Write::Delete),
            Mutation::DeleteRange { start, end, .. } if start >= end => continue,
            Mutation::DeleteRange { table, start, end } => {
                let range = key(shard, start)..key(shard, end);
                for key in existing(*table, &range.start..&range.end)? {
                    if written.insert((*table, key.clone())) {
                        emit(*table, key, Write::Delete);
                    }
                }
                deleted.push((*table, range));
                continue;
            }
        };
        // A write before the deletion of its range would only be deleted again.
        let gone = deleted.iter().any(|(of, range)| *of == table && range.contains(&key));
        let key = UserKey::from(key);
        if !gone && written.insert((table, key.clone())) {
            emit(table, key, write);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use std::collections::BTreeMap;

    use super::*;
    use crate::memory::MemoryStore;
    use crate::store::{Order, ShardId, Store};
    use proptest::prelude::*;

    fn mutation() -> impl Strategy<Value = Mutation> {
        let key = || proptest::collection::vec(0u8..4, 1..3);
        prop_oneof![
            3 => (key(), any::<u8>()).prop_map(|(key, value)| Mutation::Put { table: Table::State, key, value: vec![value] }),
            1 => key().prop_map(|key| Mutation::Delete { table: Table::State, key }),
            1 => (key(), key()).prop_map(|(start, end)| Mutation::DeleteRange { table: Table::State, start, end }),
        ]
    }

    proptest! {
        /// Against the memory store, which applies mutations one by one.
        #[test]
        fn says_the_same_as_applying_in_order(
            groups in proptest::collection::vec(proptest::collection::vec(mutation(), 0..12), 1..4),
        ) {
            let oracle = MemoryStore::new();
            let lease = oracle.acquire(ShardId(7)).unwrap();
            let mut map: BTreeMap<UserKey, Vec<u8>> = BTreeMap::new();
            for mutations in groups {
                let group = [Batch { lease, mutations }];
                oracle.commit(&group).unwrap();
                let mut emitted = Vec::new();
                let existing = |_, range: Range<&[u8]>| {
                    Ok(map.keys().filter(|key| range.contains(&key.as_ref())).cloned().collect())
                };
                coalesce(&group, existing, |_, key, write| emitted.push((key, write))).unwrap();
                let mut keys: Vec<_> = emitted.iter().map(|(key, _)| key.clone()).collect();
                keys.sort();
                keys.dedup();
                prop_assert_eq!(keys.len(), emitted.len(), "one write per key");
                for (key, write) in emitted {
                    match write {
                        Write::Put(value) => map.insert(key, value.to_vec()),
                        Write::Delete => map.remove(&key),
                    };
                }
                let expected = oracle.scan(ShardId(7), Table::State, &[]..&[9], usize::MAX, Order::Forward).unwrap();
                let got: Vec<_> = map.iter().map(|(key, value)| (key[2..].to_vec(), value.clone())).collect();
                prop_assert_eq!(got, expected);
            }
        }
    }
}
