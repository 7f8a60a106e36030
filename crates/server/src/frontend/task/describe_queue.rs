//! DescribeTaskQueue, the default mode: who polls, and what waits (spec §3.27).
use abide_engine::time::Span;
use abide_matching::TaskKind;
use abide_proto::temporal::api::{
    enums::v1::{DescribeTaskQueueMode, TaskQueueType},
    taskqueue::v1::{PollerInfo, TaskIdBlock, TaskQueueStats, TaskQueueStatus},
    workflowservice::v1 as ws,
};
use tonic::Status;

use super::queue;
use crate::{
    frontend::{Call, Frontend},
    status,
};

/// What a poller that gave no rate is described with.
const DEFAULT_RATE_PER_SECOND: f64 = 100_000.0;
/// The rate of a queue that nobody limits.
const SYSTEM_RATE_PER_SECOND: f32 = 1000.0;

pub(crate) async fn describe(
    frontend: &Frontend,
    call: Call,
    request: ws::DescribeTaskQueueRequest,
) -> Result<ws::DescribeTaskQueueResponse, Status> {
    #[allow(deprecated)]
    if request.api_mode == DescribeTaskQueueMode::Enhanced as i32 {
        return Err(status::unimplemented("DescribeTaskQueue in enhanced mode is not supported by this server"));
    }
    let kind = match request.task_queue_type {
        kind if kind == TaskQueueType::Activity as i32 => TaskKind::Activity,
        kind if kind == TaskQueueType::Nexus as i32 => {
            return Err(status::unimplemented("Nexus task queues are not supported by this server"));
        }
        _ => TaskKind::Workflow,
    };
    let queue = queue::of(frontend, &call, request.task_queue.as_ref(), kind)?;
    let pollers = frontend.matching.pollers(&queue).into_iter().map(|seen| PollerInfo {
        last_access_time: Some(abide_engine::Time::from_ms(seen.last_access_time_ms).timestamp()),
        identity: seen.identity,
        rate_per_second: seen.rate_per_second.unwrap_or(DEFAULT_RATE_PER_SECOND),
        ..Default::default()
    });
    let pollers = pollers.collect();
    let backlog = frontend.matching.backlog(&queue);
    let count = i64::try_from(backlog.count).unwrap_or(i64::MAX);
    let age = backlog.oldest_scheduled_time_ms.map_or(0, |oldest| frontend.env.wall_ms() - oldest);
    let stats = request.report_stats.then(|| TaskQueueStats {
        approximate_backlog_count: count,
        approximate_backlog_age: Some(Span::millis(age.max(0)).duration()),
        tasks_add_rate: backlog.adds_per_second,
        tasks_dispatch_rate: backlog.dispatches_per_second,
        ..Default::default()
    });
    #[allow(deprecated)]
    let task_queue_status = request.include_task_queue_status.then(|| TaskQueueStatus {
        backlog_count_hint: count,
        task_id_block: Some(TaskIdBlock::default()),
        ..Default::default()
    });
    let limit = ws::describe_task_queue_response::EffectiveRateLimit {
        requests_per_second: SYSTEM_RATE_PER_SECOND,
        rate_limit_source: abide_proto::temporal::api::enums::v1::RateLimitSource::System as i32,
    };
    #[allow(deprecated)]
    Ok(ws::DescribeTaskQueueResponse {
        pollers,
        stats,
        task_queue_status,
        effective_rate_limit: Some(limit),
        ..Default::default()
    })
}
