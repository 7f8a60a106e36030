//! What waits in one queue, in order and within a bound.
//!
//! A queue that holds too much forgets its last durable tasks, which the caller's outbox still has. From then on the
//! *horizon* marks where its knowledge ends: every waiting task before it is in memory, tasks from it on may be in the
//! outbox only. Only tasks before the horizon are handed out, so the order is kept across what was forgotten.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use crate::entry::{Entry, Order, PRIORITY_MAX, Task};
use crate::stats::{BacklogStats, PriorityStats};

/// Where a task is that the queue knows of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Waiting(Order),
    /// Handed to a poll; its start is not settled yet.
    Out,
    /// Gone while a refill runs, whose scan may still show it.
    Gone,
}

/// What became of a new task.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Insert<T> {
    Kept,
    Duplicate,
    Overflow(Entry<T>),
}

/// How many arrivals are kept free for one scan.
const SCAN_ARRIVALS: u64 = 1 << 32;

/// A scan of the outbox under way.
#[derive(Debug)]
struct Scan<K> {
    id: u64,
    /// The smallest place forgotten since the scan began, which the scan may have missed.
    horizon: Option<Order>,
    forgotten: u64,
    gone: Vec<K>,
    added: u64,
    /// From a range kept free for the scan: what it finds arrived before what is offered since it began.
    next_arrival: u64,
    last_added: Option<Order>,
}

/// Invariants: `places` holds `Waiting` for exactly the entries of `durable` and `transient`, and `Gone` only while a
/// scan runs; every durable task that waits and sorts before `horizon` is in `durable`.
pub(crate) struct Backlog<T: Task> {
    durable: BTreeMap<Order, Entry<T>>,
    transient: BTreeMap<Order, Entry<T>>,
    places: FxHashMap<T::Key, Place>,
    /// Durable tasks that were offered again while they were out: their start was undone, perhaps behind a poll that is
    /// about to find them started.
    again: FxHashMap<T::Key, Entry<T>>,
    next_arrival: u64,
    horizon: Option<Order>,
    /// About how many tasks only the outbox holds.
    forgotten: u64,
    scan: Option<Scan<T::Key>>,
    next_scan_id: u64,
    /// Durable tasks in memory by priority; `None` for one that never had any.
    counts: [Option<u64>; PRIORITY_MAX as usize],
    max_entries: usize,
    refill_below: usize,
}

impl<T: Task> Backlog<T> {
    pub(crate) fn new(max_entries: usize, refill_below: usize) -> Self {
        let max_entries = max_entries.max(1);
        Self {
            durable: BTreeMap::new(),
            transient: BTreeMap::new(),
            places: FxHashMap::default(),
            again: FxHashMap::default(),
            next_arrival: 0,
            horizon: None,
            forgotten: 0,
            scan: None,
            next_scan_id: 0,
            counts: [None; PRIORITY_MAX as usize],
            max_entries,
            refill_below: refill_below.min(max_entries - 1),
        }
    }

    /// Neither waiting tasks, nor ones that are out, nor ones that only the outbox holds.
    pub(crate) fn is_idle(&self) -> bool {
        self.places.is_empty() && self.horizon.is_none() && self.scan.is_none()
    }

    pub(crate) fn has_out(&self) -> bool {
        self.places.len() > self.durable.len() + self.transient.len()
    }

    /// Nothing waits, in memory or in the outbox only.
    pub(crate) fn is_empty(&self) -> bool {
        self.durable.is_empty() && self.transient.is_empty() && self.horizon.is_none()
    }

    pub(crate) fn insert(&mut self, entry: Entry<T>) -> Insert<T> {
        let key = entry.task.key();
        match self.places.get(&key) {
            Some(Place::Waiting(_)) => return Insert::Duplicate,
            Some(Place::Out) => {
                if entry.task.is_durable() {
                    self.again.insert(key, entry);
                }
                return Insert::Duplicate;
            }
            // Only a scan tells of what is gone; an offer knows that it is back.
            Some(Place::Gone) | None => {}
        }
        let order = Order::new(&entry, self.next_arrival);
        self.next_arrival += 1;
        let durable = entry.task.is_durable();
        // What a running scan may put in front of the task, it waits for in memory if there is room.
        let beyond = durable && self.horizon.is_some_and(|horizon| order >= horizon);
        if (beyond && (self.scan.is_none() || self.is_full())) || !self.make_room(durable.then_some(order)) {
            if durable {
                self.forget(order);
            }
            return Insert::Overflow(entry);
        }
        self.put(key, order, entry);
        Insert::Kept
    }

    fn put(&mut self, key: T::Key, order: Order, entry: Entry<T>) {
        self.places.insert(key, Place::Waiting(order));
        if entry.task.is_durable() {
            *self.counts[usize::from(order.priority) - 1].get_or_insert(0) += 1;
            self.durable.insert(order, entry);
        } else {
            self.transient.insert(order, entry);
        }
    }

    fn is_full(&self) -> bool {
        self.durable.len() + self.transient.len() >= self.max_entries
    }

    /// Forgets the last durable task if the queue is full, unless that one sorts before `order`. A transient task
    /// (`None`) displaces any durable one.
    fn make_room(&mut self, order: Option<Order>) -> bool {
        if !self.is_full() {
            return true;
        }
        let Some((&last, _)) = self.durable.last_key_value() else { return false };
        if order.is_some_and(|order| last < order) {
            return false;
        }
        if let Some(entry) = self.remove_durable(last) {
            self.places.remove(&entry.task.key());
        }
        self.forget(last);
        true
    }

    fn remove_durable(&mut self, order: Order) -> Option<Entry<T>> {
        let entry = self.durable.remove(&order)?;
        if let Some(count) = &mut self.counts[usize::from(order.priority) - 1] {
            *count -= 1;
        }
        Some(entry)
    }

    /// From now on only the outbox holds the task of this place.
    fn forget(&mut self, order: Order) {
        let lower = |horizon: Option<Order>| Some(horizon.map_or(order, |horizon| horizon.min(order)));
        self.horizon = lower(self.horizon);
        self.forgotten += 1;
        if let Some(scan) = &mut self.scan {
            scan.horizon = lower(scan.horizon);
            scan.forgotten += 1;
        }
    }

    /// The place of the task that is next to be handed out.
    fn next(&self) -> Option<Order> {
        let durable = self.durable.first_key_value().map(|(&order, _)| order);
        let durable = durable.filter(|&order| self.horizon.is_none_or(|horizon| order < horizon));
        let transient = self.transient.first_key_value().map(|(&order, _)| order);
        [durable, transient].into_iter().flatten().min()
    }

    pub(crate) fn is_waiting(&self, key: T::Key) -> bool {
        matches!(self.places.get(&key), Some(Place::Waiting(_)))
    }

    pub(crate) fn has_next(&self) -> bool {
        self.next().is_some()
    }

    /// Hands out the next task.
    pub(crate) fn pop(&mut self) -> Option<(Order, Entry<T>)> {
        let order = self.next()?;
        let entry = self.remove(order)?;
        self.places.insert(entry.task.key(), Place::Out);
        Some((order, entry))
    }

    fn remove(&mut self, order: Order) -> Option<Entry<T>> {
        self.transient.remove(&order).or_else(|| self.remove_durable(order))
    }

    /// Takes a task back to its place. The bound is not applied: it was applied before the task was handed out.
    pub(crate) fn put_back(&mut self, order: Order, entry: Entry<T>) {
        let key = entry.task.key();
        debug_assert_eq!(self.places.get(&key), Some(&Place::Out), "only a task that is out comes back");
        self.again.remove(&key);
        self.put(key, order, entry);
    }

    /// A task that was out is done with, unless it was offered again meanwhile.
    pub(crate) fn settle(&mut self, key: T::Key) {
        if let Some(entry) = self.again.remove(&key) {
            self.places.remove(&key);
            self.insert(entry);
            return;
        }
        match &mut self.scan {
            Some(scan) => {
                self.places.insert(key, Place::Gone);
                scan.gone.push(key);
            }
            None => {
                self.places.remove(&key);
            }
        }
    }

    /// Takes out a task that waits, as if it had never come.
    pub(crate) fn withdraw(&mut self, key: T::Key) -> Option<Entry<T>> {
        let Some(&Place::Waiting(order)) = self.places.get(&key) else { return None };
        self.places.remove(&key);
        self.remove(order)
    }

    /// Takes out a task that waits and is done with.
    pub(crate) fn cancel(&mut self, key: T::Key) -> Option<Entry<T>> {
        let entry = self.withdraw(key)?;
        self.settle(key);
        Some(entry)
    }

    /// Takes out all that waits, in order, and forgets that there may be more.
    pub(crate) fn take_all(&mut self) -> Vec<Entry<T>> {
        self.end_scan();
        self.horizon = None;
        self.forgotten = 0;
        self.counts = self.counts.map(|count| count.map(|_| 0));
        let mut all = std::mem::take(&mut self.durable);
        all.append(&mut self.transient);
        let all: Vec<_> = all.into_values().collect();
        for entry in &all {
            self.places.remove(&entry.task.key());
        }
        all
    }

    /// Whether it is time to load what was forgotten.
    pub(crate) fn wants_refill(&self) -> bool {
        self.horizon.is_some() && self.scan.is_none() && (self.durable.len() <= self.refill_below || !self.has_next())
    }

    /// Begins a scan and names it; `None` if one runs already or nothing was forgotten.
    pub(crate) fn begin_scan(&mut self) -> Option<u64> {
        if self.scan.is_some() || self.horizon.is_none() {
            return None;
        }
        let id = self.next_scan_id;
        self.next_scan_id += 1;
        self.scan = Some(Scan {
            id,
            horizon: None,
            forgotten: 0,
            gone: Vec::new(),
            added: 0,
            next_arrival: self.next_arrival,
            last_added: None,
        });
        self.next_arrival += SCAN_ARRIVALS;
        Some(id)
    }

    /// Adds a task that the scan found. False if the scan is not the running one any more.
    pub(crate) fn add_scanned(&mut self, scan_id: u64, entry: Entry<T>) -> bool {
        let Some(scan) = self.scan.as_mut().filter(|scan| scan.id == scan_id) else { return false };
        let key = entry.task.key();
        if self.places.contains_key(&key) {
            return true;
        }
        let order = Order::new(&entry, scan.next_arrival);
        scan.next_arrival += 1;
        if self.make_room(Some(order)) {
            self.put(key, order, entry);
            if let Some(scan) = &mut self.scan {
                scan.added += 1;
                scan.last_added = scan.last_added.max(Some(order));
            }
        } else {
            self.forget(order);
        }
        true
    }

    pub(crate) fn has_room(&self) -> bool {
        !self.is_full()
    }

    /// Ends the scan. If it was complete, memory lacks only what was forgotten since it began; if not, memory is taken
    /// to be complete up to the last task that the scan added.
    pub(crate) fn finish_scan(&mut self, scan_id: u64, complete: bool) {
        if self.scan.as_ref().is_none_or(|scan| scan.id != scan_id) {
            return;
        }
        let Some(scan) = self.end_scan() else { return };
        if complete {
            self.horizon = scan.horizon;
            self.forgotten = scan.forgotten;
        } else if let Some(last_added) = scan.last_added {
            let reached = self.horizon.max(Some(last_added.successor()));
            self.horizon = [reached, scan.horizon].into_iter().flatten().min();
            self.forgotten = self.forgotten.saturating_sub(scan.added);
        }
    }

    /// Gives up the scan: what it added stays, what was forgotten remains so.
    pub(crate) fn abort_scan(&mut self, scan_id: u64) {
        if self.scan.as_ref().is_some_and(|scan| scan.id == scan_id) {
            self.end_scan();
        }
    }

    fn end_scan(&mut self) -> Option<Scan<T::Key>> {
        let mut scan = self.scan.take()?;
        for key in scan.gone.drain(..) {
            if self.places.get(&key) == Some(&Place::Gone) {
                self.places.remove(&key);
            }
        }
        Some(scan)
    }

    /// Durable tasks that wait, those in the outbox included.
    pub(crate) fn count(&self) -> u64 {
        self.durable.len() as u64 + self.forgotten
    }

    pub(crate) fn oldest_scheduled_time_ms(&self) -> Option<i64> {
        (1..=PRIORITY_MAX).filter_map(|priority| self.oldest_of(priority)).min()
    }

    fn oldest_of(&self, priority: u8) -> Option<i64> {
        let (order, _) = self.durable.range(Order::first_of(priority)..Order::first_of(priority + 1)).next()?;
        Some(order.scheduled_time_ms)
    }

    /// All but the rates.
    pub(crate) fn stats(&self) -> BacklogStats {
        let of = |(priority, count): (u8, Option<u64>)| {
            count.map(|count| PriorityStats { priority, count, oldest_scheduled_time_ms: self.oldest_of(priority) })
        };
        BacklogStats {
            count: self.count(),
            oldest_scheduled_time_ms: self.oldest_scheduled_time_ms(),
            by_priority: (1..=PRIORITY_MAX).zip(self.counts).filter_map(of).collect(),
            ..BacklogStats::default()
        }
    }
}
