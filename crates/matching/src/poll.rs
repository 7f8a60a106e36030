//! A worker's poll, and the task it gets.

use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll as Progress};

use crate::entry::{Entry, Task};
use crate::matching::Shared;
use crate::queue::{Handed, Look, Queue, State};

type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A poll that waits for a task: a future. `None` means that the poll was ended ([`crate::Matching::end_polls`],
/// [`crate::Matching::end_all_polls`], [`crate::Matching::unload_sticky`]). The caller applies its own deadline.
///
/// Dropping it takes the poll out of the queue at once; a task that was already on its way to it goes back.
#[must_use = "a poll that is dropped has left the queue"]
pub struct Poll<T: Task> {
    shared: Arc<Shared<T>>,
    queue: Arc<Queue<T>>,
    /// `None` once the poll is over.
    id: Option<u64>,
    identity: String,
    /// The time at which the rate limit lets the next task go, if it is this poll that watches for it.
    watch: Option<(i64, Sleep)>,
}

impl<T: Task> Poll<T> {
    pub(crate) fn new(shared: Arc<Shared<T>>, queue: Arc<Queue<T>>, id: Option<u64>, identity: String) -> Self {
        Self { shared, queue, id, identity, watch: None }
    }

    /// Leaves the queue, unless a task is on its way to this poll: false then, and the poll is to be awaited on.
    pub fn withdraw(&mut self) -> bool {
        let Some(id) = self.id else { return true };
        let left = self.queue.update(&self.shared, |state, _, now_ms| state.withdraw(id, &self.identity, now_ms));
        if left == Some(true) {
            self.id = None;
        }
        left != Some(false)
    }

    /// Whether the worker was told of a backlog in a sticky queue that is gone by now, as this poll waits. It may poll nothing but
    /// this queue because of that: [`Poll::retract_backlog`].
    pub fn follows_a_told_backlog(&self) -> bool {
        self.queue.id.sticky && self.queue.lock().has_told_backlog
    }

    /// Leaves the queue, for its empty answer to say that nothing waits here any more. False if another poll did so before, or a
    /// task is on its way to this one: it is to be awaited on then.
    pub fn retract_backlog(&mut self) -> bool {
        let Some(id) = self.id else { return true };
        let retracted = self.queue.update(&self.shared, |state, _, now_ms| {
            let retracts = state.has_told_backlog && state.withdraw(id, &self.identity, now_ms);
            state.has_told_backlog &= !retracts;
            retracts
        });
        if retracted == Some(true) {
            self.id = None;
        }
        retracted == Some(true)
    }

    fn taken(&mut self, handed: Handed<T>) -> Taken<T> {
        Taken { shared: Arc::clone(&self.shared), queue: Arc::clone(&self.queue), handed: Some(handed) }
    }
}

impl<T: Task> Future for Poll<T> {
    type Output = Option<Taken<T>>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Progress<Self::Output> {
        let this = &mut *self;
        loop {
            let Some(id) = this.id else { return Progress::Ready(None) };
            let now_ms = this.shared.clock.now_ms();
            let look = this.queue.lock().look(id, &this.identity, cx, now_ms);
            let at_ms = match look {
                Look::Task(handed) => {
                    this.id = None;
                    return Progress::Ready(Some(this.taken(handed)));
                }
                Look::Ended => {
                    this.id = None;
                    return Progress::Ready(None);
                }
                Look::Wait(None) => {
                    this.watch = None;
                    return Progress::Pending;
                }
                Look::Wait(Some(at_ms)) => at_ms,
            };
            if this.watch.as_ref().is_none_or(|(watched_ms, _)| *watched_ms != at_ms) {
                this.watch = Some((at_ms, this.shared.clock.sleep_until_ms(at_ms)));
            }
            let Some((_, sleep)) = &mut this.watch else { return Progress::Pending };
            if sleep.as_mut().poll(cx).is_pending() {
                return Progress::Pending;
            }
            this.watch = None;
            // The update itself hands out what the limit lets go now, to this poll first.
            this.queue.update(&this.shared, |_, _, _| ());
        }
    }
}

impl<T: Task> Drop for Poll<T> {
    fn drop(&mut self) {
        if let Some(id) = self.id.take() {
            // Dropped behind the lock, for it may have much to do.
            drop(self.queue.update(&self.shared, |state, _, now_ms| state.leave(id, &self.identity, now_ms)));
        }
    }
}

/// A task that a poll got. The queue still knows of it until [`Taken::finish`]; dropped before that, it goes back to its
/// place in the order, for the next poll. One that came through [`crate::Reserved::deliver`] has no place and is just dropped. Who drops it because a start failed for a passing reason waits a little first,
/// or the next poll runs into the same failure at once.
#[must_use = "a task that is dropped goes back to its queue"]
pub struct Taken<T: Task> {
    shared: Arc<Shared<T>>,
    queue: Arc<Queue<T>>,
    /// `None` only once it is finished.
    handed: Option<Handed<T>>,
}

impl<T: Task> Taken<T> {
    /// The start is committed, or the task is obsolete: the queue forgets it.
    pub fn finish(mut self) -> Entry<T> {
        self.settle(|_| ()).0
    }

    /// The same, to tell the worker how many tasks still wait: the answer. It is counted as late as here because a worker that
    /// has one more task in mind than there are may wait for it in vain.
    pub fn finish_and_count(mut self) -> u64 {
        let is_sticky = self.queue.id.sticky;
        let (_, count) = self.settle(|state| {
            let count = state.backlog.count();
            state.has_told_backlog |= is_sticky && count > 0;
            count
        });
        count.unwrap_or(0)
    }

    /// The entry, and what `then` says. Nothing for a task that has no place here: it met a poll, so nothing waited.
    fn settle<R>(&mut self, then: impl FnOnce(&mut State<T>) -> R) -> (Entry<T>, Option<R>) {
        let handed = self.handed.take().expect("only finish and drop empty it, and both end its life");
        if handed.order.is_none() {
            return (handed.entry, None);
        }
        let key = handed.entry.task.key();
        let said = self.queue.update(&self.shared, |state, _, _| {
            state.backlog.settle(key);
            then(state)
        });
        (handed.entry, said)
    }

    /// The same as dropping it.
    pub fn give_back(self) {}

    /// How long the poll waited for it.
    pub fn waited_ms(&self) -> i64 {
        self.handed().waited_ms
    }

    /// Advice to the worker: one more concurrent poll (1), one fewer (-1), or none.
    pub fn scaling_delta(&self) -> Option<i32> {
        self.handed().scaling_delta
    }

    fn handed(&self) -> &Handed<T> {
        self.handed.as_ref().expect("only finish and drop empty it, and both end its life")
    }
}

impl<T: Task> Deref for Taken<T> {
    type Target = Entry<T>;

    fn deref(&self) -> &Entry<T> {
        &self.handed().entry
    }
}

impl<T: Task> Drop for Taken<T> {
    fn drop(&mut self) {
        if let Some(handed) = self.handed.take() {
            drop(self.queue.update(&self.shared, |state, _, _| state.take_back(handed)));
        }
    }
}
