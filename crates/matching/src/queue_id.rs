//! The name of a queue.

use std::sync::Arc;

/// What kind of task a queue holds. Queues of one name but of different kinds are different queues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TaskKind {
    Workflow,
    Activity,
    Nexus,
}

/// Names one queue. Cheap to clone.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueId {
    pub name: Arc<str>,
    pub kind: TaskKind,
    /// A sticky queue belongs to one worker and takes tasks only while that worker polls.
    pub sticky: bool,
    /// The namespace's id, a UUID.
    pub namespace: [u8; 16],
}

impl QueueId {
    /// A queue that any worker may poll.
    pub fn normal(namespace: [u8; 16], kind: TaskKind, name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), kind, sticky: false, namespace }
    }

    /// One worker's own queue of workflow tasks.
    pub fn sticky(namespace: [u8; 16], name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into(), kind: TaskKind::Workflow, sticky: true, namespace }
    }
}
