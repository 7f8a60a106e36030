//! Times for people.

use prost_types::Timestamp;

use crate::span::Span;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
const MONTH: i64 = 30 * DAY;
const YEAR: i64 = 12 * MONTH;
const LONG_WHILE: i64 = 37 * YEAR;

/// `now`, `5 seconds ago`, `28 minutes from now`.
pub(super) fn relative(time: &Timestamp, now: &Timestamp) -> String {
    let seconds = Span::between(time, now).0 / 1_000_000_000;
    let side = if seconds >= 0 { "ago" } else { "from now" };
    let (unit, name) = match seconds.abs() {
        0 => return "now".to_owned(),
        LONG_WHILE.. => return format!("a long while {side}"),
        YEAR.. => (YEAR, "year"),
        MONTH.. => (MONTH, "month"),
        WEEK.. => (WEEK, "week"),
        DAY.. => (DAY, "day"),
        HOUR.. => (HOUR, "hour"),
        MINUTE.. => (MINUTE, "minute"),
        _ => (1, "second"),
    };
    let count = seconds.abs() / unit;
    format!("{count} {name}{} {side}", if count == 1 { "" } else { "s" })
}

/// RFC 3339 to the second.
pub(super) fn iso(time: &Timestamp) -> String {
    Timestamp { seconds: time.seconds, nanos: 0 }.to_string()
}

/// `2024-01-02 15:04:05.5 +0000 UTC`.
pub(super) fn raw(time: &Timestamp) -> String {
    let text = time.to_string().replace('T', " ");
    let text = text.trim_end_matches('Z');
    let text = if text.contains('.') { text.trim_end_matches('0') } else { text };
    format!("{text} +0000 UTC")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp { seconds, nanos: 0 }
    }

    #[test]
    fn relative_times_round_down() {
        let now = at(2_000_000_000);
        let ago = |seconds: i64| relative(&at(now.seconds - seconds), &now);
        for (seconds, shown) in [
            (0, "now"),
            (1, "1 second ago"),
            (59, "59 seconds ago"),
            (119, "1 minute ago"),
            (2 * DAY, "2 days ago"),
            (8 * DAY, "1 week ago"),
            (65 * DAY, "2 months ago"),
            (400 * DAY, "1 year ago"),
            (50 * 365 * DAY, "a long while ago"),
            (-28 * 60, "28 minutes from now"),
        ] {
            assert_eq!(ago(seconds), shown);
        }
    }

    #[test]
    fn absolute_times() {
        let time = Timestamp { seconds: 1_704_207_845, nanos: 500_000_000 };
        assert_eq!(iso(&time), "2024-01-02T15:04:05Z");
        assert_eq!(raw(&time), "2024-01-02 15:04:05.5 +0000 UTC");
        assert_eq!(raw(&at(1_704_207_840)), "2024-01-02 15:04:00 +0000 UTC");
    }
}
