//! Tasks on their way to workers: as matching holds them, and as the outbox keeps them.
use std::sync::Arc;

use abide_engine::workflow::{Dispatch, RunKey, TaskKind};
use abide_matching::{Entry, Offer, QueueId};
use prost::Message;
use uuid::Uuid;

use super::{Shared, query::QueryTask};

/// What matching hands to a poller.
#[derive(Clone)]
pub enum Task {
    /// A workflow or activity task; the run says whether it still stands.
    Dispatch { key: Arc<RunKey>, dispatch: Dispatch },
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

/// The queue that a name and kind of task mean.
pub fn queue(namespace_id: Uuid, name: &str, kind: TaskKind, sticky: bool) -> QueueId {
    let kind = match kind {
        TaskKind::Workflow => abide_matching::TaskKind::Workflow,
        TaskKind::Activity => abide_matching::TaskKind::Activity,
    };
    QueueId::new(*namespace_id.as_bytes(), name, kind, sticky)
}

/// Offers a durable task to its queue, or to the normal queue if its sticky worker is gone (spec §3.7).
pub(super) fn offer(shared: &Shared, key: &Arc<RunKey>, dispatch: Dispatch) {
    let now_ms = shared.env.wall_ms();
    let kind = dispatch.task_kind();
    let entry = |dispatch: Dispatch| Entry {
        priority: match dispatch.priority {
            0 => 3,
            n => n.clamp(1, 5) as u8,
        },
        scheduled_time_ms: dispatch.outbox_ms(),
        task: Task::Dispatch { key: Arc::clone(key), dispatch },
    };
    let normal = dispatch.normal_queue.clone();
    let first = queue(key.namespace_id, &dispatch.queue, kind, dispatch.is_sticky());
    if let Offer::StickyUnavailable(entry) = shared.matching.offer(&first, entry(dispatch), now_ms) {
        let second = queue(key.namespace_id, &normal, kind, false);
        shared.matching.offer(&second, entry, now_ms);
    }
}
