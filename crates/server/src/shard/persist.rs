//! A transition's commit as mutations of the store.
use abide_engine::workflow::{Commit, RunKey};
use abide_store::{Batch, Table, keys};

use super::outbox::Row;

/// Adds what the commit writes to the batch.
pub(super) fn write(batch: &mut Batch, commit: &Commit) {
    let RunKey { namespace_id, workflow_id, run_id } = &commit.key;
    let (namespace, run) = (*namespace_id.as_bytes(), *run_id.as_bytes());
    if commit.is_new_run {
        batch.put(Table::State, keys::current(namespace, workflow_id), run.to_vec());
    }
    for record in &commit.records {
        let key = keys::record(namespace, workflow_id, run, record.class as u8, &record.suffix);
        match &record.value {
            Some(value) => batch.put(Table::State, key, value.clone()),
            None => batch.delete(Table::State, key),
        }
    }
    for events in &commit.batches {
        batch.put(Table::History, keys::history(run, events.first_event_id), events.encoded.clone());
    }
    let (before_ms, now_ms) = commit.wakeup_ms;
    if before_ms != now_ms {
        if before_ms != 0 {
            batch.delete(Table::Timer, keys::timer(before_ms, namespace, workflow_id, run));
        }
        #[cfg(feature = "planted")]
        let now_ms = if abide_planted::is(abide_planted::Fault::TimerLost) { 0 } else { now_ms };
        if now_ms != 0 {
            batch.put(Table::Timer, keys::timer(now_ms, namespace, workflow_id, run), Vec::new());
        }
    }
    for gone in &commit.outbox_removed {
        let key = keys::outbox(gone.scheduled_ms, run, gone.kind as u8, gone.event_id);
        batch.delete(Table::Outbox, key);
    }
    for added in &commit.outbox_added {
        #[cfg(feature = "planted")]
        if abide_planted::is(abide_planted::Fault::OutboxEntryDropped) {
            continue;
        }
        let key = keys::outbox(added.outbox_ms(), run, added.task_kind() as u8, added.scheduled_event_id);
        batch.put(Table::Outbox, key, Row::encode(&commit.key, added));
    }
}

/// Adds the removal of everything that a run left: after its retention, or when it is deleted.
pub(super) fn erase(batch: &mut Batch, key: &RunKey, wakeup_ms: i64, is_current: bool) {
    let (namespace, run) = (*key.namespace_id.as_bytes(), *key.run_id.as_bytes());
    let records = keys::run_prefix(namespace, &key.workflow_id, run);
    batch.delete_range(Table::State, keys::prefix_range(records));
    #[cfg(feature = "planted")]
    if abide_planted::is(abide_planted::Fault::HistoryLeftBehind) {
        return;
    }
    batch.delete_range(Table::History, keys::prefix_range(keys::history_prefix(run)));
    if wakeup_ms != 0 {
        batch.delete(Table::Timer, keys::timer(wakeup_ms, namespace, &key.workflow_id, run));
    }
    if is_current {
        batch.delete(Table::State, keys::current(namespace, &key.workflow_id));
    }
}
