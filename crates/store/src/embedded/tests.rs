#![allow(clippy::unwrap_used)]

use std::fs;

use super::*;
use crate::store::Mutation;

const SHARD: ShardId = ShardId(4);

fn open(path: &Path, memtable_bytes: u64) -> Result<EmbeddedStore, OpenError> {
    EmbeddedStore::open(path, &Options { memtable_bytes, ..Options::default() })
}

fn put(lease: Lease, key: &[u8], value: Vec<u8>) -> [Batch; 1] {
    [Batch { lease, mutations: vec![Mutation::Put { table: Table::State, key: key.to_vec(), value }] }]
}

fn log_bytes(path: &Path) -> u64 {
    let files = fs::read_dir(path.join("data/engine")).unwrap().map(|entry| entry.unwrap().path());
    let logs = files.filter(|path| path.extension().is_some_and(|extension| extension == "jnl"));
    logs.map(|path| fs::metadata(path).unwrap().len()).sum()
}

#[test]
fn a_directory_is_open_once() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), 1 << 20).unwrap();
    let error = open(directory.path(), 1 << 20).unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("data directory {} is in use by another process", directory.path().display())
    );
    drop(store);
    open(directory.path(), 1 << 20).unwrap();
}

#[test]
fn another_format_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    drop(open(directory.path(), 1 << 20).unwrap());
    fs::write(directory.path().join("data/FORMAT"), "abide-store 3\n").unwrap();
    let error = open(directory.path(), 1 << 20).unwrap_err();
    assert!(matches!(&error, OpenError::Format { found, .. } if found == "abide-store 3"), "{error}");
    assert!(error.to_string().contains(&directory.path().display().to_string()));
}

#[test]
fn an_unfinished_creation_is_started_anew() {
    let directory = tempfile::tempdir().unwrap();
    fs::create_dir_all(directory.path().join("data.new/engine/keyspaces")).unwrap();
    fs::write(directory.path().join("data.new/engine/version"), "half").unwrap();
    let store = open(directory.path(), 1 << 20).unwrap();
    assert_eq!(store.acquire(SHARD).unwrap().epoch, 1);
    assert!(!directory.path().join("data.new").exists());
}

#[test]
fn every_group_is_one_sync() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), 1 << 20).unwrap();
    let lease = store.acquire_all(&[SHARD, ShardId(9)]).unwrap()[0];
    assert_eq!(store.sync_count(), 1);
    store.commit(&[put(lease, b"a", vec![1]), put(lease, b"b", vec![2])].concat()).unwrap();
    assert_eq!(store.sync_count(), 2);
    store.commit(&[Batch::new(lease)]).unwrap();
    assert_eq!(store.sync_count(), 2, "nothing to write");
    assert!(store.disk_bytes() > 0);
}

#[test]
fn a_flushed_store_opens_without_replay() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), 1 << 20).unwrap();
    let lease = store.acquire(SHARD).unwrap();
    for n in 0..200u8 {
        store.commit(&put(lease, &[n], vec![n; 1000])).unwrap();
    }
    store.flush().unwrap();
    store.commit(&put(lease, b"later", vec![1])).unwrap();
    drop(store);

    let store = open(directory.path(), 1 << 20).unwrap();
    let log_bytes = log_bytes(directory.path());
    assert!((1..1000).contains(&log_bytes), "the last group alone: {log_bytes} bytes");
    let lease = store.acquire(SHARD).unwrap();
    assert_eq!(lease.epoch, 2);
    let entries = store.scan(SHARD, Table::State, &[]..&[0xFF], usize::MAX, Order::Forward).unwrap();
    assert_eq!(entries.len(), 201);
    assert!(entries.iter().all(|(key, value)| key == b"later" || *value == vec![key[0]; 1000]));
    store.commit(&put(lease, &[0], vec![])).unwrap();
    drop(store);
    let store = open(directory.path(), 1 << 20).unwrap();
    assert_eq!(store.get(SHARD, Table::State, &[0]).unwrap().unwrap(), []);
}

#[test]
fn what_is_written_after_a_flush_is_not_taken_for_flushed() {
    let directory = tempfile::tempdir().unwrap();
    for round in 0..6u8 {
        let store = open(directory.path(), 1 << 20).unwrap();
        let entries = store.scan(SHARD, Table::State, &[]..&[0xFF], usize::MAX, Order::Forward).unwrap();
        assert_eq!(entries.len(), usize::from(round));
        let lease = store.acquire(SHARD).unwrap();
        assert_eq!(lease.epoch, u64::from(round) + 1);
        store.commit(&put(lease, &[round], vec![])).unwrap();
        if round % 2 == 0 {
            store.flush().unwrap();
        }
    }
}

#[test]
fn the_log_of_a_busy_store_is_trimmed_on_opening() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), 32 * 1024).unwrap();
    let lease = store.acquire(SHARD).unwrap();
    let mut written = 0;
    // Until enough of the log has been seen in tables; flushes happen in the background.
    while store.lock().watermark.reached().flushed_group < 400 {
        written += 1;
        store.commit(&put(lease, &[written as u8], vec![written as u8; 1000])).unwrap();
    }
    drop(store);
    let _store = open(directory.path(), 32 * 1024).unwrap();
    let log_bytes = log_bytes(directory.path());
    assert!(log_bytes < (written - 300) * 1100, "{log_bytes} bytes of log after {written} groups");
}

#[test]
fn flushing_goes_on_while_compaction_takes_long() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path(), 512 * 1024).unwrap();
    let lease = store.acquire(SHARD).unwrap();
    let put = |table, key: u32, bytes| Mutation::Put { table, key: key.to_be_bytes().to_vec(), value: vec![0; bytes] };
    for n in 0..8000u32 {
        // Keys all over the table, so that there is much to compact; and many small groups meanwhile.
        let mut mutations: Vec<_> = [Table::Timer, Table::Outbox].map(|table| put(table, n, 100)).into();
        mutations.extend((n % 4 == 0).then(|| put(Table::State, n.wrapping_mul(0x9E37_79B9), 60_000)));
        store.commit(&[Batch { lease, mutations }]).unwrap();
    }
    // What was written is in tables soon, which a few more groups will find.
    let group = store.lock().group;
    let is_flushed = |n| {
        store.commit(&[Batch { lease, mutations: Table::ALL.map(|table| put(table, n, 2000)).to_vec() }]).unwrap();
        store.lock().watermark.reached().flushed_group >= group
    };
    assert!((0..20_000).any(is_flushed), "{:?}, not {group}", store.lock().watermark.reached());
}

#[test]
fn a_poisoned_writer_stops() {
    let directory = tempfile::tempdir().unwrap();
    let store = std::sync::Arc::new(open(directory.path(), 1 << 20).unwrap());
    let lease = store.acquire(SHARD).unwrap();
    let theirs = store.clone();
    let panicking = std::thread::Builder::new().spawn(move || {
        let _writer = theirs.writer.lock().unwrap();
        panic!("told to");
    });
    assert!(panicking.unwrap().join().is_err());
    assert_eq!(store.commit(&put(lease, b"a", vec![])), Err(CommitError::Unavailable("a commit panicked".to_owned())));
    assert!(store.acquire(SHARD).is_err());
    assert_eq!(store.get(SHARD, Table::State, b"a").unwrap(), None, "reads go on");
}
