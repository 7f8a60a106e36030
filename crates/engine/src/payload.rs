//! Small helpers on payloads.
use bytes::Bytes;

use crate::api::common::{Payload, Payloads};

/// The size that limits count: of the data and the metadata, without the wire's framing.
pub fn size_bytes(payloads: Option<&Payloads>) -> usize {
    payloads.map_or(0, prost::Message::encoded_len)
}

/// A `json/plain` payload.
pub fn json(value: &serde_json::Value) -> Payload {
    let mut payload = Payload { data: Bytes::from(value.to_string()), ..Default::default() };
    payload.metadata.insert("encoding".into(), Bytes::from_static(b"json/plain"));
    payload
}

/// Whether a payload stands for "take it away": no data at all, JSON `null` or `[]`, or `binary/null`.
pub fn is_unset(payload: &Payload) -> bool {
    let encoding = payload.metadata.get("encoding").map(|b| &b[..]);
    match encoding {
        Some(b"binary/null") => true,
        Some(b"json/plain") => matches!(&payload.data[..], b"" | b"null" | b"[]"),
        _ => payload.data.is_empty(),
    }
}
