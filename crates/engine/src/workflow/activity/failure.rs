//! Failures that the server states about activities, and how it shortens those that it keeps.
use prost::Message;

use crate::api::{
    common::Payloads,
    enums::TimeoutType,
    failure::{ApplicationFailureInfo, Failure, ServerFailureInfo, TimeoutFailureInfo, failure::FailureInfo},
};

const TOO_LARGE: &str = "Failure exceeds size limit.";
/// What each field of a shortened failure counts beside its text.
const FIELD_BYTES: usize = 4;

/// A failure of the server's own, which is never retried.
pub(super) fn final_server_failure(message: &str) -> Failure {
    server_failure(message, true)
}

fn server_failure(message: &str, non_retryable: bool) -> Failure {
    Failure {
        message: message.to_owned(),
        failure_info: Some(FailureInfo::ServerFailureInfo(ServerFailureInfo { non_retryable })),
        ..Default::default()
    }
}

/// A timeout.
pub(super) fn timeout(message: String, kind: TimeoutType, last_heartbeat_details: Option<Payloads>) -> Failure {
    let info = TimeoutFailureInfo { timeout_type: kind as i32, last_heartbeat_details };
    Failure {
        message,
        source: "Server".into(),
        failure_info: Some(FailureInfo::TimeoutFailureInfo(info)),
        ..Default::default()
    }
}

/// The failure itself, or, if it is larger than the limit, one that says so with a shortened one as its cause.
pub(super) fn limited(failure: Failure, limit_bytes: usize, kept_bytes: usize) -> Failure {
    if failure.encoded_len() <= limit_bytes {
        return failure;
    }
    let cause = shortened(&failure, &mut Room(kept_bytes));
    Failure { cause: Some(Box::new(cause)), ..server_failure(TOO_LARGE, false) }
}

/// Bytes that are left for what is kept.
struct Room(usize);

impl Room {
    /// As much of the text as there is room for.
    fn take(&mut self, text: &str) -> String {
        if text.is_empty() {
            return String::new();
        }
        self.0 = self.0.saturating_sub(FIELD_BYTES);
        let kept = &text[..text.floor_char_boundary(self.0)];
        self.0 -= kept.len();
        kept.to_owned()
    }
}

/// Keeps what decides about retries and what a reader wants most: kind, source, message, stack, then the cause.
fn shortened(failure: &Failure, room: &mut Room) -> Failure {
    let failure_info = match &failure.failure_info {
        Some(FailureInfo::ApplicationFailureInfo(info)) => {
            room.0 = room.0.saturating_sub(FIELD_BYTES);
            Some(FailureInfo::ApplicationFailureInfo(ApplicationFailureInfo {
                r#type: room.take(&info.r#type),
                non_retryable: info.non_retryable,
                category: info.category,
                ..Default::default()
            }))
        }
        Some(FailureInfo::ServerFailureInfo(info)) => Some(FailureInfo::ServerFailureInfo(*info)),
        _ => None,
    };
    Failure {
        failure_info,
        source: room.take(&failure.source),
        message: room.take(&failure.message),
        stack_trace: room.take(&failure.stack_trace),
        cause: failure.cause.as_ref().filter(|_| room.0 > FIELD_BYTES).map(|cause| {
            room.0 -= FIELD_BYTES;
            Box::new(shortened(cause, room))
        }),
        ..Default::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(message: String) -> Failure {
        let info = ApplicationFailureInfo { r#type: "Boom".into(), ..Default::default() };
        Failure {
            message,
            source: "probe".into(),
            failure_info: Some(FailureInfo::ApplicationFailureInfo(info)),
            ..Default::default()
        }
    }

    #[test]
    fn a_small_failure_stays() {
        assert_eq!(limited(failure("m".into()), 4096, 4096), failure("m".into()));
    }

    #[test]
    fn a_long_message_is_cut_to_the_limit() {
        let kept = limited(failure("x".repeat(6000)), 4096, 4096);
        assert_eq!(kept.message, "Failure exceeds size limit.");
        let cause = kept.cause.expect("the shortened failure is the cause");
        assert_eq!(cause.message.len(), 4071);
        assert!(cause.encoded_len() <= 4096);
    }

    #[test]
    fn cuts_between_characters_and_ends_a_chain_of_causes() {
        let mut chain = failure("ä".repeat(100));
        for _ in 0..50 {
            chain = Failure { cause: Some(Box::new(chain)), ..failure("ä".repeat(20)) };
        }
        let cause = limited(chain, 256, 256).cause.expect("the shortened failure is the cause");
        assert!(cause.encoded_len() <= 256);
        assert_eq!(cause.message, "ä".repeat(20));
    }
}
