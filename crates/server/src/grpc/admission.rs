//! Which calls are begun when more arrive than the server gets done.
//!
//! Two things are bounded: the calls under way, and the bytes that they bring or that wait to be made durable. A burst
//! may fill the bound, and is served. What finds it full shows that more arrives than gets done, and then a much lower
//! bound holds for new work, because a long line would only make everybody wait; see [`Overload`] for how long.
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use http::HeaderMap;

use super::overload::Overload;
use crate::{
    dynamic_config::DynamicConfig,
    env::Env,
    frontend,
    metrics::{Counter, Gauge, Metrics},
};

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

/// More arrives than the server gets done; nothing was done for this call.
#[derive(Debug)]
pub(super) struct Overloaded;

/// What the server has taken on.
pub(super) struct Admission {
    env: Env,
    /// Calls that were let in and are not answered, whether they had their turn or not.
    under_way: AtomicUsize,
    /// Those of them that had their turn.
    begun: AtomicUsize,
    /// Those of the latter that wait for a task or an event, which costs nothing and has a limit of its own.
    waiting: Gauge,
    message_bytes: AtomicUsize,
    overload: Overload,
    calls_max: usize,
    calls_when_overloaded_max: usize,
    bytes_max: usize,
    refused_calls: Counter,
    refused_bytes: Counter,
}

/// A call that was let in, until it is answered.
pub(super) struct Place {
    admission: Arc<Admission>,
    is_new: bool,
    has_begun: bool,
    message_bytes: usize,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.admission.under_way.fetch_sub(1, Ordering::Relaxed);
        self.admission.begun.fetch_sub(usize::from(self.has_begun), Ordering::Relaxed);
        self.admission.message_bytes.fetch_sub(self.message_bytes, Ordering::Relaxed);
    }
}

impl Admission {
    /// `waiting` counts the calls that wait for a task or an event.
    pub(super) fn new(env: Env, config: &DynamicConfig, waiting: Gauge, metrics: &Metrics) -> Arc<Self> {
        let made = Arc::new(Self {
            env,
            under_way: AtomicUsize::new(0),
            begun: AtomicUsize::new(0),
            waiting,
            message_bytes: AtomicUsize::new(0),
            overload: Overload::default(),
            calls_max: config.calls_under_way_max,
            calls_when_overloaded_max: config.calls_when_overloaded_max,
            bytes_max: config.pending_bytes_max,
            refused_calls: frontend::refused(metrics, "calls_under_way"),
            refused_bytes: frontend::refused(metrics, "pending_bytes"),
        });
        let read = Arc::clone(&made);
        let help = "Calls that are not answered, without those that wait for a task or an event.";
        metrics.gauge_of("abide_calls_under_way", help, &[], move || read.at_work(&read.under_way) as f64);
        made
    }

    /// Lets a call in when its connection hands it over, which is before it gets its turn, or refuses it before anything
    /// is done for it. `pending_bytes` wait to be made durable.
    pub(super) fn arrive(
        self: &Arc<Self>,
        kind: Kind,
        pending_bytes: usize,
        headers: &HeaderMap,
    ) -> Result<Place, Overloaded> {
        let is_operator = || headers.get("caller-type").is_some_and(|caller| caller.as_bytes() == b"operator");
        let is_new = kind == Kind::New && !is_operator();
        let reserve = if is_new { 1 } else { WORKERS_RESERVE };
        let reaches = |count: usize, max: usize| max > 0 && count >= max.saturating_mul(reserve);
        let at_work = self.at_work(&self.under_way);
        if is_new && self.overload.may_be_on() {
            self.overload.count(self.env.monotonic());
        }
        if reaches(at_work, self.calls_max) {
            self.overload.show(self.env.monotonic());
            return Err(self.refuse(is_new));
        }
        if is_new && self.is_too_much(at_work) {
            return Err(self.refuse(is_new));
        }
        if reaches(pending_bytes + self.message_bytes.load(Ordering::Relaxed), self.bytes_max) {
            self.refused_bytes.add(1);
            return Err(Overloaded);
        }
        self.under_way.fetch_add(1, Ordering::Relaxed);
        Ok(Place { admission: Arc::clone(self), is_new, has_begun: false, message_bytes: 0 })
    }

    fn at_work(&self, calls: &AtomicUsize) -> usize {
        let waiting = usize::try_from(self.waiting.get()).unwrap_or_default();
        calls.load(Ordering::Relaxed).saturating_sub(waiting)
    }

    /// Whether so many calls at work are enough for now.
    fn is_too_much(&self, at_work: usize) -> bool {
        let max = self.calls_when_overloaded_max;
        max > 0 && at_work >= max && self.overload.may_be_on() && self.overload.is_on(self.env.monotonic())
    }

    fn refuse(&self, is_new: bool) -> Overloaded {
        self.refused_calls.add(1);
        if is_new {
            self.overload.count_refused();
        }
        Overloaded
    }
}

impl Place {
    /// The call gets its turn. New work that came before it showed that there is too much may still be refused.
    pub(super) fn begin(&mut self) -> Result<(), Overloaded> {
        let admission = &*self.admission;
        if self.is_new && admission.is_too_much(admission.at_work(&admission.begun)) {
            return Err(admission.refuse(self.is_new));
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
mod tests;
