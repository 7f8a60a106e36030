//! Tasks as a queue sees them, and the order they wait in.

use std::hash::Hash;

/// What can be queued.
pub trait Task: Send + 'static {
    /// Names the task for as long as it lives, for example shard and outbox sequence. Never used for another task.
    type Key: Copy + Eq + Hash + Send;
    /// What the caller wants remembered of a poller besides its identity.
    type Poller: Clone + Send;

    fn key(&self) -> Self::Key;

    /// Whether the caller can find the task again after the queue forgot it. A query is not durable: its queue never
    /// forgets it, and does not count it as backlog.
    fn is_durable(&self) -> bool {
        true
    }
}

/// A task with what decides its place in the queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry<T> {
    pub task: T,
    /// 1 (first) to 5 (last); 0 stands for the default 3, more than 5 for 5.
    pub priority: u8,
    /// When the task became due, milliseconds since the Unix epoch.
    pub scheduled_time_ms: i64,
}

const PRIORITY_DEFAULT: u8 = 3;
pub(crate) const PRIORITY_MAX: u8 = 5;

/// A place in the order of one queue. A task that is given back keeps its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Order {
    pub(crate) priority: u8,
    pub(crate) scheduled_time_ms: i64,
    pub(crate) arrival: u64,
}

impl Order {
    pub(crate) fn new<T>(entry: &Entry<T>, arrival: u64) -> Self {
        let priority = if entry.priority == 0 { PRIORITY_DEFAULT } else { entry.priority.min(PRIORITY_MAX) };
        Self { priority, scheduled_time_ms: entry.scheduled_time_ms, arrival }
    }

    /// The first place of a priority.
    pub(crate) const fn first_of(priority: u8) -> Self {
        Self { priority, scheduled_time_ms: i64::MIN, arrival: 0 }
    }

    /// The place right behind this one.
    pub(crate) fn successor(self) -> Self {
        Self { arrival: self.arrival + 1, ..self }
    }
}
