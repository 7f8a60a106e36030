//! A minimal worker: pollers on a normal and a sticky workflow queue and on an activity queue, every reply checked.
use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use abide_proto::temporal::api::{
    enums::v1::HistoryEventFilterType,
    taskqueue::v1::{StickyExecutionAttributes, TaskQueue},
    workflowservice::v1::{
        GetWorkflowExecutionHistoryRequest, PollActivityTaskQueueRequest, PollActivityTaskQueueResponse,
        PollWorkflowTaskQueueRequest, PollWorkflowTaskQueueResponse, RespondActivityTaskCompletedRequest,
        RespondWorkflowTaskCompletedRequest,
    },
};
use tokio::{sync::Notify, task::JoinSet};
use tonic::Code;

use crate::{
    clock,
    connection::{Client, Connections},
    fault::{Fault, same},
    flow::Flow,
    ledger::Ledger,
    names::Names,
    wire::{self, IDENTITY, NAMESPACE, TASK_TIMEOUT, request},
};

/// The deadline of a long poll, as SDKs set it.
const POLL_TIMEOUT: Duration = Duration::from_secs(70);
/// The deadline of a call that answers at once; SDKs have 10 s, but a loaded machine is not a lost task.
pub(crate) const CALL_TIMEOUT: Duration = Duration::from_secs(30);

/// What the pollers, the clients and the workload of one run share.
pub(crate) struct Shared<F: Flow> {
    pub(crate) names: Names,
    pub(crate) flow: F,
    pub(crate) ledger: Ledger<F>,
    pub(crate) task_queue: TaskQueue,
    sticky: StickyExecutionAttributes,
    /// Tasks of known runs that came with the whole history, as after a sticky time-out.
    full_histories: AtomicU64,
    /// Tasks that the server failed because too much came during them.
    overflows: AtomicU64,
    fault: OnceLock<Fault>,
    faulted: Notify,
}

impl<F: Flow> Shared<F> {
    pub(crate) fn new(flow: F, names: Names) -> Self {
        let task_queue = wire::normal_queue(&names.task_queue());
        let sticky = StickyExecutionAttributes {
            worker_task_queue: Some(wire::sticky_queue(&names.sticky_task_queue(), &task_queue.name)),
            schedule_to_start_timeout: Some(TASK_TIMEOUT),
        };
        Shared {
            names,
            flow,
            ledger: Ledger::new(),
            task_queue,
            sticky,
            full_histories: AtomicU64::new(0),
            overflows: AtomicU64::new(0),
            fault: OnceLock::new(),
            faulted: Notify::new(),
        }
    }

    /// Keeps the first fault and wakes who waits for it.
    pub(crate) fn report(&self, outcome: Result<(), Fault>) {
        if let Err(fault) = outcome {
            self.fault.get_or_init(|| fault);
            self.faulted.notify_waiters();
        }
    }

    /// Ends when there is a fault, with the first.
    pub(crate) async fn fault(&self) -> Fault {
        loop {
            let mut notified = std::pin::pin!(self.faulted.notified());
            notified.as_mut().enable();
            if let Some(fault) = self.fault.get() {
                return fault.clone();
            }
            notified.await;
        }
    }

    pub(crate) fn full_histories(&self) -> u64 {
        self.full_histories.load(Ordering::Relaxed)
    }

    pub(crate) fn overflows(&self) -> u64 {
        self.overflows.load(Ordering::Relaxed)
    }

    fn index(&self, workflow_id: &str) -> Result<u64, Fault> {
        self.names
            .index(workflow_id)
            .ok_or_else(|| Fault::wrong("workflow id of a task", "one of this load's", workflow_id))
    }

    /// Works on a task and on those that come back with its answers.
    async fn workflow_task(&self, mut client: Client, task: PollWorkflowTaskQueueResponse) -> Result<(), Fault> {
        let mut next = Some(task);
        while let Some(mut task) = next {
            let index = self.index(task.workflow_execution.as_ref().map_or("", |e| &e.workflow_id))?;
            self.fetch_rest_of_history(&mut client, &mut task).await?;
            let begins = task.history.as_ref().and_then(|h| h.events.first()).map_or(0, |e| e.event_id);
            if begins == 1 && task.previous_started_event_id > 0 {
                self.full_histories.fetch_add(1, Ordering::Relaxed);
            }
            let Some(commands) = self.ledger.workflow_task(index, &self.flow, &task, &self.task_queue)? else {
                self.overflows.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            };
            let answer = RespondWorkflowTaskCompletedRequest {
                task_token: task.task_token,
                commands,
                identity: IDENTITY.to_owned(),
                sticky_attributes: Some(self.sticky.clone()),
                return_new_workflow_task: true,
                namespace: NAMESPACE.to_owned(),
                ..Default::default()
            };
            let reply = match client.respond_workflow_task_completed(request(answer, CALL_TIMEOUT)).await {
                Ok(reply) => reply.into_inner(),
                Err(status) if self.flow.may_overflow() && status.code() == Code::NotFound => {
                    self.overflows.fetch_add(1, Ordering::Relaxed);
                    return Ok(()); // failed by the server; the run's next task shows why, or does not come
                }
                Err(status) => return Err(Fault::refused("RespondWorkflowTaskCompleted", &status)),
            };
            self.ledger.answer_taken(index);
            same(0, reply.activity_tasks.len(), || "number of eager activities, none asked for".to_owned())?;
            next = reply.workflow_task;
        }
        Ok(())
    }

    async fn fetch_rest_of_history(
        &self,
        client: &mut Client,
        task: &mut PollWorkflowTaskQueueResponse,
    ) -> Result<(), Fault> {
        while !task.next_page_token.is_empty() {
            let page = GetWorkflowExecutionHistoryRequest {
                namespace: NAMESPACE.to_owned(),
                execution: task.workflow_execution.clone(),
                next_page_token: std::mem::take(&mut task.next_page_token),
                history_event_filter_type: HistoryEventFilterType::AllEvent.into(),
                ..Default::default()
            };
            let reply = client
                .get_workflow_execution_history(request(page, CALL_TIMEOUT))
                .await
                .map_err(|status| Fault::refused("GetWorkflowExecutionHistory", &status))?
                .into_inner();
            task.history.get_or_insert_default().events.extend(reply.history.unwrap_or_default().events);
            task.next_page_token = reply.next_page_token;
        }
        Ok(())
    }

    async fn activity_task(&self, mut client: Client, task: PollActivityTaskQueueResponse) -> Result<(), Fault> {
        let index = self.index(task.workflow_execution.as_ref().map_or("", |e| &e.workflow_id))?;
        self.ledger.activity_task(index, &self.flow, &task)?;
        let answer = RespondActivityTaskCompletedRequest {
            task_token: task.task_token,
            result: task.input, // an echo
            identity: IDENTITY.to_owned(),
            namespace: NAMESPACE.to_owned(),
            ..Default::default()
        };
        match client.respond_activity_task_completed(request(answer, CALL_TIMEOUT)).await {
            Ok(_) => Ok(()),
            Err(status) => Err(Fault::refused("RespondActivityTaskCompleted", &status)),
        }
    }

    async fn poll_workflow_tasks(self: Arc<Self>, mut client: Client, queue: TaskQueue) -> Result<(), Fault> {
        let poll = PollWorkflowTaskQueueRequest {
            namespace: NAMESPACE.to_owned(),
            task_queue: Some(queue),
            identity: IDENTITY.to_owned(),
            ..Default::default()
        };
        loop {
            let reply = client.poll_workflow_task_queue(request(poll.clone(), POLL_TIMEOUT)).await;
            let task = reply.map_err(|status| Fault::refused("PollWorkflowTaskQueue", &status))?.into_inner();
            if task.task_token.is_empty() {
                continue; // the poll's time is over
            }
            let (shared, client) = (Arc::clone(&self), client.clone());
            clock::spawn(async move { shared.report(shared.workflow_task(client, task).await) });
        }
    }

    async fn poll_activity_tasks(self: Arc<Self>, mut client: Client) -> Result<(), Fault> {
        let poll = PollActivityTaskQueueRequest {
            namespace: NAMESPACE.to_owned(),
            task_queue: Some(self.task_queue.clone()),
            identity: IDENTITY.to_owned(),
            ..Default::default()
        };
        loop {
            let reply = client.poll_activity_task_queue(request(poll.clone(), POLL_TIMEOUT)).await;
            let task = reply.map_err(|status| Fault::refused("PollActivityTaskQueue", &status))?.into_inner();
            if task.task_token.is_empty() {
                continue;
            }
            let (shared, client) = (Arc::clone(&self), client.clone());
            clock::spawn(async move { shared.report(shared.activity_task(client, task).await) });
        }
    }
}

/// Starts `count` pollers each on the normal queue, the sticky queue and, where the flow has activities, theirs.
/// They end when the set is dropped.
pub(crate) fn start_pollers<F: Flow>(shared: &Arc<Shared<F>>, connections: &Connections, count: usize) -> JoinSet<()> {
    let mut pollers = JoinSet::new();
    let sticky = shared.sticky.worker_task_queue.clone().unwrap_or_default();
    for _ in 0..count.max(1) {
        for queue in [shared.task_queue.clone(), sticky.clone()] {
            let (shared, client) = (Arc::clone(shared), connections.client());
            pollers.spawn(async move { shared.report(Arc::clone(&shared).poll_workflow_tasks(client, queue).await) });
        }
        if shared.flow.activities() > 0 {
            let (shared, client) = (Arc::clone(shared), connections.client());
            pollers.spawn(async move { shared.report(Arc::clone(&shared).poll_activity_tasks(client).await) });
        }
    }
    pollers
}
