//! A task, a clock that the test moves, and polls that are looked at without waiting.

use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll as Progress, Waker};

use abide_matching::{Clock, Entry, Matching, Offer, Options, Poll, PollerInfo, QueueId, Taken, Task, TaskKind};
use tokio::sync::watch;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TestTask {
    pub(crate) key: u32,
    pub(crate) durable: bool,
}

impl Task for TestTask {
    type Key = u32;
    type Poller = &'static str;

    fn key(&self) -> u32 {
        self.key
    }

    fn is_durable(&self) -> bool {
        self.durable
    }
}

pub(crate) struct TestClock(watch::Sender<i64>);

impl TestClock {
    pub(crate) fn set(&self, now_ms: i64) {
        self.0.send_replace(now_ms);
    }
}

impl Clock for TestClock {
    fn now_ms(&self) -> i64 {
        *self.0.borrow()
    }

    fn sleep_until_ms(&self, at_ms: i64) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let mut now_ms = self.0.subscribe();
        Box::pin(async move {
            now_ms.wait_for(|&now_ms| now_ms >= at_ms).await.unwrap();
        })
    }
}

pub(crate) type Queues = Matching<TestTask>;

pub(crate) fn queues(options: Options) -> (Queues, Arc<TestClock>) {
    let clock = Arc::new(TestClock(watch::Sender::new(0)));
    (Matching::new(options, Arc::clone(&clock) as Arc<dyn Clock>), clock)
}

pub(crate) fn workflow_queue() -> QueueId {
    QueueId::normal([1; 16], TaskKind::Workflow, "tq")
}

pub(crate) fn activity_queue() -> QueueId {
    QueueId::normal([1; 16], TaskKind::Activity, "tq")
}

pub(crate) fn sticky_queue() -> QueueId {
    QueueId::sticky([1; 16], "worker-1")
}

pub(crate) fn task(key: u32) -> Entry<TestTask> {
    entry(key, 3, 0)
}

pub(crate) fn entry(key: u32, priority: u8, scheduled_time_ms: i64) -> Entry<TestTask> {
    Entry { task: TestTask { key, durable: true }, priority, scheduled_time_ms }
}

pub(crate) fn query(key: u32) -> Entry<TestTask> {
    Entry { task: TestTask { key, durable: false }, priority: 3, scheduled_time_ms: 0 }
}

pub(crate) fn offer_all(queues: &Queues, queue: &QueueId, keys: impl IntoIterator<Item = u32>) {
    for key in keys {
        assert_eq!(queues.offer(queue, task(key)), Offer::Queued);
    }
}

pub(crate) fn poller(identity: &str) -> PollerInfo<&'static str> {
    PollerInfo { identity: identity.into(), ..PollerInfo::default() }
}

pub(crate) fn start_poll(queues: &Queues, queue: &QueueId) -> Poll<TestTask> {
    queues.poll(queue, poller("me"))
}

/// What the poll has now, without waiting for more.
pub(crate) fn look(poll: &mut Poll<TestTask>) -> Progress<Option<Taken<TestTask>>> {
    Pin::new(poll).poll(&mut Context::from_waker(Waker::noop()))
}

pub(crate) fn is_ended(poll: &mut Poll<TestTask>) -> bool {
    matches!(look(poll), Progress::Ready(None))
}

pub(crate) fn is_waiting(poll: &mut Poll<TestTask>) -> bool {
    look(poll).is_pending()
}

/// Polls once; nobody waits afterwards.
pub(crate) fn take(queues: &Queues, queue: &QueueId) -> Option<Taken<TestTask>> {
    match look(&mut start_poll(queues, queue)) {
        Progress::Ready(taken) => taken,
        Progress::Pending => None,
    }
}

/// Polls until nothing is left; the keys in the order they came.
pub(crate) fn drain(queues: &Queues, queue: &QueueId) -> Vec<u32> {
    std::iter::from_fn(|| Some(take(queues, queue)?.finish().task.key)).collect()
}

/// The queue that asks for a refill, if one does now.
pub(crate) fn refill_wanted(queues: &Queues) -> Option<QueueId> {
    match pin!(queues.refill_wanted()).poll(&mut Context::from_waker(Waker::noop())) {
        Progress::Ready(queue) => Some(queue),
        Progress::Pending => None,
    }
}
