//! Task tokens: an event id, then the workflow id.
use bytes::{BufMut, Bytes, BytesMut};
use tonic::Status;

/// What a token names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Token<'t> {
    pub(super) workflow_id: &'t str,
    /// Of a workflow task the started event, of an activity task the scheduled event.
    pub(super) event_id: i64,
}

impl<'t> Token<'t> {
    pub(super) fn encode(&self) -> Bytes {
        let mut token = BytesMut::with_capacity(8 + self.workflow_id.len());
        token.put_i64(self.event_id);
        token.put_slice(self.workflow_id.as_bytes());
        token.freeze()
    }

    pub(super) fn decode(token: &'t [u8]) -> Result<Self, Status> {
        let malformed = || Status::invalid_argument("Error deserializing task token.");
        let (event_id, workflow_id) = token.split_first_chunk().ok_or_else(malformed)?;
        let workflow_id = std::str::from_utf8(workflow_id).map_err(|_| malformed())?;
        Ok(Token { workflow_id, event_id: i64::from_be_bytes(*event_id) })
    }
}
