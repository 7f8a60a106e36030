//! A store in which something was changed: whoever reads it says what is damaged, or lives with it.
use std::{sync::OnceLock, time::Duration};

use abide_proto::temporal::api::{
    common::v1::WorkflowExecution, query::v1::WorkflowQuery, taskqueue::v1::TaskQueue, workflowservice::v1 as ws,
};
use abide_store::{Batch, Store};
use prost::Message;

use crate::{
    choices::Choices,
    message::Generator,
    probe, scene,
    server::{Row, Server},
    vocabulary::Vocabulary,
    wire,
};

pub(super) fn run(input: &[u8]) {
    let mut choices = Choices::new(input);
    static KEPT: OnceLock<(Server, Vocabulary)> = OnceLock::new();
    let (kept, vocabulary) = KEPT.get_or_init(|| {
        let mut server = Server::start();
        let vocabulary = scene::play(&server);
        server.end();
        (server, vocabulary)
    });
    let mut server = kept.copy();
    for _ in 0..=choices.below(3) {
        damage(&mut choices, &server, vocabulary);
    }
    server.may_be_unavailable = true;
    if server.open().is_err() {
        return; // it said so instead of serving what it cannot read
    }
    look(&server);
    server.pass(Duration::from_secs(300));
    look(&server);
    probe::run_a_workflow(&server);
}

/// Changes one row.
fn damage(choices: &mut Choices<'_>, server: &Server, vocabulary: &Vocabulary) {
    let Row { shard, table, key, mut value } = choices.pick(&server.rows());
    let Ok(lease) = server.store.acquire(shard) else { return };
    let mut batch = Batch::new(lease);
    let mut new_key = key.clone();
    match choices.byte() {
        0..=149 => wire::disturb(choices, &mut value, 0),
        150..=199 => Generator::new(choices, vocabulary, "workflow_token").damage(&mut value),
        200..=219 => value = choices.bytes(12).to_vec(),
        220..=249 => {
            batch.delete(table, key);
            Generator::new(choices, vocabulary, "workflow_token").damage(&mut new_key);
        }
        _ => {
            batch.delete(table, key);
            new_key.clear();
        }
    }
    if !new_key.is_empty() {
        batch.put(table, new_key, value);
    }
    server.store.commit(&[batch]).expect("a store in memory takes what is not too long");
}

/// Asks for all that is kept of the runs, and has something done to them.
fn look(server: &Server) {
    let namespace = || "default".to_owned();
    let queue = |name: &str| Some(TaskQueue { name: name.into(), ..Default::default() });
    for id in ["v", "w"] {
        let execution = || Some(WorkflowExecution { workflow_id: id.into(), ..Default::default() });
        let describe = ws::DescribeWorkflowExecutionRequest { namespace: namespace(), execution: execution() };
        ask::<ws::DescribeWorkflowExecutionResponse>(server, "DescribeWorkflowExecution", &describe);
        let history = ws::GetWorkflowExecutionHistoryRequest {
            namespace: namespace(),
            execution: execution(),
            ..Default::default()
        };
        ask::<ws::GetWorkflowExecutionHistoryResponse>(server, "GetWorkflowExecutionHistory", &history);
        let reverse = ws::GetWorkflowExecutionHistoryReverseRequest {
            namespace: namespace(),
            execution: execution(),
            ..Default::default()
        };
        ask::<ws::GetWorkflowExecutionHistoryReverseResponse>(server, "GetWorkflowExecutionHistoryReverse", &reverse);
        let signal = ws::SignalWorkflowExecutionRequest {
            namespace: namespace(),
            workflow_execution: execution(),
            signal_name: "s".into(),
            ..Default::default()
        };
        ask::<ws::SignalWorkflowExecutionResponse>(server, "SignalWorkflowExecution", &signal);
        let query = Some(WorkflowQuery { query_type: "n".into(), ..Default::default() });
        let query =
            ws::QueryWorkflowRequest { namespace: namespace(), execution: execution(), query, ..Default::default() };
        ask::<ws::QueryWorkflowResponse>(server, "QueryWorkflow", &query);
    }
    for name in ["q", "sticky"] {
        let poll =
            ws::PollActivityTaskQueueRequest { namespace: namespace(), task_queue: queue(name), ..Default::default() };
        ask::<ws::PollActivityTaskQueueResponse>(server, "PollActivityTaskQueue", &poll);
        let poll =
            ws::PollWorkflowTaskQueueRequest { namespace: namespace(), task_queue: queue(name), ..Default::default() };
        if let Some(task) = ask::<ws::PollWorkflowTaskQueueResponse>(server, "PollWorkflowTaskQueue", &poll) {
            let complete =
                ws::RespondWorkflowTaskCompletedRequest { task_token: task.task_token, ..Default::default() };
            ask::<ws::RespondWorkflowTaskCompletedResponse>(server, "RespondWorkflowTaskCompleted", &complete);
        }
    }
    let cancel = ws::RequestCancelWorkflowExecutionRequest {
        namespace: namespace(),
        workflow_execution: Some(WorkflowExecution { workflow_id: "w".into(), ..Default::default() }),
        ..Default::default()
    };
    ask::<ws::RequestCancelWorkflowExecutionResponse>(server, "RequestCancelWorkflowExecution", &cancel);
}

/// What the server answers, if it does.
fn ask<Reply: Message + Default>(server: &Server, name: &str, request: &impl Message) -> Option<Reply> {
    server.call(name, request).ok()
}
