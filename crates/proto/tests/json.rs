//! Proto JSON: every kind of history event survives the way to JSON and back, and the forms are those that replayers read.
#![allow(clippy::unwrap_used)]

use abide_proto::{
    json::{self, JsonMessage, Style, UnknownFields},
    temporal::api::{
        common::v1::{Memo, Payload, Payloads},
        history::v1::{History, HistoryEvent},
        taskqueue::v1 as taskqueue,
    },
};
use proptest::prelude::*;
use prost::Message;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage, Value};
use serde_json::json;

/// A small stream of numbers from one seed, so that a failing case is one number.
struct Seeded(u64);

impl Seeded {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    fn text(&mut self) -> String {
        const LETTERS: [char; 8] = ['a', 'Z', '_', '"', '\\', '\n', 'é', '🦀'];
        (0..self.below(6)).map(|_| LETTERS[self.below(8) as usize]).collect()
    }
}

const DEPTH_MAX: u32 = 4;

fn fill(descriptor: &MessageDescriptor, seed: &mut Seeded, depth: u32) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    match descriptor.full_name() {
        "google.protobuf.Timestamp" => {
            message.set_field_by_name("seconds", Value::I64(seed.below(4_000_000_000) as i64 - 1_000_000_000));
            message.set_field_by_name("nanos", Value::I32(seed.below(1_000_000_000) as i32));
        }
        "google.protobuf.Duration" => {
            message.set_field_by_name("seconds", Value::I64(seed.below(1_000_000) as i64));
            message.set_field_by_name("nanos", Value::I32(seed.below(1_000_000_000) as i32));
        }
        "google.protobuf.Any" => {
            message.set_field_by_name(
                "type_url",
                Value::String("type.googleapis.com/temporal.api.common.v1.WorkflowType".into()),
            );
            message.set_field_by_name("value", Value::Bytes(vec![0x0a, 1, b'x'].into()));
        }
        "google.protobuf.FieldMask" => {
            message.set_field_by_name("paths", Value::List(vec![Value::String("one_field".into())]));
        }
        name if name.starts_with("google.protobuf.") => {}
        _ => {
            for field in descriptor.fields() {
                let attributes = field.containing_oneof().is_some_and(|one| one.name() == "attributes");
                if !attributes && seed.below(3) > 0 {
                    set(&mut message, &field, seed, depth);
                }
            }
        }
    }
    message
}

fn set(message: &mut DynamicMessage, field: &FieldDescriptor, seed: &mut Seeded, depth: u32) {
    if depth >= DEPTH_MAX && matches!(field.kind(), Kind::Message(_)) {
        return;
    }
    let value = match field.kind() {
        Kind::Message(entry) if field.is_map() => {
            let kind = entry.map_entry_value_field().kind();
            let key = |seed: &mut Seeded| match entry.map_entry_key_field().kind() {
                Kind::String => MapKey::String(seed.text()),
                Kind::Int32 => MapKey::I32(seed.next() as i32),
                Kind::Int64 => MapKey::I64(seed.next() as i64),
                other => panic!("no map of the API has keys of {other:?}"),
            };
            Value::Map((0..seed.below(3)).map(|_| (key(seed), single(&kind, seed, depth))).collect())
        }
        kind if field.is_list() => Value::List((0..seed.below(3)).map(|_| single(&kind, seed, depth)).collect()),
        kind => single(&kind, seed, depth),
    };
    message.set_field(field, value);
}

fn single(kind: &Kind, seed: &mut Seeded, depth: u32) -> Value {
    match kind {
        Kind::Double => Value::F64(f64::from(seed.next() as i32) / 1000.0),
        Kind::Float => Value::F32(seed.next() as i32 as f32 / 1000.0),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(seed.next() as i32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(seed.next() as i64),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(seed.next() as u32),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(seed.next()),
        Kind::Bool => Value::Bool(seed.below(2) == 0),
        Kind::String => Value::String(seed.text()),
        Kind::Bytes => Value::Bytes(seed.text().into_bytes().into()),
        Kind::Message(descriptor) => Value::Message(fill(descriptor, seed, depth + 1)),
        Kind::Enum(descriptor) => {
            let values: Vec<i32> = descriptor.values().map(|value| value.number()).collect();
            Value::EnumNumber(values[seed.below(values.len() as u64) as usize])
        }
    }
}

fn event_of(attributes: &FieldDescriptor, seed: &mut Seeded) -> HistoryEvent {
    let mut message = fill(&attributes.parent_message().clone(), seed, 0);
    let Kind::Message(kind) = attributes.kind() else { panic!("attributes are messages") };
    message.set_field(attributes, Value::Message(fill(&kind, seed, 0)));
    message.transcode_to().unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_event_survives_json(seed in any::<u64>()) {
        let descriptor = json::pool().get_message_by_name(HistoryEvent::FULL_NAME).unwrap();
        let attributes = descriptor.oneofs().find(|one| one.name() == "attributes").unwrap();
        prop_assert!(attributes.fields().len() > 50);
        let mut seed = Seeded(seed);
        for field in attributes.fields() {
            let event = event_of(&field, &mut seed);
            let text = json::encode(&event, Style::Canonical).to_string();
            let back: HistoryEvent = json::decode(serde_json::from_str(&text).unwrap(), UnknownFields::Refuse).unwrap();
            prop_assert_eq!(&back, &event, "{}", text);
        }
    }

    #[test]
    fn shorthand_of_values_survives_json(number in any::<i32>(), word in ".{0,8}") {
        let payloads = Payloads { payloads: vec![plain(&json!(number)), plain(&json!({"k": word})), plain(&json!(null))] };
        let short = json::encode(&payloads, Style::Shorthand);
        prop_assert_eq!(&short, &json!([number, {"k": word}, null]));
        prop_assert_eq!(json::decode::<Payloads>(short, UnknownFields::Refuse).unwrap(), payloads);
    }
}

fn plain(value: &serde_json::Value) -> Payload {
    payload("json/plain", value.to_string().as_bytes())
}

fn payload(encoding: &'static str, data: &[u8]) -> Payload {
    Payload {
        metadata: [("encoding".to_owned(), bytes::Bytes::from_static(encoding.as_bytes()))].into(),
        data: data.to_vec().into(),
        ..Payload::default()
    }
}

#[test]
fn a_history_reads_as_replayers_write_it() {
    let text = json!({"events": [{
    "eventId": "1", "eventTime": "2023-01-01T00:00:00.120Z", "eventType": "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED",
    "workflowExecutionStartedEventAttributes": {
        "workflowType": {"name": "Flow"}, "taskQueue": {"name": "tq", "kind": "TASK_QUEUE_KIND_NORMAL"},
        "input": {"payloads": [{"metadata": {"encoding": "anNvbi9wbGFpbg=="}, "data": "MQ=="}]},
        "workflowTaskTimeout": "10s", "workflowRunTimeout": "0.500s", "attempt": 1,
        "retryPolicy": {"backoffCoefficient": 2}, "priority": {"fairnessWeight": 0.1}
    }}]});
    let history: History = json::decode(text.clone(), UnknownFields::Refuse).unwrap();
    assert_eq!(json::encode(&history, Style::Canonical), text);
}

#[test]
fn old_enum_names_become_full_ones() {
    let old = json!({"events": [{"eventType": "WorkflowExecutionStarted",
        "workflowExecutionStartedEventAttributes": {"taskQueue": {"kind": "Normal"}, "attempt": 1}}]});
    let history: History = json::decode(old, UnknownFields::Ignore).unwrap();
    let new = json::encode(&history, Style::Canonical);
    assert_eq!(new["events"][0]["eventType"], "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED");
    assert_eq!(
        new["events"][0]["workflowExecutionStartedEventAttributes"]["taskQueue"]["kind"],
        "TASK_QUEUE_KIND_NORMAL"
    );
}

#[test]
fn a_list_with_something_else_keeps_its_frame() {
    let mixed = Payloads {
        payloads: vec![plain(&json!("text")), payload("binary/plain", &[0, 1]), payload("binary/null", &[])],
    };
    assert_eq!(
        json::encode(&mixed, Style::Shorthand),
        json!({"payloads": ["text", {"metadata": {"encoding": "YmluYXJ5L3BsYWlu"}, "data": "AAE="},
            {"metadata": {"encoding": "YmluYXJ5L251bGw="}}]})
    );
}

#[test]
fn a_packed_message_shows_its_type() {
    let mut proto = payload("json/protobuf", br#"{"a":1}"#);
    proto.metadata.insert("messageType".to_owned(), bytes::Bytes::from_static(b"x.Y"));
    let memo = Memo { fields: [("k".to_owned(), proto)].into() };
    let short = json::encode(&memo, Style::Shorthand);
    assert_eq!(short, json!({"fields": {"k": {"a": 1, "_protoMessageType": "x.Y"}}}));
    assert_eq!(json::decode::<Memo>(short, UnknownFields::Refuse).unwrap(), memo);
}

#[test]
fn a_boxed_number_that_is_none_survives_json() {
    const NAME: &str = "temporal.api.taskqueue.v1.TaskQueueMetadata";
    for (json, is) in [("NaN", f64::NAN), ("-Infinity", f64::NEG_INFINITY)] {
        let metadata = taskqueue::TaskQueueMetadata { max_tasks_per_second: Some(is) };
        let value = json::encode_named(NAME, &metadata.encode_to_vec(), Style::Canonical).unwrap();
        assert_eq!(value, json!({"maxTasksPerSecond": json}));
        assert_eq!(json::decode_named(NAME, value, UnknownFields::Refuse).unwrap(), metadata.encode_to_vec());
    }
}

#[test]
fn unknown_keys_are_skipped_or_refused() {
    let newer = json!({"events": [], "somethingNew": 1});
    assert!(json::decode::<History>(newer.clone(), UnknownFields::Ignore).is_ok());
    assert!(json::decode::<History>(newer, UnknownFields::Refuse).is_err());
    assert!(json::decode::<History>(json!({"events": [{"eventId": "many"}]}), UnknownFields::Ignore).is_err());
}

#[test]
fn types_go_by_name_too() {
    let bytes = History::default().encode_to_vec();
    assert_eq!(json::encode_named(History::FULL_NAME, &bytes, Style::Canonical).unwrap(), json!({}));
    assert!(json::encode_named("temporal.api.none.v1.None", &bytes, Style::Canonical).is_err());
    let any = json::decode_named(Memo::FULL_NAME, json!({"fields": {}}), UnknownFields::Refuse).unwrap();
    assert!(any.is_empty());
}

#[test]
fn every_named_type_is_described() {
    assert_eq!(
        json::encode(
            &abide_proto::temporal::api::workflowservice::v1::DescribeNamespaceResponse::default(),
            Style::Canonical
        ),
        json!({})
    );
    assert_eq!(
        DynamicMessage::new(json::pool().get_message_by_name(Payload::FULL_NAME).unwrap()).descriptor().name(),
        "Payload"
    );
}
