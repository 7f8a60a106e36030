//! Messages to JSON.

use std::collections::BTreeMap;

use base64::{Engine, prelude::BASE64_STANDARD};
use prost_reflect::{
    DynamicMessage, EnumDescriptor, FieldDescriptor, Kind, MapKey, ReflectMessage, SerializeOptions, Value as Field,
};
use serde_json::{Map, Number, Value};

use super::payload::{self, PAYLOAD, PAYLOADS, SEARCH_ATTRIBUTES};

/// How payloads are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As the messages they are: what replayers read.
    Canonical,
    /// As their values, where they hold JSON; search attributes stay as they are.
    Shorthand,
}

/// The message as JSON; fields come in the order of their declaration, map keys in theirs.
pub(super) fn message(message: &DynamicMessage, style: Style) -> Value {
    let descriptor = message.descriptor();
    let name = descriptor.full_name();
    if name.starts_with("google.protobuf.") {
        return well_known(name, message, style);
    }
    let style = if name == SEARCH_ATTRIBUTES { Style::Canonical } else { style };
    if style == Style::Shorthand
        && let Some(short) = shorten(name, message)
    {
        return short;
    }
    let mut object = Map::new();
    for field in descriptor.fields().filter(|field| message.has_field(field)) {
        object.insert(field.json_name().to_owned(), self::field(&field, &message.get_field(&field), style));
    }
    Value::Object(object)
}

fn shorten(name: &str, message: &DynamicMessage) -> Option<Value> {
    match name {
        PAYLOAD => payload::value_of(&message.transcode_to().ok()?),
        PAYLOADS => {
            let list = message.get_field_by_name("payloads")?;
            let short: Option<Vec<Value>> =
                list.as_list()?.iter().map(|one| shorten(PAYLOAD, one.as_message()?)).collect();
            short.filter(|values| !values.is_empty()).map(Value::Array)
        }
        _ => None,
    }
}

fn field(field: &FieldDescriptor, value: &Field, style: Style) -> Value {
    match (value, field.kind()) {
        (Field::List(items), kind) => items.iter().map(|item| single(&kind, item, style)).collect(),
        (Field::Map(entries), Kind::Message(entry)) => map(entries, &entry.map_entry_value_field().kind(), style),
        (value, kind) => single(&kind, value, style),
    }
}

fn map<'a>(entries: impl IntoIterator<Item = (&'a MapKey, &'a Field)>, kind: &Kind, style: Style) -> Value {
    let sorted: BTreeMap<_, _> = entries.into_iter().collect();
    let object: Map<_, _> =
        sorted.into_iter().map(|(key, value)| (key_text(key), single(kind, value, style))).collect();
    Value::Object(object)
}

fn key_text(key: &MapKey) -> String {
    match key {
        MapKey::Bool(key) => key.to_string(),
        MapKey::I32(key) => key.to_string(),
        MapKey::I64(key) => key.to_string(),
        MapKey::U32(key) => key.to_string(),
        MapKey::U64(key) => key.to_string(),
        MapKey::String(key) => key.clone(),
    }
}

fn single(kind: &Kind, value: &Field, style: Style) -> Value {
    match value {
        Field::Bool(value) => (*value).into(),
        Field::I32(value) => (*value).into(),
        Field::U32(value) => (*value).into(),
        Field::I64(value) => value.to_string().into(),
        Field::U64(value) => value.to_string().into(),
        Field::F32(value) => number(f64::from(*value), &value.to_string()),
        Field::F64(value) => number(*value, &value.to_string()),
        Field::String(value) => value.as_str().into(),
        Field::Bytes(value) => BASE64_STANDARD.encode(value).into(),
        Field::EnumNumber(number) => match kind {
            Kind::Enum(descriptor) => enum_value(descriptor, *number),
            _ => (*number).into(),
        },
        Field::Message(value) => message(value, style),
        Field::List(items) => items.iter().map(|item| single(kind, item, style)).collect(),
        Field::Map(entries) => map(entries, kind, style),
    }
}

/// The shortest digits that read back as the same number; a whole one has no point.
fn number(value: f64, shortest: &str) -> Value {
    if value.is_nan() {
        return "NaN".into();
    }
    if value.is_infinite() {
        return if value > 0.0 { "Infinity" } else { "-Infinity" }.into();
    }
    const WHOLE_MAX: f64 = 9_007_199_254_740_992.0; // 2^53: every whole number up to here is exact
    if value.fract() == 0.0 && value.abs() <= WHOLE_MAX && (value != 0.0 || value.is_sign_positive()) {
        return (value as i64).into();
    }
    shortest.parse().ok().and_then(Number::from_f64).map_or(Value::Null, Value::Number)
}

fn enum_value(descriptor: &EnumDescriptor, number: i32) -> Value {
    if descriptor.full_name() == "google.protobuf.NullValue" {
        return Value::Null;
    }
    descriptor.get_value(number).map_or_else(|| number.into(), |value| value.name().into())
}

/// The types whose JSON is not an object of their fields.
fn well_known(name: &str, dynamic: &DynamicMessage, style: Style) -> Value {
    match name {
        "google.protobuf.Timestamp" => {
            dynamic.transcode_to::<prost_types::Timestamp>().map_or(Value::Null, |time| time.to_string().into())
        }
        "google.protobuf.Duration" => {
            dynamic.transcode_to::<prost_types::Duration>().map_or(Value::Null, |span| span.to_string().into())
        }
        // A number in a box is written as the number is: the library has no word for one that is none, or infinite.
        "google.protobuf.DoubleValue" | "google.protobuf.FloatValue" => {
            let field = dynamic.descriptor().get_field(1).expect("a box has its value in field 1");
            single(&field.kind(), &dynamic.get_field(&field), style)
        }
        "google.protobuf.Any" => any(&dynamic.transcode_to().unwrap_or_default(), style),
        _ => dynamic
            .serialize_with_options(serde_json::value::Serializer, &SerializeOptions::new().skip_default_fields(true))
            .unwrap_or(Value::Null),
    }
}

/// `@type` and the packed message's own keys; one of an unknown type keeps its bytes under `value`.
fn any(any: &prost_types::Any, style: Style) -> Value {
    let mut object = Map::new();
    object.insert("@type".to_owned(), any.type_url.as_str().into());
    let name = any.type_url.rsplit('/').next().unwrap_or_default();
    let packed = super::pool()
        .get_message_by_name(name)
        .and_then(|descriptor| DynamicMessage::decode(descriptor, any.value.as_slice()).ok());
    match packed.map(|packed| message(&packed, style)) {
        Some(Value::Object(fields)) if !name.starts_with("google.protobuf.") => object.extend(fields),
        Some(value) => drop(object.insert("value".to_owned(), value)),
        None => drop(object.insert("value".to_owned(), BASE64_STANDARD.encode(&any.value).into())),
    }
    Value::Object(object)
}
