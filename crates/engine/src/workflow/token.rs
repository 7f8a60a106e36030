//! Task tokens: opaque to workers, who hand them back with the answer, perhaps hours and a restart later (spec §3.37).
use bytes::Bytes;
use prost::Message;
use uuid::Uuid;

use super::run::RunKey;

/// What a token names. All kinds of tasks share one form, so that a token of another kind is a stale one, not a
/// malformed one (§3.37.1).
#[derive(Clone, PartialEq, Message)]
pub struct TaskToken {
    /// The namespace's id as text, so that a token of elsewhere can be answered by naming it.
    #[prost(string, tag = "1")]
    pub namespace_id: String,
    #[prost(string, tag = "2")]
    pub workflow_id: String,
    /// 16 bytes.
    #[prost(bytes = "vec", tag = "3")]
    pub run_id: Vec<u8>,
    #[prost(int64, tag = "4")]
    pub scheduled_event_id: i64,
    #[prost(int64, tag = "5")]
    pub started_event_id: i64,
    #[prost(int32, tag = "6")]
    pub attempt: i32,
    /// Nanoseconds; tells apart two starts of the same attempt.
    #[prost(int64, tag = "7")]
    pub started_time: i64,
    #[prost(string, tag = "8")]
    pub activity_id: String,
    /// Names a direct query; such a token belongs to no history event.
    #[prost(string, tag = "9")]
    pub query_id: String,
}

impl TaskToken {
    /// A token for a task of this run.
    pub fn for_run(key: &RunKey) -> Self {
        Self {
            namespace_id: key.namespace_id.to_string(),
            workflow_id: key.workflow_id.clone(),
            run_id: key.run_id.as_bytes().to_vec(),
            ..Default::default()
        }
    }

    pub fn encoded(&self) -> Bytes {
        Bytes::from(self.encode_to_vec())
    }

    /// The run that the token names, if it names one.
    pub fn run_key(&self) -> Option<RunKey> {
        let run_id = Uuid::from_slice(&self.run_id).ok()?;
        let namespace_id = Uuid::parse_str(&self.namespace_id).ok()?;
        Some(RunKey { namespace_id, workflow_id: self.workflow_id.clone(), run_id })
    }
}
