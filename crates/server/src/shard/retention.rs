//! The end of closed runs: after their namespace's retention everything that they left goes, in one batch.
use std::sync::Arc;

use abide_engine::workflow::RunKey;
use abide_store::Batch;

use super::{Error, Shard, hand_over::WaitingPolls, persist, state::State, transact::Changes};

/// Erases a closed run. Its timer row is the one that fired.
pub(super) fn erase(shard: &Arc<Shard>, state: &mut State, key: &RunKey) -> Result<(), Error> {
    let current = shard.current(state, key.namespace_id, &key.workflow_id)?;
    let is_current = current.is_some_and(|current| current.run_id == key.run_id);
    let Some(entry) = state.runs.remove(key) else { return Ok(()) };
    let mut batch = Batch::new(state.lease);
    persist::erase(&mut batch, key, entry.run.header.wakeup_ms, is_current);
    if is_current {
        state.currents.remove(&(key.namespace_id, key.workflow_id.clone()));
    }
    state.queries.remove(key);
    let changes = Changes { batch: Some(batch), ..Default::default() };
    shard.submit(state, changes, WaitingPolls::new(&shard.shared));
    Ok(())
}
