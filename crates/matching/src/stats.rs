//! What a queue says about its backlog.

/// The backlog of one queue. Only durable tasks count.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct BacklogStats {
    /// Tasks that wait, those included that only the outbox holds; approximate only if there are such.
    pub count: u64,
    /// Of the task that waits longest in memory.
    pub oldest_scheduled_time_ms: Option<i64>,
    /// The priorities that ever had a task since the queue was loaded, in order.
    pub by_priority: Vec<PriorityStats>,
    /// Over the last 30 s.
    pub adds_per_second: f32,
    /// Over the last 30 s.
    pub dispatches_per_second: f32,
}

/// The backlog of one priority, in memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PriorityStats {
    pub priority: u8,
    pub count: u64,
    pub oldest_scheduled_time_ms: Option<i64>,
}
