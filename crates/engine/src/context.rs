//! What a transition gets from outside: the time, fresh ids, and the settings in force.
use crate::{Settings, Time};

/// A source of random ids; in tests and in the simulator a seeded one.
pub trait Ids {
    /// A fresh random UUID.
    fn uuid(&mut self) -> uuid::Uuid;
    /// A number in `0.0..1.0`, for jitter.
    fn fraction(&mut self) -> f64;
}

/// The surroundings of one transition.
pub struct Context<'a> {
    pub now: Time,
    pub ids: &'a mut dyn Ids,
    pub settings: &'a Settings,
    /// The name of the run's namespace, for texts, links and the worker's replies.
    pub namespace: &'a str,
}

impl Context<'_> {
    pub fn uuid(&mut self) -> String {
        self.ids.uuid().to_string()
    }
}
