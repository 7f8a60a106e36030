//! UpdateTaskQueueConfig: the rate limit of a queue, and its weights of fairness keys (spec §3.27).
use abide_matching::{QueueId, TaskKind};
use abide_proto::temporal::api::{
    taskqueue::v1::{ConfigMetadata, RateLimitConfig, TaskQueueConfig},
    workflowservice::v1::{self as ws, update_task_queue_config_request::RateLimitUpdate},
};
use tonic::Status;

use super::describe_queue::kind_of;
use crate::{
    frontend::{Call, Frontend},
    status,
};

const RESERVED_PREFIX: &str = "/_sys/";
const FAIRNESS_KEY_BYTES_MAX: usize = 64;
const WEIGHTS_MAX: usize = 1000;
/// The reference looks at no length here; this one is what a key of the store holds.
const NAME_BYTES_MAX: usize = 8 << 10;

pub(crate) async fn update(
    frontend: &Frontend,
    call: Call,
    request: ws::UpdateTaskQueueConfigRequest,
) -> Result<ws::UpdateTaskQueueConfigResponse, Status> {
    let kind = kind_of(request.task_queue_type);
    check(frontend, &request, kind)?;
    let queue = QueueId::normal(call.namespace.id, kind, request.task_queue.as_str());
    let before = frontend.task_queue_configs.of(&queue).unwrap_or_default();
    if request.task_queue.is_empty() || changes_nothing(&request) {
        return Ok(ws::UpdateTaskQueueConfigResponse { config: Some(before) });
    }
    let added =
        request.set_fairness_weight_overrides.keys().filter(|key| !before.fairness_weight_overrides.contains_key(*key));
    if before.fairness_weight_overrides.len() + added.count() > WEIGHTS_MAX {
        let text = format!("a task queue cannot have more than {WEIGHTS_MAX} fairness weight overrides");
        return Err(status::invalid_argument(text));
    }
    let now = frontend.env.timestamp();
    let changed = frontend.task_queue_configs.change(queue, |config| apply(config, request, now)).await;
    let config = changed.map_err(|error| status::unavailable(error.to_string()))?;
    Ok(ws::UpdateTaskQueueConfigResponse { config: Some(config) })
}

fn changes_nothing(request: &ws::UpdateTaskQueueConfigRequest) -> bool {
    request.update_queue_rate_limit.is_none()
        && request.update_fairness_key_rate_limit_default.is_none()
        && request.set_fairness_weight_overrides.is_empty()
        && request.unset_fairness_weight_overrides.is_empty()
}

fn check(frontend: &Frontend, request: &ws::UpdateTaskQueueConfigRequest, kind: TaskKind) -> Result<(), Status> {
    let refuse = |text: String| Err(status::invalid_argument(text));
    let longest = frontend.dynamic_config.id_length_max;
    if request.task_queue.len() > NAME_BYTES_MAX {
        return refuse("taskQueue length exceeds limit".into());
    }
    if request.task_queue.starts_with(RESERVED_PREFIX) {
        return refuse(format!("task queue family name cannot have prefix {RESERVED_PREFIX} {}", request.task_queue));
    }
    if kind == TaskKind::Workflow && request.update_queue_rate_limit.is_some() {
        return refuse("Setting rate limit on workflow task queues is not allowed.".into());
    }
    for (field, update) in [
        ("UpdateQueueRateLimit", &request.update_queue_rate_limit),
        ("UpdateFairnessKeyRateLimitDefault", &request.update_fairness_key_rate_limit_default),
    ] {
        let Some(update) = update else { continue };
        let rate = update.rate_limit.as_ref().map_or(0.0, |limit| limit.requests_per_second);
        if rate < 0.0 || rate.is_nan() {
            return refuse(format!("RequestsPerSecond for {field} rate limit must be non-negative."));
        }
        if update.reason.len() > longest {
            return refuse(format!("{field}.Reason field too long (max {longest} characters)."));
        }
    }
    if request.identity.len() > longest {
        return refuse(format!("Identity field too long (max {longest} characters)."));
    }
    check_weights(request)
}

fn check_weights(request: &ws::UpdateTaskQueueConfigRequest) -> Result<(), Status> {
    let refuse = |text: String| Err(status::invalid_argument(text));
    let (set, unset) = (&request.set_fairness_weight_overrides, &request.unset_fairness_weight_overrides);
    if set.len() > WEIGHTS_MAX || unset.len() > WEIGHTS_MAX {
        return refuse(format!("cannot change more than {WEIGHTS_MAX} fairness weight overrides per request"));
    }
    if set.keys().chain(unset).any(|key| key.len() > FAIRNESS_KEY_BYTES_MAX) {
        return refuse("fairness key length exceeds limit".into());
    }
    if let Some((key, _)) = set.iter().find(|(_, weight)| **weight <= 0.0 || weight.is_nan()) {
        return refuse(format!("invalid fairness weight weight for key {key:?}: must be greater than zero"));
    }
    if let Some(key) = unset.iter().find(|key| set.contains_key(*key)) {
        return refuse(format!("fairness weight override key {key:?} present in both set and unset lists"));
    }
    Ok(())
}

fn apply(config: &mut TaskQueueConfig, request: ws::UpdateTaskQueueConfigRequest, now: prost_types::Timestamp) {
    let identity = request.identity;
    let limit = |update: RateLimitUpdate| RateLimitConfig {
        rate_limit: update.rate_limit,
        metadata: Some(ConfigMetadata {
            reason: update.reason,
            update_identity: identity.clone(),
            update_time: Some(now),
        }),
    };
    if let Some(update) = request.update_queue_rate_limit {
        config.queue_rate_limit = Some(limit(update));
    }
    if let Some(update) = request.update_fairness_key_rate_limit_default {
        config.fairness_keys_rate_limit_default = Some(limit(update));
    }
    for key in &request.unset_fairness_weight_overrides {
        config.fairness_weight_overrides.remove(key);
    }
    config.fairness_weight_overrides.extend(request.set_fairness_weight_overrides);
}
