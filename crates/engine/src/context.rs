//! What a transition gets from outside: the time, fresh ids, and the settings in force.
use crate::{
    Settings, Time,
    workflow::{Dispatch, RunKey, workflow_task::start::Taker},
};

/// A source of random ids; in tests and in the simulator a seeded one.
pub trait Ids {
    /// A fresh random UUID.
    fn uuid(&mut self) -> uuid::Uuid;
    /// A number in `0.0..1.0`, for jitter.
    fn fraction(&mut self) -> f64;
}

/// The workers that wait for tasks at this moment.
pub trait Workers {
    /// The worker that a task goes to which was just scheduled, if one waits for it: the task starts in the transition that
    /// schedules it, and must then be given to that worker once the transition is durable.
    fn take(&mut self, run: &RunKey, task: &Dispatch) -> Option<Taker>;
}

/// Nobody waits: every task goes through the outbox.
pub struct NoWorkers;

impl Workers for NoWorkers {
    fn take(&mut self, _: &RunKey, _: &Dispatch) -> Option<Taker> {
        None
    }
}

/// The surroundings of one transition.
pub struct Context<'a> {
    pub now: Time,
    pub ids: &'a mut dyn Ids,
    pub workers: &'a mut dyn Workers,
    pub settings: &'a Settings,
    /// The name of the run's namespace, for texts, links and the worker's replies.
    pub namespace: &'a str,
}

impl Context<'_> {
    pub fn uuid(&mut self) -> String {
        self.ids.uuid().to_string()
    }
}
