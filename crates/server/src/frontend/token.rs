//! Task tokens where they come in.
use abide_engine::workflow::TaskToken;
use bytes::Bytes;
use prost::Message;
use tonic::Status;

use crate::status;

/// The token of a request that must have one.
pub(crate) fn of_request(token: &Bytes) -> Result<TaskToken, Status> {
    if token.is_empty() {
        return Err(status::invalid_argument("Task token not set on request."));
    }
    TaskToken::decode(token.clone()).map_err(|_| status::invalid_argument("Error deserializing task token."))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn garbage_is_refused_by_name() {
        let refused = |bytes: &'static [u8]| of_request(&Bytes::from_static(bytes)).unwrap_err().message().to_owned();
        assert_eq!(refused(b""), "Task token not set on request.");
        assert_eq!(refused(b"rubbish"), "Error deserializing task token.");
        assert_eq!(of_request(&Bytes::from_static(b"\x0a\x04none")).unwrap().namespace_id, "none");
    }
}
