//! Group commit: one durable write for everything that waits.
//!
//! While one group is being made durable the next one gathers, so the batches per sync grow with the load. Only when many
//! come at once does the next group wait for a moment more. [`CommitQueue`] is the mechanism without a thread, which a simulator steps by hand;
//! [`Committer`] runs it on an operating-system thread of its own, because the latency of a sync is above all that of
//! being scheduled again.
//!
//! # Failure
//!
//! A shard submits its next transition before the last one is durable, so when a commit fails, everything the shard
//! has submitted behind it was built on a state that never became durable. The committer is therefore *fail-stop per
//! lease*: after a failed commit it fails every batch and barrier under that lease, those waiting and those still to
//! come, with the same error and without touching the store. There is no call to reset it: the owner drops what it
//! has in memory, acquires the shard again and reloads it, and batches under the new lease pass. A batch of the old
//! lease that is submitted late can never slip in between.
//!
//! How far a failure reaches:
//! - `LeaseLost` names one lease. It alone fails; the rest of the group is committed without it.
//! - Any other error fails every shard that had mutations in the group. A barrier of another shard, whose earlier
//!   batches are all durable, succeeds.

use std::collections::BTreeMap;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::store::{Batch, CommitError, Lease, ShardId, Store};

/// A group closes at this size, so that one sync does not hold back a flood of replies at once.
const GROUP_BYTES_MAX: usize = 8 * 1024 * 1024;

/// A group of so many batches says that the machine is busy: it is processor time that they wait for, not the disk.
const BUSY_GROUP: usize = 24;
/// How long after the beginning of such a group the next one begins. A sync costs processor time and whole pages however
/// little it is for, so that those who wait a little longer for theirs are done earlier.
const BUSY_INTERVAL: Duration = Duration::from_millis(2);

/// What a committer has done since it started. All counters only grow.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CommitterStats {
    /// Groups taken from the queue, also those that were all barriers or failed.
    pub groups: u64,
    /// Groups that the store made durable.
    pub syncs: u64,
    /// Batches in these groups, without barriers.
    pub batches: u64,
    /// Bytes of keys and values in these groups.
    pub bytes: u64,
}

/// Batches on their way to the store, each with a `T` that is handed back when its fate is known.
pub struct CommitQueue<T> {
    waiting: Mutex<Waiting<T>>,
    /// Signalled when there is something to take, or no more to come.
    arrived: Condvar,
    /// Signalled when a group is finished, or nobody will finish another one.
    finished: Condvar,
    /// Bytes submitted and not finished. Outside the lock, because admission control reads it on each request.
    pending_bytes: AtomicUsize,
    stats: Counters,
    /// Called after each submission, where no thread waits for `arrived`.
    on_submit: Option<Box<dyn Fn() + Send + Sync>>,
}

struct Waiting<T> {
    batches: VecDeque<(Batch, T)>,
    submitted: u64,
    finished: u64,
    /// The committing thread waits for `arrived`. To signal costs a system call, even where nobody waits.
    is_idle: bool,
    /// How many wait for `finished`.
    flushes: usize,
    /// Nothing more will be submitted.
    closed: bool,
    /// The committing thread is gone, and with it whatever was waiting.
    abandoned: bool,
}

#[derive(Default)]
struct Counters {
    groups: AtomicU64,
    syncs: AtomicU64,
    batches: AtomicU64,
    bytes: AtomicU64,
}

impl<T> Default for CommitQueue<T> {
    fn default() -> CommitQueue<T> {
        let waiting = Waiting {
            batches: VecDeque::new(),
            submitted: 0,
            finished: 0,
            is_idle: false,
            flushes: 0,
            closed: false,
            abandoned: false,
        };
        CommitQueue {
            waiting: Mutex::new(waiting),
            arrived: Condvar::new(),
            finished: Condvar::new(),
            pending_bytes: AtomicUsize::new(0),
            stats: Counters::default(),
            on_submit: None,
        }
    }
}

impl<T> CommitQueue<T> {
    /// Appends a batch; never waits for the store. A batch without mutations is a barrier: its `done` comes back when
    /// all the shard submitted before is durable, and costs no sync when only barriers wait.
    pub fn submit(&self, batch: Batch, done: T) {
        let mut waiting = self.lock();
        if waiting.abandoned {
            return; // dropping `done` tells whoever waits for it
        }
        self.pending_bytes.fetch_add(batch.size_bytes(), Ordering::Relaxed);
        waiting.submitted += 1;
        waiting.batches.push_back((batch, done));
        let is_idle = std::mem::take(&mut waiting.is_idle);
        drop(waiting);
        if is_idle {
            self.arrived.notify_one();
        }
        if let Some(on_submit) = &self.on_submit {
            on_submit();
        }
    }

    /// Bytes of keys and values submitted and not yet finished. Bound it where requests are admitted.
    pub fn pending_bytes(&self) -> usize {
        self.pending_bytes.load(Ordering::Relaxed)
    }

    pub fn stats(&self) -> CommitterStats {
        CommitterStats {
            groups: self.stats.groups.load(Ordering::Relaxed),
            syncs: self.stats.syncs.load(Ordering::Relaxed),
            batches: self.stats.batches.load(Ordering::Relaxed),
            bytes: self.stats.bytes.load(Ordering::Relaxed),
        }
    }

    /// Everything that waits now, up to [`GROUP_BYTES_MAX`] and at least one batch. Empty if nothing waits.
    fn take(&self, waiting: &mut Waiting<T>) -> Group<T> {
        let mut group = Group { batches: Vec::with_capacity(waiting.batches.len()), dones: Vec::new() };
        let mut bytes = 0;
        while bytes < GROUP_BYTES_MAX
            && let Some((batch, done)) = waiting.batches.pop_front()
        {
            bytes += batch.size_bytes();
            group.batches.push(batch);
            group.dones.push(done);
        }
        group
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        // Nothing under this lock can panic halfway through a change.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Commits the groups of one queue and remembers which leases have failed.
///
/// Invariants: all groups of a queue pass through one `GroupWriter`, one after another.
#[derive(Default)]
pub struct GroupWriter {
    /// Per shard the newest lease with a failed commit, and how it failed. At most one entry per shard.
    failed: BTreeMap<ShardId, (u64, CommitError)>,
}

impl GroupWriter {
    /// Commits the next group, if anything waits, and reports each batch once: to `on_group`, in submission order for
    /// each shard, failed batches before those that succeeded. The answer is how many batches it had; none if nothing waits.
    pub fn commit_next<T>(
        &mut self,
        queue: &CommitQueue<T>,
        store: &dyn Store,
        on_group: &mut dyn FnMut(Vec<T>, Result<(), CommitError>),
    ) -> usize {
        let group = queue.take(&mut queue.lock());
        let count = group.batches.len();
        if count > 0 {
            self.commit_group(group, queue, store, on_group);
        }
        count
    }

    fn commit_group<T>(
        &mut self,
        group: Group<T>,
        queue: &CommitQueue<T>,
        store: &dyn Store,
        on_group: &mut dyn FnMut(Vec<T>, Result<(), CommitError>),
    ) {
        let (count, bytes) = (group.batches.len(), group.size_bytes());
        queue.stats.groups.fetch_add(1, Ordering::Relaxed);
        self.commit(group, queue, store, on_group);
        queue.pending_bytes.fetch_sub(bytes, Ordering::Relaxed);
        let mut waiting = queue.lock();
        waiting.finished += count as u64;
        let is_awaited = waiting.flushes > 0;
        drop(waiting);
        if is_awaited {
            queue.finished.notify_all();
        }
    }

    fn commit<T>(
        &mut self,
        mut group: Group<T>,
        queue: &CommitQueue<T>,
        store: &dyn Store,
        on_group: &mut dyn FnMut(Vec<T>, Result<(), CommitError>),
    ) {
        loop {
            group = self.refuse_failed(group, on_group);
            if group.is_empty() {
                return;
            }
            let mutations = group.batches.iter().filter(|batch| !batch.is_empty()).count();
            if mutations == 0 {
                return on_group(group.dones, Ok(()));
            }
            match store.commit(&group.batches) {
                Ok(()) => {
                    queue.stats.syncs.fetch_add(1, Ordering::Relaxed);
                    queue.stats.batches.fetch_add(mutations as u64, Ordering::Relaxed);
                    queue.stats.bytes.fetch_add(group.size_bytes() as u64, Ordering::Relaxed);
                    return on_group(group.dones, Ok(()));
                }
                #[cfg(feature = "planted")]
                Err(error) if abide_planted::is(abide_planted::Fault::StaleOwner) => {
                    return on_group(group.dones, Err(error));
                }
                // Each round fails at least one batch of the group, so this ends.
                Err(error) => self.remember(&group.batches, error),
            }
        }
    }

    /// Reports and removes what belongs to a failed lease.
    fn refuse_failed<T>(&self, group: Group<T>, on_group: &mut dyn FnMut(Vec<T>, Result<(), CommitError>)) -> Group<T> {
        if group.batches.iter().all(|batch| self.failure(batch.lease).is_none()) {
            return group;
        }
        let mut rest = Group { batches: Vec::new(), dones: Vec::new() };
        let mut refused: BTreeMap<ShardId, Vec<T>> = BTreeMap::new();
        for (batch, done) in group.batches.into_iter().zip(group.dones) {
            if self.failure(batch.lease).is_some() {
                refused.entry(batch.lease.shard).or_default().push(done);
            } else {
                rest.batches.push(batch);
                rest.dones.push(done);
            }
        }
        for (shard, dones) in refused {
            let (_, error) = &self.failed[&shard];
            on_group(dones, Err(error.clone()));
        }
        rest
    }

    fn failure(&self, lease: Lease) -> Option<&CommitError> {
        let (epoch, error) = self.failed.get(&lease.shard)?;
        (lease.epoch <= *epoch).then_some(error)
    }

    fn remember(&mut self, batches: &[Batch], error: CommitError) {
        let lost = match &error {
            CommitError::LeaseLost(lost) if batches.iter().any(|batch| batch.lease == *lost) => Some(*lost),
            _ => None,
        };
        let written = batches.iter().filter(|batch| !batch.is_empty()).map(|batch| batch.lease);
        let failed = if let Some(lost) = lost { vec![lost] } else { written.collect() };
        for lease in failed {
            let known = self.failed.get(&lease.shard).map_or(0, |(epoch, _)| *epoch);
            self.failed.insert(lease.shard, (known.max(lease.epoch), error.clone()));
        }
    }
}

/// Batches taken together, and their `T`s at the same positions.
struct Group<T> {
    batches: Vec<Batch>,
    dones: Vec<T>,
}

impl<T> Group<T> {
    fn is_empty(&self) -> bool {
        self.batches.is_empty()
    }

    fn size_bytes(&self) -> usize {
        self.batches.iter().map(Batch::size_bytes).sum()
    }
}

/// A [`CommitQueue`] and the thread that commits it, or a [`Stepper`] in its place. Dropping it commits what is waiting
/// and ends the thread.
pub struct Committer<T> {
    queue: Arc<CommitQueue<T>>,
    thread: Option<thread::JoinHandle<()>>,
}

impl<T: Send + 'static> Committer<T> {
    /// Starts the thread. `on_group` runs on it with the `done`s of batches whose fate is known (see
    /// [`GroupWriter::commit_next`]); the next group waits for it, so it only passes the news on. Fails only where the
    /// operating system refuses a thread.
    ///
    /// If `on_group` panics the thread ends, and what is or will be submitted is dropped.
    pub fn start(
        store: Arc<dyn Store>,
        on_group: impl FnMut(Vec<T>, Result<(), CommitError>) + Send + 'static,
    ) -> std::io::Result<Committer<T>> {
        let queue = Arc::new(CommitQueue::default());
        let theirs = Arc::clone(&queue);
        let mut on_group = on_group;
        let thread = thread::Builder::new()
            .name("abide-commit".to_owned())
            .spawn(move || run(&theirs, store.as_ref(), &mut on_group))?;
        Ok(Committer { queue, thread: Some(thread) })
    }

    /// A committer without a thread: nothing is committed but by the stepper, and `on_submit` says when there is
    /// something. For simulators.
    pub fn stepped(
        store: Arc<dyn Store>,
        on_group: impl FnMut(Vec<T>, Result<(), CommitError>) + Send + 'static,
        on_submit: impl Fn() + Send + Sync + 'static,
    ) -> (Committer<T>, Stepper<T>) {
        let queue = Arc::new(CommitQueue { on_submit: Some(Box::new(on_submit)), ..CommitQueue::default() });
        let (theirs, on_group) = (Arc::clone(&queue), Box::new(on_group));
        let stepper = Stepper { queue: theirs, store, on_group, writer: GroupWriter::default(), group: None };
        (Committer { queue, thread: None }, stepper)
    }
}

/// Called with the `done`s of batches whose fate is known.
pub type OnGroup<T> = Box<dyn FnMut(Vec<T>, Result<(), CommitError>) + Send>;

/// Commits group by group when it is told to. Dropping it drops what waits, as the death of the process would.
pub struct Stepper<T> {
    queue: Arc<CommitQueue<T>>,
    store: Arc<dyn Store>,
    on_group: OnGroup<T>,
    writer: GroupWriter,
    /// What was taken and is not committed yet.
    group: Option<Group<T>>,
}

impl<T> Stepper<T> {
    /// Whether something waits to be committed.
    pub fn has_work(&self) -> bool {
        !self.queue.lock().batches.is_empty()
    }

    /// Takes the next group; what is submitted from now on waits for the one after it.
    pub fn take(&mut self) {
        if self.group.is_none() {
            self.group = Some(self.queue.take(&mut self.queue.lock())).filter(|group| !group.is_empty());
        }
    }

    /// Commits the group that was taken. See [`GroupWriter::commit_next`].
    pub fn commit(&mut self) {
        if let Some(group) = self.group.take() {
            self.writer.commit_group(group, &self.queue, self.store.as_ref(), &mut self.on_group);
        }
    }
}

impl<T> Drop for Stepper<T> {
    fn drop(&mut self) {
        abandon(&self.queue);
    }
}

impl<T> Committer<T> {
    /// See [`CommitQueue::submit`].
    pub fn submit(&self, batch: Batch, done: T) {
        self.queue.submit(batch, done);
    }

    /// See [`CommitQueue::pending_bytes`].
    pub fn pending_bytes(&self) -> usize {
        self.queue.pending_bytes()
    }

    pub fn stats(&self) -> CommitterStats {
        self.queue.stats()
    }

    /// Blocks until everything submitted before the call is finished, well or not. Not to be called from `on_group`,
    /// nor by who holds the stepper.
    pub fn flush(&self) {
        let mut waiting = self.queue.lock();
        let target = waiting.submitted;
        waiting.flushes += 1;
        while waiting.finished < target && !waiting.abandoned {
            waiting = self.queue.finished.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        waiting.flushes -= 1;
    }
}

impl<T> Drop for Committer<T> {
    fn drop(&mut self) {
        self.queue.lock().closed = true;
        self.queue.arrived.notify_one();
        // When `on_group` owned the last handle this runs on the thread itself, which ends by itself.
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != thread::current().id()
        {
            // A panic on the thread was reported there, and everything it had left was dropped.
            let _ = thread.join();
        }
    }
}

/// The committing thread. A simulator has a [`Stepper`] instead, so that the clock here is the real one.
#[expect(clippy::disallowed_methods)]
fn run<T>(queue: &CommitQueue<T>, store: &dyn Store, on_group: &mut dyn FnMut(Vec<T>, Result<(), CommitError>)) {
    let _abandon = AbandonOnExit(queue);
    let mut writer = GroupWriter::default();
    loop {
        let mut waiting = queue.lock();
        while waiting.batches.is_empty() {
            if waiting.closed {
                return;
            }
            waiting.is_idle = true;
            waiting = queue.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
        drop(waiting);
        let began = Instant::now();
        let count = writer.commit_next(queue, store, on_group);
        if count >= BUSY_GROUP {
            thread::sleep(BUSY_INTERVAL.saturating_sub(began.elapsed()));
        }
    }
}

/// Lets nobody wait for a thread that has ended, also when it ended by a panic.
struct AbandonOnExit<'q, T>(&'q CommitQueue<T>);

impl<T> Drop for AbandonOnExit<'_, T> {
    fn drop(&mut self) {
        abandon(self.0);
    }
}

fn abandon<T>(queue: &CommitQueue<T>) {
    let mut waiting = queue.lock();
    waiting.abandoned = true;
    let dropped = std::mem::take(&mut waiting.batches);
    drop(waiting);
    queue.pending_bytes.store(0, Ordering::Relaxed);
    queue.finished.notify_all();
    drop(dropped); // outside the lock: dropping a `T` may run foreign code
}

#[cfg(test)]
mod tests;
