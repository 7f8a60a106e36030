//! Task tokens: opaque to workers, who hand them back with the answer, perhaps hours and a restart later.
use bytes::Bytes;
use prost::Message;
use tonic::Status;

use crate::status;

/// What a task token says. All kinds of tasks share one form, so that a token of another kind is a stale one, not a
/// malformed one (spec §3.37.1).
#[derive(Clone, PartialEq, Message)]
pub struct TaskToken {
    /// Of the namespace; 16 bytes.
    #[prost(bytes = "vec", tag = "1")]
    pub namespace_id: Vec<u8>,
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
    /// When the attempt started, in nanoseconds since the epoch: tells apart two starts of the same attempt.
    #[prost(int64, tag = "7")]
    pub started_time_ns: i64,
    /// Of activity tasks.
    #[prost(string, tag = "8")]
    pub activity_id: String,
    /// Of query tasks: the query that the answer is for.
    #[prost(bytes = "vec", tag = "9")]
    pub query_id: Vec<u8>,
    #[prost(int64, tag = "10")]
    pub version: i64,
}

impl TaskToken {
    pub fn encode_to_bytes(&self) -> Bytes {
        self.encode_to_vec().into()
    }

    /// The token of a request that must have one.
    pub fn of_request(token: &Bytes) -> Result<Self, Status> {
        if token.is_empty() {
            return Err(status::invalid_argument("Task token not set on request."));
        }
        let malformed = || status::invalid_argument("Error deserializing task token.");
        let decoded = Self::decode(token.clone()).map_err(|_| malformed())?;
        if decoded.namespace_id.len() != 16 || decoded.run_id.len() != 16 {
            return Err(malformed());
        }
        Ok(decoded)
    }

    pub fn namespace(&self) -> [u8; 16] {
        id(&self.namespace_id)
    }

    pub fn run(&self) -> [u8; 16] {
        id(&self.run_id)
    }
}

fn id(bytes: &[u8]) -> [u8; 16] {
    bytes.try_into().unwrap_or_default() // the length is checked where a token comes in
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_token_comes_back_as_it_went() {
        let token = TaskToken {
            namespace_id: vec![1; 16],
            workflow_id: "w".into(),
            run_id: vec![2; 16],
            scheduled_event_id: 5,
            ..Default::default()
        };
        assert_eq!(TaskToken::of_request(&token.encode_to_bytes()).unwrap(), token);
        assert_eq!((token.namespace(), token.run()), ([1; 16], [2; 16]));
    }

    #[test]
    fn garbage_is_refused_by_name() {
        let refused =
            |bytes: &'static [u8]| TaskToken::of_request(&Bytes::from_static(bytes)).unwrap_err().message().to_owned();
        assert_eq!(refused(b""), "Task token not set on request.");
        assert_eq!(refused(b"nope"), "Error deserializing task token.");
        assert_eq!(refused(b"\x0a\x01x"), "Error deserializing task token.");
    }
}
