//! DescribeTaskQueue: who polls a queue, and what waits there (spec §3.27).
mod enhanced;

use abide_engine::time::Span;
use abide_matching::{BacklogStats, QueueId, RateLimitSource as Source, TaskKind};
use abide_proto::temporal::api::{
    enums::v1::{DescribeTaskQueueMode, RateLimitSource, TaskQueueKind, TaskQueueType},
    taskqueue::v1::{PollerInfo, TaskIdBlock, TaskQueue, TaskQueueStats, TaskQueueStatus, TaskQueueVersioningInfo},
    workflowservice::v1 as ws,
};
use tonic::Status;

use crate::{
    frontend::{Call, Frontend},
    status,
};

/// What a poller that gave no rate is described with.
const DEFAULT_RATE_PER_SECOND: f64 = 100_000.0;
/// The rate of a queue that nobody limits: what four partitions of the reference let through.
const SYSTEM_RATE_PER_SECOND: f32 = 4000.0;
/// What stands for workers without a version.
const UNVERSIONED: &str = "__unversioned__";
/// Partitions of queues are named like this and can be described, though not polled.
const PARTITION_PREFIX: &str = "/_sys/";

pub(crate) async fn describe(
    frontend: &Frontend,
    call: Call,
    request: ws::DescribeTaskQueueRequest,
) -> Result<ws::DescribeTaskQueueResponse, Status> {
    let named = checked(frontend, request.task_queue.as_ref())?;
    let sticky = named.kind == TaskQueueKind::Sticky as i32;
    #[allow(deprecated)]
    if request.api_mode == DescribeTaskQueueMode::Enhanced as i32 {
        if sticky {
            let text = "Enhanced DescribeTaskQueue is not valid for a sticky queue, use api_mode=UNSPECIFIED or a normal queue.";
            return Err(status::invalid_argument(text));
        }
        return Ok(enhanced::described(frontend, &call, &named.name, &request));
    }
    let kind = kind_of(request.task_queue_type);
    let queue = if sticky && kind == TaskKind::Workflow {
        QueueId::sticky(call.namespace.id, named.name.as_str())
    } else {
        QueueId::normal(call.namespace.id, kind, named.name.as_str())
    };
    let backlog = frontend.matching.backlog(&queue);
    let now_ms = frontend.env.wall_ms();
    let by_priority = backlog.by_priority.iter().filter(|_| request.report_stats).map(|of| {
        let stats = TaskQueueStats {
            approximate_backlog_count: count(of.count),
            approximate_backlog_age: age(of.oldest_scheduled_time_ms, now_ms),
            ..Default::default()
        };
        (i32::from(of.priority), stats)
    });
    #[allow(deprecated)]
    // Nobody deploys versions; a sticky queue is one worker's, which has its own.
    let versioning_info = (!queue.sticky).then(|| TaskQueueVersioningInfo {
        current_version: UNVERSIONED.into(),
        update_time: Some(prost_types::Timestamp::default()),
        ..Default::default()
    });
    #[allow(deprecated)]
    let task_queue_status = request.include_task_queue_status.then(|| TaskQueueStatus {
        backlog_count_hint: count(backlog.count),
        task_id_block: Some(TaskIdBlock::default()),
        ..Default::default()
    });
    #[allow(deprecated)]
    Ok(ws::DescribeTaskQueueResponse {
        pollers: pollers(frontend, &queue),
        stats: request.report_stats.then(|| stats(&backlog, now_ms)),
        stats_by_priority_key: by_priority.collect(),
        versioning_info,
        task_queue_status,
        config: if request.report_config { frontend.task_queue_configs.of(&queue) } else { None },
        effective_rate_limit: Some(effective_rate_limit(frontend, &queue)),
        ..Default::default()
    })
}

/// The queue that a request names, if it can be described.
fn checked<'q>(frontend: &Frontend, queue: Option<&'q TaskQueue>) -> Result<&'q TaskQueue, Status> {
    let refuse = |text: &str| Err(status::invalid_argument(text));
    let Some(queue) = queue else { return refuse("taskQueue is not set") };
    if queue.name.is_empty() {
        return refuse("missing task queue name");
    }
    if queue.name.len() > frontend.dynamic_config.id_length_max {
        return refuse("taskQueue length exceeds limit");
    }
    if let Some(partition) = queue.name.strip_prefix(PARTITION_PREFIX) {
        let number = partition.rsplit_once('/').map(|(_, number)| number.parse::<u32>());
        if !matches!(number, Some(Ok(_))) {
            return refuse(&format!("invalid task queue partition name {}", queue.name));
        }
    }
    Ok(queue)
}

/// Every type but those of activities and Nexus is taken as that of workflows.
pub(in crate::frontend::task) fn kind_of(task_queue_type: i32) -> TaskKind {
    match TaskQueueType::try_from(task_queue_type) {
        Ok(TaskQueueType::Activity) => TaskKind::Activity,
        Ok(TaskQueueType::Nexus) => TaskKind::Nexus,
        _ => TaskKind::Workflow,
    }
}

fn pollers(frontend: &Frontend, queue: &QueueId) -> Vec<PollerInfo> {
    let seen = frontend.matching.pollers(queue).into_iter();
    seen.map(|seen| PollerInfo {
        last_access_time: Some(abide_engine::Time::from_ms(seen.last_access_time_ms).timestamp()),
        identity: seen.identity,
        rate_per_second: seen.rate_per_second.unwrap_or(DEFAULT_RATE_PER_SECOND),
        ..Default::default()
    })
    .collect()
}

fn stats(backlog: &BacklogStats, now_ms: i64) -> TaskQueueStats {
    TaskQueueStats {
        approximate_backlog_count: count(backlog.count),
        approximate_backlog_age: age(backlog.oldest_scheduled_time_ms, now_ms),
        tasks_add_rate: backlog.adds_per_second,
        tasks_dispatch_rate: backlog.dispatches_per_second,
        ..Default::default()
    }
}

fn count(tasks: u64) -> i64 {
    i64::try_from(tasks).unwrap_or(i64::MAX)
}

/// The time since the oldest task was due; zero if there is none.
fn age(oldest_scheduled_time_ms: Option<i64>, now_ms: i64) -> Option<prost_types::Duration> {
    let age_ms = oldest_scheduled_time_ms.map_or(0, |oldest_ms| now_ms - oldest_ms);
    Some(Span::millis(age_ms.max(0)).duration())
}

fn effective_rate_limit(frontend: &Frontend, queue: &QueueId) -> ws::describe_task_queue_response::EffectiveRateLimit {
    let (requests_per_second, source) = match frontend.matching.rate_limit(queue) {
        None => (SYSTEM_RATE_PER_SECOND, RateLimitSource::System),
        Some(limit) => (
            limit.per_second as f32,
            match limit.source {
                Source::Worker => RateLimitSource::Worker,
                Source::Api => RateLimitSource::Api,
            },
        ),
    };
    let rate_limit_source = source as i32;
    ws::describe_task_queue_response::EffectiveRateLimit { requests_per_second, rate_limit_source }
}
