//! Who polled a queue, and when.

use std::collections::BTreeMap;

/// What a poll says of its worker.
#[derive(Clone, Debug, Default)]
pub struct PollerInfo<P> {
    /// Pollers without an identity are not listed.
    pub identity: String,
    /// The most tasks per second that the worker wants from the whole queue. Heeded on activity queues; 0 stops them.
    pub rate_per_second: Option<f64>,
    /// Names the worker in [`crate::Matching::end_polls`]; may be empty.
    pub worker_instance_key: String,
    pub details: P,
}

/// A poller as it is described.
#[derive(Clone, Debug, PartialEq)]
pub struct PollerSeen<P> {
    pub identity: String,
    /// When its last poll began or ended.
    pub last_access_time_ms: i64,
    /// As its last poll said.
    pub rate_per_second: Option<f64>,
    pub details: P,
}

#[derive(Debug)]
struct Record<P> {
    last_access_time_ms: i64,
    rate_per_second: Option<f64>,
    details: P,
}

/// The pollers of one queue by identity.
#[derive(Debug)]
pub(crate) struct PollerHistory<P> {
    records: BTreeMap<String, Record<P>>,
    /// The begin or end of the last poll, with or without an identity.
    pub(crate) last_poll_ms: Option<i64>,
}

impl<P: Clone> PollerHistory<P> {
    pub(crate) const fn new() -> Self {
        Self { records: BTreeMap::new(), last_poll_ms: None }
    }

    /// A poll begins.
    pub(crate) fn began(&mut self, info: &PollerInfo<P>, max_remembered: usize, now_ms: i64) {
        self.last_poll_ms = Some(now_ms);
        if info.identity.is_empty() {
            return;
        }
        if let Some(record) = self.records.get_mut(&info.identity) {
            record.last_access_time_ms = now_ms;
            record.rate_per_second = info.rate_per_second;
            record.details.clone_from(&info.details);
            return;
        }
        while self.records.len() >= max_remembered.max(1) {
            let oldest = self.records.iter().min_by_key(|(_, record)| record.last_access_time_ms);
            let Some(identity) = oldest.map(|(identity, _)| identity.clone()) else { break };
            self.records.remove(&identity);
        }
        let record = Record {
            last_access_time_ms: now_ms,
            rate_per_second: info.rate_per_second,
            details: info.details.clone(),
        };
        self.records.insert(info.identity.clone(), record);
    }

    /// A poll ended, with a task or without.
    pub(crate) fn ended(&mut self, identity: &str, now_ms: i64) {
        self.last_poll_ms = Some(now_ms);
        if let Some(record) = self.records.get_mut(identity) {
            record.last_access_time_ms = now_ms;
        }
    }

    pub(crate) fn forget_all(&mut self) {
        self.records.clear();
        self.last_poll_ms = None;
    }

    pub(crate) fn forget_before(&mut self, time_ms: i64) {
        self.records.retain(|_, record| record.last_access_time_ms >= time_ms);
    }

    /// Those seen at or after `since_ms`, by identity.
    pub(crate) fn seen_since(&self, since_ms: i64) -> Vec<PollerSeen<P>> {
        let recent = self.records.iter().filter(|(_, record)| record.last_access_time_ms >= since_ms);
        recent
            .map(|(identity, record)| PollerSeen {
                identity: identity.clone(),
                last_access_time_ms: record.last_access_time_ms,
                rate_per_second: record.rate_per_second,
                details: record.details.clone(),
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poller(identity: &str) -> PollerInfo<()> {
        PollerInfo { identity: identity.into(), ..PollerInfo::default() }
    }

    fn names(history: &PollerHistory<()>, since_ms: i64) -> Vec<String> {
        history.seen_since(since_ms).into_iter().map(|seen| seen.identity).collect()
    }

    #[test]
    fn forgets_the_least_recent_beyond_its_bound() {
        let mut history = PollerHistory::new();
        history.began(&poller("a"), 2, 1);
        history.began(&poller("b"), 2, 2);
        history.ended("a", 3);
        history.began(&poller("c"), 2, 4);
        assert_eq!(names(&history, 0), ["a", "c"]);
        assert_eq!(names(&history, 4), ["c"]);
    }

    #[test]
    fn a_poller_without_identity_counts_but_is_not_listed() {
        let mut history = PollerHistory::new();
        history.began(&poller(""), 2, 7);
        assert_eq!(history.last_poll_ms, Some(7));
        assert!(names(&history, 0).is_empty());
    }
}
