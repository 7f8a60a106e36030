//! Which calls are begun when more arrive than the server gets done.
//!
//! Three things are bounded: the calls under way, the bytes that they bring and that wait to be made durable, and how
//! long calls stand in line for a processor. New work is refused first; see [`Kind`].
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use http::HeaderMap;
use tonic::Status;

use super::line::Line;
use crate::{
    dynamic_config::DynamicConfig,
    frontend,
    metrics::{Counter, Metrics},
    status,
};

/// What a call is to a server that has too much to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Brings work that is not there yet.
    New,
    /// Ends work that a worker has: refusing it would have the work done again.
    Answer,
    /// Waits for work, or for news of it. There are limits of its own on how many do (`frontend::limits`).
    Wait,
}

impl Kind {
    pub(super) fn of(method: &str) -> Self {
        if method.starts_with("Respond") || method.starts_with("RecordActivityTaskHeartbeat") {
            Self::Answer
        } else if method.starts_with("Poll") || method == "GetWorkflowExecutionHistory" {
            Self::Wait
        } else {
            Self::New
        }
    }
}

/// Answers may go on for so many times as long as new work.
const ANSWERS_RESERVE: usize = 2;

/// What the server has taken on.
pub(super) struct Admission {
    calls: AtomicUsize,
    message_bytes: AtomicUsize,
    line: Line,
    calls_max: usize,
    bytes_max: usize,
    refused_calls: Counter,
    refused_bytes: Counter,
    refused_line: Counter,
}

/// A call that has arrived, until it is answered.
pub(super) struct Place {
    admission: Arc<Admission>,
    kind: Kind,
    at: Duration,
    /// Calls under way when it came, itself included.
    calls: usize,
    message_bytes: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.kind != Kind::Wait {
            self.admission.calls.fetch_sub(1, Ordering::Relaxed);
        }
        self.admission.message_bytes.fetch_sub(self.message_bytes, Ordering::Relaxed);
    }
}

impl Admission {
    pub(super) fn new(config: &DynamicConfig, metrics: &Metrics) -> Arc<Self> {
        let made = Arc::new(Self {
            calls: AtomicUsize::new(0),
            message_bytes: AtomicUsize::new(0),
            line: Line::new(config.line_wait_max, config.line_patience),
            calls_max: config.calls_under_way_max,
            bytes_max: config.pending_bytes_max,
            refused_calls: frontend::refused(metrics, "calls_under_way"),
            refused_bytes: frontend::refused(metrics, "pending_bytes"),
            refused_line: frontend::refused(metrics, "line"),
        });
        let read = Arc::clone(&made);
        let help = "Calls that were begun and are not answered, without those that wait for a task or an event.";
        metrics.gauge_of("abide_calls_under_way", help, &[], move || read.calls.load(Ordering::Relaxed) as f64);
        made
    }

    /// Counts a call when its connection hands it over, which is before it gets its turn.
    pub(super) fn arrive(self: &Arc<Self>, kind: Kind, now: Duration) -> Place {
        let counts = usize::from(kind != Kind::Wait);
        let calls = self.calls.fetch_add(counts, Ordering::Relaxed) + counts;
        Place { admission: Arc::clone(self), kind, at: now, calls, message_bytes: 0 }
    }
}

impl Place {
    /// Lets the call begin, or refuses it before anything is done for it. `pending_bytes` wait to be made durable.
    pub(super) fn admit(&self, now: Duration, pending_bytes: usize, headers: &HeaderMap) -> Result<(), Status> {
        let admission = &*self.admission;
        let too_late = admission.line.turn(now, now.saturating_sub(self.at));
        let is_operator = || headers.get("caller-type").is_some_and(|caller| caller.as_bytes() == b"operator");
        let is_new = self.kind == Kind::New && !is_operator();
        let reserve = if is_new { 1 } else { ANSWERS_RESERVE };
        let over = |count: usize, max: usize| max > 0 && count > max.saturating_mul(reserve);
        let refused_by = if self.kind != Kind::Wait && over(self.calls, admission.calls_max) {
            &admission.refused_calls
        } else if over(pending_bytes + admission.message_bytes.load(Ordering::Relaxed), admission.bytes_max) {
            &admission.refused_bytes
        } else if is_new && too_late {
            &admission.refused_line
        } else {
            return Ok(());
        };
        refused_by.add(1);
        Err(status::overloaded())
    }

    /// Counts the call's message for as long as it is under way.
    pub(super) fn hold(&mut self, message_bytes: usize) {
        if self.kind != Kind::Wait {
            self.admission.message_bytes.fetch_add(message_bytes, Ordering::Relaxed);
            self.message_bytes += message_bytes;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const NOW: Duration = Duration::from_secs(1);

    fn admission(calls_under_way_max: usize, pending_bytes_max: usize) -> Arc<Admission> {
        let config = DynamicConfig { calls_under_way_max, pending_bytes_max, ..Default::default() };
        Admission::new(&config, &Metrics::default())
    }

    fn admitted(place: &Place, pending_bytes: usize) -> bool {
        place.admit(NOW, pending_bytes, &HeaderMap::new()).is_ok()
    }

    #[test]
    fn methods_are_told_apart() {
        for (method, kind) in [
            ("StartWorkflowExecution", Kind::New),
            ("RespondActivityTaskCompletedById", Kind::Answer),
            ("RecordActivityTaskHeartbeat", Kind::Answer),
            ("RecordWorkerHeartbeat", Kind::New),
            ("PollWorkflowTaskQueue", Kind::Wait),
            ("GetWorkflowExecutionHistory", Kind::Wait),
        ] {
            assert_eq!(Kind::of(method), kind, "{method}");
        }
    }

    #[test]
    fn answers_and_operators_go_on_when_new_work_is_refused() {
        let admission = admission(1, 0);
        let first = admission.arrive(Kind::New, NOW);
        assert!(admitted(&first, 0));
        let second = admission.arrive(Kind::New, NOW);
        assert!(!admitted(&second, 0));
        let operator = HeaderMap::from_iter([("caller-type".parse().unwrap(), "operator".parse().unwrap())]);
        assert!(second.admit(NOW, 0, &operator).is_ok());
        drop(second);
        let answer = admission.arrive(Kind::Answer, NOW);
        assert!(admitted(&answer, 0));
        assert!(!admitted(&admission.arrive(Kind::Answer, NOW), 0), "the reserve has an end too");
        assert!(admitted(&admission.arrive(Kind::Wait, NOW), 0));
        drop((first, answer));
        assert!(admitted(&admission.arrive(Kind::New, NOW), 0));
        assert_eq!(admission.refused_calls.get(), 2);
    }

    #[test]
    fn bytes_count_from_the_message_to_the_disk() {
        let admission = admission(0, 100);
        let mut large = admission.arrive(Kind::New, NOW);
        assert!(admitted(&large, 100));
        large.hold(60);
        let next = admission.arrive(Kind::New, NOW);
        assert!(admitted(&next, 40) && !admitted(&next, 41));
        assert!(admitted(&admission.arrive(Kind::Answer, NOW), 140));
        assert!(!admitted(&admission.arrive(Kind::Wait, NOW), 141));
        drop(large);
        assert!(admitted(&next, 100));
        assert_eq!(admission.refused_bytes.get(), 2);
    }
}
