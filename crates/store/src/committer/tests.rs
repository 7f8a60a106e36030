#![allow(clippy::unwrap_used)]

use std::ops::Range;
use std::sync::mpsc;

use super::*;
use crate::memory::MemoryStore;
use crate::store::{Entries, Error, Order, Table};

type Report = (Vec<u32>, Result<(), CommitError>);

/// A memory store that counts commits, can be told to fail the next one, and can be held up.
#[derive(Default)]
struct Probe {
    inner: MemoryStore,
    commits: Mutex<Vec<usize>>,
    fail_next: Mutex<Option<CommitError>>,
    gate: Option<Mutex<mpsc::Receiver<()>>>,
}

impl Store for Probe {
    fn acquire(&self, shard: ShardId) -> Result<Lease, Error> {
        self.inner.acquire(shard)
    }

    fn commit(&self, group: &[Batch]) -> Result<(), CommitError> {
        if let Some(gate) = &self.gate {
            let _ = gate.lock().unwrap().recv();
        }
        self.commits.lock().unwrap().push(group.len());
        if let Some(error) = self.fail_next.lock().unwrap().take() {
            return Err(error);
        }
        self.inner.commit(group)
    }

    fn get(&self, shard: ShardId, table: Table, key: &[u8]) -> Result<Option<Vec<u8>>, Error> {
        self.inner.get(shard, table, key)
    }

    fn scan(
        &self,
        shard: ShardId,
        table: Table,
        range: Range<&[u8]>,
        limit: usize,
        order: Order,
    ) -> Result<Entries, Error> {
        self.inner.scan(shard, table, range, limit, order)
    }

    fn disk_bytes(&self) -> u64 {
        0
    }

    fn sync_count(&self) -> u64 {
        0
    }
}

fn put(lease: Lease, key: u8) -> Batch {
    let mut batch = Batch::new(lease);
    batch.put(Table::State, vec![key], vec![key; 9]);
    batch
}

fn unavailable() -> CommitError {
    CommitError::Unavailable("told to".to_owned())
}

/// Everything that waits, committed one group after another.
fn drain(writer: &mut GroupWriter, queue: &CommitQueue<u32>, store: &Probe) -> Vec<Report> {
    let mut reports = Vec::new();
    while writer.commit_next(queue, store, &mut |dones, result| reports.push((dones, result))) > 0 {}
    reports
}

#[test]
fn what_waits_becomes_one_commit_in_submission_order() {
    let (store, queue, mut writer) = (Probe::default(), CommitQueue::default(), GroupWriter::default());
    let leases = [store.acquire(ShardId(0)).unwrap(), store.acquire(ShardId(1)).unwrap()];
    for n in 0..6 {
        queue.submit(put(leases[n as usize % 2], n as u8), n);
    }
    assert_eq!(queue.pending_bytes(), 60);
    assert_eq!(drain(&mut writer, &queue, &store), [((0..6).collect(), Ok(()))]);
    assert_eq!(*store.commits.lock().unwrap(), [6]);
    assert_eq!(queue.pending_bytes(), 0);
    assert_eq!(queue.stats(), CommitterStats { groups: 1, syncs: 1, batches: 6, bytes: 60 });
}

#[test]
fn a_group_closes_when_it_is_large() {
    let (store, queue, mut writer) = (Probe::default(), CommitQueue::default(), GroupWriter::default());
    let lease = store.acquire(ShardId(0)).unwrap();
    for n in 0..3 {
        let mut batch = Batch::new(lease);
        batch.put(Table::History, vec![n], vec![0; GROUP_BYTES_MAX / 2]);
        queue.submit(batch, u32::from(n));
    }
    assert_eq!(drain(&mut writer, &queue, &store), [(vec![0, 1], Ok(())), (vec![2], Ok(()))]);
}

#[test]
fn barriers_alone_need_no_commit() {
    let (store, queue, mut writer) = (Probe::default(), CommitQueue::default(), GroupWriter::default());
    let lease = store.acquire(ShardId(0)).unwrap();
    queue.submit(Batch::new(lease), 1);
    assert_eq!(drain(&mut writer, &queue, &store), [(vec![1], Ok(()))]);
    assert!(store.commits.lock().unwrap().is_empty());
    queue.submit(put(lease, 1), 2);
    queue.submit(Batch::new(lease), 3);
    assert_eq!(drain(&mut writer, &queue, &store), [(vec![2, 3], Ok(()))]);
    assert_eq!(queue.stats(), CommitterStats { groups: 2, syncs: 1, batches: 1, bytes: 10 });
}

#[test]
fn a_failed_lease_stays_failed_until_the_shard_is_acquired_again() {
    let (store, queue, mut writer) = (Probe::default(), CommitQueue::default(), GroupWriter::default());
    let old = store.acquire(ShardId(0)).unwrap();
    let bystander = store.acquire(ShardId(1)).unwrap();
    *store.fail_next.lock().unwrap() = Some(unavailable());
    queue.submit(put(old, 1), 1);
    queue.submit(Batch::new(bystander), 2);
    queue.submit(Batch::new(old), 3);
    assert_eq!(drain(&mut writer, &queue, &store), [(vec![1, 3], Err(unavailable())), (vec![2], Ok(()))]);

    queue.submit(put(old, 2), 4);
    queue.submit(put(bystander, 2), 5);
    assert_eq!(drain(&mut writer, &queue, &store), [(vec![4], Err(unavailable())), (vec![5], Ok(()))]);
    assert_eq!(store.get(ShardId(0), Table::State, &[2]), Ok(None));

    let new = store.acquire(ShardId(0)).unwrap();
    queue.submit(put(old, 3), 6);
    queue.submit(put(new, 4), 7);
    assert_eq!(drain(&mut writer, &queue, &store), [(vec![6], Err(unavailable())), (vec![7], Ok(()))]);
    assert_eq!(store.get(ShardId(0), Table::State, &[3]), Ok(None));
    assert_eq!(store.get(ShardId(0), Table::State, &[4]), Ok(Some(vec![4; 9])));
}

#[test]
fn a_lost_lease_does_not_hold_back_other_shards() {
    let (store, queue, mut writer) = (Probe::default(), CommitQueue::default(), GroupWriter::default());
    let stale = store.acquire(ShardId(0)).unwrap();
    let fresh = store.acquire(ShardId(0)).unwrap();
    let other = store.acquire(ShardId(1)).unwrap();
    queue.submit(put(other, 1), 1);
    queue.submit(put(stale, 2), 2);
    queue.submit(put(fresh, 3), 3);
    let reports = drain(&mut writer, &queue, &store);
    assert_eq!(reports, [(vec![2], Err(CommitError::LeaseLost(stale))), (vec![1, 3], Ok(()))]);
    assert_eq!(store.get(ShardId(0), Table::State, &[2]), Ok(None));
    assert_eq!(store.get(ShardId(1), Table::State, &[1]), Ok(Some(vec![1; 9])));
}

#[test]
fn a_lost_lease_nobody_holds_fails_the_group() {
    let (store, queue, mut writer) = (Probe::default(), CommitQueue::default(), GroupWriter::default());
    let lease = store.acquire(ShardId(0)).unwrap();
    let absurd = CommitError::LeaseLost(Lease { shard: ShardId(9), epoch: 9 });
    *store.fail_next.lock().unwrap() = Some(absurd.clone());
    queue.submit(put(lease, 1), 1);
    assert_eq!(drain(&mut writer, &queue, &store), [(vec![1], Err(absurd))]);
}

fn gated() -> (Arc<Probe>, mpsc::Sender<()>) {
    let (open, gate) = mpsc::channel();
    (Arc::new(Probe { gate: Some(Mutex::new(gate)), ..Probe::default() }), open)
}

#[test]
fn the_next_group_gathers_while_one_is_written() {
    let (store, open) = gated();
    let lease = store.acquire(ShardId(0)).unwrap();
    let (report, reports) = mpsc::channel();
    let committer = Committer::start(store, move |dones: Vec<u32>, result| {
        report.send((dones, result)).unwrap();
    })
    .unwrap();
    committer.submit(put(lease, 0), 0);
    while committer.stats().groups == 0 {
        thread::yield_now();
    }
    for n in 1..50 {
        committer.submit(put(lease, n), u32::from(n));
    }
    assert_eq!(committer.pending_bytes(), 500);
    open.send(()).unwrap();
    open.send(()).unwrap();
    assert_eq!(reports.recv().unwrap(), (vec![0], Ok(())));
    assert_eq!(reports.recv().unwrap(), ((1..50).collect(), Ok(())));
    committer.flush();
    assert_eq!(committer.pending_bytes(), 0);
}

#[test]
fn dropping_the_committer_commits_what_waits() {
    let (store, open) = gated();
    let lease = store.acquire(ShardId(0)).unwrap();
    let (report, reports) = mpsc::channel();
    let committer = Committer::start(store, move |dones: Vec<u32>, result| {
        report.send((dones, result)).unwrap();
    })
    .unwrap();
    for n in 0..20 {
        committer.submit(put(lease, n), u32::from(n));
    }
    drop(open); // a closed gate channel no longer holds anything up
    drop(committer);
    let done: Vec<u32> = reports.iter().flat_map(|(dones, result)| result.map(|()| dones).unwrap()).collect();
    assert_eq!(done, (0..20).collect::<Vec<_>>());
}

#[test]
fn a_panic_in_the_callback_leaves_nobody_waiting() {
    let store = Arc::new(Probe::default());
    let lease = store.acquire(ShardId(0)).unwrap();
    let committer = Committer::start(store, |_: Vec<mpsc::Sender<()>>, _| panic!("told to")).unwrap();
    let (done, gone) = mpsc::channel();
    committer.submit(put(lease, 1), done);
    assert!(gone.recv().is_err(), "dropped, not answered");
    committer.flush();
    while !committer.queue.lock().abandoned {
        thread::yield_now();
    }
    let (done, gone) = mpsc::channel();
    committer.submit(put(lease, 2), done);
    assert!(gone.recv().is_err());
}
