//! Limits and windows of all queues.

/// Limits and windows. The defaults are the reference server's where it has one.
#[derive(Clone, Debug)]
pub struct Options {
    /// A sticky queue refuses tasks when nobody polled it for so long.
    pub sticky_unavailable_after_ms: i64,
    /// How long a poller is remembered after its last poll.
    pub poller_history_ms: i64,
    /// How many pollers, by identity, a queue remembers. The one not seen for the longest time is forgotten first.
    pub max_pollers_remembered: usize,
    /// A queue that nobody used for so long is dropped by `expire_idle`.
    pub idle_after_ms: i64,
    /// How many waiting tasks a queue keeps in memory; at least 1.
    pub max_backlog_entries: usize,
    /// A queue that forgot tasks asks for them when it holds no more than this.
    pub refill_below_entries: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            sticky_unavailable_after_ms: 10_000,
            poller_history_ms: 300_000,
            max_pollers_remembered: 1_000,
            idle_after_ms: 300_000,
            max_backlog_entries: 50_000,
            refill_below_entries: 12_500,
        }
    }
}
