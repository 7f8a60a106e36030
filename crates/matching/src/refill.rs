//! Loading again what a queue forgot.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::entry::{Entry, Task};
use crate::matching::Shared;
use crate::queue::Queue;
use crate::queue_id::QueueId;

/// The queues that ask for a refill, each once until its refill begins.
#[derive(Default)]
pub(crate) struct RefillRequests {
    queues: Mutex<VecDeque<QueueId>>,
    asked: Notify,
}

impl RefillRequests {
    pub(crate) fn ask(&self, queue: QueueId) {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner).push_back(queue);
        self.asked.notify_one();
    }

    pub(crate) async fn next(&self) -> QueueId {
        loop {
            if let Some(queue) = self.queues.lock().unwrap_or_else(PoisonError::into_inner).pop_front() {
                return queue;
            }
            self.asked.notified().await;
        }
    }
}

/// Whether a queue has room in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Room {
    Left,
    /// More tasks displace later ones. A scan that runs in the queue's order may stop here and finish as incomplete.
    Full,
    /// The queue was unloaded meanwhile: the scan is for nothing.
    Gone,
}

/// A refill under way. Begun *before* the outbox is read, so that the queue can tell what the scan is too old to know:
/// tasks that it has already, that are out, or that were finished since then are not added a second time.
///
/// Dropped before [`Refill::finish`], it is given up, and the queue asks again at once; after a failed scan the caller
/// waits a little before it drops it.
#[must_use = "a refill that is dropped is given up"]
pub struct Refill<T: Task> {
    shared: Arc<Shared<T>>,
    queue: Arc<Queue<T>>,
    scan_id: Option<u64>,
}

impl<T: Task> Refill<T> {
    pub(crate) fn new(shared: Arc<Shared<T>>, queue: Arc<Queue<T>>, scan_id: u64) -> Self {
        Self { shared, queue, scan_id: Some(scan_id) }
    }

    /// Adds tasks of the queue that were found in the outbox, in any order; ones it knows are skipped.
    pub fn add(&mut self, entries: impl IntoIterator<Item = Entry<T>>) -> Room {
        let Some(scan_id) = self.scan_id else { return Room::Gone };
        let entries: Vec<_> = entries.into_iter().collect();
        let room = self.queue.update(&self.shared, |state, _, _| {
            let backlog = &mut state.backlog;
            if !entries.into_iter().all(|entry| backlog.add_scanned(scan_id, entry)) {
                return Room::Gone;
            }
            if backlog.has_room() { Room::Left } else { Room::Full }
        });
        room.unwrap_or(Room::Gone)
    }

    /// Ends the refill. `complete` says that every task of the queue that stood in the outbox was added. If it is false,
    /// the scan must have run in the order of priority and scheduled time as far as it got; otherwise later tasks may
    /// be handed out before earlier ones.
    pub fn finish(mut self, complete: bool) {
        if let Some(scan_id) = self.scan_id.take() {
            self.queue.update(&self.shared, |state, _, _| state.backlog.finish_scan(scan_id, complete));
        }
    }
}

impl<T: Task> Drop for Refill<T> {
    fn drop(&mut self) {
        if let Some(scan_id) = self.scan_id.take() {
            self.queue.update(&self.shared, |state, _, _| state.backlog.abort_scan(scan_id));
        }
    }
}
