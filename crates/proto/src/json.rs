//! Proto JSON: the canonical mapping of API messages to JSON and back, as the SDKs' replayers and the HTTP API read it.
//!
//! Names are camelCase, enums stand by full name, 64-bit integers are strings, bytes base64, times RFC 3339, durations `10s`;
//! fields with their default value are left out. [`Style::Shorthand`] shows payloads that hold JSON as their value.

mod decode;
mod encode;
mod enums;
mod message;
mod payload;

use std::{collections::BTreeSet, sync::LazyLock};

use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use prost_types::FileDescriptorSet;
use serde_json::Value;

pub use decode::{DecodeError, UnknownFields};
pub use encode::Style;
pub use enums::{enum_name, enum_short_name};
pub use message::JsonMessage;
pub use payload::value_of as payload_value;

static POOL: LazyLock<DescriptorPool> = LazyLock::new(|| {
    let mut set = FileDescriptorSet::decode(crate::DESCRIPTORS).expect("the descriptor set is written by the build");
    let names: BTreeSet<String> = set.file.iter().map(|file| file.name().to_owned()).collect();
    for file in &mut set.file {
        // Packages left out of the set only annotate methods; no message needs them.
        file.dependency.retain(|name| names.contains(name));
    }
    DescriptorPool::from_file_descriptor_set(set).expect("the wire types were generated from the same set")
});

/// The descriptors of every generated message, decoded at first use.
pub fn pool() -> &'static DescriptorPool {
    &POOL
}

/// The message as a JSON value.
pub fn encode<M: JsonMessage>(message: &M, style: Style) -> Value {
    let descriptor = descriptor::<M>();
    let dynamic = DynamicMessage::decode(descriptor, message.encode_to_vec().as_slice())
        .expect("a generated message decodes by its own descriptor");
    encode::message(&dynamic, style)
}

/// An encoded message of the type with this full name as a JSON value.
///
/// # Errors
/// [`DecodeError::UnknownMessage`] for a name that no generated type has, [`DecodeError::Bytes`] for bytes of another type.
pub fn encode_named(full_name: &str, bytes: &[u8], style: Style) -> Result<Value, DecodeError> {
    let dynamic = DynamicMessage::decode(descriptor_named(full_name)?, bytes)?;
    Ok(encode::message(&dynamic, style))
}

/// Reads a message from JSON; old enum names (`WorkflowExecutionStarted`) and payload shorthand are understood.
///
/// # Errors
/// [`DecodeError::Json`] says what does not fit the message.
pub fn decode<M: JsonMessage>(value: Value, unknown: UnknownFields) -> Result<M, DecodeError> {
    let dynamic = decode::message(&descriptor::<M>(), value, unknown)?;
    Ok(dynamic.transcode_to()?)
}

/// Reads a message of the type with this full name from JSON and gives its encoded form.
///
/// # Errors
/// As [`decode`], and [`DecodeError::UnknownMessage`] for a name that no generated type has.
pub fn decode_named(full_name: &str, value: Value, unknown: UnknownFields) -> Result<Vec<u8>, DecodeError> {
    Ok(decode::message(&descriptor_named(full_name)?, value, unknown)?.encode_to_vec())
}

fn descriptor<M: JsonMessage>() -> MessageDescriptor {
    pool().get_message_by_name(M::FULL_NAME).expect("every JsonMessage names a message of the descriptor set")
}

fn descriptor_named(full_name: &str) -> Result<MessageDescriptor, DecodeError> {
    pool().get_message_by_name(full_name).ok_or_else(|| DecodeError::UnknownMessage(full_name.to_owned()))
}
