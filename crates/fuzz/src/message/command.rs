//! Commands: the type fits the attributes, nearly always.
use prost_reflect::{Kind, MessageDescriptor};

use super::{Generator, put_bytes, put_varint};

/// Close a run, so they come less often.
const CLOSING: [&str; 4] = ["complete", "fail_workflow", "cancel_workflow", "continue_as_new"];

impl Generator<'_, '_> {
    pub(super) fn command(&mut self, descriptor: &MessageDescriptor, depth: usize) -> Vec<u8> {
        let mut out = Vec::new();
        let attributes = descriptor.fields().filter(|field| field.name().ends_with("_command_attributes"));
        let (closing, ordinary): (Vec<_>, Vec<_>) =
            attributes.partition(|field| CLOSING.iter().any(|start| field.name().starts_with(start)));
        let choice = self.choices.byte();
        let of = if choice >= 0xd0 { &closing } else { &ordinary };
        let Some(field) = of.get(usize::from(choice) % of.len().max(1)) else { return out };
        let name = field.name().trim_end_matches("_command_attributes").to_uppercase();
        let kind = descriptor.get_field_by_name("command_type").map(|field| (field.number(), field.kind()));
        if let Some((number, Kind::Enum(types))) = kind {
            let fitting = types.get_value_by_name(&format!("COMMAND_TYPE_{name}")).map(|value| value.number());
            let other = self.choices.odds(6);
            let of_type = fitting.filter(|_| !other).unwrap_or_else(|| self.enum_number(&types));
            put_varint(&mut out, number, i64::from(of_type) as u64);
        }
        if let Kind::Message(inner) = field.kind() {
            let made = self.nested(&inner, depth + 1);
            put_bytes(&mut out, field.number(), &made);
        }
        if self.choices.odds(10)
            && let Some(metadata) = descriptor.get_field_by_name("user_metadata")
        {
            self.field(&metadata, depth, &mut out);
        }
        out
    }
}
