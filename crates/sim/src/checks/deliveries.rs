//! No task is handed out twice, and no attempt of an activity after its end.
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use abide_proto::temporal::api::{
    history::v1::{HistoryEvent, history_event::Attributes as Is},
    workflowservice::v1 as ws,
};
use bytes::Bytes;
use prost::Message;

use crate::violation::Violations;

/// Run, event or activity id, attempt.
type Task = (String, String, i32);

/// Every task that left the server, whether it reached its worker or not.
#[derive(Default)]
pub struct Deliveries {
    violations: Violations,
    workflow_tasks: Mutex<BTreeMap<Task, ()>>,
    /// With when the attempt began, on the server's clock.
    activity_tasks: Mutex<BTreeMap<Task, ()>>,
}

impl Deliveries {
    pub fn new(violations: &Violations) -> Self {
        Self { violations: violations.clone(), ..Self::default() }
    }

    /// Sees a reply as it leaves the server.
    pub fn note(&self, method: &str, reply: &Bytes) {
        let message = reply.slice(5..); // behind the frame's head
        match method {
            "PollWorkflowTaskQueue" => {
                let Ok(task) = ws::PollWorkflowTaskQueueResponse::decode(message) else { return };
                // Questions are put again when a worker does not answer.
                if task.task_token.is_empty() || task.query.is_some() {
                    return;
                }
                let run_id = task.workflow_execution.unwrap_or_default().run_id;
                let key = (run_id, task.started_event_id.to_string(), task.attempt);
                self.once(&self.workflow_tasks, key, "workflow task");
            }
            "PollActivityTaskQueue" => {
                let Ok(task) = ws::PollActivityTaskQueueResponse::decode(message) else { return };
                if task.task_token.is_empty() {
                    return;
                }
                let run_id = task.workflow_execution.unwrap_or_default().run_id;
                self.once(&self.activity_tasks, (run_id, task.activity_id, task.attempt), "activity task");
            }
            _ => {}
        }
    }

    fn once(&self, seen: &Mutex<BTreeMap<Task, ()>>, key: Task, what: &str) {
        let before = seen.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), ());
        self.violations.check(before.is_none(), || format!("{what} {key:?} was handed out twice"));
    }

    /// Compares the attempts that were handed out with a finished run's history.
    pub fn check(&self, run_id: &str, events: &[HistoryEvent]) {
        let mut scheduled = BTreeMap::new();
        let mut last_attempts = BTreeMap::new();
        for event in events {
            match event.attributes.as_ref() {
                Some(Is::ActivityTaskScheduledEventAttributes(of)) => {
                    scheduled.insert(event.event_id, of.activity_id.clone());
                }
                Some(Is::ActivityTaskStartedEventAttributes(of)) => {
                    if let Some(id) = scheduled.get(&of.scheduled_event_id) {
                        last_attempts.insert(id.clone(), of.attempt);
                    }
                }
                _ => {}
            }
        }
        let tasks = self.activity_tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let of_run = tasks.range((run_id.to_owned(), String::new(), 0)..).map(|(task, ())| task);
        for (_, id, attempt) in of_run.take_while(|(run, ..)| run == run_id) {
            self.violations.check(scheduled.values().any(|known| known == id), || {
                format!("activity {id} of run {run_id} was handed out, and is not in the history")
            });
            if let Some(last) = last_attempts.get(id) {
                self.violations.check(attempt <= last, || {
                    format!("attempt {attempt} of activity {id} of run {run_id} was handed out after its end in {last}")
                });
            }
        }
    }
}
