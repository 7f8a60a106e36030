//! All queues of a process.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use rustc_hash::FxHasher;

use crate::backlog::Insert;
use crate::clock::Clock;
use crate::entry::{Entry, Task};
use crate::options::Options;
use crate::poll::Poll;
use crate::pollers::{PollerInfo, PollerSeen};
use crate::queue::{Queue, State};
use crate::queue_id::QueueId;
use crate::rate_limit::RateLimit;
use crate::refill::{Refill, RefillRequests};
use crate::stats::BacklogStats;

const PARTS: usize = 16;
/// How many queues `expire_idle` looks at under one lock of the map.
const EXPIRE_BATCH: usize = 256;

/// What became of an offered task.
#[derive(Debug, PartialEq, Eq)]
pub enum Offer<T> {
    /// A waiting poll got it.
    Delivered,
    /// It waits for a poll.
    Queued,
    /// The queue has this task already. If it is out and durable, it comes again when it is finished there: whoever has
    /// it may have looked before the reason of this offer.
    Duplicate,
    /// The queue is full or what stands before the task was forgotten: it is not kept. A durable one comes again through
    /// a refill, so the caller drops it; one that is not durable is the caller's to refuse.
    Overflow(Entry<T>),
    /// The worker of the sticky queue is away: to be offered to the normal queue.
    StickyUnavailable(Entry<T>),
}

/// The task queues of a process. Cheap to clone; all clones are the same queues.
pub struct Matching<T: Task> {
    pub(crate) shared: Arc<Shared<T>>,
}

pub(crate) struct Shared<T: Task> {
    options: Options,
    pub(crate) clock: Arc<dyn Clock>,
    parts: [Part<T>; PARTS],
    polls_ended: AtomicBool,
    pub(crate) refills: RefillRequests,
}

/// The queues by name, in parts so that threads rarely meet.
type Part<T> = RwLock<BTreeMap<QueueId, Arc<Queue<T>>>>;

impl<T: Task> Clone for Matching<T> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

impl<T: Task> Matching<T> {
    pub fn new(options: Options, clock: Arc<dyn Clock>) -> Self {
        let parts = std::array::from_fn(|_| RwLock::default());
        let shared =
            Shared { options, clock, parts, polls_ended: AtomicBool::new(false), refills: RefillRequests::default() };
        Self { shared: Arc::new(shared) }
    }

    /// Offers a task. A sticky queue takes it only if its worker polls or polled within
    /// `Options::sticky_unavailable_after_ms`.
    pub fn offer(&self, queue: &QueueId, entry: Entry<T>) -> Offer<T> {
        let mut slot = Some(entry);
        loop {
            let found = if queue.sticky { self.find(queue) } else { Some(self.find_or_create(queue)) };
            let offered = match found {
                Some(found) => found.update(&self.shared, |state, signals, now_ms| {
                    let entry = slot.take()?;
                    if queue.sticky && !self.is_served(state, now_ms) {
                        return Some(Offer::StickyUnavailable(entry));
                    }
                    let key = entry.task.key();
                    match state.backlog.insert(entry) {
                        Insert::Duplicate => return Some(Offer::Duplicate),
                        Insert::Overflow(entry) => return Some(Offer::Overflow(entry)),
                        Insert::Kept => state.count_add(now_ms),
                    }
                    state.dispatch(signals, now_ms);
                    Some(if state.backlog.is_waiting(key) { Offer::Queued } else { Offer::Delivered })
                }),
                None => Some(slot.take().map(Offer::StickyUnavailable)),
            };
            // A queue that retired meanwhile left the entry where it was: look again.
            if let Some(offer) = offered.flatten() {
                return offer;
            }
        }
    }

    fn is_served(&self, state: &State<T>, now_ms: i64) -> bool {
        let window_ms = self.shared.options.sticky_unavailable_after_ms;
        state.last_poll_ms(now_ms).is_some_and(|last_ms| now_ms.saturating_sub(last_ms) <= window_ms)
    }

    /// Gives a task to a poll that waits right now, or not at all. For tasks that are not durable.
    pub fn offer_waiting(&self, queue: &QueueId, entry: Entry<T>) -> Result<(), Entry<T>> {
        let mut entry = Some(entry);
        let refused = self.find(queue).and_then(|found| {
            found.update(&self.shared, |state, signals, now_ms| {
                let key = entry.as_ref()?.task.key();
                if !state.is_polled() {
                    return entry.take();
                }
                match state.backlog.insert(entry.take()?) {
                    Insert::Duplicate => return None,
                    Insert::Overflow(entry) => return Some(entry),
                    Insert::Kept => {}
                }
                state.dispatch(signals, now_ms);
                let left = state.backlog.withdraw(key);
                if left.is_none() {
                    state.count_add(now_ms);
                }
                left
            })
        });
        match refused.flatten().or(entry) {
            Some(entry) => Err(entry),
            None => Ok(()),
        }
    }

    /// Takes out a task that waits and is no longer wanted: a query whose caller left, a task whose run closed. `None`
    /// if it is not there or is already on its way to a worker.
    pub fn cancel(&self, queue: &QueueId, key: T::Key) -> Option<Entry<T>> {
        self.find(queue)?.update(&self.shared, |state, _, _| state.backlog.cancel(key)).flatten()
    }

    /// Begins to wait for a task, behind the polls that wait already.
    pub fn poll(&self, queue: &QueueId, info: PollerInfo<T::Poller>) -> Poll<T> {
        let identity = info.identity.clone();
        let mut info = Some(info);
        loop {
            let found = self.find_or_create(queue);
            let entered = found.update(&self.shared, |state, _, now_ms| {
                // Read under the queue's lock: either this poll sees the flag, or the one who set it sees this poll.
                if self.shared.polls_ended.load(Ordering::SeqCst) {
                    return None;
                }
                let info = info.take()?;
                Some(state.enter(info, queue.kind, self.shared.options.max_pollers_remembered, now_ms))
            });
            if let Some(id) = entered {
                return Poll::new(Arc::clone(&self.shared), found, id, identity);
            }
        }
    }

    /// Ends the waiting polls of one worker on one queue. The answer is how many; none if the key is empty.
    pub fn end_polls(&self, queue: &QueueId, worker_instance_key: &str) -> usize {
        if worker_instance_key.is_empty() {
            return 0;
        }
        let ended = self.find(queue).and_then(|found| {
            found.update(&self.shared, |state, signals, _| state.end_polls(|key| key == worker_instance_key, signals))
        });
        ended.unwrap_or(0)
    }

    /// Ends all waiting polls, and new ones at once, for good.
    pub fn end_all_polls(&self) {
        self.shared.polls_ended.store(true, Ordering::SeqCst);
        for part in &self.shared.parts {
            for queue in read(part).values() {
                queue.update(&self.shared, |state, signals, _| state.end_polls(|_| true, signals));
            }
        }
    }

    /// The worker of a sticky queue is gone: ends its polls, and refuses tasks until it polls again. The answer is what
    /// waited there in memory, in order, to be offered to the normal queue; what the queue forgot is left to the timeout
    /// that every task on a sticky queue has, and so is a task that is given back later.
    pub fn unload_sticky(&self, queue: &QueueId) -> Vec<Entry<T>> {
        let waiting = self.find(queue).and_then(|found| {
            found.update(&self.shared, |state, signals, _| {
                state.end_polls(|_| true, signals);
                state.pollers.forget_all();
                state.backlog.take_all()
            })
        });
        waiting.unwrap_or_default()
    }

    /// Drops queues that nobody used for `Options::idle_after_ms`: normal ones without tasks and without a limit set
    /// through [`Matching::set_rate_limit`], sticky ones with what still waits there, which is the answer. Also forgets
    /// old pollers. To be called every minute or so.
    pub fn expire_idle(&self) -> Vec<Entry<T>> {
        let now_ms = self.shared.clock.now_ms();
        let mut left = Vec::new();
        for part in &self.shared.parts {
            let mut after = Bound::Unbounded;
            loop {
                let batch: Vec<_> = read(part)
                    .range((after, Bound::Unbounded))
                    .take(EXPIRE_BATCH)
                    .map(|(_, q)| Arc::clone(q))
                    .collect();
                let Some(last) = batch.last() else { break };
                after = Bound::Excluded(last.id.clone());
                for queue in batch {
                    if let Some(mut waiting) = self.retire_if_idle(&queue, now_ms) {
                        left.append(&mut waiting);
                        part.write().unwrap_or_else(PoisonError::into_inner).remove(&queue.id);
                    }
                }
            }
        }
        left
    }

    /// What waited in the queue if it retired.
    fn retire_if_idle(&self, queue: &Queue<T>, now_ms: i64) -> Option<Vec<Entry<T>>> {
        let options = &self.shared.options;
        let mut state = queue.lock();
        state.pollers.forget_before(now_ms.saturating_sub(options.poller_history_ms));
        let (last_ms, empty) = if queue.id.sticky {
            (state.pollers.last_poll_ms.unwrap_or(i64::MIN), !state.backlog.has_out())
        } else {
            (state.last_used_ms, state.backlog.is_idle())
        };
        let unused = now_ms.saturating_sub(last_ms) >= options.idle_after_ms;
        if state.retired
            || !unused
            || !empty
            || state.is_polled()
            || !state.reserved.is_empty()
            || state.limiter.has_api_limit()
        {
            return None;
        }
        state.retired = true;
        Some(state.backlog.take_all())
    }

    /// The next queue that wants what it forgot. One caller waits here in a loop, and for each queue begins a refill,
    /// reads the outbox, adds and finishes. May be cancelled between two queues.
    pub async fn refill_wanted(&self) -> QueueId {
        self.shared.refills.next().await
    }

    /// Begins a refill; the caller reads the outbox after that. `None` if the queue wants none or has one running.
    pub fn begin_refill(&self, queue: &QueueId) -> Option<Refill<T>> {
        let found = self.find(queue)?;
        let scan_id = found.update(&self.shared, |state, _, _| {
            state.refill_asked = false;
            state.backlog.begin_scan()
        });
        Some(Refill::new(Arc::clone(&self.shared), found, scan_id.flatten()?))
    }

    /// Sets or unsets the limit that outranks the one the workers name. 0 holds everything back.
    pub fn set_rate_limit(&self, queue: &QueueId, per_second: Option<f64>) {
        let set = |found: Arc<Queue<T>>| {
            found.update(&self.shared, |state, _, now_ms| state.limiter.set_api(per_second, now_ms))
        };
        match per_second {
            Some(_) => while set(self.find_or_create(queue)).is_none() {},
            None => drop(self.find(queue).and_then(set)),
        }
    }

    /// The limit that holds, if one was set.
    pub fn rate_limit(&self, queue: &QueueId) -> Option<RateLimit> {
        self.find(queue)?.lock().limiter.effective()
    }

    /// Who polled within `Options::poller_history_ms`, by identity.
    pub fn pollers(&self, queue: &QueueId) -> Vec<PollerSeen<T::Poller>> {
        let since_ms = self.shared.clock.now_ms().saturating_sub(self.shared.options.poller_history_ms);
        self.find(queue).map(|found| found.lock().pollers.seen_since(since_ms)).unwrap_or_default()
    }

    /// When somebody last polled: now, if a poll waits; `None` if nobody did since the queue was loaded.
    pub fn last_poll_ms(&self, queue: &QueueId) -> Option<i64> {
        let now_ms = self.shared.clock.now_ms();
        self.find(queue)?.lock().last_poll_ms(now_ms)
    }

    pub fn backlog(&self, queue: &QueueId) -> BacklogStats {
        let now_ms = self.shared.clock.now_ms();
        self.find(queue).map(|found| found.lock().stats(now_ms)).unwrap_or_default()
    }

    /// The queues that are loaded, in no meaningful but a fixed order.
    pub fn queues(&self) -> Vec<QueueId> {
        self.shared.parts.iter().flat_map(|part| read(part).keys().cloned().collect::<Vec<_>>()).collect()
    }

    pub(crate) fn find(&self, queue: &QueueId) -> Option<Arc<Queue<T>>> {
        read(self.part(queue)).get(queue).map(Arc::clone)
    }

    fn find_or_create(&self, queue: &QueueId) -> Arc<Queue<T>> {
        if let Some(found) = self.find(queue) {
            return found;
        }
        let mut part = self.part(queue).write().unwrap_or_else(PoisonError::into_inner);
        let found = part.entry(queue.clone());
        Arc::clone(found.or_insert_with(|| Arc::new(Queue::new(queue.clone(), &self.shared.options))))
    }

    fn part(&self, queue: &QueueId) -> &Part<T> {
        let mut hasher = FxHasher::default();
        queue.hash(&mut hasher);
        &self.shared.parts[hasher.finish() as usize % PARTS]
    }
}

fn read<T: Task>(part: &Part<T>) -> std::sync::RwLockReadGuard<'_, BTreeMap<QueueId, Arc<Queue<T>>>> {
    part.read().unwrap_or_else(PoisonError::into_inner)
}
