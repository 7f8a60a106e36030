//! The engine's settings for a namespace: dynamic config, with what the namespace itself says.
use std::time::Duration;

use abide_engine::{Settings, time::Span};

use crate::{dynamic_config::DynamicConfig, namespaces::Namespace};

/// The longest workflow id that can be configured: with every byte escaped it still fits into a key.
pub(super) const WORKFLOW_ID_BYTES_MAX: usize = 8 << 10;

/// Makes [`Settings`].
pub struct SettingsSource {
    base: Settings,
}

fn span(duration: Duration) -> Span {
    Span(i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX))
}

impl SettingsSource {
    pub fn new(config: &DynamicConfig) -> Self {
        let base = Settings {
            blob_size_bytes: config.blob_size_limit_error,
            memo_size_bytes: config.memo_size_limit_error,
            id_length_bytes: config.id_length_max.min(WORKFLOW_ID_BYTES_MAX),
            history_size_bytes: config.history_size_limit_error as i64,
            history_count: config.history_count_limit_error as i64,
            suggest_continue_as_new_size_bytes: config.history_size_suggest_continue_as_new as i64,
            suggest_continue_as_new_count: config.history_count_suggest_continue_as_new as i64,
            mutable_state_size_bytes: config.mutable_state_size_limit_error,
            activity_failure_size_bytes: config.activity_failure_size_limit_error,
            pending_activities: config.pending_activities_max,
            signals_per_run: config.signals_per_execution_max as i64,
            buffered_events: config.buffered_events_max,
            buffered_size_bytes: config.buffered_events_size_max,
            default_workflow_task_timeout: span(config.default_workflow_task_timeout),
            workflow_task_heartbeat_timeout: span(config.workflow_task_heartbeat_timeout),
            workflow_task_retry_interval_max: span(config.workflow_task_retry_interval_max),
            run_interval_min: span(config.run_interval_min),
            eager_activities: config.activity_eager_execution,
            search_attribute_keys: config.search_attribute_keys_max,
            search_attribute_value_bytes: config.search_attribute_value_size_max,
            search_attributes_bytes: config.search_attributes_total_size_max,
            ..Default::default()
        };
        Self { base }
    }

    /// The settings without any namespace's.
    pub fn base(&self) -> &Settings {
        &self.base
    }

    pub fn of(&self, namespace: &Namespace) -> Settings {
        Settings {
            retention: span(namespace.retention),
            search_attributes: namespace.search_attributes().clone(),
            ..self.base.clone()
        }
    }
}
