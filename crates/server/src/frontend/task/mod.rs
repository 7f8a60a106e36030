//! Workers: polls, and what they answer.
pub(super) mod activity_answer;
pub(super) mod activity_poll;
pub(super) mod describe_queue;
pub(super) mod nexus_poll;
pub(super) mod partitions;
mod poll;
pub(super) mod queue;
pub(super) mod queue_config;
pub(super) mod workflow_answer;
pub(super) mod workflow_poll;
pub(super) mod workflow_task;
