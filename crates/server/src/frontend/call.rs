//! What a handler knows of its call besides the request.
use std::{sync::Arc, time::Duration};

use http::{HeaderMap, header::HeaderValue};

use crate::namespaces::Namespace;

/// One call, past the checks that all calls share.
#[derive(Clone, Debug)]
pub struct Call {
    /// The namespace that the call is about; the system's for calls about the cluster.
    pub namespace: Arc<Namespace>,
    pub deadline: Deadline,
    pub headers: HeaderMap,
    /// The method's name without its service, for texts and log lines.
    pub method: &'static str,
}

impl Call {
    /// A header's value if it is there and plain text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// When the caller stops waiting, on the clock of [`crate::Env::monotonic`]; never, if it did not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Option<Duration>);

impl Deadline {
    pub const NEVER: Self = Self(None);

    pub fn at(instant: Duration) -> Self {
        Self(Some(instant))
    }

    /// The deadline of a call that arrives `now`, from its `grpc-timeout`. A header that cannot be read is no deadline.
    pub fn of(headers: &HeaderMap, now: Duration) -> Self {
        Self(headers.get("grpc-timeout").and_then(timeout).and_then(|timeout| now.checked_add(timeout)))
    }

    pub fn instant(self) -> Option<Duration> {
        self.0
    }

    /// The time left; none without a deadline, zero when it has passed.
    pub fn remaining(self, now: Duration) -> Option<Duration> {
        self.0.map(|instant| instant.saturating_sub(now))
    }

    /// When a wait must end that is to last `span` and to leave `margin` for the answer to reach the caller.
    pub fn end_of_wait(self, now: Duration, span: Duration, margin: Duration) -> Duration {
        let end = now.saturating_add(span);
        self.0.map_or(end, |instant| instant.saturating_sub(margin).min(end))
    }
}

/// `grpc-timeout`: one to eight digits and a unit.
fn timeout(header: &HeaderValue) -> Option<Duration> {
    let (unit, digits) = header.as_bytes().split_last()?;
    if digits.is_empty() || digits.len() > 8 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = digits.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
    Some(match unit {
        b'H' => Duration::from_secs(number * 3600),
        b'M' => Duration::from_secs(number * 60),
        b'S' => Duration::from_secs(number),
        b'm' => Duration::from_millis(number),
        b'u' => Duration::from_micros(number),
        b'n' => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deadline(timeout: &'static str) -> Option<Duration> {
        let headers = HeaderMap::from_iter([("grpc-timeout".parse().ok()?, HeaderValue::from_static(timeout))]);
        Deadline::of(&headers, Duration::from_secs(1)).instant()
    }

    #[test]
    fn timeouts_have_a_unit() {
        assert_eq!(deadline("2S"), Some(Duration::from_secs(3)));
        assert_eq!(deadline("250m"), Some(Duration::from_millis(1250)));
        assert_eq!(deadline("99999999H"), Some(Duration::from_secs(99_999_999 * 3600 + 1)));
        for bad in ["", "S", "2", "2s", "-2S", "123456789n"] {
            assert_eq!(deadline(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_wait_ends_before_the_deadline_does() {
        let (now, span, margin) = (Duration::from_secs(10), Duration::from_secs(60), Duration::from_secs(1));
        assert_eq!(Deadline::NEVER.end_of_wait(now, span, margin), Duration::from_secs(70));
        assert_eq!(Deadline::at(Duration::from_secs(30)).end_of_wait(now, span, margin), Duration::from_secs(29));
        assert_eq!(Deadline::at(Duration::from_secs(5)).remaining(now), Some(Duration::ZERO));
    }
}
