//! Sets of flags that several commands share.

mod client;
mod common;
mod payload;
mod run_or_query;
mod workflow_start;

pub(crate) use client::ClientFlags;
pub(crate) use common::{CommonFlags, LogFormat, LogLevel};
pub(crate) use payload::PayloadFlags;
pub(crate) use run_or_query::{Allowed, Chosen, RunOrQuery};
pub(crate) use workflow_start::{StartOptions, WorkflowStartFlags};

/// One run of a workflow id.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct WorkflowReference {
    /// Workflow id
    #[arg(long, short)]
    pub(crate) workflow_id: String,
    /// Run id; the latest run if not given
    #[arg(long, short, default_value = "", hide_default_value = true)]
    pub(crate) run_id: String,
}
