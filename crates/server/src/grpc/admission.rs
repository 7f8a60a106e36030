//! Which calls are begun when more arrive than the server gets done.
//!
//! Two things are bounded: the calls under way, and the bytes that they bring or that wait to be made durable. A burst
//! may fill the bound, and is served. What finds it full shows that more arrives than gets done, and then a much lower
//! bound holds for new work, because a long line would only make everybody wait; until none was refused for a while.
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::HeaderMap;
use tonic::Status;

use crate::{
    dynamic_config::DynamicConfig,
    frontend,
    metrics::{Counter, Gauge, Metrics},
    status,
};

/// The overload is over when no call was refused for so long.
const CALM: Duration = Duration::from_secs(1);

/// Workers may go on for so many times as long as new work.
const WORKERS_RESERVE: usize = 2;

/// What a call is to a server that has too much to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Brings work that is not there yet, or asks for something.
    New,
    /// Takes or ends work that is there: refusing it would not make it less, and may have it done again.
    OfWorker,
}

impl Kind {
    pub(super) fn of(method: &str) -> Self {
        let of_worker = ["Respond", "RecordActivityTaskHeartbeat", "Poll"];
        if of_worker.iter().any(|begin| method.starts_with(begin)) { Self::OfWorker } else { Self::New }
    }
}

/// What the server has taken on.
pub(super) struct Admission {
    /// Calls that are not answered, whether they had their turn or not.
    arrived: AtomicUsize,
    /// Those of them that were let in.
    begun: AtomicUsize,
    /// Those of the latter that wait for a task or an event, which costs nothing and has a limit of its own.
    waiting: Gauge,
    message_bytes: AtomicUsize,
    /// On the server's clock; 0 is never.
    refused_at_ns: AtomicU64,
    calls_max: usize,
    calls_when_overloaded_max: usize,
    bytes_max: usize,
    refused_calls: Counter,
    refused_bytes: Counter,
}

/// A call that has arrived, until it is answered.
pub(super) struct Place {
    admission: Arc<Admission>,
    kind: Kind,
    has_begun: bool,
    message_bytes: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.admission.arrived.fetch_sub(1, Ordering::Relaxed);
        self.admission.begun.fetch_sub(usize::from(self.has_begun), Ordering::Relaxed);
        self.admission.message_bytes.fetch_sub(self.message_bytes, Ordering::Relaxed);
    }
}

impl Admission {
    /// `waiting` counts the calls that wait for a task or an event.
    pub(super) fn new(config: &DynamicConfig, waiting: Gauge, metrics: &Metrics) -> Arc<Self> {
        let made = Arc::new(Self {
            arrived: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
            waiting,
            message_bytes: AtomicUsize::new(0),
            refused_at_ns: AtomicU64::new(0),
            calls_max: config.calls_under_way_max,
            calls_when_overloaded_max: config.calls_when_overloaded_max,
            bytes_max: config.pending_bytes_max,
            refused_calls: frontend::refused(metrics, "calls_under_way"),
            refused_bytes: frontend::refused(metrics, "pending_bytes"),
        });
        let read = Arc::clone(&made);
        let help = "Calls that are not answered, without those that wait for a task or an event.";
        metrics.gauge_of("abide_calls_under_way", help, &[], move || read.at_work(&read.arrived) as f64);
        made
    }

    /// Counts a call when its connection hands it over, which is before it gets its turn.
    pub(super) fn arrive(self: &Arc<Self>, kind: Kind) -> Place {
        self.arrived.fetch_add(1, Ordering::Relaxed);
        Place { admission: Arc::clone(self), kind, has_begun: false, message_bytes: 0 }
    }

    fn at_work(&self, calls: &AtomicUsize) -> usize {
        let waiting = usize::try_from(self.waiting.get()).unwrap_or_default();
        calls.load(Ordering::Relaxed).saturating_sub(waiting)
    }

    fn is_overloaded(&self, now: Duration) -> bool {
        let refused_at_ns = self.refused_at_ns.load(Ordering::Relaxed);
        refused_at_ns != 0 && now < Duration::from_nanos(refused_at_ns) + CALM
    }
}

impl Place {
    /// Lets the call begin, or refuses it before anything is done for it. `pending_bytes` wait to be made durable.
    pub(super) fn admit(&mut self, now: Duration, pending_bytes: usize, headers: &HeaderMap) -> Result<(), Status> {
        let admission = &*self.admission;
        let is_operator = || headers.get("caller-type").is_some_and(|caller| caller.as_bytes() == b"operator");
        let is_new = self.kind == Kind::New && !is_operator();
        let reserve = if is_new { 1 } else { WORKERS_RESERVE };
        let over = |count: usize, max: usize| max > 0 && count > max.saturating_mul(reserve);
        let is_one_too_many = || {
            let max = admission.calls_when_overloaded_max;
            is_new && max > 0 && admission.is_overloaded(now) && admission.at_work(&admission.begun) >= max
        };
        if over(admission.at_work(&admission.arrived), admission.calls_max) || is_one_too_many() {
            let now_ns = u64::try_from(now.as_nanos()).unwrap_or(u64::MAX);
            admission.refused_at_ns.store(now_ns, Ordering::Relaxed);
            admission.refused_calls.add(1);
            return Err(status::overloaded());
        }
        if over(pending_bytes + admission.message_bytes.load(Ordering::Relaxed), admission.bytes_max) {
            admission.refused_bytes.add(1);
            return Err(status::overloaded());
        }
        admission.begun.fetch_add(1, Ordering::Relaxed);
        self.has_begun = true;
        Ok(())
    }

    /// Counts the call's message for as long as it is under way.
    pub(super) fn hold(&mut self, message_bytes: usize) {
        self.admission.message_bytes.fetch_add(message_bytes, Ordering::Relaxed);
        self.message_bytes += message_bytes;
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NOW: Duration = Duration::from_secs(100);

    fn admission(calls_under_way_max: usize, calls_when_overloaded_max: usize, pending_bytes_max: usize) -> Arc<Admission> {
        let config =
            DynamicConfig { calls_under_way_max, calls_when_overloaded_max, pending_bytes_max, ..Default::default() };
        Admission::new(&config, Gauge::default(), &Metrics::default())
    }

    fn admitted(place: &mut Place, now: Duration, pending_bytes: usize) -> bool {
        place.admit(now, pending_bytes, &HeaderMap::new()).is_ok()
    }

    #[test]
    fn methods_are_told_apart() {
        for (method, kind) in [
            ("StartWorkflowExecution", Kind::New),
            ("GetWorkflowExecutionHistory", Kind::New),
            ("RecordWorkerHeartbeat", Kind::New),
            ("RespondActivityTaskCompletedById", Kind::OfWorker),
            ("RecordActivityTaskHeartbeat", Kind::OfWorker),
            ("PollWorkflowTaskQueue", Kind::OfWorker),
        ] {
            assert_eq!(Kind::of(method), kind, "{method}");
        }
    }

    #[test]
    fn workers_and_operators_go_on_when_new_work_is_refused() {
        let admission = admission(1, 0, 0);
        let mut first = admission.arrive(Kind::New);
        assert!(admitted(&mut first, NOW, 0));
        let mut second = admission.arrive(Kind::New);
        assert!(!admitted(&mut second, NOW, 0));
        let operator = HeaderMap::from_iter([("caller-type".parse().unwrap(), "operator".parse().unwrap())]);
        assert!(second.admit(NOW, 0, &operator).is_ok());
        drop(second);
        let mut answer = admission.arrive(Kind::OfWorker);
        assert!(admitted(&mut answer, NOW, 0));
        assert!(!admitted(&mut admission.arrive(Kind::OfWorker), NOW, 0), "the reserve has an end too");
        drop((first, answer));
        assert!(admitted(&mut admission.arrive(Kind::New), NOW, 0));
        assert_eq!(admission.refused_calls.get(), 2);
    }

    #[test]
    fn calls_that_wait_are_not_under_way() {
        let admission = admission(1, 0, 0);
        let mut poll = admission.arrive(Kind::OfWorker);
        assert!(admitted(&mut poll, NOW, 0));
        assert!(!admitted(&mut admission.arrive(Kind::New), NOW, 0));
        admission.waiting.add(1);
        assert!(admitted(&mut admission.arrive(Kind::New), NOW, 0));
    }

    #[test]
    fn once_full_it_lets_few_begin_until_none_was_refused_for_a_while() {
        let admission = admission(4, 2, 0);
        let mut calls: Vec<Place> = (0..5).map(|_| admission.arrive(Kind::New)).collect();
        assert!(!admitted(&mut calls[0], NOW, 0), "five are more than four");
        calls.remove(0);
        let begun: Vec<bool> = calls.iter_mut().map(|call| admitted(call, NOW, 0)).collect();
        assert_eq!(begun, [true, true, false, false]);
        calls.truncate(3);
        assert!(admitted(&mut admission.arrive(Kind::OfWorker), NOW, 0));
        let soon = NOW + CALM / 2;
        assert!(!admitted(&mut calls[2], soon, 0));
        assert!(!admitted(&mut calls[2], soon + CALM / 2, 0), "the last refusal counts");
        assert!(admitted(&mut calls[2], soon + CALM / 2 + CALM, 0));
    }

    #[test]
    fn bytes_count_from_the_message_to_the_disk() {
        let admission = admission(0, 0, 100);
        let mut large = admission.arrive(Kind::New);
        assert!(admitted(&mut large, NOW, 100));
        large.hold(60);
        assert!(admitted(&mut admission.arrive(Kind::New), NOW, 40));
        assert!(!admitted(&mut admission.arrive(Kind::New), NOW, 41));
        assert!(admitted(&mut admission.arrive(Kind::OfWorker), NOW, 140));
        assert!(!admitted(&mut admission.arrive(Kind::OfWorker), NOW, 141));
        drop(large);
        assert!(admitted(&mut admission.arrive(Kind::New), NOW, 100));
        assert_eq!(admission.refused_bytes.get(), 2);
    }
}
