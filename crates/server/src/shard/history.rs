//! Reading a run's events, by batches: the unit of paging (spec §3.20).
use std::sync::Arc;

use abide_proto::temporal::api::history::v1::{History, HistoryEvent};
use abide_store::{Order, Table, keys};
use prost::Message;
use tokio::sync::{Notify, futures::OwnedNotified};
use uuid::Uuid;

use super::{Error, Shard};
use abide_engine::workflow::RunKey;

/// Which part of the history: events `from..=to`, at most so many batches.
#[derive(Clone, Copy, Debug)]
pub struct PageLimits {
    pub from_event_id: i64,
    pub to_event_id: i64,
    pub batches: usize,
}

/// Some events, and where the next page begins if this one is full.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistoryPage {
    pub events: Vec<HistoryEvent>,
    pub next_event_id: Option<i64>,
}

impl Shard {
    /// Events in order. What is asked for must be durable.
    pub fn history(&self, key: &RunKey, limits: PageLimits) -> Result<HistoryPage, Error> {
        let batches = match self.recent_history(key, limits) {
            Some(batches) => batches,
            None => self.stored_history(key, limits)?,
        };
        let full = batches.len() == limits.batches;
        let mut events = Vec::with_capacity(batches.len() * 3);
        for batch in &batches {
            events.extend(decode(key.run_id, batch)?);
        }
        events.retain(|event| event.event_id <= limits.to_event_id);
        let next_event_id = events.last().filter(|_| full).map(|last| last.event_id + 1);
        Ok(HistoryPage { events, next_event_id })
    }

    fn recent_history(&self, key: &RunKey, limits: PageLimits) -> Option<Vec<Vec<u8>>> {
        let state = self.lock();
        state.runs.get(key)?.recent.between(limits.from_event_id, limits.to_event_id, limits.batches)
    }

    fn stored_history(&self, key: &RunKey, limits: PageLimits) -> Result<Vec<Vec<u8>>, Error> {
        let run = *key.run_id.as_bytes();
        let start = keys::history(run, limits.from_event_id);
        let end = keys::history(run, limits.to_event_id.saturating_add(1));
        if start >= end {
            return Ok(Vec::new());
        }
        let rows = self.shared.store.scan(self.id, Table::History, &start..&end, limits.batches, Order::Forward)?;
        Ok(rows.into_iter().map(|(_, batch)| batch).collect())
    }

    /// Events from the newest backwards. `next_event_id` is the newest of the next page.
    pub fn history_reverse(&self, run_id: Uuid, limits: PageLimits) -> Result<HistoryPage, Error> {
        let run = *run_id.as_bytes();
        let (start, end) = (keys::history(run, limits.from_event_id), keys::history(run, limits.to_event_id + 1));
        let rows = self.shared.store.scan(self.id, Table::History, &start..&end, limits.batches + 1, Order::Reverse)?;
        let full = rows.len() > limits.batches;
        let mut events = Vec::new();
        for (_, value) in rows.iter().take(limits.batches) {
            let batch = decode(run_id, value)?;
            events.extend(batch.into_iter().rev().filter(|event| event.event_id <= limits.to_event_id));
        }
        let next_event_id = events.last().filter(|_| full).map(|last| last.event_id - 1);
        Ok(HistoryPage { events, next_event_id })
    }

    /// Completes once the run has changed durably after this call. Ask first, then look, then wait.
    pub fn watch(&self, key: &RunKey) -> OwnedNotified {
        let mut state = self.lock();
        let watcher = state.watchers.entry(key.clone()).or_insert_with(|| Arc::new(Notify::new()));
        // Made under the lock: a change that takes the watcher away later wakes it, one before this is seen by looking.
        Arc::clone(watcher).notified_owned()
    }
}

fn decode(run_id: Uuid, value: &[u8]) -> Result<Vec<HistoryEvent>, Error> {
    let batch = History::decode(value)
        .map_err(|error| Error::Unavailable(format!("a history batch of run {run_id} is damaged: {error}")))?;
    Ok(batch.events)
}
