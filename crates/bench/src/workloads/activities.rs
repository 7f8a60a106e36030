//! Workflows that execute activities one after another, or none.
use abide_proto::temporal::api::{command::v1::Command, history::v1::HistoryEvent, taskqueue::v1::TaskQueue};

use crate::{
    fault::Fault,
    flow::{Flow, Results},
    wire,
};

/// Events of a workflow without activities: started, then scheduled, started and completed of its task, then completed.
const EVENTS_OF_NONE: u64 = 5;
/// What each activity adds: its own three events and the three of the workflow task after it.
const EVENTS_OF_EACH: u64 = 6;

pub(crate) struct Activities {
    count: u64,
}

impl Activities {
    pub(crate) fn new(count: u64) -> Self {
        Activities { count }
    }
}

impl Flow for Activities {
    type Memory = Results;

    const TYPE: &'static str = "Activities";

    fn advance(
        &self,
        results: &mut Results,
        events: &[HistoryEvent],
        queue: &TaskQueue,
    ) -> Result<Vec<Command>, Fault> {
        results.observe_all(events)?;
        let done = results.taken() as u64;
        let command =
            if done == self.count { wire::complete_workflow(done) } else { wire::schedule_activity(queue, done + 1) };
        Ok(vec![command])
    }

    fn activities(&self) -> usize {
        self.count as usize
    }

    fn close_event_id(&self) -> Option<i64> {
        Some((EVENTS_OF_NONE + EVENTS_OF_EACH * self.count) as i64)
    }

    fn result(&self) -> Option<u64> {
        Some(self.count)
    }
}
