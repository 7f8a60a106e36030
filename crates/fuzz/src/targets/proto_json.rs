//! Messages to JSON and back, and JSON that is nearly a message.
use std::sync::OnceLock;

use abide_proto::json::{self, Style, UnknownFields};
use prost_reflect::{DynamicMessage, MessageDescriptor};
use serde_json::Value;

use crate::{choices::Choices, message::Generator, vocabulary::Vocabulary};

pub(super) fn run(input: &[u8]) {
    let mut choices = Choices::new(input);
    let descriptor = choices.pick(messages());
    match choices.byte() {
        0..=199 => from_message(&mut choices, &descriptor),
        _ => from_text(&mut choices, &descriptor),
    }
}

fn messages() -> &'static [MessageDescriptor] {
    static MESSAGES: OnceLock<Vec<MessageDescriptor>> = OnceLock::new();
    MESSAGES.get_or_init(|| json::pool().all_messages().filter(|message| !message.is_map_entry()).collect())
}

fn from_message(choices: &mut Choices<'_>, descriptor: &MessageDescriptor) {
    let vocabulary = Vocabulary::new();
    let bytes = Generator::new(choices, &vocabulary, "workflow_token").message(descriptor);
    let name = descriptor.full_name();
    let decodes = DynamicMessage::decode(descriptor.clone(), bytes.as_slice()).is_ok();
    for style in [Style::Canonical, Style::Shorthand] {
        let encoded = json::encode_named(name, &bytes, style);
        assert_eq!(encoded.is_ok(), decodes, "{name}: what is a message has its JSON");
        let Ok(mut value) = encoded else { return };
        let text = value.to_string();
        let read: Result<Value, _> = serde_json::from_str(&text);
        // Deeper than the reader goes, which is a limit of its own.
        assert!(
            read.as_ref().map_or_else(|e| e.to_string().contains("recursion limit"), |read| *read == value),
            "{text}"
        );
        there_and_back(name, &value, style);
        if !choices.is_empty() {
            disturb(choices, &mut value, 0);
            there_and_back(name, &value, style);
        }
    }
}

fn from_text(choices: &mut Choices<'_>, descriptor: &MessageDescriptor) {
    if let Ok(value) = serde_json::from_slice::<Value>(choices.bytes(usize::MAX)) {
        there_and_back(descriptor.full_name(), &value, Style::Canonical);
        there_and_back(descriptor.full_name(), &value, Style::Shorthand);
    }
}

/// JSON that is a message is written the same again, once it was.
fn there_and_back(name: &str, value: &Value, style: Style) {
    for unknown in [UnknownFields::Ignore, UnknownFields::Refuse] {
        let Ok(bytes) = json::decode_named(name, value.clone(), unknown) else { continue };
        let written = json::encode_named(name, &bytes, style).expect("what was read can be written");
        let Ok(again) = json::decode_named(name, written.clone(), unknown) else {
            panic!("{name}: {written} was written and cannot be read");
        };
        let twice = json::encode_named(name, &again, style).expect("what was read can be written");
        assert_eq!(twice, written, "{name}: what was read is written as it was");
    }
}

/// Puts something else in some place.
fn disturb(choices: &mut Choices<'_>, value: &mut Value, depth: usize) {
    let goes_on = depth < 12 && !choices.odds(60);
    match value {
        Value::Object(object) if goes_on && !object.is_empty() => {
            let at = choices.below(object.len());
            if choices.odds(30) {
                object.insert(
                    choices.pick(&["@type", "x", "value", "_protoMessageType", "data"]).to_owned(),
                    odd(choices),
                );
            } else if let Some(inner) = object.values_mut().nth(at) {
                disturb(choices, inner, depth + 1);
            }
        }
        Value::Array(items) if goes_on && !items.is_empty() => {
            let at = choices.below(items.len());
            disturb(choices, &mut items[at], depth + 1);
        }
        value => *value = odd(choices),
    }
}

fn odd(choices: &mut Choices<'_>) -> Value {
    const TEXTS: [&str; 16] = [
        "null",
        "\"\"",
        "{}",
        "[]",
        "[null]",
        "-1",
        "1e999",
        "18446744073709551616",
        "\"NaN\"",
        "\"-9223372036854775809\"",
        "\"1970-01-01T00:00:00.0000000001Z\"",
        "\"9999999999999999s\"",
        "{\"@type\":\"type.googleapis.com/google.protobuf.Any\",\"value\":{}}",
        "\"=\"",
        "\"WorkflowExecutionStarted\"",
        "[[[{\"a\":[1.5]}]]]",
    ];
    let text = choices.pick(&TEXTS);
    serde_json::from_str(text).unwrap_or_else(|_| text.into())
}
