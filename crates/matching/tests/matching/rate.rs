//! Rate limits: who sets them, what they hold back, and who watches the clock.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll as Progress, Wake, Waker};

use abide_matching::{Options, Poll, PollerInfo, QueueId, RateLimit, RateLimitSource};

use crate::support::{
    Queues, TestTask, activity_queue, drain, is_waiting, look, offer_all, poller, queues, start_poll, workflow_queue,
};

fn poll_at(queues: &Queues, queue: &QueueId, rate_per_second: f64) -> Poll<TestTask> {
    queues.poll(queue, PollerInfo { rate_per_second: Some(rate_per_second), ..poller("me") })
}

/// Counts how often it is woken.
#[derive(Default)]
struct Counter(AtomicUsize);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

/// A poll whose wakes are counted, looked at once.
fn counted(mut poll: Poll<TestTask>) -> (Poll<TestTask>, Arc<Counter>) {
    let counter = Arc::new(Counter::default());
    look_as(&mut poll, &counter);
    (poll, counter)
}

fn look_as(poll: &mut Poll<TestTask>, counter: &Arc<Counter>) -> bool {
    let waker = Waker::from(Arc::clone(counter));
    match std::pin::Pin::new(poll).poll(&mut Context::from_waker(&waker)) {
        Progress::Ready(taken) => {
            taken.unwrap().finish();
            true
        }
        Progress::Pending => false,
    }
}

#[test]
fn the_last_poll_that_names_a_rate_sets_it() {
    let (queues, _) = queues(Options::default());
    let queue = activity_queue();
    assert_eq!(queues.rate_limit(&queue), None);
    drop(poll_at(&queues, &queue, 5.0));
    drop(poll_at(&queues, &queue, 2.0));
    drop(start_poll(&queues, &queue));
    assert_eq!(queues.rate_limit(&queue), Some(RateLimit { per_second: 2.0, source: RateLimitSource::Worker }));
    offer_all(&queues, &queue, 1..=3);
    assert_eq!(drain(&queues, &queue), [1, 2]);

    drop(poll_at(&queues, &workflow_queue(), 2.0));
    assert_eq!(queues.rate_limit(&workflow_queue()), None, "workflow tasks are not held back");
}

#[test]
fn only_the_first_poll_watches_the_clock_and_it_is_woken_when_a_token_comes() {
    let (queues, clock) = queues(Options::default());
    let queue = activity_queue();
    drop(poll_at(&queues, &queue, 1.0));
    offer_all(&queues, &queue, 1..=4);
    assert_eq!(drain(&queues, &queue), [1]);
    let (mut first, first_woken) = counted(start_poll(&queues, &queue));
    let (mut second, second_woken) = counted(start_poll(&queues, &queue));
    let woken = || (first_woken.0.load(Ordering::SeqCst), second_woken.0.load(Ordering::SeqCst));

    clock.set(999);
    assert!(!look_as(&mut first, &first_woken));
    let (before, _) = woken();
    clock.set(1_000);
    assert_eq!(woken(), (before + 1, 0));
    assert!(look_as(&mut first, &first_woken));
    assert_eq!(woken().1, 1, "the watch passes on");
    assert!(!look_as(&mut second, &second_woken));
    clock.set(2_000);
    assert_eq!(woken().1, 2);
    assert!(look_as(&mut second, &second_woken));
}

#[test]
fn the_watch_passes_on_when_the_watcher_leaves() {
    let (queues, clock) = queues(Options::default());
    let queue = activity_queue();
    drop(poll_at(&queues, &queue, 1.0));
    offer_all(&queues, &queue, 1..=2);
    assert_eq!(drain(&queues, &queue), [1]);
    let (first, _) = counted(start_poll(&queues, &queue));
    let (mut second, woken) = counted(start_poll(&queues, &queue));
    drop(first);
    assert_eq!(woken.0.load(Ordering::SeqCst), 1);
    assert!(!look_as(&mut second, &woken));
    clock.set(1_000);
    assert_eq!(woken.0.load(Ordering::SeqCst), 2);
    assert!(look_as(&mut second, &woken));
}

#[test]
fn zero_holds_everything_back_until_the_limit_is_lifted() {
    let (queues, clock) = queues(Options::default());
    let queue = activity_queue();
    queues.set_rate_limit(&queue, Some(0.0));
    offer_all(&queues, &queue, 1..=2);
    let mut poll = poll_at(&queues, &queue, 100.0);
    clock.set(10_000_000);
    assert!(is_waiting(&mut poll));
    assert_eq!(queues.rate_limit(&queue), Some(RateLimit { per_second: 0.0, source: RateLimitSource::Api }));
    queues.set_rate_limit(&queue, None);
    assert!(is_waiting(&mut poll), "the worker's own limit starts without tokens");
    clock.set(10_000_010);
    assert!(look(&mut poll).is_ready());
}

#[test]
fn a_task_that_is_given_back_costs_nothing() {
    let (queues, _) = queues(Options::default());
    let queue = activity_queue();
    drop(poll_at(&queues, &queue, 1.0));
    offer_all(&queues, &queue, 1..=2);
    let mut unused = start_poll(&queues, &queue);
    let Progress::Ready(Some(taken)) = look(&mut unused) else { panic!("the first token is there") };
    taken.give_back();
    drop(start_poll(&queues, &queue));
    assert_eq!(drain(&queues, &queue), [1]);
}
