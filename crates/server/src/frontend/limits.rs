//! How much the frontend takes on: calls per second, and calls that wait at the same time (spec §3.28, §4.4).
//!
//! Rates are limited only where a key of the dynamic configuration sets one; without, a call costs one comparison. Calls
//! of operators (`caller-type: operator`) have a reserve of their own beside the common rate.
use std::{
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use abide_proto::temporal::api::enums::v1::{ResourceExhaustedCause as Cause, ResourceExhaustedScope as Scope};
use http::HeaderMap;
use rustc_hash::FxHashMap;
use tonic::Status;

use super::Call;
use crate::{
    dynamic_config::DynamicConfig,
    env::Env,
    metrics::{Counter, Gauge, Metrics},
    status,
};

mod bucket;

use bucket::Bucket;

/// The operators' reserve, as a share of the common rate.
const OPERATOR_SHARE: f64 = 0.2;

/// Calls that wait for something to happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LongCall {
    WorkflowPoll,
    ActivityPoll,
    Query,
    History,
}

impl LongCall {
    const ALL: [Self; 4] = [Self::WorkflowPoll, Self::ActivityPoll, Self::Query, Self::History];

    fn label(self) -> &'static str {
        match self {
            Self::WorkflowPoll => "workflow_poll",
            Self::ActivityPoll => "activity_poll",
            Self::Query => "query",
            Self::History => "history",
        }
    }
}

/// The limits of one process.
pub struct Limits {
    env: Env,
    host: Option<Rate>,
    /// Calls per second and burst of every namespace.
    namespace_rate: Option<(f64, f64)>,
    /// Calls that may wait at the same time in one namespace; 0 is no limit.
    long_calls_max: usize,
    namespaces: RwLock<FxHashMap<[u8; 16], Arc<OfNamespace>>>,
    waiting: [Gauge; LongCall::ALL.len()],
    all_waiting: Gauge,
    refused_by_namespace: Counter,
    refused_by_host: Counter,
    refused_long_calls: Counter,
}

/// The counter of the calls that were refused for one reason.
pub fn refused(metrics: &Metrics, reason: &str) -> Counter {
    let help = "Calls that were refused because there were too many, by what there was too much of.";
    metrics.counter("abide_refused_calls_total", help, &[("reason", reason)])
}

struct OfNamespace {
    rate: Option<Rate>,
    long_calls: AtomicUsize,
}

/// A common rate and the operators' reserve.
struct Rate {
    common: Bucket,
    operators: Bucket,
}

impl Rate {
    fn new(per_second: f64, burst: f64) -> Self {
        let operators = Bucket::new(per_second * OPERATOR_SHARE, burst * OPERATOR_SHARE);
        Self { common: Bucket::new(per_second, burst), operators }
    }

    fn take(&self, now: Duration, headers: &HeaderMap) -> bool {
        let is_operator = || headers.get("caller-type").is_some_and(|caller| caller.as_bytes() == b"operator");
        self.common.take(now) || (is_operator() && self.operators.take(now))
    }
}

/// The place of a call that waits; dropping it frees the place.
pub(super) struct Place {
    of: Arc<OfNamespace>,
    waiting: [Gauge; 2],
}

impl Drop for Place {
    fn drop(&mut self) {
        self.of.long_calls.fetch_sub(1, Ordering::Relaxed);
        self.waiting.iter().for_each(|gauge| gauge.add(-1));
    }
}

impl Limits {
    pub fn new(env: Env, config: &DynamicConfig, metrics: &Metrics) -> Self {
        let of = |per_second: usize| (per_second > 0).then_some(per_second as f64);
        let gauge = |call: LongCall| {
            let help = "Calls that wait for a task, an answer or an event.";
            metrics.gauge("abide_waiting_calls", help, &[("kind", call.label())])
        };
        Self {
            env,
            host: of(config.host_rps).map(|per_second| Rate::new(per_second, per_second)),
            namespace_rate: of(config.namespace_rps).map(|rate| (rate, rate * config.namespace_burst_ratio)),
            long_calls_max: config.namespace_long_calls_max,
            namespaces: RwLock::default(),
            waiting: LongCall::ALL.map(gauge),
            all_waiting: Gauge::default(),
            refused_by_namespace: refused(metrics, "namespace_rps"),
            refused_by_host: refused(metrics, "host_rps"),
            refused_long_calls: refused(metrics, "namespace_waiting_calls"),
        }
    }

    /// Counts the calls that wait, of all kinds and namespaces.
    pub fn all_waiting(&self) -> Gauge {
        self.all_waiting.clone()
    }

    /// Takes a call in, or refuses it because there are too many per second. `namespace_id` is that of the namespace
    /// which the call is about, if it is about one.
    pub(super) fn admit(&self, namespace_id: Option<[u8; 16]>, headers: &HeaderMap) -> Result<(), Status> {
        if self.host.is_none() && self.namespace_rate.is_none() {
            return Ok(());
        }
        let now = self.env.monotonic();
        if let (Some(id), true) = (namespace_id, self.namespace_rate.is_some()) {
            let of = self.of(id);
            if of.rate.as_ref().is_some_and(|rate| !rate.take(now, headers)) {
                let text = "namespace rate limit exceeded";
                self.refused_by_namespace.add(1);
                return Err(status::resource_exhausted(text, Cause::RpsLimit, Scope::Namespace));
            }
        }
        if self.host.as_ref().is_some_and(|rate| !rate.take(now, headers)) {
            self.refused_by_host.add(1);
            return Err(status::resource_exhausted("service rate limit exceeded", Cause::RpsLimit, Scope::System));
        }
        Ok(())
    }

    /// A place for a call that waits, as long as its namespace has one.
    pub(super) fn long_call(&self, call: &Call, kind: LongCall) -> Result<Place, Status> {
        let of = self.of(call.namespace.id);
        let before = of.long_calls.fetch_add(1, Ordering::Relaxed);
        if self.long_calls_max > 0 && before >= self.long_calls_max {
            of.long_calls.fetch_sub(1, Ordering::Relaxed);
            self.refused_long_calls.add(1);
            let text = "namespace concurrent poller limit exceeded";
            return Err(status::resource_exhausted(text, Cause::ConcurrentLimit, Scope::Namespace));
        }
        let waiting = [self.waiting[kind as usize].clone(), self.all_waiting.clone()];
        waiting.iter().for_each(|gauge| gauge.add(1));
        Ok(Place { of, waiting })
    }

    fn of(&self, namespace_id: [u8; 16]) -> Arc<OfNamespace> {
        if let Some(found) = self.namespaces.read().unwrap_or_else(PoisonError::into_inner).get(&namespace_id) {
            return Arc::clone(found);
        }
        let mut namespaces = self.namespaces.write().unwrap_or_else(PoisonError::into_inner);
        let made = namespaces.entry(namespace_id).or_insert_with(|| {
            let rate = self.namespace_rate.map(|(per_second, burst)| Rate::new(per_second, burst));
            Arc::new(OfNamespace { rate, long_calls: AtomicUsize::new(0) })
        });
        Arc::clone(made)
    }
}
