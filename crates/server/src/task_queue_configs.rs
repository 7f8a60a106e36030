//! What operators set for task queues (spec §3.27): durable, and in force in the queues.
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use abide_matching::{Matching, QueueId, TaskKind};
use abide_proto::temporal::api::taskqueue::v1::TaskQueueConfig;
use abide_store::{Batch, Lease, Order, Store, Table, keys};
use prost::Message;
use tokio::sync::Mutex;

use crate::{env::Env, namespaces::CLUSTER_SHARD, shard::Task};

/// Why configurations were not read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("task queue configurations: {0}")]
    Store(#[from] abide_store::Error),
    #[error("task queue configurations: {0}")]
    Commit(#[from] abide_store::CommitError),
    #[error("task queue configurations: the record with the key {0:02x?} is malformed")]
    Malformed(Vec<u8>),
    /// The thread that does the writing is gone: the process is ending.
    #[error("task queue configurations: shutting down")]
    Closed,
}

/// The configurations of all task queues that have one.
pub struct TaskQueueConfigs {
    env: Env,
    store: Arc<dyn Store>,
    lease: Lease,
    matching: Matching<Task>,
    by_queue: RwLock<BTreeMap<QueueId, TaskQueueConfig>>,
    /// One change at a time, so that what is in memory is what was written last.
    changes: Mutex<()>,
}

impl TaskQueueConfigs {
    /// Reads all configurations and puts their limits in force. `lease` is that of the cluster's shard.
    pub fn load(env: Env, store: Arc<dyn Store>, lease: Lease, matching: Matching<Task>) -> Result<Self, Error> {
        let range = keys::task_queues();
        let rows = store.scan(CLUSTER_SHARD, Table::Meta, &range.start..&range.end, usize::MAX, Order::Forward)?;
        let mut by_queue = BTreeMap::new();
        for (key, value) in rows {
            let (queue, config) = decode(&key, &value).ok_or(Error::Malformed(key))?;
            put_in_force(&matching, &queue, &config);
            by_queue.insert(queue, config);
        }
        Ok(Self { env, store, lease, matching, by_queue: RwLock::new(by_queue), changes: Mutex::default() })
    }

    /// The configuration of a queue, if it ever had one.
    pub fn of(&self, queue: &QueueId) -> Option<TaskQueueConfig> {
        self.by_queue.read().unwrap_or_else(PoisonError::into_inner).get(queue).cloned()
    }

    /// Changes a queue's configuration. It is in force once it is durable, and then it is the answer.
    pub async fn change(
        &self,
        queue: QueueId,
        change: impl FnOnce(&mut TaskQueueConfig),
    ) -> Result<TaskQueueConfig, Error> {
        let _one_at_a_time = self.changes.lock().await;
        let mut config = self.of(&queue).unwrap_or_default();
        change(&mut config);
        let mut batch = Batch::new(self.lease);
        let key = keys::task_queue(queue.namespace, number(queue.kind), &queue.name);
        batch.put(Table::Meta, key, config.encode_to_vec());
        let store = Arc::clone(&self.store);
        self.env.blocking(move || store.commit(&[batch])).await.ok_or(Error::Closed)??;
        put_in_force(&self.matching, &queue, &config);
        self.by_queue.write().unwrap_or_else(PoisonError::into_inner).insert(queue, config.clone());
        Ok(config)
    }
}

fn put_in_force(matching: &Matching<Task>, queue: &QueueId, config: &TaskQueueConfig) {
    let limit = config.queue_rate_limit.as_ref().and_then(|limit| limit.rate_limit.as_ref());
    matching.set_rate_limit(queue, limit.map(|limit| f64::from(limit.requests_per_second)));
}

fn decode(key: &[u8], value: &[u8]) -> Option<(QueueId, TaskQueueConfig)> {
    let (namespace, kind, name) = keys::decode_task_queue(key).ok()?;
    let kind = KINDS.into_iter().find(|of| number(*of) == kind)?;
    Some((QueueId::normal(namespace, kind, name), TaskQueueConfig::decode(value).ok()?))
}

const KINDS: [TaskKind; 3] = [TaskKind::Workflow, TaskKind::Activity, TaskKind::Nexus];

/// The kind as it stands in the key; part of the on-disk format.
fn number(kind: TaskKind) -> u8 {
    match kind {
        TaskKind::Workflow => 1,
        TaskKind::Activity => 2,
        TaskKind::Nexus => 3,
    }
}
