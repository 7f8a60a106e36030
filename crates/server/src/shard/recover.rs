//! Taking a shard over, at the start or after a failed commit, and offering again what was waiting for workers.
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use abide_engine::workflow::{Dispatch, RunKey};
use abide_store::{CommitError, Lease, Order, ShardId, Table, keys};
use tokio::sync::Notify;

use super::{
    Error, Shard, Shared,
    outbox::{self, Row},
    state::State,
};

/// How long a read of the outbox that failed waits before the next try.
const PAUSE: Duration = Duration::from_secs(1);
/// Outbox rows read at once.
const PAGE: usize = 1024;

/// Acquires shards. Their runs are loaded when they are needed.
pub(super) fn open(ids: &[ShardId], shared: &Arc<Shared>) -> Result<Vec<Arc<Shard>>, Error> {
    let leases = shared.store.acquire_all(ids)?;
    let shard = |lease: Lease| {
        let state = Mutex::new(State::new(lease));
        Arc::new(Shard { id: lease.shard, shared: Arc::clone(shared), state, timer_changed: Notify::new() })
    };
    Ok(leases.into_iter().map(shard).collect())
}

/// Offers every task of the outbox to its queue.
pub(super) fn offer_outbox(shard: &Shard) -> Result<(), Error> {
    each_task(shard, |run, dispatch| outbox::offer(&shard.shared, &Arc::new(run), dispatch))
}

/// Reads the outbox in the order of its scheduled times.
pub(super) fn each_task(shard: &Shard, mut found: impl FnMut(RunKey, Dispatch)) -> Result<(), Error> {
    let range = keys::outbox_until(i64::MAX);
    let mut start = range.start;
    loop {
        let rows = shard.shared.store.scan(shard.id, Table::Outbox, &start..&range.end, PAGE, Order::Forward)?;
        for (row, value) in &rows {
            let key = keys::decode_outbox(row).map_err(|error| Error::Unavailable(error.to_string()))?;
            let Some((run, dispatch)) = Row::decode(value, key.run) else {
                return Err(Error::Unavailable(format!("an outbox row of shard {} is damaged", shard.id.0)));
            };
            found(run, dispatch);
        }
        match rows.last() {
            Some((last, _)) if rows.len() == PAGE => start = [last.as_slice(), &[0]].concat(),
            _ => return Ok(()),
        }
    }
}

/// A commit failed: what is in memory may be ahead of the store. Tasks that were offered already are found obsolete if
/// they are.
pub(super) fn after_failure(shard: &Arc<Shard>, epoch: u64, error: &CommitError) {
    let mut state = shard.lock();
    if state.lease.epoch != epoch {
        return; // the shard has been taken over anew since
    }
    tracing::error!(shard = shard.id.0, %error, "a commit failed; the shard is loaded again");
    take_over(shard, &mut state);
    drop(state);
    #[cfg(feature = "planted")]
    if abide_planted::is(abide_planted::Fault::OutboxNotReadAgain) {
        return;
    }
    // The commit may be durable all the same, and what it put into the outbox not offered yet.
    let shard = Arc::clone(shard);
    shard.shared.env.clone().spawn(async move {
        while let Err(error) = offer_outbox(&shard) {
            tracing::error!(shard = shard.id.0, %error, "the outbox cannot be read");
            shard.shared.env.sleep(PAUSE).await;
        }
    });
}

/// Drops what is in memory and fences every commit that is still on its way: those fail, and their callers try again.
pub(super) fn take_over(shard: &Shard, state: &mut State) {
    match shard.shared.store.acquire(shard.id) {
        Ok(lease) => {
            state.forget();
            state.lease = lease;
            shard.timer_changed.notify_one();
        }
        // With the store lost every commit fails and nothing is acknowledged; the next one tries to take over again.
        Err(error) => tracing::error!(shard = shard.id.0, %error, "the shard cannot be acquired"),
    }
}
