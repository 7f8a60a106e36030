//! Settings that users change by key (spec §4): keys in any case, JSON values, spans as Go duration strings or seconds.
//!
//! The keys that the server knows are fields of [`DynamicConfig`], read once at the start, so that using one costs a
//! field access. Every other key is accepted and ignored: SDKs pass keys of other versions, and misspelt ones.
use std::time::Duration;

use serde_json::Value;

mod span;

pub use span::parse_span;

/// A value that the server knows by its key but cannot use; the default stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("dynamic config: {key} is {value}, want {want}; the default stands")]
pub struct BadValue {
    pub key: String,
    pub value: String,
    pub want: &'static str,
}

/// A kind of value that a setting may have.
trait Setting: Sized {
    const WANT: &'static str;
    fn read(value: &Value) -> Option<Self>;
}

impl Setting for bool {
    const WANT: &'static str = "true or false";
    fn read(value: &Value) -> Option<Self> {
        value.as_bool()
    }
}

impl Setting for usize {
    const WANT: &'static str = "a whole number that is not negative";
    fn read(value: &Value) -> Option<Self> {
        value.as_u64().and_then(|number| number.try_into().ok())
    }
}

impl Setting for f64 {
    const WANT: &'static str = "a number";
    fn read(value: &Value) -> Option<Self> {
        value.as_f64()
    }
}

impl Setting for Duration {
    const WANT: &'static str = "a duration such as \"1m30s\", or whole seconds";
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::String(text) => parse_span(text),
            _ => value.as_u64().map(Duration::from_secs),
        }
    }
}

macro_rules! settings {
    ($($(#[$doc:meta])* $field:ident: $kind:ty = $default:expr, $key:literal;)*) => {
        /// The values of all settings that the server knows.
        #[derive(Clone, Debug, PartialEq)]
        pub struct DynamicConfig {
            $($(#[$doc])* #[doc = concat!("\n\nKey: `", $key, "`.")] pub $field: $kind,)*
        }

        impl Default for DynamicConfig {
            fn default() -> Self {
                Self { $($field: $default,)* }
            }
        }

        impl DynamicConfig {
            /// Sets one value. `Ok(false)` means that the key is none that the server knows.
            pub fn set(&mut self, key: &str, value: &Value) -> Result<bool, BadValue> {
                $(if key.eq_ignore_ascii_case($key) {
                    self.$field = Setting::read(value).ok_or_else(|| BadValue {
                        key: $key.to_owned(),
                        value: value.to_string(),
                        want: <$kind as Setting>::WANT,
                    })?;
                    return Ok(true);
                })*
                Ok(false)
            }
        }
    };
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

settings! {
    // Sizes (§4.1), in bytes.
    /// Payload-bearing fields over this many bytes are refused.
    blob_size_limit_error: usize = 2 << 20, "limit.blobSize.error";
    blob_size_limit_warn: usize = 512 << 10, "limit.blobSize.warn";
    memo_size_limit_error: usize = 2 << 20, "limit.memoSize.error";
    memo_size_limit_warn: usize = 2 << 10, "limit.memoSize.warn";
    history_size_limit_error: usize = 50 << 20, "limit.historySize.error";
    history_size_suggest_continue_as_new: usize = 4 << 20, "limit.historySize.suggestContinueAsNew";
    mutable_state_size_limit_error: usize = 8 << 20, "limit.mutableStateSize.error";
    activity_failure_size_limit_error: usize = 4 << 10, "limit.mutableStateActivityFailureSize.error";
    /// Longest id or name.
    id_length_max: usize = 1000, "limit.maxIDLength";
    build_id_length_max: usize = 255, "limit.workerBuildIdSize";
    user_metadata_summary_size_max: usize = 400, "limit.userMetadataSummarySize";
    user_metadata_details_size_max: usize = 20_000, "limit.userMetadataDetailsSize";
    search_attribute_value_size_max: usize = 2 << 10, "frontend.searchAttributesSizeOfValueLimit";
    search_attributes_total_size_max: usize = 40 << 10, "frontend.searchAttributesTotalSizeLimit";
    buffered_events_size_max: usize = 2 << 20, "history.maximumBufferedEventsSizeInBytes";

    // Counts (§4.2).
    history_count_limit_error: usize = 51_200, "limit.historyCount.error";
    history_count_suggest_continue_as_new: usize = 4096, "limit.historyCount.suggestContinueAsNew";
    pending_activities_max: usize = 2000, "limit.numPendingActivities.error";
    pending_children_max: usize = 2000, "limit.numPendingChildExecutions.error";
    pending_signals_max: usize = 2000, "limit.numPendingSignals.error";
    pending_cancel_requests_max: usize = 2000, "limit.numPendingCancelRequests.error";
    signals_per_execution_max: usize = 10_000, "history.maximumSignalsPerExecution";
    buffered_events_max: usize = 100, "history.maximumBufferedEventsBatch";
    buffered_queries_max: usize = 1, "history.MaxBufferedQueryCount";
    search_attribute_keys_max: usize = 100, "frontend.searchAttributesNumberOfKeysLimit";
    history_page_size_max: usize = 256, "frontend.historyMaxPageSize";
    links_per_request_max: usize = 10, "frontend.maxLinksPerRequest";
    link_size_max: usize = 4000, "frontend.linkMaxSize";

    // Times (§4.3).
    default_workflow_task_timeout: Duration = seconds(10), "history.defaultWorkflowTaskTimeout";
    workflow_task_heartbeat_timeout: Duration = seconds(30 * 60), "history.workflowTaskHeartbeatTimeout";
    workflow_task_retry_interval_max: Duration = seconds(600), "history.workflowTaskRetryMaxInterval";
    /// How long a poll of a task queue waits for a task.
    task_queue_long_poll: Duration = seconds(60), "matching.longPollExpirationInterval";
    /// How long a read of the history waits for new events.
    history_long_poll: Duration = seconds(20), "history.longPollExpirationInterval";
    /// A queue whose last poll is longer ago than this has no poller that could answer a query.
    query_poller_unavailable_window: Duration = seconds(20), "matching.queryPollerUnavailableWindow";
    run_interval_min: Duration = seconds(1), "history.workflowIdReuseMinimalInterval";
    retention_min: Duration = seconds(3600), "system.namespaceMinRetentionLocal";

    // Rates (§4.4), per second; 0 is no limit. The reference has limits by default that one busy worker reaches; here
    // they hold only where they are set.
    /// All calls of the process.
    host_rps: usize = 0, "frontend.rps";
    /// The calls about one namespace.
    namespace_rps: usize = 0, "frontend.namespaceRPS";
    /// The calls that a namespace may make at once after a rest, as a multiple of its calls per second.
    namespace_burst_ratio: f64 = 2.0, "frontend.namespaceBurstRatio";
    visibility_rps: usize = 0, "frontend.namespaceRPS.visibility";
    /// Polls, queries and reads of the history that may wait at the same time in one namespace; 0 is no limit.
    namespace_long_calls_max: usize = 1200, "frontend.namespaceCount";

    // Overload. The reference has no keys for it. New work is refused beyond these bounds, and the calls of workers
    // beyond twice as much; 0 is no bound.
    /// Calls that are not answered, without those that wait for a task or an event.
    calls_under_way_max: usize = 2048, "abide.callsUnderWayMax";
    /// Calls under way with which new work is refused once there were that many, until the overload is over.
    calls_when_overloaded_max: usize = 32, "abide.callsWhenOverloadedMax";
    /// Bytes of messages of calls that are not answered, and of what waits to be made durable.
    pending_bytes_max: usize = 64 << 20, "abide.pendingBytesMax";

    // Switches (§4.5).
    activity_eager_execution: bool = false, "system.enableActivityEagerExecution";
    eager_workflow_start: bool = true, "system.enableEagerWorkflowStart";
    worker_versioning_data_apis: bool = false, "frontend.workerVersioningDataAPIs";
    worker_versioning_rule_apis: bool = false, "frontend.workerVersioningRuleAPIs";
    workflow_pause: bool = false, "frontend.WorkflowPauseEnabled";
    workflow_rules_apis: bool = false, "frontend.workflowRulesAPIsEnabled";
    worker_commands: bool = false, "frontend.workerCommandsEnabled";
    standalone_nexus_operations: bool = false, "nexusoperation.enableStandalone";
    /// ShutdownWorker ends the polls of the worker.
    end_polls_on_shutdown: bool = false, "frontend.enableCancelWorkerPollsOnShutdown";
}

impl DynamicConfig {
    /// The settings of these keys and values, the later of two winning. What cannot be used is reported; the rest holds.
    pub fn from_values<'v>(values: impl IntoIterator<Item = (&'v str, &'v Value)>) -> (Self, Vec<BadValue>) {
        let (mut config, mut bad) = (Self::default(), Vec::new());
        for (key, value) in values {
            if let Err(reason) = config.set(key, value) {
                bad.push(reason);
            }
        }
        (config, bad)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_read_in_any_case_and_unknown_ones_ignored() {
        let (long, eager, other) = (json!("5000ms"), json!(true), json!([1]));
        let values = [
            ("MATCHING.longpollexpirationinterval", &long),
            ("system.enableActivityEagerExecution", &eager),
            ("no.such", &other),
        ];
        let (config, bad) = DynamicConfig::from_values(values);
        assert_eq!(bad, []);
        assert_eq!(config.task_queue_long_poll, Duration::from_secs(5));
        assert!(config.activity_eager_execution);
    }

    #[test]
    fn a_bad_value_is_reported_and_leaves_the_default() {
        let value = json!("many");
        let (config, bad) = DynamicConfig::from_values([("limit.historyCount.error", &value)]);
        assert_eq!(config, DynamicConfig::default());
        assert_eq!(
            bad[0].to_string(),
            "dynamic config: limit.historyCount.error is \"many\", want a whole number that is not negative; the default stands"
        );
    }

    #[test]
    fn whole_numbers_are_seconds() {
        let value = json!(10);
        let (config, _) = DynamicConfig::from_values([("history.longPollExpirationInterval", &value)]);
        assert_eq!(config.history_long_poll, Duration::from_secs(10));
    }
}
