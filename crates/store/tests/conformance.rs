//! What every store must do, run on each of them.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;

use abide_store::embedded::{EmbeddedStore, Options};
use abide_store::store::KEY_BYTES_MAX;
use abide_store::{Batch, CommitError, Lease, MemoryStore, Mutation, Order, ShardId, SimulatedStore, Store, Table};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

/// A store under test, and how its process dies and starts again.
trait Fixture: Sized {
    fn new() -> Self;
    fn store(&self) -> &dyn Store;
    /// For a store that keeps nothing this does nothing.
    fn restart(self) -> Self;
}

struct Memory(MemoryStore);

impl Fixture for Memory {
    fn new() -> Memory {
        Memory(MemoryStore::new())
    }

    fn store(&self) -> &dyn Store {
        &self.0
    }

    fn restart(self) -> Memory {
        self
    }
}

struct Simulated(SimulatedStore);

impl Fixture for Simulated {
    fn new() -> Simulated {
        Simulated(SimulatedStore::new(1))
    }

    fn store(&self) -> &dyn Store {
        &self.0
    }

    fn restart(self) -> Simulated {
        self.0.crash();
        self
    }
}

struct Embedded {
    store: EmbeddedStore,
    directory: tempfile::TempDir,
}

impl Embedded {
    fn open(directory: tempfile::TempDir) -> Embedded {
        let store = EmbeddedStore::open(directory.path(), &Options::default()).unwrap();
        Embedded { store, directory }
    }
}

impl Fixture for Embedded {
    fn new() -> Embedded {
        Embedded::open(tempfile::tempdir().unwrap())
    }

    fn store(&self) -> &dyn Store {
        &self.store
    }

    fn restart(self) -> Embedded {
        let Embedded { store, directory } = self;
        drop(store);
        Embedded::open(directory)
    }
}

macro_rules! on_every_store {
    ($($check:ident),* $(,)?) => {
        mod memory { $(#[test] fn $check() { super::$check::<super::Memory>() })* }
        mod simulated { $(#[test] fn $check() { super::$check::<super::Simulated>() })* }
        mod embedded { $(#[test] fn $check() { super::$check::<super::Embedded>() })* }
    };
}

on_every_store!(
    the_last_write_of_a_key_wins,
    delete_range_deletes_what_is_inside_and_was_written_before,
    scans_are_ordered_half_open_and_limited,
    shards_and_tables_are_apart,
    a_stale_lease_writes_nothing,
    epochs_grow_and_survive_restarts,
    acknowledged_data_survives_a_restart,
    large_and_empty_keys_and_values_are_kept,
    a_key_that_is_too_long_is_refused,
    behaves_like_a_map,
);

const SHARD: ShardId = ShardId(5);
const EVERYTHING: std::ops::Range<&[u8]> = b""..&[0xFF; 32];

fn batch(lease: Lease, mutations: impl IntoIterator<Item = Mutation>) -> Batch {
    Batch { lease, mutations: mutations.into_iter().collect() }
}

fn put(key: &[u8], value: &[u8]) -> Mutation {
    Mutation::Put { table: Table::State, key: key.to_vec(), value: value.to_vec() }
}

fn delete(key: &[u8]) -> Mutation {
    Mutation::Delete { table: Table::State, key: key.to_vec() }
}

fn delete_range(start: &[u8], end: &[u8]) -> Mutation {
    Mutation::DeleteRange { table: Table::State, start: start.to_vec(), end: end.to_vec() }
}

fn get(store: &dyn Store, key: &[u8]) -> Option<Vec<u8>> {
    store.get(SHARD, Table::State, key).unwrap()
}

fn keys(store: &dyn Store, range: std::ops::Range<&[u8]>, limit: usize, order: Order) -> Vec<Vec<u8>> {
    let entries = store.scan(SHARD, Table::State, range, limit, order).unwrap();
    entries.into_iter().map(|(key, _)| key).collect()
}

fn the_last_write_of_a_key_wins<F: Fixture>() {
    let fixture = F::new();
    let store = fixture.store();
    let lease = store.acquire(SHARD).unwrap();
    store
        .commit(&[
            batch(lease, [put(b"a", b"1"), put(b"a", b"2"), put(b"b", b"1"), delete(b"b")]),
            batch(lease, []),
            batch(lease, [delete(b"c"), put(b"c", b"3"), put(b"a", b"4")]),
        ])
        .unwrap();
    assert_eq!(get(store, b"a").unwrap(), b"4");
    assert_eq!(get(store, b"b"), None);
    assert_eq!(get(store, b"c").unwrap(), b"3");
    store.commit(&[batch(lease, [delete(b"a"), delete(b"never there")])]).unwrap();
    assert_eq!(get(store, b"a"), None);
}

fn delete_range_deletes_what_is_inside_and_was_written_before<F: Fixture>() {
    let fixture = F::new();
    let store = fixture.store();
    let lease = store.acquire(SHARD).unwrap();
    let all = [b"a", b"b", b"c", b"d"].map(|key| put(key, b"old"));
    store.commit(&[batch(lease, all)]).unwrap();
    store
        .commit(&[
            batch(lease, [put(b"bb", b"doomed"), delete_range(b"b", b"d"), put(b"c", b"new")]),
            batch(lease, [delete_range(b"d", b"d"), delete_range(b"z", b"a")]),
        ])
        .unwrap();
    assert_eq!(keys(store, EVERYTHING, 9, Order::Forward), [b"a", b"c", b"d"]);
    assert_eq!(get(store, b"c").unwrap(), b"new");
}

fn scans_are_ordered_half_open_and_limited<F: Fixture>() {
    let fixture = F::new();
    let store = fixture.store();
    let lease = store.acquire(SHARD).unwrap();
    let all: [&[u8]; 5] = [b"\x00", b"a", b"a\x00", b"b", b"\xFF\xFF"];
    store.commit(&[batch(lease, all.iter().rev().map(|key| put(key, key)))]).unwrap();
    let reversed: Vec<&[u8]> = all.iter().rev().copied().collect();
    assert_eq!(keys(store, EVERYTHING, 9, Order::Forward), all);
    assert_eq!(keys(store, EVERYTHING, 9, Order::Reverse), reversed);
    assert_eq!(keys(store, EVERYTHING, 2, Order::Forward), all[..2]);
    assert_eq!(keys(store, EVERYTHING, 2, Order::Reverse), reversed[..2]);
    assert_eq!(keys(store, b"a"..b"b", 9, Order::Forward), all[1..3]);
    assert_eq!(keys(store, b"a"..b"b", 9, Order::Reverse), reversed[2..4]);
    assert!(keys(store, EVERYTHING, 0, Order::Forward).is_empty());
    assert!(keys(store, b"a"..b"a", 9, Order::Forward).is_empty());
    assert!(keys(store, b"b"..b"a", 9, Order::Reverse).is_empty());
    let entries = store.scan(SHARD, Table::State, b"b"..b"c", 9, Order::Forward).unwrap();
    assert_eq!(entries, [(b"b".to_vec(), b"b".to_vec())]);
}

fn shards_and_tables_are_apart<F: Fixture>() {
    let fixture = F::new();
    let store = fixture.store();
    let shards = [ShardId(0), ShardId(1), ShardId(0x00FF), ShardId(0x0100), ShardId(u16::MAX)];
    let leases = store.acquire_all(&shards).unwrap();
    for table in Table::ALL {
        let name = |lease: &Lease| format!("{table:?} {}", lease.shard.0).into_bytes();
        let group: Vec<Batch> = leases
            .iter()
            .map(|lease| batch(*lease, [Mutation::Put { table, key: vec![0xFF; 3], value: name(lease) }]))
            .collect();
        store.commit(&group).unwrap();
    }
    for table in Table::ALL {
        for lease in &leases {
            let expected = format!("{table:?} {}", lease.shard.0).into_bytes();
            let entries = store.scan(lease.shard, table, EVERYTHING, 9, Order::Reverse).unwrap();
            assert_eq!(entries, [(vec![0xFF; 3], expected)]);
        }
    }
    let middle = leases[2];
    let all = Mutation::DeleteRange { table: Table::Timer, start: vec![], end: vec![0xFF; 9] };
    store.commit(&[batch(middle, [all])]).unwrap();
    for table in Table::ALL {
        for lease in &leases {
            let gone = table == Table::Timer && *lease == middle;
            assert_eq!(store.get(lease.shard, table, &[0xFF; 3]).unwrap().is_none(), gone, "{table:?} {lease:?}");
        }
    }
}

fn a_stale_lease_writes_nothing<F: Fixture>() {
    let fixture = F::new();
    let store = fixture.store();
    let other = store.acquire(ShardId(6)).unwrap();
    let old = store.acquire(SHARD).unwrap();
    store.commit(&[batch(old, [put(b"a", b"old")])]).unwrap();
    let new = store.acquire(SHARD).unwrap();
    let group = [batch(new, [put(b"a", b"new")]), batch(other, [put(b"a", b"1")]), batch(old, [put(b"b", b"1")])];
    assert_eq!(store.commit(&group), Err(CommitError::LeaseLost(old)));
    assert_eq!(get(store, b"a").unwrap(), b"old");
    assert_eq!(store.get(other.shard, Table::State, b"a").unwrap(), None);
    assert_eq!(store.commit(&[batch(old, [])]), Err(CommitError::LeaseLost(old)), "barriers are checked too");
    let unknown = Lease { shard: ShardId(7), epoch: 1 };
    assert_eq!(store.commit(&[batch(unknown, [put(b"a", b"1")])]), Err(CommitError::LeaseLost(unknown)));
    let future = Lease { shard: SHARD, epoch: new.epoch + 1 };
    assert_eq!(store.commit(&[batch(future, [put(b"a", b"1")])]), Err(CommitError::LeaseLost(future)));
    store.commit(&group[..2]).unwrap();
    assert_eq!(get(store, b"a").unwrap(), b"new");
}

fn epochs_grow_and_survive_restarts<F: Fixture>() {
    let mut fixture = F::new();
    for epoch in [1, 3, 5] {
        assert_eq!(fixture.store().acquire(SHARD).unwrap(), Lease { shard: SHARD, epoch });
        fixture = fixture.restart();
        let leases = fixture.store().acquire_all(&[SHARD, ShardId(99)]).unwrap();
        assert_eq!(leases[0], Lease { shard: SHARD, epoch: epoch + 1 });
        assert_eq!(leases[1].epoch, epoch.div_ceil(2));
    }
}

fn acknowledged_data_survives_a_restart<F: Fixture>() {
    let mut fixture = F::new();
    for round in 0..4u8 {
        let lease = fixture.store().acquire(SHARD).unwrap();
        for n in 0..50 {
            let mutations = [put(&[round, n], &[n; 100]), delete(&[round, n.wrapping_sub(2)])];
            fixture.store().commit(&[batch(lease, mutations)]).unwrap();
        }
        fixture = fixture.restart();
        let expected: Vec<_> = (0..=round).flat_map(|round| [vec![round, 48], vec![round, 49]]).collect();
        assert_eq!(keys(fixture.store(), EVERYTHING, 99, Order::Forward), expected);
        assert_eq!(get(fixture.store(), &[round, 49]).unwrap(), [49; 100]);
    }
}

fn large_and_empty_keys_and_values_are_kept<F: Fixture>() {
    let fixture = F::new();
    let lease = fixture.store().acquire(SHARD).unwrap();
    let large: Vec<u8> = (0..4_000_000u32).map(|n| n.to_be_bytes()[2]).collect();
    let longest = vec![0xAB; KEY_BYTES_MAX];
    fixture.store().commit(&[batch(lease, [put(b"", b""), put(&longest, b"x"), put(b"large", &large)])]).unwrap();
    let fixture = fixture.restart();
    assert_eq!(get(fixture.store(), b"").unwrap(), b"");
    assert_eq!(get(fixture.store(), &longest).unwrap(), b"x");
    assert_eq!(get(fixture.store(), b"large").unwrap(), large);
    assert_eq!(keys(fixture.store(), b""..b"\x00", 9, Order::Forward), [b""]);
}

fn a_key_that_is_too_long_is_refused<F: Fixture>() {
    let fixture = F::new();
    let store = fixture.store();
    let lease = store.acquire(SHARD).unwrap();
    let long = vec![0; KEY_BYTES_MAX + 1];
    for mutation in [put(&long, b""), delete(&long), delete_range(b"", &long)] {
        let result = store.commit(&[batch(lease, [put(b"a", b"1"), mutation])]);
        assert!(matches!(result, Err(CommitError::Invalid(_))), "{result:?}");
    }
    assert_eq!(get(store, b"a"), None);
    store.commit(&[batch(lease, [put(b"a", b"1")])]).unwrap();
}

#[derive(Debug, Clone)]
enum Step {
    Commit(Vec<Vec<Mutation>>),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let key = || proptest::collection::vec(prop_oneof![Just(0u8), Just(1), Just(0xFE), Just(0xFF)], 0..3);
    let table = || proptest::sample::select(&[Table::State, Table::Outbox]);
    let mutation = prop_oneof![
        4 => (table(), key(), any::<[u8; 2]>()).prop_map(|(table, key, value)| Mutation::Put { table, key, value: value.to_vec() }),
        2 => (table(), key()).prop_map(|(table, key)| Mutation::Delete { table, key }),
        1 => (table(), key(), key()).prop_map(|(table, start, end)| Mutation::DeleteRange { table, start, end }),
    ];
    let batches = proptest::collection::vec(proptest::collection::vec(mutation, 0..6), 0..4);
    prop_oneof![8 => batches.prop_map(Step::Commit), 1 => Just(Step::Restart)]
}

type Model = BTreeMap<Table, BTreeMap<Vec<u8>, Vec<u8>>>;

fn apply(model: &mut Model, mutation: &Mutation) {
    match mutation.clone() {
        Mutation::Put { table, key, value } => {
            model.entry(table).or_default().insert(key, value);
        }
        Mutation::Delete { table, key } => {
            model.entry(table).or_default().remove(&key);
        }
        Mutation::DeleteRange { table, start, end } => {
            model.entry(table).or_default().retain(|key, _| *key < start || *key >= end);
        }
    }
}

fn behaves_like_a_map<F: Fixture>() {
    let mut runner = TestRunner::new(Config { cases: 24, ..Config::default() });
    let steps = proptest::collection::vec(step(), 1..24);
    let run = |steps: Vec<Step>| {
        let (mut fixture, mut model) = (F::new(), Model::new());
        let mut lease = fixture.store().acquire(SHARD).unwrap();
        for step in steps {
            match step {
                Step::Commit(batches) => {
                    batches.iter().flatten().for_each(|mutation| apply(&mut model, mutation));
                    let group: Vec<_> = batches.into_iter().map(|mutations| batch(lease, mutations)).collect();
                    fixture.store().commit(&group).unwrap();
                }
                Step::Restart => {
                    fixture = fixture.restart();
                    lease = fixture.store().acquire(SHARD).unwrap();
                }
            }
            for table in [Table::State, Table::Outbox] {
                let got = fixture.store().scan(SHARD, table, EVERYTHING, usize::MAX, Order::Forward).unwrap();
                let expected: Vec<_> = model.entry(table).or_default().clone().into_iter().collect();
                prop_assert_eq!(got, expected);
            }
        }
        Ok(())
    };
    runner.run(&steps, run).unwrap();
}
