//! Tasks on their way to workers: as matching holds them, and as the outbox keeps them.
use std::{sync::Arc, time::Duration};

use abide_engine::workflow::{Dispatch, RunKey, TaskKind};
use abide_matching::{Entry, Offer, QueueId};
use prost::Message;
use uuid::Uuid;

use super::{Shards, Shared, StartedTask, query::QueryTask};
use crate::env::{BoxFuture, Env};

/// What matching hands to a poller.
#[derive(Clone)]
pub enum Task {
    /// A workflow or activity task; the run says whether it still stands.
    Dispatch { key: Arc<RunKey>, dispatch: Dispatch },
    /// A task that was started for the poll which gets it.
    Started(Arc<StartedTask>),
    /// A question that is put to a worker directly (spec §3.11). Not durable: whoever asked still waits.
    Query(Arc<QueryTask>),
}

/// The value of an outbox row.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Row {
    #[prost(bytes = "vec", tag = "1")]
    namespace_id: Vec<u8>,
    #[prost(string, tag = "2")]
    workflow_id: String,
    #[prost(message, optional, tag = "3")]
    dispatch: Option<Dispatch>,
}

impl Row {
    pub(super) fn encode(key: &RunKey, dispatch: &Dispatch) -> Vec<u8> {
        let row = Self {
            namespace_id: key.namespace_id.as_bytes().to_vec(),
            workflow_id: key.workflow_id.clone(),
            dispatch: Some(dispatch.clone()),
        };
        row.encode_to_vec()
    }

    /// The run and the task of a stored row.
    pub(super) fn decode(value: &[u8], run_id: [u8; 16]) -> Option<(RunKey, Dispatch)> {
        let row = <Self as Message>::decode(value).ok()?;
        let namespace_id = Uuid::from_slice(&row.namespace_id).ok()?;
        let key = RunKey { namespace_id, workflow_id: row.workflow_id, run_id: Uuid::from_bytes(run_id) };
        Some((key, row.dispatch?))
    }
}

impl abide_matching::Task for Task {
    /// Run or query, kind, event id, attempt: what tells an attempt of a task from all others.
    type Key = (u128, u8, i64, i32);
    type Poller = ();

    fn key(&self) -> Self::Key {
        match self {
            Self::Dispatch { key, dispatch } => {
                let kind = dispatch.task_kind() as u8;
                (key.run_id.as_u128(), kind, dispatch.scheduled_event_id, dispatch.attempt)
            }
            // Never held by a queue, and so never compared.
            Self::Started(_) => (0, 0, 0, 0),
            Self::Query(query) => (query.id.as_u128(), 0, 0, 0),
        }
    }

    fn is_durable(&self) -> bool {
        matches!(self, Self::Dispatch { .. })
    }
}

/// The clock of the queues.
pub struct QueueClock(pub Env);

impl abide_matching::Clock for QueueClock {
    fn now_ms(&self) -> i64 {
        self.0.wall_ms()
    }

    fn sleep_until_ms(&self, at_ms: i64) -> BoxFuture<()> {
        let wait_ms = u64::try_from(at_ms - self.0.wall_ms()).unwrap_or(0);
        self.0.sleep(Duration::from_millis(wait_ms))
    }
}

/// The queue that a task goes to first.
pub(super) fn queue_of(key: &RunKey, dispatch: &Dispatch) -> QueueId {
    let namespace = *key.namespace_id.as_bytes();
    match (dispatch.task_kind(), dispatch.is_sticky()) {
        (TaskKind::Workflow, true) => QueueId::sticky(namespace, dispatch.queue.as_str()),
        (TaskKind::Workflow, false) => {
            QueueId::normal(namespace, abide_matching::TaskKind::Workflow, dispatch.queue.as_str())
        }
        (TaskKind::Activity, _) => {
            QueueId::normal(namespace, abide_matching::TaskKind::Activity, dispatch.queue.as_str())
        }
    }
}

/// The queue that a task goes to first, and its place there.
fn place(key: &Arc<RunKey>, dispatch: Dispatch) -> (QueueId, Entry<Task>) {
    let queue = queue_of(key, &dispatch);
    let entry = Entry {
        priority: u8::try_from(dispatch.priority.max(0)).unwrap_or(u8::MAX),
        scheduled_time_ms: dispatch.outbox_ms(),
        task: Task::Dispatch { key: Arc::clone(key), dispatch },
    };
    (queue, entry)
}

/// Offers a durable task to its queue, or to the normal queue if its sticky worker is gone (spec §3.7). A queue that is
/// full asks for it later.
pub(super) fn offer(shared: &Shared, key: &Arc<RunKey>, dispatch: Dispatch) {
    let normal = dispatch.normal_queue.clone();
    let (queue, entry) = place(key, dispatch);
    if let Offer::StickyUnavailable(entry) = shared.matching.offer(&queue, entry) {
        let normal = QueueId::normal(queue.namespace, queue.kind, normal);
        shared.matching.offer(&normal, entry);
    }
}

/// Offers again what a sticky queue gave up.
pub(super) fn offer_to_normal(shared: &Shared, entries: Vec<Entry<Task>>) {
    for entry in entries {
        if let Task::Dispatch { key, dispatch } = &entry.task {
            let namespace = *key.namespace_id.as_bytes();
            let kind = abide_matching::TaskKind::Workflow;
            let queue = QueueId::normal(namespace, kind, dispatch.normal_queue.as_str());
            shared.matching.offer(&queue, entry);
        }
    }
}

impl Shards {
    /// The worker of a sticky queue is gone: its polls end, and what waits there goes to the normal queue (spec §3.7).
    pub fn unload_sticky(&self, queue: &QueueId) {
        offer_to_normal(&self.shared, self.shared.matching.unload_sticky(queue));
    }
}

/// The entries of an outbox page that belong to a queue which asked for what it forgot.
pub(super) fn for_queue(queue: &QueueId, key: RunKey, dispatch: Dispatch) -> Option<Entry<Task>> {
    let normal = dispatch.normal_queue.clone();
    let (first, entry) = place(&Arc::new(key), dispatch);
    let fallback = first.sticky && !queue.sticky && queue.kind == first.kind && *queue.name == *normal;
    (first == *queue || (fallback && first.namespace == queue.namespace)).then_some(entry)
}
