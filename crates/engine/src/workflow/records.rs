//! What a run keeps in the store: one small record per thing that changes by itself. Encoded as protobuf, so fields can
//! be added; a tag, once given, is never given to anything else.
use prost::Message;

use crate::{
    api::{common, enums, failure, history, sdk, workflow},
    tracked::Named,
};

/// What nearly every transition changes.
#[derive(Clone, PartialEq, Message)]
pub struct Header {
    /// `WorkflowExecutionStatus`.
    #[prost(int32, tag = "1")]
    pub status: i32,
    #[prost(int64, tag = "2")]
    pub next_event_id: i64,
    #[prost(message, optional, tag = "3")]
    pub workflow_task: Option<WorkflowTask>,
    /// The attempt that the next workflow task to be scheduled has.
    #[prost(int32, tag = "4")]
    pub workflow_task_attempt: i32,
    /// The Started event of the last completed workflow task; 0 before the first.
    #[prost(int64, tag = "5")]
    pub last_completed_started_event_id: i64,
    #[prost(message, optional, tag = "6")]
    pub sticky: Option<Sticky>,
    #[prost(bool, tag = "7")]
    pub cancel_requested: bool,
    #[prost(int64, tag = "8")]
    pub signal_count: i64,
    #[prost(int64, tag = "9")]
    pub history_size_bytes: i64,
    #[prost(int64, tag = "10")]
    pub close_time: i64,
    /// The first event of the batch that holds the close event.
    #[prost(int64, tag = "11")]
    pub close_batch_event_id: i64,
    /// When the run's one timer row fires, in milliseconds; 0 without one.
    #[prost(int64, tag = "12")]
    pub wakeup_ms: i64,
    /// A close was refused as unhandled and waits for its retry (§3.5).
    #[prost(bool, tag = "13")]
    pub close_attempted: bool,
    #[prost(uint64, tag = "14")]
    pub next_buffer_sequence: u64,
    #[prost(int64, tag = "15")]
    pub state_transition_count: i64,
    /// When the first workflow task of a delayed run is scheduled; 0 when nothing is waited for.
    #[prost(int64, tag = "16")]
    pub first_task_at: i64,
    /// Failed or timed-out workflow tasks in a row, for `TemporalReportedProblems`.
    #[prost(int32, tag = "17")]
    pub problems_in_a_row: i32,
    // Tag 18 was the size of the buffered events.
}

impl Header {
    pub fn is_running(&self) -> bool {
        self.status == enums::WorkflowExecutionStatus::Running as i32
    }
}

/// A workflow task that is scheduled or started.
#[derive(Clone, PartialEq, Message)]
pub struct WorkflowTask {
    #[prost(int64, tag = "1")]
    pub scheduled_event_id: i64,
    /// 0 until a worker has taken it.
    #[prost(int64, tag = "2")]
    pub started_event_id: i64,
    #[prost(int32, tag = "3")]
    pub attempt: i32,
    #[prost(int64, tag = "4")]
    pub scheduled_time: i64,
    #[prost(int64, tag = "5")]
    pub started_time: i64,
    #[prost(int64, tag = "6")]
    pub original_scheduled_time: i64,
    #[prost(string, tag = "7")]
    pub request_id: String,
    /// Start-to-close timeout, nanoseconds.
    #[prost(int64, tag = "8")]
    pub timeout: i64,
    /// The sticky queue it was scheduled on, else empty.
    #[prost(string, tag = "9")]
    pub sticky_queue: String,
    #[prost(string, tag = "10")]
    pub identity: String,
    /// Schedule-to-start timeout of a sticky task, nanoseconds.
    #[prost(int64, tag = "11")]
    pub schedule_to_start_timeout: i64,
    #[prost(bool, tag = "12")]
    pub suggest_continue_as_new: bool,
    #[prost(int32, repeated, tag = "13")]
    pub suggest_continue_as_new_reasons: Vec<i32>,
    #[prost(int64, tag = "14")]
    pub history_size_bytes: i64,
    /// Its events are not stored unless it succeeds: an attempt after the first (§3.3).
    #[prost(bool, tag = "15")]
    pub is_transient: bool,
}

impl WorkflowTask {
    pub fn is_started(&self) -> bool {
        self.started_event_id != 0
    }
}

/// The worker's own queue that the run prefers (§3.7).
#[derive(Clone, PartialEq, Message)]
pub struct Sticky {
    #[prost(string, tag = "1")]
    pub queue: String,
    /// Nanoseconds.
    #[prost(int64, tag = "2")]
    pub schedule_to_start_timeout: i64,
}

/// What seldom changes after the start.
#[derive(Clone, PartialEq, Message)]
pub struct Profile {
    #[prost(string, tag = "1")]
    pub workflow_type: String,
    #[prost(string, tag = "2")]
    pub task_queue: String,
    #[prost(string, tag = "3")]
    pub first_run_id: String,
    // Tags 4 and 5 were the original and the continued run's ids.
    /// The request id that made the run: a repeated start with it is answered with this run (§3.14).
    #[prost(string, tag = "6")]
    pub create_request_id: String,
    #[prost(int64, tag = "7")]
    pub start_time: i64,
    #[prost(int64, tag = "8")]
    pub execution_time: i64,
    /// Nanoseconds; 0 is none. That it was given as 0 shows in describe.
    #[prost(int64, optional, tag = "9")]
    pub execution_timeout: Option<i64>,
    #[prost(int64, optional, tag = "10")]
    pub run_timeout: Option<i64>,
    /// Nanoseconds.
    #[prost(int64, tag = "11")]
    pub task_timeout: i64,
    /// When the run, and the whole chain, times out; 0 is never.
    #[prost(int64, tag = "12")]
    pub run_expiration: i64,
    #[prost(int64, tag = "13")]
    pub execution_expiration: i64,
    #[prost(message, optional, tag = "14")]
    pub retry_policy: Option<common::RetryPolicy>,
    #[prost(int32, tag = "15")]
    pub attempt: i32,
    #[prost(string, tag = "16")]
    pub cron_schedule: String,
    #[prost(message, optional, tag = "17")]
    pub memo: Option<common::Memo>,
    #[prost(message, optional, tag = "18")]
    pub search_attributes: Option<common::SearchAttributes>,
    #[prost(message, optional, tag = "19")]
    pub priority: Option<common::Priority>,
    #[prost(message, optional, tag = "20")]
    pub user_metadata: Option<sdk::UserMetadata>,
    #[prost(message, optional, tag = "21")]
    pub reset_points: Option<workflow::ResetPoints>,
    /// When the chain's first run started.
    #[prost(int64, tag = "22")]
    pub chain_start_time: i64,
    /// The id of the SignalWithStart that made the run also dedups as a signal's (§3.18).
    #[prost(bool, tag = "23")]
    pub started_by_signal: bool,
    #[prost(bool, tag = "24")]
    pub eager: bool,
    // Tags 25 and 26 were the queue's kind and normal name.
}

/// What a retry or cron run needs of the start event; kept only where one may come.
#[derive(Clone, PartialEq, Message)]
pub struct StartKept {
    #[prost(message, optional, tag = "1")]
    pub attributes: Option<history::WorkflowExecutionStartedEventAttributes>,
    #[prost(message, repeated, tag = "2")]
    pub links: Vec<common::Link>,
}

/// A pending activity.
#[derive(Clone, PartialEq, Message)]
pub struct Activity {
    #[prost(int64, tag = "1")]
    pub scheduled_event_id: i64,
    #[prost(string, tag = "2")]
    pub activity_id: String,
    #[prost(string, tag = "3")]
    pub activity_type: String,
    #[prost(string, tag = "4")]
    pub task_queue: String,
    #[prost(message, optional, tag = "5")]
    pub header: Option<common::Header>,
    #[prost(message, optional, tag = "6")]
    pub input: Option<common::Payloads>,
    /// The four timeouts, nanoseconds; 0 is none.
    #[prost(int64, tag = "7")]
    pub schedule_to_close: i64,
    #[prost(int64, tag = "8")]
    pub schedule_to_start: i64,
    #[prost(int64, tag = "9")]
    pub start_to_close: i64,
    #[prost(int64, tag = "10")]
    pub heartbeat: i64,
    #[prost(message, optional, tag = "11")]
    pub retry_policy: Option<common::RetryPolicy>,
    /// What the command set; the worker's task has it merged with the run's.
    #[prost(message, optional, tag = "12")]
    pub priority: Option<common::Priority>,
    /// When the first attempt was scheduled.
    #[prost(int64, tag = "13")]
    pub first_scheduled_time: i64,
    /// When the present attempt was or will be put in its queue.
    #[prost(int64, tag = "14")]
    pub scheduled_time: i64,
    #[prost(int32, tag = "15")]
    pub attempt: i32,
    /// 0 until a worker has taken the present attempt.
    #[prost(int64, tag = "16")]
    pub started_time: i64,
    #[prost(string, tag = "17")]
    pub request_id: String,
    #[prost(string, tag = "18")]
    pub identity: String,
    #[prost(bool, tag = "19")]
    pub cancel_requested: bool,
    #[prost(int64, tag = "20")]
    pub cancel_requested_event_id: i64,
    #[prost(message, optional, tag = "21")]
    pub heartbeat_details: Option<common::Payloads>,
    #[prost(int64, tag = "22")]
    pub last_heartbeat_time: i64,
    #[prost(message, optional, tag = "23")]
    pub last_failure: Option<failure::Failure>,
    #[prost(string, tag = "24")]
    pub last_worker_identity: String,
    #[prost(int64, tag = "25")]
    pub last_attempt_complete_time: i64,
    // Tag 26 was the last attempt's start.
    /// Waiting for `scheduled_time` before it is put in its queue.
    #[prost(bool, tag = "27")]
    pub backing_off: bool,
    /// The wait before the present attempt, nanoseconds.
    #[prost(int64, tag = "28")]
    pub retry_interval: i64,
    // Tags 29 and 30 said whether it was eager, and which completion scheduled it.
}

impl Activity {
    pub fn is_started(&self) -> bool {
        self.started_time != 0
    }
}

impl Named for Activity {
    fn name(&self) -> Option<&str> {
        Some(&self.activity_id)
    }
}

/// A user timer that has not fired.
#[derive(Clone, PartialEq, Message)]
pub struct Timer {
    #[prost(int64, tag = "1")]
    pub started_event_id: i64,
    #[prost(int64, tag = "2")]
    pub fire_time: i64,
}

impl Named for Timer {}

impl Named for history::HistoryEvent {}

/// A request id that was attached to the run after its start, and the event it led to.
#[derive(Clone, PartialEq, Message)]
pub struct RequestIdInfo {
    /// `EventType`.
    #[prost(int32, tag = "1")]
    pub event_type: i32,
    /// 0 while the event is buffered.
    #[prost(int64, tag = "2")]
    pub event_id: i64,
}

impl Named for RequestIdInfo {}

/// The classes of record, one byte in the key. Once given, never given to anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Class {
    Header = 0,
    Profile = 1,
    StartKept = 2,
    Activity = 3,
    Timer = 4,
    Buffered = 5,
    SignalRequestId = 6,
    RequestId = 7,
}

impl Class {
    pub fn of(byte: u8) -> Option<Self> {
        use Class::*;
        [Header, Profile, StartKept, Activity, Timer, Buffered, SignalRequestId, RequestId]
            .into_iter()
            .find(|c| *c as u8 == byte)
    }
}
