//! Task queues as workers and operators see them (spec §3.7, §3.27, §3.31).
use std::time::Duration;

use abide_proto::temporal::api::{
    command::v1::{Command, StartTimerCommandAttributes, command::Attributes},
    common::v1::WorkflowType,
    deployment::v1::WorkerDeploymentOptions,
    enums::v1::{CommandType, RateLimitSource, TaskQueueKind, TaskQueueType, WorkerVersioningMode},
    taskqueue::v1::{RateLimit, StickyExecutionAttributes, TaskQueue},
    workflowservice::v1::{self as ws, update_task_queue_config_request::RateLimitUpdate},
};
use abide_server::{ServerConfig, config::Storage, dynamic_config::DynamicConfig};
use tonic::{Code, Request};

use crate::common::{Server, plain, refusal, start, start_with};

fn queue(name: &str) -> Option<TaskQueue> {
    Some(TaskQueue { name: name.into(), ..Default::default() })
}

fn sticky(name: &str) -> Option<TaskQueue> {
    Some(TaskQueue { name: name.into(), kind: TaskQueueKind::Sticky as i32, normal_name: "tq".into() })
}

fn timely<M>(message: M) -> Request<M> {
    let mut request = Request::new(message);
    request.set_timeout(Duration::from_secs(30));
    request
}

async fn start_workflow(server: &Server, workflow_id: &str) {
    let request = ws::StartWorkflowExecutionRequest {
        namespace: "default".into(),
        workflow_id: workflow_id.into(),
        workflow_type: Some(WorkflowType { name: "Flow".into() }),
        task_queue: queue("tq"),
        ..Default::default()
    };
    server.workflow().start_workflow_execution(request).await.unwrap();
}

async fn poll(server: &Server, task_queue: Option<TaskQueue>) -> ws::PollWorkflowTaskQueueResponse {
    let request = ws::PollWorkflowTaskQueueRequest { namespace: "default".into(), task_queue, ..Default::default() };
    server.workflow().poll_workflow_task_queue(timely(request)).await.unwrap().into_inner()
}

async fn describe(server: &Server, kind: TaskQueueType) -> ws::DescribeTaskQueueResponse {
    let request = ws::DescribeTaskQueueRequest {
        namespace: "default".into(),
        task_queue: queue("tq"),
        task_queue_type: kind as i32,
        report_stats: true,
        report_config: true,
        ..Default::default()
    };
    server.workflow().describe_task_queue(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn what_waits_is_counted_by_priority() {
    let server = start().await;
    for workflow_id in ["a", "b"] {
        start_workflow(&server, workflow_id).await;
    }
    let counted = |response: &ws::DescribeTaskQueueResponse| {
        let by_priority = response.stats_by_priority_key.iter();
        (
            response.stats.as_ref().unwrap().approximate_backlog_count,
            by_priority.map(|(key, stats)| (*key, stats.approximate_backlog_count)).collect::<Vec<_>>(),
        )
    };
    assert_eq!(counted(&describe(&server, TaskQueueType::Workflow).await), (2, vec![(3, 2)]));
    assert_eq!(poll(&server, queue("tq")).await.backlog_count_hint, 1);
    assert_eq!(counted(&describe(&server, TaskQueueType::Workflow).await), (1, vec![(3, 1)]));
    let limit = describe(&server, TaskQueueType::Activity).await.effective_rate_limit.unwrap();
    assert_eq!(limit.rate_limit_source(), RateLimitSource::System);
}

/// Completes a first task with a timer; what comes next goes to the worker's own queue.
async fn wait_in_sticky_queue(server: &Server, first: &ws::PollWorkflowTaskQueueResponse) {
    let timer = Command {
        command_type: CommandType::StartTimer as i32,
        attributes: Some(Attributes::StartTimerCommandAttributes(StartTimerCommandAttributes {
            timer_id: "t".into(),
            start_to_fire_timeout: Some(prost_types::Duration { seconds: 600, nanos: 0 }),
        })),
        ..Default::default()
    };
    let request = ws::RespondWorkflowTaskCompletedRequest {
        task_token: first.task_token.clone(),
        commands: vec![timer],
        sticky_attributes: Some(StickyExecutionAttributes {
            worker_task_queue: sticky("mine"),
            schedule_to_start_timeout: Some(prost_types::Duration { seconds: 600, nanos: 0 }),
        }),
        ..Default::default()
    };
    server.workflow().respond_workflow_task_completed(request).await.unwrap();
}

/// Polls the worker's own queue for a moment, so that it takes tasks.
async fn serve_sticky_queue(server: &Server) {
    let waiting = tokio::time::timeout(Duration::from_millis(200), poll(server, sticky("mine"))).await;
    assert!(waiting.is_err(), "{waiting:?}");
}

async fn signal(server: &Server, first: &ws::PollWorkflowTaskQueueResponse) {
    let signal = ws::SignalWorkflowExecutionRequest {
        namespace: "default".into(),
        workflow_execution: first.workflow_execution.clone(),
        signal_name: "s".into(),
        ..Default::default()
    };
    server.workflow().signal_workflow_execution(signal).await.unwrap();
}

#[tokio::test]
async fn a_worker_that_was_told_of_a_sticky_backlog_is_told_that_it_is_gone() {
    let server = start().await;
    let mut runs = Vec::new();
    for workflow_id in ["a", "b"] {
        start_workflow(&server, workflow_id).await;
        runs.push(poll(&server, queue("tq")).await);
    }
    for run in &runs {
        wait_in_sticky_queue(&server, run).await;
    }
    serve_sticky_queue(&server).await;
    for run in &runs {
        signal(&server, run).await;
    }
    assert_eq!(poll(&server, sticky("mine")).await.backlog_count_hint, 1);
    assert_eq!(poll(&server, sticky("mine")).await.backlog_count_hint, 0);
    // The client may have read the second reply before the first, and polls this queue only, until an answer says otherwise.
    let empty = tokio::time::timeout(Duration::from_secs(10), poll(&server, sticky("mine"))).await;
    assert_eq!(empty.expect("within the time of a poll"), ws::PollWorkflowTaskQueueResponse::default());
    serve_sticky_queue(&server).await;
}

#[tokio::test]
async fn a_stopped_worker_leaves_its_tasks_to_others() {
    let server = start().await;
    start_workflow(&server, "wf").await;
    let first = poll(&server, queue("tq")).await;
    wait_in_sticky_queue(&server, &first).await;
    serve_sticky_queue(&server).await;
    signal(&server, &first).await;
    let shutdown = ws::ShutdownWorkerRequest {
        namespace: "default".into(),
        sticky_task_queue: "mine".into(),
        ..Default::default()
    };
    server.workflow().shutdown_worker(shutdown).await.unwrap();
    let again = poll(&server, queue("tq")).await;
    assert_eq!(again.attempt, 1);
    assert_eq!(again.history.unwrap().events[0].event_id, 1, "another worker gets the whole history");
}

#[tokio::test]
async fn the_polls_of_a_stopped_worker_end() {
    let dynamic_config = DynamicConfig { end_polls_on_shutdown: true, ..Default::default() };
    let server = start_with(ServerConfig { dynamic_config, ..Default::default() }).await;
    let mut client = server.workflow();
    let request = ws::PollActivityTaskQueueRequest {
        namespace: "default".into(),
        task_queue: queue("tq"),
        worker_instance_key: "me".into(),
        identity: "me".into(),
        ..Default::default()
    };
    let polling = tokio::spawn(async move { client.poll_activity_task_queue(timely(request)).await });
    while describe(&server, TaskQueueType::Activity).await.pollers.is_empty() {
        tokio::task::yield_now().await;
    }
    let shutdown = ws::ShutdownWorkerRequest {
        namespace: "default".into(),
        worker_instance_key: "me".into(),
        task_queue: "tq".into(),
        ..Default::default()
    };
    server.workflow().shutdown_worker(shutdown).await.unwrap();
    assert_eq!(polling.await.unwrap().unwrap().into_inner().task_token, "");
}

#[tokio::test]
async fn a_limit_outlives_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let config = ServerConfig { storage: Storage::Directory(directory.path().join("data")), ..Default::default() };
    let first = start_with(config.clone()).await;
    let request = ws::UpdateTaskQueueConfigRequest {
        namespace: "default".into(),
        identity: "boss".into(),
        task_queue: "tq".into(),
        task_queue_type: TaskQueueType::Activity as i32,
        update_queue_rate_limit: Some(RateLimitUpdate {
            rate_limit: Some(RateLimit { requests_per_second: 7.0 }),
            reason: "why".into(),
        }),
        ..Default::default()
    };
    let set = first.workflow().update_task_queue_config(request).await.unwrap().into_inner().config;
    assert_eq!(set.as_ref().unwrap().queue_rate_limit.as_ref().unwrap().metadata.as_ref().unwrap().reason, "why");
    drop(first.channel);
    first.running.stop().await;

    let again = start_with(config).await;
    let found = describe(&again, TaskQueueType::Activity).await;
    assert_eq!(found.config, set);
    let limit = found.effective_rate_limit.unwrap();
    assert_eq!((limit.requests_per_second, limit.rate_limit_source()), (7.0, RateLimitSource::Api));
    assert_eq!(describe(&again, TaskQueueType::Workflow).await.config, None);
}

#[tokio::test]
async fn a_long_name_has_a_limit_only_where_the_store_ends() {
    let server = start().await;
    for (bytes, want) in [(1001, None), (8193, Some("taskQueue length exceeds limit"))] {
        let request = ws::UpdateTaskQueueConfigRequest {
            namespace: "default".into(),
            task_queue: "q".repeat(bytes),
            task_queue_type: TaskQueueType::Activity as i32,
            update_queue_rate_limit: Some(RateLimitUpdate {
                rate_limit: Some(RateLimit { requests_per_second: 5.0 }),
                reason: String::new(),
            }),
            ..Default::default()
        };
        let outcome = server.workflow().update_task_queue_config(request).await;
        match want {
            Some(text) => assert_eq!(refusal(outcome), plain(Code::InvalidArgument, text)),
            None => assert!(outcome.is_ok(), "{bytes}: {outcome:?}"),
        }
    }
}

#[tokio::test]
async fn a_versioned_worker_has_a_deployment_and_a_build() {
    let server = start().await;
    let mut client = server.workflow();
    for (deployment_name, build_id, text) in [
        ("", "b", "Deployment name and build id must be set together."),
        ("d", "", "Deployment name and build id must be set together."),
        ("d.d", "b", "worker deployment name cannot contain '.'"),
        ("d:d", "b", "worker deployment name cannot contain ':'"),
        ("__d", "b", "WorkerDeploymentName cannot start with '__'"),
    ] {
        let request = ws::PollWorkflowTaskQueueRequest {
            namespace: "default".into(),
            task_queue: queue("tq"),
            deployment_options: Some(WorkerDeploymentOptions {
                deployment_name: deployment_name.into(),
                build_id: build_id.into(),
                worker_versioning_mode: WorkerVersioningMode::Versioned as i32,
            }),
            ..Default::default()
        };
        let outcome = client.poll_workflow_task_queue(timely(request)).await;
        assert_eq!(refusal(outcome), plain(Code::InvalidArgument, text));
    }
}
