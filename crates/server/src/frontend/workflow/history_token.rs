//! Where the next page of a history begins. Clients and workers hand it back as they got it.
use bytes::Bytes;
use prost::Message;
use uuid::Uuid;

/// A page token; the worker's first page of a task has one too.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct HistoryToken {
    #[prost(bytes = "vec", tag = "1")]
    run_id: Vec<u8>,
    #[prost(int64, tag = "2")]
    pub(crate) next_event_id: i64,
    /// The event behind the last one to read; 0 reads on as long as the run grows.
    #[prost(int64, tag = "3")]
    pub(crate) end_event_id: i64,
}

impl HistoryToken {
    pub(crate) fn new(run_id: Uuid, next_event_id: i64, end_event_id: i64) -> Self {
        Self { run_id: run_id.as_bytes().to_vec(), next_event_id, end_event_id }
    }

    pub(crate) fn encoded(&self) -> Bytes {
        self.encode_to_vec().into()
    }

    /// The token of a request, if it is one.
    pub(crate) fn decoded(token: &Bytes) -> Option<Self> {
        let decoded = Self::decode(token.clone()).ok()?;
        let sound = decoded.run_id.len() == 16 && decoded.next_event_id > 0 && decoded.end_event_id >= 0;
        sound.then_some(decoded)
    }

    pub(crate) fn run_id(&self) -> Uuid {
        Uuid::from_slice(&self.run_id).unwrap_or_default() // its length was checked where it came in
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn only_whole_tokens_are_tokens() {
        let token = HistoryToken::new(Uuid::from_u128(7), 5, 9);
        assert_eq!(HistoryToken::decoded(&token.encoded()).unwrap(), token);
        for bad in [&b"{}"[..], b"rubbish", b"\x0a\x04none", b""] {
            assert_eq!(HistoryToken::decoded(&Bytes::copy_from_slice(bad)), None, "{bad:?}");
        }
    }
}
