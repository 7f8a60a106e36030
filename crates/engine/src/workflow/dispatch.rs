//! Tasks that wait for a worker. They are derived from the records, so the outbox in the store holds a row exactly as
//! long as the state says that something is to be handed out.
use prost::Message;

use super::records::{Activity, Header, Profile};
use crate::Time;

/// What kind of task, one byte in the outbox key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum TaskKind {
    Workflow = 1,
    Activity = 2,
}

/// A task to be offered to the workers of a queue; the value of its outbox row.
#[derive(Clone, PartialEq, Message)]
pub struct Dispatch {
    /// `TaskKind`.
    #[prost(uint32, tag = "1")]
    pub kind: u32,
    #[prost(string, tag = "2")]
    pub queue: String,
    /// For a sticky queue the queue to fall back to, else empty.
    #[prost(string, tag = "3")]
    pub normal_queue: String,
    #[prost(int64, tag = "4")]
    pub scheduled_event_id: i64,
    #[prost(int32, tag = "5")]
    pub attempt: i32,
    /// 1 (first) to 5; 0 is the default, 3.
    #[prost(int32, tag = "6")]
    pub priority: i32,
    /// When the attempt was put in its queue, nanoseconds.
    #[prost(int64, tag = "7")]
    pub scheduled_time: i64,
}

impl Dispatch {
    pub fn task_kind(&self) -> TaskKind {
        if self.kind == TaskKind::Activity as u32 { TaskKind::Activity } else { TaskKind::Workflow }
    }

    pub fn is_sticky(&self) -> bool {
        !self.normal_queue.is_empty()
    }

    /// The time in the outbox key.
    pub fn outbox_ms(&self) -> i64 {
        Time(self.scheduled_time).floor_ms()
    }
}

fn priority_key(profile: &Profile) -> i32 {
    profile.priority.as_ref().map_or(0, |p| p.priority_key)
}

/// The workflow task that waits for a worker.
pub(crate) fn of_header(header: &Header, profile: &Profile) -> Option<Dispatch> {
    let task = header.workflow_task.as_ref().filter(|t| header.is_running() && !t.is_started())?;
    let sticky = !task.sticky_queue.is_empty();
    Some(Dispatch {
        kind: TaskKind::Workflow as u32,
        queue: if sticky { task.sticky_queue.clone() } else { profile.task_queue.clone() },
        normal_queue: if sticky { profile.task_queue.clone() } else { String::new() },
        scheduled_event_id: task.scheduled_event_id,
        attempt: task.attempt,
        priority: priority_key(profile),
        scheduled_time: task.scheduled_time,
    })
}

/// The activity attempt that waits for a worker.
pub(crate) fn of_activity(activity: &Activity, profile: &Profile) -> Option<Dispatch> {
    if activity.backing_off || activity.is_started() {
        return None;
    }
    let own = activity.priority.as_ref().map_or(0, |p| p.priority_key);
    Some(Dispatch {
        kind: TaskKind::Activity as u32,
        queue: activity.task_queue.clone(),
        normal_queue: String::new(),
        scheduled_event_id: activity.scheduled_event_id,
        attempt: activity.attempt,
        priority: if own != 0 { own } else { priority_key(profile) },
        scheduled_time: activity.scheduled_time,
    })
}
