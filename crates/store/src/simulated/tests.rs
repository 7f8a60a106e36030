#![allow(clippy::unwrap_used)]

use super::*;
use crate::store::Mutation;

const SHARD: ShardId = ShardId(3);

/// A group of two batches, large enough to span sectors.
fn group(lease: Lease, n: u8) -> Vec<Batch> {
    let mut first = Batch::new(lease);
    first.put(Table::State, vec![n], vec![n; 900]);
    first.put(Table::Timer, vec![n], vec![]);
    let mut second = Batch::new(lease);
    second.put(Table::History, vec![n], vec![n; 900]);
    second.delete(Table::State, vec![n.wrapping_sub(1)]);
    second.delete_range(Table::Timer, vec![0]..vec![n]);
    vec![first, second]
}

fn unavailable(result: Result<(), CommitError>) -> bool {
    matches!(result, Err(CommitError::Unavailable(_)))
}

#[test]
fn a_record_decodes_to_what_was_encoded() {
    let group = group(Lease { shard: SHARD, epoch: 9 }, 5);
    assert_eq!(log::decode(&log::encode(&group)).unwrap(), group);
    assert!(group.iter().flat_map(|batch| &batch.mutations).any(|m| matches!(m, Mutation::DeleteRange { .. })));
    let record = log::encode(&group);
    for length in 0..record.len() {
        assert_eq!(log::decode(&record[..length]), None, "length {length}");
    }
}

#[test]
fn a_crash_keeps_a_failed_group_whole_or_not_at_all() {
    let (mut kept, mut lost) = (0, 0);
    for seed in 0..200 {
        let store = SimulatedStore::new(seed);
        let lease = store.acquire(SHARD).unwrap();
        store.commit(&group(lease, 1)).unwrap();
        store.fail_next(Fault::SyncFailed);
        assert!(unavailable(store.commit(&group(lease, 2))));
        assert_eq!(store.get(SHARD, Table::State, &[2]).unwrap(), None, "not durable, so not visible");
        assert!(unavailable(store.commit(&group(lease, 3))), "no write after a failed sync");
        assert!(store.acquire(SHARD).is_err());

        let survived = store.crash();
        let expected = if survived { [(&[1], false), (&[2], true)] } else { [(&[1], true), (&[2], false)] };
        for (key, there) in expected {
            assert_eq!(store.get(SHARD, Table::State, key).unwrap().is_some(), there, "seed {seed}");
            assert_eq!(store.get(SHARD, Table::Timer, key).unwrap().is_some(), there, "seed {seed}");
        }
        assert_eq!(store.get(SHARD, Table::History, &[2]).unwrap().is_some(), survived);
        assert_eq!(store.get(SHARD, Table::History, &[1]).unwrap().unwrap(), vec![1; 900]);
        let lease = store.acquire(SHARD).unwrap();
        store.commit(&group(lease, 4)).unwrap();
        if survived { kept += 1 } else { lost += 1 }
    }
    assert!(kept > 20 && lost > 20, "both ends happen: {kept} kept, {lost} lost");
}

#[test]
fn a_crash_with_nothing_in_flight_loses_nothing() {
    let store = SimulatedStore::new(1);
    let lease = store.acquire(SHARD).unwrap();
    store.commit(&group(lease, 1)).unwrap();
    assert!(!store.crash());
    assert!(store.get(SHARD, Table::State, &[1]).unwrap().is_some());
    assert_eq!(store.acquire(SHARD).unwrap().epoch, 2);
}

#[test]
fn faults_happen_once_in_the_order_asked_for() {
    let store = SimulatedStore::new(1);
    let lease = store.acquire(SHARD).unwrap();
    for fault in
        [Fault::ReadCorrupt, Fault::CommitRefused, Fault::CommitAmbiguous, Fault::DiskFull, Fault::AcquireRefused]
    {
        store.fail_next(fault);
    }
    store.fail_next(Fault::ReadUnavailable);
    assert!(unavailable(store.commit(&group(lease, 1))));
    assert!(unavailable(store.commit(&group(lease, 2))));
    let disk_full = store.commit(&group(lease, 3)).unwrap_err();
    assert!(disk_full.to_string().contains("no space left"), "{disk_full}");
    assert!(matches!(store.get(SHARD, Table::State, &[1]), Err(Error::Corrupt(_))));
    let all = || store.scan(SHARD, Table::History, &[]..&[9], 9, Order::Forward);
    assert!(matches!(all(), Err(Error::Unavailable(_))));
    let keys: Vec<_> = all().unwrap().into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [[2]], "the ambiguous commit alone was applied");
    assert!(store.acquire(SHARD).is_err());
    store.commit(&group(lease, 4)).unwrap();
    assert_eq!(store.acquire(SHARD).unwrap().epoch, 2);
}
