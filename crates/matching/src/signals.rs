//! What is to be done once a queue's lock is released.

use std::task::Waker;

/// Polls to wake and whether to ask for a refill. One waker, the usual case, takes no allocation.
#[derive(Default)]
pub(crate) struct Signals {
    first: Option<Waker>,
    more: Vec<Waker>,
    pub(crate) ask_refill: bool,
}

impl Signals {
    pub(crate) fn wake(&mut self, waker: Option<Waker>) {
        match waker {
            Some(waker) if self.first.is_none() => self.first = Some(waker),
            Some(waker) => self.more.push(waker),
            None => {}
        }
    }

    pub(crate) fn wake_all(self) {
        self.first.into_iter().chain(self.more).for_each(Waker::wake);
    }
}
