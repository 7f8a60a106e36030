//! How the calls of a connection are run.
use std::{
    future::Future,
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Waker},
};

use hyper::rt::Executor;
use hyper_util::rt::TokioExecutor;

type Call = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Makes a task of each call, but for those that end as soon as they begin: most calls are refusals when there is the
/// least time for them. They are run together, so that their replies are written together.
#[derive(Clone, Default)]
pub(super) struct Calls {
    tasks: TokioExecutor,
    next_is_brief: Arc<AtomicBool>,
    brief: Arc<Mutex<Vec<Call>>>,
}

impl Calls {
    /// Says of the call that is handed over next whether it is expected to end at once.
    pub(super) fn expect(&self, is_brief: bool) {
        self.next_is_brief.store(is_brief, Ordering::Relaxed);
    }

    /// Runs the calls that are expected to end at once.
    pub(super) fn run_brief(&self) {
        let mut brief = std::mem::take(&mut *self.brief.lock().unwrap_or_else(PoisonError::into_inner));
        for mut call in brief.drain(..) {
            // A task asks again at once, with a waker of its own.
            if call.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending() {
                self.tasks.execute(call);
            }
        }
        *self.brief.lock().unwrap_or_else(PoisonError::into_inner) = brief;
    }
}

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Calls {
    fn execute(&self, call: F) {
        if self.next_is_brief.load(Ordering::Relaxed) {
            self.brief.lock().unwrap_or_else(PoisonError::into_inner).push(Box::pin(call));
        } else {
            self.tasks.execute(call);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future, sync::mpsc, task::Poll, thread};

    use super::*;

    /// A call that needs so many turns; tells the thread of the last.
    fn call(turns: usize, told: mpsc::Sender<thread::ThreadId>) -> impl Future<Output = ()> + Send + 'static {
        let mut left = turns;
        future::poll_fn(move |cx| {
            left -= 1;
            if left > 0 {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            told.send(thread::current().id()).expect("the test waits");
            Poll::Ready(())
        })
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 1)]
    async fn brief_calls_run_where_they_come_in_and_all_others_are_tasks() {
        // A test's own thread is none of the runtime's.
        let (calls, here) = (Calls::default(), thread::current().id());
        let run = |is_brief, turns| {
            let (told, last) = mpsc::channel();
            calls.expect(is_brief);
            calls.execute(call(turns, told));
            calls.run_brief();
            last.recv().expect("the call ends") == here
        };
        assert!(run(true, 1));
        assert!(!run(true, 2), "it was not as brief as expected, and ended all the same");
        assert!(!run(false, 1));
    }
}
