//! Who takes a workflow task.

/// Who takes the task, and from where.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Taker {
    pub identity: String,
    /// The same id again is the same take: it gets the same answer.
    pub request_id: String,
    /// The sticky queue that was polled; empty for the normal queue.
    pub sticky_queue: String,
}
