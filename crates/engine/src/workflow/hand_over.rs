//! A task that is scheduled while a worker waits for it starts in the same transition: one durable write instead of two, and
//! nothing in the outbox.
use super::{
    activity::{self, StartedActivity},
    dispatch::TaskKind,
    transition::Transition,
    workflow_task::start::{self, StartedWorkflowTask},
};

/// A task that was started, as its worker gets it.
#[derive(Clone, Debug, PartialEq)]
pub enum Started {
    Workflow(Box<StartedWorkflowTask>),
    Activity(Box<StartedActivity>),
}

/// Starts the tasks that came up in the transition and that a worker takes at once, in the order they were offered in.
pub(crate) fn hand_over(tx: &mut Transition<'_, '_>) -> Vec<Started> {
    let (tasks, _) = tx.outbox();
    let mut all = Vec::new();
    for task in tasks {
        let Some(taker) = tx.cx.workers.take(&tx.run.key, &task) else { continue };
        let id = task.scheduled_event_id;
        let started = match task.task_kind() {
            TaskKind::Workflow => {
                // The events up to here count towards the size that the start tells of.
                tx.seal();
                tx.run.header.get_mut().state_transition_count += 1;
                start::start(tx, id, &taker).map(|started| Started::Workflow(Box::new(started)))
            }
            TaskKind::Activity => activity::start(tx, id, task.attempt, &taker.request_id, &taker.identity)
                .map(|started| Started::Activity(Box::new(started))),
        };
        all.push(started.expect("a task that is to be offered can be started"));
    }
    all
}
