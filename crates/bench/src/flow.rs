//! What a workload's workflow does: the part of a worker that an SDK's user would write.
use abide_proto::temporal::api::{
    command::v1::Command,
    enums::v1::WorkflowTaskFailedCause,
    history::v1::{ActivityTaskCompletedEventAttributes, HistoryEvent, history_event::Attributes},
    taskqueue::v1::TaskQueue,
};
use rustc_hash::FxHashSet;

use crate::{
    fault::{Fault, same},
    wire,
};

/// One workflow definition, shared by all its runs.
pub(crate) trait Flow: Send + Sync + 'static {
    /// What a worker remembers of a run between its workflow tasks.
    type Memory: Default + Send;

    /// The workflow type's name.
    const TYPE: &'static str;

    /// Takes in the events that are new since the last task and answers with commands. An event that does not belong
    /// there is a fault.
    fn advance(
        &self,
        memory: &mut Self::Memory,
        events: &[HistoryEvent],
        activity_queue: &TaskQueue,
    ) -> Result<Vec<Command>, Fault>;

    /// Whether so much may come during one workflow task that the server fails the task to write it down (spec §3.1).
    /// The next task then has the whole history, and the run is replayed.
    fn may_overflow(&self) -> bool {
        false
    }

    /// How many activities each run executes, each of them exactly once.
    fn activities(&self) -> usize {
        0
    }

    /// The id of the close event, where the flow fixes it.
    fn close_event_id(&self) -> Option<i64> {
        None
    }

    /// The result of every run, where the flow fixes it.
    fn result(&self) -> Option<u64> {
        None
    }
}

/// Results of activities that echo their number, each taken once.
#[derive(Debug, Default)]
pub(crate) struct Results {
    scheduled: FxHashSet<(u64, i64)>,
    taken: usize,
}

impl Results {
    /// Whether no activity was scheduled so far.
    pub(crate) fn are_none(&self) -> bool {
        self.scheduled.is_empty() && self.taken == 0
    }

    /// How many results have come.
    pub(crate) fn taken(&self) -> usize {
        self.taken
    }

    /// Takes in what events say about activities; one that is not of a workflow of activities alone is a fault.
    pub(crate) fn observe_all<'a>(&mut self, events: impl IntoIterator<Item = &'a HistoryEvent>) -> Result<(), Fault> {
        events.into_iter().try_for_each(|event| self.observe(event))
    }

    fn observe(&mut self, event: &HistoryEvent) -> Result<(), Fault> {
        match &event.attributes {
            Some(Attributes::ActivityTaskScheduledEventAttributes(scheduled)) => {
                let number = scheduled.activity_id.parse().map_err(|_| {
                    Fault::wrong(format!("activity id of event {}", event.event_id), "a number", &scheduled.activity_id)
                })?;
                self.scheduled.insert((number, event.event_id));
                Ok(())
            }
            Some(Attributes::ActivityTaskCompletedEventAttributes(completed)) => self.take(event.event_id, completed),
            Some(
                Attributes::WorkflowExecutionStartedEventAttributes(_)
                | Attributes::WorkflowTaskScheduledEventAttributes(_)
                | Attributes::WorkflowTaskStartedEventAttributes(_)
                | Attributes::WorkflowTaskCompletedEventAttributes(_)
                | Attributes::ActivityTaskStartedEventAttributes(_),
            ) => Ok(()),
            _ => Err(uncalled_for(event)),
        }
    }

    fn take(&mut self, event_id: i64, completed: &ActivityTaskCompletedEventAttributes) -> Result<(), Fault> {
        let what =
            || format!("result in event {event_id} of the activity scheduled by {}", completed.scheduled_event_id);
        let started = completed.started_event_id;
        same(true, completed.scheduled_event_id < started && started < event_id, || {
            format!("started event id {started} between {} and {event_id}", completed.scheduled_event_id)
        })?;
        let Some(number) = wire::number(completed.result.as_ref()) else {
            return Err(Fault::wrong(what(), "a number", "something else"));
        };
        if !self.scheduled.remove(&(number, completed.scheduled_event_id)) {
            return Err(Fault::wrong(what(), "its number, once", number));
        }
        self.taken += 1;
        Ok(())
    }
}

/// Whether a workflow task failed because too much came during it.
pub(crate) fn is_overflow(event: &HistoryEvent) -> bool {
    let cause = i32::from(WorkflowTaskFailedCause::ForceCloseCommand);
    matches!(&event.attributes, Some(Attributes::WorkflowTaskFailedEventAttributes(failed)) if failed.cause == cause)
}

/// The fault of an event that the flow never asked for.
pub(crate) fn uncalled_for(event: &HistoryEvent) -> Fault {
    Fault::wrong(format!("event {}", event.event_id), "one that the flow asked for", event.event_type().as_str_name())
}
