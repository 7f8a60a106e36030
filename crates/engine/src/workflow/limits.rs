//! What a run may grow to (spec §4.1). A run over a limit is woken at once, and the wake-up ends it.
use prost::Message;

use super::{close, run::Run, transition::Transition, workflow_task::HISTORY_SERVICE};
use crate::{
    Settings,
    tracked::{Named, Tracked},
};

/// Why the run has to end, if it has grown too large.
pub(crate) fn exceeded(run: &Run, settings: &Settings) -> Option<&'static str> {
    let header = run.header.get();
    if !header.is_running() {
        None
    } else if header.history_size_bytes >= settings.history_size_bytes {
        Some("Workflow history size exceeds limit.")
    } else if header.next_event_id > settings.history_count {
        Some("Workflow history count exceeds limit.")
    } else if run.state_size_bytes >= settings.mutable_state_size_bytes {
        Some("Workflow mutable state size exceeds limit.")
    } else {
        None
    }
}

/// Ends a run that has grown too large. Says whether it has.
pub(crate) fn enforce(tx: &mut Transition<'_, '_>) -> bool {
    let Some(reason) = exceeded(tx.run, tx.cx.settings) else { return false };
    close::terminate(tx, reason, None, HISTORY_SERVICE, Vec::new());
    true
}

/// The bytes of a run's records, without the header, which is always small.
pub(crate) fn state_size_bytes(run: &Run) -> usize {
    fn all<K: Ord + Clone, V: Clone + Named + Message>(records: &Tracked<K, V>) -> usize {
        records.values().map(Message::encoded_len).sum()
    }
    let ids = run.signal_request_ids.iter().map(|(id, ())| id.len()).sum::<usize>();
    run.profile.encoded_len()
        + run.start.as_ref().map_or(0, Message::encoded_len)
        + all(&run.activities)
        + all(&run.timers)
        + all(&run.buffered)
        + all(&run.request_ids)
        + ids
}

/// Brings the size up to date with the records that changed in this transition.
pub(crate) fn note_changes(run: &mut Run) {
    fn changed<K: Ord + Clone, V: Clone + Named + Message>(records: &Tracked<K, V>) -> (usize, usize) {
        let sizes = records
            .changes()
            .map(|(_, was, is)| (was.map_or(0, Message::encoded_len), is.map_or(0, Message::encoded_len)));
        sizes.fold((0, 0), |(before, after), (was, is)| (before + was, after + is))
    }
    if run.is_new {
        run.state_size_bytes = state_size_bytes(run);
        return;
    }
    let profile = run.profile.original().map_or((0, 0), |was| (was.encoded_len(), run.profile.encoded_len()));
    let ids = run.signal_request_ids.changes().fold((0, 0), |(before, after), (id, was, is)| {
        let size = |there: Option<&()>| there.map_or(0, |()| id.len());
        (before + size(was), after + size(is))
    });
    let changes = [
        profile,
        changed(&run.activities),
        changed(&run.timers),
        changed(&run.buffered),
        changed(&run.request_ids),
        ids,
    ];
    let (before, after) = changes.into_iter().fold((0, 0), |sum, change| (sum.0 + change.0, sum.1 + change.1));
    run.state_size_bytes = run.state_size_bytes + after - before;
}
