//! One queue: its backlog, the polls that wait for it, and the rule that brings them together.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Waker};

use crate::backlog::Backlog;
use crate::entry::{Entry, Order, Task};
use crate::matching::Shared;
use crate::meter::Meter;
use crate::options::Options;
use crate::pollers::{PollerHistory, PollerInfo};
use crate::queue_id::{QueueId, TaskKind};
use crate::rate_limit::{Limiter, Token};
use crate::scaling::{Scaling, Situation};
use crate::signals::Signals;
use crate::stats::BacklogStats;

pub(crate) struct Queue<T: Task> {
    pub(crate) id: QueueId,
    state: Mutex<State<T>>,
}

/// A poll that waits.
pub(crate) struct Waiter {
    waker: Option<Waker>,
    pub(crate) since_ms: i64,
    identity: String,
    worker_instance_key: String,
    /// Ended while it was reserved: it does not wait on.
    ended: bool,
}

/// A task on its way to a poll, with what the poll's answer says besides.
pub(crate) struct Handed<T> {
    /// Its place in the queue; none for a task that the queue never held.
    pub(crate) order: Option<Order>,
    pub(crate) entry: Entry<T>,
    pub(crate) waited_ms: i64,
    pub(crate) scaling_delta: Option<i32>,
}

/// What a poll finds when it looks.
pub(crate) enum Look<T> {
    Task(Handed<T>),
    /// Nothing yet. The time, if there is one, is when the rate limit lets the next task go, and this poll's to watch.
    Wait(Option<i64>),
    Ended,
}

/// Invariants, whenever the lock is free: no poll waits while a task could be handed out; an id is in one of `waiters`,
/// `reserved` and `handed`, or in none (its poll ended), and a task in `handed` that has a place is out in `backlog`.
pub(crate) struct State<T: Task> {
    /// Not in the map of queues any more; who still holds it looks the queue up again.
    pub(crate) retired: bool,
    pub(crate) backlog: Backlog<T>,
    pub(crate) limiter: Limiter,
    pub(crate) pollers: PollerHistory<T::Poller>,
    /// By arrival, the longest-waiting first.
    waiters: BTreeMap<u64, Waiter>,
    /// Kept for tasks that are on their way.
    pub(crate) reserved: BTreeMap<u64, Waiter>,
    handed: BTreeMap<u64, Handed<T>>,
    next_poll_id: u64,
    /// The poll that watches the clock for the rate limit, and the time it waits for.
    watch: Option<(u64, i64)>,
    /// A request for a refill stands, until the refill begins.
    pub(crate) refill_asked: bool,
    pub(crate) last_used_ms: i64,
    /// A worker was told that more tasks wait, and not yet that they are gone. Of sticky queues only.
    pub(crate) has_told_backlog: bool,
    adds: Meter,
    dispatches: Meter,
    scaling: Scaling,
}

impl<T: Task> Queue<T> {
    pub(crate) fn new(id: QueueId, options: &Options) -> Self {
        let state = State {
            retired: false,
            backlog: Backlog::new(options.max_backlog_entries, options.refill_below_entries),
            limiter: Limiter::default(),
            pollers: PollerHistory::new(),
            waiters: BTreeMap::new(),
            reserved: BTreeMap::new(),
            handed: BTreeMap::new(),
            next_poll_id: 0,
            watch: None,
            refill_asked: false,
            last_used_ms: i64::MIN,
            has_told_backlog: false,
            adds: Meter::default(),
            dispatches: Meter::default(),
            scaling: Scaling::default(),
        };
        Self { id, state: Mutex::new(state) }
    }

    /// The state as it is. A panic under the lock cannot leave a half-made change that matters more than going on.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the queue, hands out what can be handed out then, and wakes who is concerned once the lock is free.
    /// `None` if the queue has retired.
    pub(crate) fn update<R>(
        &self,
        shared: &Shared<T>,
        change: impl FnOnce(&mut State<T>, &mut Signals, i64) -> R,
    ) -> Option<R> {
        let now_ms = shared.clock.now_ms();
        let mut signals = Signals::default();
        let result = {
            let mut state = self.lock();
            if state.retired {
                return None;
            }
            state.last_used_ms = state.last_used_ms.max(now_ms);
            let result = change(&mut state, &mut signals, now_ms);
            state.dispatch(&mut signals, now_ms);
            if state.backlog.wants_refill() && !state.refill_asked {
                state.refill_asked = true;
                signals.ask_refill = true;
            }
            result
        };
        if signals.ask_refill {
            shared.refills.ask(self.id.clone());
        }
        signals.wake_all();
        Some(result)
    }
}

impl<T: Task> State<T> {
    /// Hands waiting tasks to waiting polls as far as the rate limit lets it.
    pub(crate) fn dispatch(&mut self, signals: &mut Signals, now_ms: i64) {
        let mut watch = None;
        while let Some(first) = self.waiters.first_entry()
            && self.backlog.has_next()
        {
            match self.limiter.take(now_ms) {
                Token::Granted => {}
                Token::NextAt { at_ms } => {
                    watch = Some((*first.key(), at_ms));
                    break;
                }
                Token::Never => break,
            }
            let Some((order, entry)) = self.backlog.pop() else { break };
            let (id, waiter) = first.remove_entry();
            let handed = self.on_its_way(waiter.since_ms, Some(order), entry, now_ms);
            self.hand(id, waiter, handed, signals);
        }
        if watch != self.watch {
            self.watch = watch;
            let watcher = watch.and_then(|(id, _)| self.waiters.get_mut(&id));
            signals.wake(watcher.and_then(|waiter| waiter.waker.take()));
        }
    }

    /// A task on its way to the poll that has waited since then.
    pub(crate) fn on_its_way(
        &mut self,
        since_ms: i64,
        order: Option<Order>,
        entry: Entry<T>,
        now_ms: i64,
    ) -> Handed<T> {
        self.dispatches.count(now_ms);
        let waited_ms = now_ms.saturating_sub(since_ms);
        let scaling_delta = self.scaling_delta(waited_ms, now_ms);
        Handed { order, entry, waited_ms, scaling_delta }
    }

    pub(crate) fn hand(&mut self, id: u64, waiter: Waiter, handed: Handed<T>, signals: &mut Signals) {
        self.handed.insert(id, handed);
        signals.wake(waiter.waker);
    }

    /// Keeps the longest-waiting poll for a task that is on its way. The answer is its id and who polls.
    pub(crate) fn reserve(&mut self, now_ms: i64) -> Option<(u64, String)> {
        if self.waiters.is_empty() || !self.backlog.is_empty() || !matches!(self.limiter.take(now_ms), Token::Granted) {
            return None;
        }
        let (id, waiter) = self.waiters.pop_first()?;
        self.pollers.last_poll_ms = Some(now_ms);
        let identity = waiter.identity.clone();
        self.reserved.insert(id, waiter);
        Some((id, identity))
    }

    /// A poll was reserved for nothing: it waits on, if it was not ended meanwhile.
    pub(crate) fn release(&mut self, id: u64, signals: &mut Signals) {
        self.limiter.refund();
        match self.reserved.remove(&id) {
            Some(waiter) if waiter.ended => signals.wake(waiter.waker),
            Some(waiter) => drop(self.waiters.insert(id, waiter)),
            None => {}
        }
    }

    fn scaling_delta(&mut self, waited_ms: i64, now_ms: i64) -> Option<i32> {
        let oldest_ms = self.backlog.oldest_scheduled_time_ms();
        let situation = Situation {
            waited_ms,
            backlog_age_ms: oldest_ms.map_or(0, |oldest_ms| now_ms.saturating_sub(oldest_ms)),
            adds_per_second: self.adds.per_second(now_ms),
            dispatches_per_second: self.dispatches.per_second(now_ms),
        };
        self.scaling.decide(&situation, now_ms)
    }

    pub(crate) fn count_add(&mut self, now_ms: i64) {
        self.adds.count(now_ms);
    }

    /// A poll begins to wait. The answer is its id.
    pub(crate) fn enter(
        &mut self,
        info: PollerInfo<T::Poller>,
        kind: TaskKind,
        max_remembered: usize,
        now_ms: i64,
    ) -> u64 {
        self.pollers.began(&info, max_remembered, now_ms);
        if let (TaskKind::Activity, Some(per_second)) = (kind, info.rate_per_second) {
            self.limiter.set_worker(per_second, now_ms);
        }
        let id = self.next_poll_id;
        self.next_poll_id += 1;
        let PollerInfo { identity, worker_instance_key, .. } = info;
        let waiter = Waiter { waker: None, since_ms: now_ms, identity, worker_instance_key, ended: false };
        self.waiters.insert(id, waiter);
        id
    }

    /// What there is for a poll; it is woken when that changes.
    pub(crate) fn look(&mut self, id: u64, identity: &str, cx: &Context<'_>, now_ms: i64) -> Look<T> {
        if let Some(waiter) = self.waiters.get_mut(&id).or_else(|| self.reserved.get_mut(&id)) {
            match &mut waiter.waker {
                Some(waker) => waker.clone_from(cx.waker()),
                none => *none = Some(cx.waker().clone()),
            }
            return Look::Wait(self.watch.and_then(|(watcher, at_ms)| (watcher == id).then_some(at_ms)));
        }
        match self.handed.remove(&id) {
            Some(handed) => {
                self.pollers.ended(identity, now_ms);
                Look::Task(handed)
            }
            None => Look::Ended,
        }
    }

    /// A poll is dropped before it resolved. The answer is a task that was on its way to it and has no place here.
    pub(crate) fn leave(&mut self, id: u64, identity: &str, now_ms: i64) -> Option<Entry<T>> {
        let handed = self.handed.remove(&id);
        if handed.is_some() || self.waiters.remove(&id).or_else(|| self.reserved.remove(&id)).is_some() {
            self.pollers.ended(identity, now_ms);
        }
        self.take_back(handed?)
    }

    /// A poll that waits leaves; one that a task is on its way to stays.
    pub(crate) fn withdraw(&mut self, id: u64, identity: &str, now_ms: i64) -> bool {
        let waited = self.waiters.remove(&id).is_some();
        if waited {
            self.pollers.ended(identity, now_ms);
        }
        waited
    }

    /// A task that was handed out for nothing returns to its place. The answer is the task if it has none.
    pub(crate) fn take_back(&mut self, handed: Handed<T>) -> Option<Entry<T>> {
        self.limiter.refund();
        let Some(order) = handed.order else { return Some(handed.entry) };
        self.backlog.put_back(order, handed.entry);
        None
    }

    /// Ends the waiting polls that `which` names by worker instance key. The answer is how many. Those that a task is on its
    /// way to end when they have it.
    pub(crate) fn end_polls(&mut self, which: impl Fn(&str) -> bool, signals: &mut Signals) -> usize {
        for waiter in self.reserved.values_mut() {
            waiter.ended |= which(&waiter.worker_instance_key);
        }
        let before = self.waiters.len();
        self.waiters.retain(|_, waiter| {
            let keep = !which(&waiter.worker_instance_key);
            if !keep {
                signals.wake(waiter.waker.take());
            }
            keep
        });
        before - self.waiters.len()
    }

    /// When a poll was last there: now, if one waits.
    pub(crate) fn last_poll_ms(&self, now_ms: i64) -> Option<i64> {
        if self.waiters.is_empty() { self.pollers.last_poll_ms } else { Some(now_ms) }
    }

    pub(crate) fn is_polled(&self) -> bool {
        !self.waiters.is_empty()
    }

    pub(crate) fn stats(&mut self, now_ms: i64) -> BacklogStats {
        BacklogStats {
            adds_per_second: self.adds.per_second(now_ms),
            dispatches_per_second: self.dispatches.per_second(now_ms),
            ..self.backlog.stats()
        }
    }
}
