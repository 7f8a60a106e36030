//! Enum values by name: the full form of proto JSON, and the short one of old histories and of text output.

use prost_reflect::EnumDescriptor;

/// The full name of an enum's value, as proto JSON has it; a number that the enum does not know stays a number.
pub fn enum_name(enum_full_name: &str, number: i32) -> String {
    super::pool()
        .get_enum_by_name(enum_full_name)
        .and_then(|descriptor| descriptor.get_value(number))
        .map_or_else(|| number.to_string(), |value| value.name().to_owned())
}

/// The short name of an enum's value: `EVENT_TYPE_TIMER_FIRED` is `TimerFired`.
pub fn enum_short_name(enum_full_name: &str, number: i32) -> String {
    super::pool()
        .get_enum_by_name(enum_full_name)
        .and_then(|descriptor| Some(short(&descriptor, descriptor.get_value(number)?.name())))
        .unwrap_or_else(|| number.to_string())
}

/// The full name of the value with this short one.
pub(super) fn full_name_of_short(descriptor: &EnumDescriptor, short_name: &str) -> Option<String> {
    descriptor
        .values()
        .find(|value| short(descriptor, value.name()).eq_ignore_ascii_case(short_name))
        .map(|value| value.name().to_owned())
}

fn short(descriptor: &EnumDescriptor, full: &str) -> String {
    let prefix = screaming(descriptor.name());
    let rest = full.strip_prefix(&prefix).and_then(|rest| rest.strip_prefix('_')).unwrap_or(full);
    rest.split('_').map(capitalised).collect()
}

/// `EventType` is `EVENT_TYPE`.
fn screaming(camel: &str) -> String {
    let mut out = String::with_capacity(camel.len() + 4);
    for letter in camel.chars() {
        if letter.is_ascii_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.push(letter.to_ascii_uppercase());
    }
    out
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters.next().into_iter().chain(letters.map(|letter| letter.to_ascii_lowercase())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lose_the_prefix_of_their_enum() {
        assert_eq!(enum_short_name("temporal.api.enums.v1.EventType", 1), "WorkflowExecutionStarted");
        assert_eq!(enum_name("temporal.api.enums.v1.EventType", 1), "EVENT_TYPE_WORKFLOW_EXECUTION_STARTED");
        assert_eq!(enum_short_name("temporal.api.enums.v1.EventType", 9999), "9999");
    }
}
