//! Task queues: tasks that wait for pollers, or pollers that wait for tasks.
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use rustc_hash::FxHashMap;
use tokio::sync::oneshot;

/// Queues of one kind of task, by name.
pub(super) struct Queues<T> {
    queues: Mutex<FxHashMap<String, Queue<T>>>,
}

struct Queue<T> {
    tasks: VecDeque<T>,
    pollers: VecDeque<oneshot::Sender<T>>,
}

/// What a poll gets.
pub(super) enum Polled<T> {
    Task(T),
    Wait(oneshot::Receiver<T>),
}

impl<T> Queues<T> {
    pub(super) fn new() -> Self {
        Queues { queues: Mutex::new(FxHashMap::default()) }
    }

    fn queues(&self) -> MutexGuard<'_, FxHashMap<String, Queue<T>>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands the task to the poller that has waited longest, or keeps it for the next.
    pub(super) fn offer(&self, name: &str, mut task: T) {
        let mut queues = self.queues();
        let queue = queue(&mut queues, name);
        while let Some(poller) = queue.pollers.pop_front() {
            match poller.send(task) {
                Ok(()) => return,
                Err(back) => task = back, // that poller has gone away
            }
        }
        queue.tasks.push_back(task);
    }

    /// Takes the oldest task, or a place in the line of pollers.
    pub(super) fn poll(&self, name: &str) -> Polled<T> {
        let mut queues = self.queues();
        let queue = queue(&mut queues, name);
        if let Some(task) = queue.tasks.pop_front() {
            return Polled::Task(task);
        }
        let (sender, receiver) = oneshot::channel();
        queue.pollers.push_back(sender);
        Polled::Wait(receiver)
    }
}

fn queue<'q, T>(queues: &'q mut FxHashMap<String, Queue<T>>, name: &str) -> &'q mut Queue<T> {
    if !queues.contains_key(name) {
        queues.insert(name.to_owned(), Queue { tasks: VecDeque::new(), pollers: VecDeque::new() });
    }
    queues.get_mut(name).expect("it was put there above")
}
