//! Shards: each has one writer, applies transitions in memory one after another, and makes them durable in groups.
//!
//! Nothing leaves a shard before the transition that caused it is durable: replies, tasks and wake-ups ride on the
//! commit (in `durable`). Workflow ids are spread over a fixed number of shards; all runs of an id are in one.
mod audit;
mod durable;
mod hand_over;
mod history;
mod outbox;
mod persist;
mod query;
mod recent;
mod recover;
mod refill;
mod retention;
mod settings;
mod start;
mod state;
mod timers;
mod transact;

use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use abide_engine::{Refusal, workflow::RunKey};
use abide_matching::Matching;
use abide_store::{CommitError, Committer, ShardId, Store};
use tokio::sync::mpsc;
use uuid::Uuid;

use crate::{env::Env, namespaces::Namespaces};

pub use durable::Done;
pub use hand_over::StartedTask;
pub use history::{HistoryPage, PageLimits};
pub use outbox::{QueueClock, Task};
pub use query::{Answer, QueryAnswers, QueryTask};
pub use settings::SettingsSource;
pub use start::StartReply;
pub use state::Current;
pub use transact::{Found, Target};

use state::State;

/// Why an operation on a run did not succeed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum Error {
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The store did not answer, or the shard has just been lost; the caller may try again.
    #[error("{0}")]
    Unavailable(String),
    /// What is on disk is not what was written; the text names the file. Trying again does not help.
    #[error("{0}")]
    Damaged(String),
}

impl From<abide_store::Error> for Error {
    fn from(error: abide_store::Error) -> Self {
        match error {
            abide_store::Error::Unavailable(_) => Self::Unavailable(error.to_string()),
            abide_store::Error::Corrupt(_) => Self::Damaged(error.to_string()),
        }
    }
}

impl From<CommitError> for Error {
    fn from(error: CommitError) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// What all shards of a process share.
pub struct Shared {
    pub env: Env,
    pub store: Arc<dyn Store>,
    pub committer: Committer<Done>,
    pub matching: Matching<Task>,
    pub namespaces: Arc<Namespaces>,
    pub settings: SettingsSource,
}

/// One shard.
pub struct Shard {
    pub id: ShardId,
    shared: Arc<Shared>,
    state: Mutex<State>,
    /// Told when a timer is armed that is earlier than what the timer task waits for.
    timer_changed: tokio::sync::Notify,
}

/// The shards of a process.
pub struct Shards {
    shards: Vec<Arc<Shard>>,
    pub shared: Arc<Shared>,
}

impl Shard {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A panic in a transition may leave a run half-changed in memory; the store still has it whole. Commits that are
        // under way are fenced, or what is loaded now could be older than they are.
        self.state.lock().unwrap_or_else(|poisoned| {
            let mut state = PoisonError::into_inner(poisoned);
            recover::take_over(self, &mut state);
            self.state.clear_poison();
            state
        })
    }
}

/// What a committer calls with each group whose fate is known.
pub type OnGroup = abide_store::OnGroup<Done>;

impl Shards {
    /// Takes over all shards and offers what was waiting. When it returns, they serve.
    pub fn open(
        env: Env,
        store: Arc<dyn Store>,
        matching: Matching<Task>,
        namespaces: Arc<Namespaces>,
        settings: SettingsSource,
        count: u16,
        start_committer: impl FnOnce(Arc<dyn Store>, OnGroup) -> io::Result<Committer<Done>>,
    ) -> Result<Self, Error> {
        let (durable, incoming) = mpsc::unbounded_channel();
        let on_group = Box::new(move |dones, outcome| durable::pass_on(dones, outcome, &durable));
        let committer = start_committer(Arc::clone(&store), on_group);
        let committer = committer.map_err(|error| Error::Unavailable(error.to_string()))?;
        let shared = Arc::new(Shared { env, store, committer, matching, namespaces, settings });
        let ids: Vec<ShardId> = (0..count).map(ShardId).collect();
        let shards = recover::open(&ids, &shared)?;
        durable::run(&shared, incoming);
        for shard in &shards {
            timers::run(shard);
            recover::offer_outbox(shard)?;
        }
        refill::run(&shared, &shards);
        Ok(Self { shards, shared })
    }

    /// The shard of a workflow id. Part of the on-disk format: it never changes for a given number of shards.
    pub fn of(&self, namespace_id: Uuid, workflow_id: &str) -> &Arc<Shard> {
        let count = self.shards.len() as u64;
        &self.shards[(fnv1a(namespace_id.as_bytes(), workflow_id.as_bytes()) % count) as usize]
    }

    pub fn of_run(&self, key: &RunKey) -> &Arc<Shard> {
        self.of(key.namespace_id, &key.workflow_id)
    }

    pub fn all(&self) -> &[Arc<Shard>] {
        &self.shards
    }
}

/// FNV-1a, 64 bits, with its halves folded: short, stable, and even enough for a few shards.
fn fnv1a(namespace: &[u8], id: &[u8]) -> u64 {
    let hash = namespace
        .iter()
        .chain(id)
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    hash ^ (hash >> 32)
}

#[cfg(test)]
mod spread {
    use super::fnv1a;

    #[test]
    fn the_spread_of_ids_is_part_of_the_format() {
        assert_eq!(fnv1a(&[0; 16], b"order-1"), fnv1a(&[0; 16], b"order-1"));
        assert_ne!(fnv1a(&[0; 16], b"order-1"), fnv1a(&[0; 16], b"order-2"));
        let mut counts = [0; 16];
        for n in 0..16_000 {
            counts[(fnv1a(&[7; 16], format!("order-{n}").as_bytes()) % 16) as usize] += 1;
        }
        assert!(counts.iter().all(|count| (800..1200).contains(count)), "{counts:?}");
    }
}

#[cfg(test)]
mod tests;
