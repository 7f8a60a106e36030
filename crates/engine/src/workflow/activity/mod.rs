//! Activities of a workflow: scheduled by a command, started when a worker takes an attempt, retried by the server, and
//! ended by an answer, a timeout or a cancellation (spec §3.9, §3.10).
mod answer;
mod cancel;
mod closing;
mod describe;
mod failure;
mod retry;
mod schedule;
mod start;
#[cfg(test)]
mod tests;
mod timeout;
mod validate;

pub use answer::{
    CanceledAnswer, CompletedAnswer, FailedAnswer, HeartbeatReply, Selector, canceled, complete, fail, heartbeat,
};
pub(crate) use cancel::{finish_canceled_before_start, request_cancel};
pub use describe::describe;
pub(crate) use schedule::schedule;
pub(crate) use start::start_eager;
pub use start::{StartedActivity, give_back, start};
pub(crate) use timeout::{heartbeat_due, retry_due, schedule_to_close_due, schedule_to_start_due, start_to_close_due};
