//! The enhanced mode of DescribeTaskQueue: by build id and type. No worker has a version here, so all that polls and
//! waits belongs to the empty build id.
use std::collections::BTreeMap;

use abide_matching::QueueId;
use abide_proto::temporal::api::{
    enums::v1::{BuildIdTaskReachability, TaskQueueType},
    taskqueue::v1::{TaskQueueTypeInfo, TaskQueueVersionInfo},
    workflowservice::v1 as ws,
};

use super::{kind_of, pollers, stats};
use crate::frontend::{Call, Frontend};

#[allow(deprecated)]
pub(super) fn described(
    frontend: &Frontend,
    call: &Call,
    name: &str,
    request: &ws::DescribeTaskQueueRequest,
) -> ws::DescribeTaskQueueResponse {
    let asked = request.versions.as_ref();
    let unversioned = asked.is_none_or(|asked| asked.unversioned || asked.all_active || asked.build_ids.is_empty());
    let mut versions_info = BTreeMap::new();
    if unversioned {
        let types_info = types(request).into_iter().map(|kind| (kind, type_info(frontend, call, name, kind, request)));
        let reachability = BuildIdTaskReachability::Reachable;
        versions_info.insert(String::new(), version(request, types_info.collect(), reachability));
    }
    for build_id in asked.map(|asked| asked.build_ids.as_slice()).unwrap_or_default() {
        let unreachable = version(request, BTreeMap::new(), BuildIdTaskReachability::Unreachable);
        versions_info.entry(build_id.clone()).or_insert(unreachable);
    }
    ws::DescribeTaskQueueResponse { versions_info, ..Default::default() }
}

fn version(
    request: &ws::DescribeTaskQueueRequest,
    types_info: BTreeMap<i32, TaskQueueTypeInfo>,
    reachability: BuildIdTaskReachability,
) -> TaskQueueVersionInfo {
    #[allow(deprecated)]
    let task_reachability = if request.report_task_reachability { reachability as i32 } else { 0 };
    TaskQueueVersionInfo { types_info, task_reachability }
}

/// The types that are asked for; workflows and activities if none is.
fn types(request: &ws::DescribeTaskQueueRequest) -> Vec<i32> {
    #[allow(deprecated)]
    match request.task_queue_types.as_slice() {
        [] => vec![TaskQueueType::Workflow as i32, TaskQueueType::Activity as i32],
        asked => asked.to_vec(),
    }
}

fn type_info(
    frontend: &Frontend,
    call: &Call,
    name: &str,
    kind: i32,
    request: &ws::DescribeTaskQueueRequest,
) -> TaskQueueTypeInfo {
    let queue = QueueId::normal(call.namespace.id, kind_of(kind), name);
    let backlog = frontend.matching.backlog(&queue);
    let idle = backlog.count == 0 && backlog.adds_per_second == 0.0 && backlog.dispatches_per_second == 0.0;
    let stats = (request.report_stats && !idle).then(|| stats(&backlog, frontend.env.wall_ms()));
    TaskQueueTypeInfo { pollers: pollers(frontend, &queue), stats }
}
