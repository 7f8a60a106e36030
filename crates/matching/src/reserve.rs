//! A waiting poll that is kept for a task which is not durable yet.

use std::sync::Arc;

use crate::entry::{Entry, Task};
use crate::matching::{Matching, Shared};
use crate::queue::Queue;
use crate::queue_id::QueueId;

/// A waiting poll, kept for one task: it gets that task through [`Reserved::deliver`], or waits on in its old place when
/// this is dropped.
#[must_use = "a poll is kept only as long as this lives"]
pub struct Reserved<T: Task> {
    shared: Arc<Shared<T>>,
    queue: Arc<Queue<T>>,
    /// `None` only once the poll has its task.
    id: Option<u64>,
    identity: String,
}

impl<T: Task> Matching<T> {
    /// Keeps the longest-waiting poll for a task that is on its way. `None` if no poll waits, if a task waits that comes
    /// first, or if the rate limit holds tasks back: then the task is to be offered once it is durable.
    pub fn reserve(&self, queue: &QueueId) -> Option<Reserved<T>> {
        let queue = self.find(queue)?;
        let (id, identity) = queue.update(&self.shared, |state, _, now_ms| state.reserve(now_ms)).flatten()?;
        Some(Reserved { shared: Arc::clone(&self.shared), queue, id: Some(id), identity })
    }
}

impl<T: Task> Reserved<T> {
    /// Who polls.
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Gives the poll its task. The queue does not know of the task: who polls must see to it if it is dropped.
    ///
    /// # Errors
    /// Gives the task back if the poll is not there any more.
    pub fn deliver(mut self, entry: Entry<T>) -> Result<(), Entry<T>> {
        let Some(id) = self.id.take() else { return Err(entry) };
        let mut entry = Some(entry);
        self.queue.update(&self.shared, |state, signals, now_ms| {
            if let Some(waiter) = state.reserved.remove(&id) {
                let entry = entry.take()?;
                state.count_add(now_ms);
                let handed = state.on_its_way(waiter.since_ms, None, entry, now_ms);
                state.hand(id, waiter, handed, signals);
            } else {
                state.limiter.refund();
            }
            Some(())
        });
        entry.map_or(Ok(()), Err)
    }
}

impl<T: Task> Drop for Reserved<T> {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            self.queue.update(&self.shared, |state, signals, _| state.release(id, signals));
        }
    }
}
