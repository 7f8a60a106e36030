//! A new run: the first of a chain, or the next after continue-as-new, retry or cron.
use super::{
    finish,
    new_run::NewRun,
    records::{Header, Profile, StartKept},
    run::Run,
    search_attributes,
    transition::{Finished, Transition},
    workflow_task::{self, start::StartedWorkflowTask},
};
use crate::{
    Context, Time,
    api::{
        Attributes, common, enums,
        history::{WorkflowExecutionSignaledEventAttributes, WorkflowExecutionStartedEventAttributes},
        sdk,
    },
    time::Span,
};

/// A run that was just made.
#[derive(Debug)]
pub struct Created {
    pub run: Run,
    pub finished: Finished,
    pub eager_task: Option<StartedWorkflowTask>,
}

/// Makes a run with its first events.
pub fn create(cx: &mut Context<'_>, new: NewRun) -> Created {
    let NewRun { key, mut attributes, create_request_id, user_metadata, links, chain_start_time, signal, eager } = new;
    let now = cx.now;
    let run_id = key.run_id.to_string();
    attributes.workflow_id = key.workflow_id.clone();
    attributes.original_execution_run_id = run_id.clone();
    if attributes.first_execution_run_id.is_empty() {
        attributes.first_execution_run_id = run_id;
    }
    attributes.search_attributes =
        attributes.search_attributes.map(|found| search_attributes::typed_event(cx.settings, found));
    let backoff = Span::of(attributes.first_workflow_task_backoff.as_ref());
    let profile = profile(cx, &attributes, create_request_id, user_metadata.clone(), chain_start_time, &signal);
    let header = Header {
        status: enums::WorkflowExecutionStatus::Running as i32,
        next_event_id: 1,
        workflow_task_attempt: 1,
        first_task_at: if backoff.is_zero() { 0 } else { (now + backoff).0 },
        ..Default::default()
    };
    let may_follow = attributes.retry_policy.is_some() || !attributes.cron_schedule.is_empty();
    let start = may_follow.then(|| StartKept { attributes: Some(attributes.clone()), links: links.clone() });
    let mut run = Run::new(key, header, profile, start);
    let mut tx = Transition::new(&mut run, cx);
    let event = tx.append(Attributes::WorkflowExecutionStartedEventAttributes(Box::new(attributes)));
    event.user_metadata = user_metadata;
    event.links = links;
    if let Some((attributes, links)) = signal {
        if !attributes.request_id.is_empty() {
            tx.run.signal_request_ids.insert(attributes.request_id.clone(), ());
        }
        tx.run.header.get_mut().signal_count = 1;
        tx.buffer(Attributes::WorkflowExecutionSignaledEventAttributes(attributes)).links = links;
    }
    let mut eager_task = None;
    if backoff.is_zero() {
        workflow_task::schedule(&mut tx, None);
        if let Some(taker) = eager {
            workflow_task::start::start_scheduled(&mut tx, &taker);
            eager_task = Some(workflow_task::start::describe(tx.run, &taker));
        }
    }
    let finished = finish(tx);
    Created { run, finished, eager_task }
}

fn profile(
    cx: &Context<'_>,
    attributes: &WorkflowExecutionStartedEventAttributes,
    create_request_id: String,
    user_metadata: Option<sdk::UserMetadata>,
    chain_start_time: Option<Time>,
    signal: &Option<(WorkflowExecutionSignaledEventAttributes, Vec<common::Link>)>,
) -> Profile {
    let now = cx.now;
    let a = attributes;
    let backoff = Span::of(a.first_workflow_task_backoff.as_ref());
    let run_timeout = Span::of(a.workflow_run_timeout.as_ref());
    let execution_time = now + backoff;
    let execution_expiration = a.workflow_execution_expiration_time.as_ref().map_or(0, |t| Time::of(t).0);
    let run_expiration = if run_timeout.is_zero() { 0 } else { (execution_time + run_timeout).0 };
    Profile {
        workflow_type: a.workflow_type.as_ref().map(|t| t.name.clone()).unwrap_or_default(),
        task_queue: a.task_queue.as_ref().map(|q| q.name.clone()).unwrap_or_default(),
        first_run_id: a.first_execution_run_id.clone(),
        create_request_id,
        start_time: now.0,
        execution_time: execution_time.0,
        execution_timeout: a.workflow_execution_timeout.as_ref().map(|timeout| Span::of(Some(timeout)).0),
        run_timeout: a.workflow_run_timeout.as_ref().map(|_| run_timeout.0),
        task_timeout: Span::of(a.workflow_task_timeout.as_ref()).0,
        run_expiration: match (run_expiration, execution_expiration) {
            (run, 0) => run,
            (0, execution) => execution,
            (run, execution) => run.min(execution),
        },
        execution_expiration,
        retry_policy: a.retry_policy.clone(),
        attempt: a.attempt,
        cron_schedule: a.cron_schedule.clone(),
        memo: a.memo.clone(),
        search_attributes: a.search_attributes.clone().map(|s| search_attributes::typed(cx.settings, s)),
        priority: a.priority.clone(),
        user_metadata,
        reset_points: a.prev_auto_reset_points.clone(),
        chain_start_time: chain_start_time.unwrap_or(now).0,
        started_by_signal: signal.is_some(),
        eager: a.eager_execution_accepted,
    }
}
