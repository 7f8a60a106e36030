//! JSON to messages.

use prost_reflect::{DeserializeOptions, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor};
use serde_json::{Map, Value};

use super::{
    enums,
    payload::{self, PAYLOAD, PAYLOADS},
};

/// What becomes of keys that the message has no field for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownFields {
    /// They are skipped, as JSON from a newer server needs.
    Ignore,
    /// They are an error.
    Refuse,
}

/// Why JSON or bytes are not the message they should be.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    #[error("unknown message type {0}")]
    UnknownMessage(String),
    #[error("malformed message: {0}")]
    Bytes(#[from] prost::DecodeError),
    #[error("{0}")]
    Json(#[from] serde_json::Error),
}

pub(super) fn message(
    descriptor: &MessageDescriptor,
    mut value: Value,
    unknown: UnknownFields,
) -> Result<DynamicMessage, DecodeError> {
    normalise(descriptor, &mut value);
    let options = DeserializeOptions::new().deny_unknown_fields(unknown == UnknownFields::Refuse);
    Ok(DynamicMessage::deserialize_with_options(descriptor.clone(), value, &options)?)
}

/// Rewrites in place what only some writers use: old enum names and payloads by value.
fn normalise(descriptor: &MessageDescriptor, value: &mut Value) {
    match descriptor.full_name() {
        name if name.starts_with("google.protobuf.") => return,
        PAYLOAD => *value = payload::lengthen(value.take()),
        PAYLOADS => {
            if let Value::Array(_) = value {
                *value = Value::Object(Map::from_iter([("payloads".to_owned(), value.take())]));
            }
        }
        _ => {}
    }
    let Value::Object(object) = value else { return };
    for (key, value) in object {
        let field = descriptor.get_field_by_json_name(key).or_else(|| descriptor.get_field_by_name(key));
        if let Some(field) = field {
            normalise_field(&field, value);
        }
    }
}

fn normalise_field(field: &FieldDescriptor, value: &mut Value) {
    match (field.kind(), value) {
        (Kind::Message(entry), Value::Object(entries)) if field.is_map() => {
            let kind = entry.map_entry_value_field().kind();
            entries.values_mut().for_each(|value| normalise_single(&kind, value));
        }
        (kind, Value::Array(items)) if field.is_list() => {
            items.iter_mut().for_each(|item| normalise_single(&kind, item));
        }
        (_, Value::Null) => {} // absent; among payloads, above, a null is a value
        (kind, value) => normalise_single(&kind, value),
    }
}

fn normalise_single(kind: &Kind, value: &mut Value) {
    match kind {
        Kind::Message(descriptor) => normalise(descriptor, value),
        Kind::Enum(descriptor) => {
            if let Value::String(name) = value
                && descriptor.get_value_by_name(name).is_none()
                && let Some(full) = enums::full_name_of_short(descriptor, name)
            {
                *name = full;
            }
        }
        _ => {}
    }
}
