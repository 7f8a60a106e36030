//! Numbers of stored records that no run ever has. Whoever counts on from them would not get far.
use super::{
    records::{Activity, Class, Header},
    run::Run,
};

/// No event, signal or byte is counted beyond; far enough from the end of the integers to count on.
const COUNT_MAX: i64 = 1 << 53;

/// What is damaged, if something is.
pub(super) fn damage(run: &Run) -> Option<(Class, &'static str)> {
    if !header(&run.header) {
        return Some((Class::Header, "a number is out of its range"));
    }
    if !is_attempt(run.profile.attempt) {
        return Some((Class::Profile, "the attempt is out of its range"));
    }
    let activity = |activity: &Activity| {
        activity.attempt >= 1 && is_attempt(activity.attempt) && is_event(run, activity.scheduled_event_id)
    };
    (!run.activities.values().all(activity)).then_some((Class::Activity, "a number is out of its range"))
}

fn header(header: &Header) -> bool {
    let counts = [
        header.next_event_id,
        header.last_completed_started_event_id,
        header.signal_count,
        header.history_size_bytes,
        header.close_batch_event_id,
        header.state_transition_count,
    ];
    let attempts = [header.workflow_task_attempt, header.problems_in_a_row];
    let task = header.workflow_task.as_ref().is_none_or(|task| {
        is_attempt(task.attempt) && is_count(task.scheduled_event_id) && is_count(task.started_event_id)
    });
    let sequence = header.next_buffer_sequence <= COUNT_MAX as u64;
    counts.into_iter().all(is_count) && attempts.into_iter().all(is_attempt) && sequence && task
}

fn is_count(number: i64) -> bool {
    (0..=COUNT_MAX).contains(&number)
}

fn is_attempt(number: i32) -> bool {
    (0..i32::MAX).contains(&number)
}

fn is_event(run: &Run, id: i64) -> bool {
    (1..run.header.next_event_id).contains(&id)
}
