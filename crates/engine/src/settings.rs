//! Limits and switches (spec §4) that the engine obeys; the server fills them from dynamic config.
use crate::time::Span;

/// One namespace's settings.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Payload-bearing fields over this many bytes are refused or end the run (§4.1).
    pub blob_size_bytes: usize,
    pub memo_size_bytes: usize,
    /// Ids and names over this many bytes are refused.
    pub id_length_bytes: usize,
    pub history_size_bytes: i64,
    pub history_count: i64,
    pub suggest_continue_as_new_size_bytes: i64,
    pub suggest_continue_as_new_count: i64,
    pub mutable_state_size_bytes: usize,
    pub activity_failure_size_bytes: usize,
    pub pending_activities: usize,
    pub signals_per_run: i64,
    pub buffered_events: usize,
    pub buffered_size_bytes: usize,
    pub default_workflow_task_timeout: Span,
    pub workflow_task_timeout_max: Span,
    /// A chain of workflow-task heartbeats longer than this is timed out (§3.6).
    pub workflow_task_heartbeat_timeout: Span,
    pub workflow_task_retry_interval_max: Span,
    /// The least time between the starts of two runs of a chain (§3.16).
    pub run_interval_min: Span,
    pub eager_activities: bool,
    /// Workflow-task failures in a row after which `TemporalReportedProblems` is set (§3.23).
    pub reported_problems_after: i32,
    pub search_attribute_keys: usize,
    pub search_attribute_value_bytes: usize,
    pub search_attributes_bytes: usize,
    /// How long a closed run is kept.
    pub retention: Span,
    /// The types of the namespace's own search attributes, by name.
    pub search_attributes: std::collections::BTreeMap<String, crate::api::enums::IndexedValueType>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            blob_size_bytes: 2 << 20,
            memo_size_bytes: 2 << 20,
            id_length_bytes: 1000,
            history_size_bytes: 50 << 20,
            history_count: 51_200,
            suggest_continue_as_new_size_bytes: 4 << 20,
            suggest_continue_as_new_count: 4096,
            mutable_state_size_bytes: 8 << 20,
            activity_failure_size_bytes: 4 << 10,
            pending_activities: 2000,
            signals_per_run: 10_000,
            buffered_events: 100,
            buffered_size_bytes: 2 << 20,
            default_workflow_task_timeout: Span::seconds(10),
            workflow_task_timeout_max: Span::seconds(120),
            workflow_task_heartbeat_timeout: Span::seconds(30 * 60),
            workflow_task_retry_interval_max: Span::seconds(10 * 60),
            run_interval_min: Span::seconds(1),
            eager_activities: false,
            reported_problems_after: 5,
            search_attribute_keys: 100,
            search_attribute_value_bytes: 2 << 10,
            search_attributes_bytes: 40 << 10,
            retention: Span::seconds(24 * 3600),
            search_attributes: Default::default(),
        }
    }
}
