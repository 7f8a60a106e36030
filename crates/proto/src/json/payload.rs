//! The shorthand of payloads: one that holds JSON is shown as its value.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Map, Value, json};

use crate::temporal::api::common::v1::Payload;

pub(super) const PAYLOAD: &str = "temporal.api.common.v1.Payload";
pub(super) const PAYLOADS: &str = "temporal.api.common.v1.Payloads";
/// Stays in the long form: its payloads carry the attribute's type beside the value.
pub(super) const SEARCH_ATTRIBUTES: &str = "temporal.api.common.v1.SearchAttributes";

const ENCODING: &str = "encoding";
const MESSAGE_TYPE: &str = "messageType";
/// The key under which the shorthand of a `json/protobuf` payload tells the message's type.
const MESSAGE_TYPE_KEY: &str = "_protoMessageType";

/// The payload's value if it holds JSON and nothing but: `json/plain`, or `json/protobuf` with its type as a key.
pub fn value_of(payload: &Payload) -> Option<Value> {
    let metadata = |key: &str| payload.metadata.get(key).map(AsRef::as_ref);
    let data = serde_json::from_slice::<Value>(&payload.data).ok();
    match (metadata(ENCODING)?, payload.metadata.len()) {
        (b"json/plain", 1) => data,
        (b"json/protobuf", 2) => {
            let Value::Object(mut object) = data? else { return None };
            let name = std::str::from_utf8(metadata(MESSAGE_TYPE)?).ok()?;
            object.insert(MESSAGE_TYPE_KEY.to_owned(), name.into());
            Some(Value::Object(object))
        }
        _ => None,
    }
}

/// The long form of a payload that may be given by its value.
pub(super) fn lengthen(value: Value) -> Value {
    match value {
        Value::Object(object) if object.keys().all(|key| is_field(key)) => Value::Object(object),
        Value::Object(mut object) => match object.shift_remove(MESSAGE_TYPE_KEY) {
            Some(Value::String(name)) => long("json/protobuf", Some(&name), &Value::Object(object)),
            Some(other) => {
                object.insert(MESSAGE_TYPE_KEY.to_owned(), other);
                long("json/plain", None, &Value::Object(object))
            }
            None => long("json/plain", None, &Value::Object(object)),
        },
        value => long("json/plain", None, &value),
    }
}

fn is_field(key: &str) -> bool {
    matches!(key, "metadata" | "data" | "externalPayloads" | "external_payloads")
}

fn long(encoding: &str, message_type: Option<&str>, value: &Value) -> Value {
    let mut metadata = Map::new();
    metadata.insert(ENCODING.to_owned(), BASE64_STANDARD.encode(encoding).into());
    if let Some(name) = message_type {
        metadata.insert(MESSAGE_TYPE.to_owned(), BASE64_STANDARD.encode(name).into());
    }
    json!({"metadata": metadata, "data": BASE64_STANDARD.encode(value.to_string())})
}
