//! Durable timers: one row per run, at or before its earliest deadline. Rows up to a horizon are in memory, the rest on
//! disk; a task per shard sleeps until the next one.
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
    time::Duration,
};

use abide_engine::workflow::{RunKey, wake::wake};
use abide_store::{Order, Table, keys};
use uuid::Uuid;

use super::{Error, Shard, retention, state::State};

/// How far ahead rows are kept in memory.
const HORIZON_MS: i64 = 60_000;
/// Rows read at once.
const PAGE: usize = 1024;
/// How long timers wait after a failure.
const PAUSE_MS: u64 = 1000;
/// How many runs are woken before others get their turn.
const WAKES_AT_ONCE: usize = 64;

/// Fires the shard's timers for as long as the process lives.
pub(super) fn run(shard: &Arc<Shard>) {
    let (shard, env) = (Arc::clone(shard), shard.shared.env.clone());
    env.spawn(async move {
        loop {
            let changed = shard.timer_changed.notified();
            // A panic must not end the timers of the shard: the lock heals, and the run is tried again.
            let fired = catch_unwind(AssertUnwindSafe(|| shard.fire_due()));
            let wait_ms = match fired {
                Ok(Ok(wait_ms)) => wait_ms,
                Ok(Err(error)) => {
                    tracing::warn!(shard = shard.id.0, %error, "timers wait for the store");
                    PAUSE_MS
                }
                Err(_) => {
                    tracing::error!(shard = shard.id.0, "a panic while timers fired");
                    PAUSE_MS
                }
            };
            let sleep = shard.shared.env.sleep(Duration::from_millis(wait_ms));
            tokio::select! {
                biased;
                () = sleep => {}
                () = changed => {}
            }
        }
    });
}

impl Shard {
    /// Moves a run's row in memory; the row in the store moves with the commit.
    pub(super) fn arm(&self, state: &mut State, key: &RunKey, before_ms: i64, now_ms: i64) {
        if before_ms != 0 {
            state.timers.remove(&(before_ms, key.clone()));
        }
        if now_ms != 0 && now_ms <= state.horizon_ms {
            let first = state.timers.first().map_or(i64::MAX, |(at, _)| *at);
            state.timers.insert((now_ms, key.clone()));
            if now_ms < first {
                self.timer_changed.notify_one();
            }
        }
    }

    /// Wakes the runs whose rows are due. Gives the milliseconds until the next one, or until more rows are to be read.
    fn fire_due(self: &Arc<Self>) -> Result<u64, Error> {
        let now_ms = self.shared.env.wall_ms();
        let mut state = self.lock();
        // Also when it is just there, or the wait below would be none for as long as the clock shows this millisecond.
        if state.horizon_ms <= now_ms + HORIZON_MS / 2 {
            self.extend_horizon(&mut state, now_ms + HORIZON_MS)?;
            state.prune();
        }
        let mut postponed = Vec::new();
        for _ in 0..WAKES_AT_ONCE {
            let due = state.timers.first().filter(|(at, _)| *at <= now_ms).cloned();
            let Some((at, key)) = due else { break };
            state.timers.pop_first();
            if let Err(error) = self.wake(&mut state, &key, at) {
                tracing::warn!(shard = self.id.0, run = %key.run_id, %error, "a run cannot be woken now");
                postponed.push((at, key));
            }
        }
        let next = state.timers.first().map_or(i64::MAX, |(at, _)| *at).min(state.horizon_ms - HORIZON_MS / 2);
        let wait_ms = u64::try_from(next - now_ms).unwrap_or(0);
        if postponed.is_empty() {
            return Ok(wait_ms);
        }
        // They stay due, and the others are not held up by them.
        state.timers.extend(postponed);
        Ok(wait_ms.min(PAUSE_MS))
    }

    /// Reads the rows behind the horizon, up to a new one.
    pub(super) fn extend_horizon(&self, state: &mut State, until_ms: i64) -> Result<(), Error> {
        let mut start = match state.horizon_ms {
            0 => keys::timers_until(until_ms).start,
            horizon => keys::timers_until(horizon).end,
        };
        let end = keys::timers_until(until_ms).end;
        loop {
            let rows = self.shared.store.scan(self.id, Table::Timer, &start..&end, PAGE, Order::Forward)?;
            for (row, _) in &rows {
                let key = keys::decode_timer(row).map_err(|error| Error::Unavailable(error.to_string()))?;
                let run = RunKey {
                    namespace_id: Uuid::from_bytes(key.namespace),
                    workflow_id: key.workflow_id,
                    run_id: Uuid::from_bytes(key.run),
                };
                // A row that a transition on its way to the store has moved is not taken in as it was.
                let moved = state.runs.get(&run).is_some_and(|e| e.run.header.wakeup_ms != key.fire_time_ms);
                if !moved {
                    state.timers.insert((key.fire_time_ms, run));
                }
            }
            match rows.last() {
                Some((last, _)) if rows.len() == PAGE => start = [last.as_slice(), &[0]].concat(),
                _ => break,
            }
        }
        let armed: Vec<(i64, RunKey)> = state
            .runs
            .iter()
            .map(|(key, entry)| (entry.run.header.wakeup_ms, key.clone()))
            .filter(|(at, _)| *at != 0 && *at <= until_ms)
            .collect();
        state.timers.extend(armed);
        state.horizon_ms = until_ms;
        Ok(())
    }

    fn wake(self: &Arc<Self>, state: &mut State, key: &RunKey, at_ms: i64) -> Result<(), Error> {
        let Some(entry) = self.load(state, key)? else { return Ok(()) };
        if entry.run.header.wakeup_ms != at_ms {
            return Ok(());
        }
        let Some(namespace) = self.shared.namespaces.by_id(*key.namespace_id.as_bytes()) else {
            tracing::warn!(run = %key.run_id, "a timer of a run in no namespace");
            return Ok(());
        };
        if !entry.run.is_running() {
            return retention::erase(self, state, key);
        }
        let (outcome, _) = self.apply(state, &namespace, key, None, |tx| {
            wake(tx);
            Ok(())
        })?;
        outcome.map_err(Error::from)
    }
}
