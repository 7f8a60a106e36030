//! Workers: polls, and what they answer.
pub(super) mod activity_answer;
pub(super) mod activity_poll;
pub(super) mod describe_queue;
mod poll;
pub(super) mod queue;
pub(super) mod workflow_answer;
pub(super) mod workflow_poll;
pub(super) mod workflow_task;
