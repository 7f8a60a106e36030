//! What polls of both kinds share: how long they wait, and what ends the wait.
use std::time::Duration;

use abide_matching::{PollerInfo, QueueId, Taken};
use abide_proto::temporal::api::taskqueue::v1::PollerScalingDecision;
use tonic::Status;

use crate::{
    frontend::{Call, Frontend},
    shard::Task,
    status,
};

/// Polls with less time than this left are refused.
const SHORTEST: Duration = Duration::from_secs(2);
/// The answer leaves this long before the caller stops waiting.
const MARGIN: Duration = Duration::from_secs(1);

/// How long a poll of a sticky queue waits after a reply that told of a backlog, until it says that there is none any more.
const RETRACTION_DELAY: Duration = Duration::from_millis(100);

/// When the poll gives up, on the monotonic clock.
pub(super) fn end(frontend: &Frontend, call: &Call) -> Result<Duration, Status> {
    let now = frontend.env.monotonic();
    let Some(remaining) = call.deadline.remaining(now) else {
        return Err(status::invalid_argument("Context timeout is not set."));
    };
    if remaining < SHORTEST {
        return Err(status::failed_precondition("Context timeout is too short."));
    }
    // Up to a sixth less, so that polls that began together do not end together.
    let longest = frontend.dynamic_config.task_queue_long_poll;
    let jitter = longest.mul_f64((frontend.env.random_u64() % 1000) as f64 / 6000.0);
    Ok(call.deadline.end_of_wait(now, longest - jitter, MARGIN))
}

/// What the reply tells the worker's pollers: more of them, or fewer.
pub(super) fn scaling(taken: &Taken<Task>) -> Option<PollerScalingDecision> {
    taken.scaling_delta().map(|poll_request_delta_suggestion| PollerScalingDecision { poll_request_delta_suggestion })
}

/// The next task, or nothing once the wait is over or the server ends. It goes back if it is dropped unfinished.
pub(super) async fn next(
    frontend: &Frontend,
    queue: &QueueId,
    poller: &PollerInfo<()>,
    end: Duration,
) -> Option<Taken<Task>> {
    let mut poll = frontend.matching.poll(queue, poller.clone());
    // The SDKs for Go and Java poll nothing but the sticky queue once the last reply they read from it told of a backlog, and
    // replies overtake each other. Unless an empty one follows, new runs would wait for the end of all these polls.
    if poll.follows_a_told_backlog() {
        let retraction = frontend.env.monotonic() + RETRACTION_DELAY;
        tokio::select! {
            biased;
            taken = &mut poll => return taken,
            () = frontend.env.sleep_until(retraction.min(end)) => {}
        }
        if poll.retract_backlog() {
            return None;
        }
    }
    tokio::select! {
        biased;
        taken = &mut poll => return taken,
        () = frontend.env.sleep_until(end) => {}
    }
    // What is on its way is still taken: to undo it would show in the run's history.
    if poll.withdraw() { None } else { poll.await }
}
