//! From the text of a schedule to its rule.
use jiff::tz::{TimeZone, TimeZoneDatabase};

use super::{
    NANOS, Rule,
    calendar::Calendar,
    duration,
    field::{self, Field, FieldError, Unit},
};

/// Why a text is no schedule. Says what and where, but never repeats the text, which may be long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("empty schedule")]
    Empty,
    #[error("no schedule after the time zone")]
    OnlyZone,
    #[error("unknown time zone")]
    UnknownZone,
    #[error("unknown @ word")]
    UnknownWord,
    #[error("@every without a valid duration")]
    BadDuration,
    #[error("{found} fields instead of 5")]
    FieldCount { found: usize },
    #[error("{field}: {error}")]
    Field { field: &'static str, error: FieldError },
}

pub(super) fn schedule(text: &str) -> Result<Rule, ParseError> {
    if text.is_empty() {
        return Err(ParseError::Empty);
    }
    let (zone, text) = match text.strip_prefix("CRON_TZ=").or_else(|| text.strip_prefix("TZ=")) {
        Some(zoned) => {
            let (name, text) = zoned.split_once(' ').ok_or(ParseError::OnlyZone)?;
            (zone(name).ok_or(ParseError::UnknownZone)?, text.trim())
        }
        None => (TimeZone::UTC, text),
    };
    let fields = match text {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        _ if text.starts_with('@') => return every(text),
        _ => text,
    };
    calendar(fields, zone).map(Rule::Calendar)
}

fn every(text: &str) -> Result<Rule, ParseError> {
    let period = text.strip_prefix("@every ").ok_or(ParseError::UnknownWord)?;
    let nanos = duration::parse(period).ok_or(ParseError::BadDuration)?;
    Ok(Rule::Every((nanos / NANOS).max(1)))
}

fn calendar(text: &str, zone: TimeZone) -> Result<Calendar, ParseError> {
    let fields: Vec<_> = text.split_whitespace().collect();
    let &[minute, hour, day_of_month, month, day_of_week] = fields.as_slice() else {
        return Err(ParseError::FieldCount { found: fields.len() });
    };
    let field = |text: &str, unit: &Unit| {
        Field::parse(text, unit).map_err(|error| ParseError::Field { field: unit.name, error })
    };
    Ok(Calendar {
        minute: field(minute, &field::MINUTE)?,
        hour: field(hour, &field::HOUR)?,
        day_of_month: field(day_of_month, &field::DAY_OF_MONTH)?,
        month: field(month, &field::MONTH)?,
        day_of_week: field(day_of_week, &field::DAY_OF_WEEK)?,
        zone,
    })
}

/// A zone of the database that is built into the binary, by its exact name: the look-up itself ignores case, and knows
/// an "unknown" zone.
fn zone(name: &str) -> Option<TimeZone> {
    // "Local" is the server's own zone, which is UTC wherever it runs.
    if matches!(name, "" | "UTC" | "Local") {
        return Some(TimeZone::UTC);
    }
    let zone = TimeZoneDatabase::bundled().get(name).ok()?;
    (zone.iana_name() == Some(name) && !zone.is_unknown()).then_some(zone)
}
