//! Workflows that record local activities and complete, all in one workflow task.
use abide_proto::temporal::api::{
    command::v1::Command,
    history::v1::{HistoryEvent, history_event::Attributes},
    taskqueue::v1::TaskQueue,
};

use crate::{
    fault::Fault,
    flow::{Flow, uncalled_for},
    wire,
};

/// Events besides the markers, as of a workflow that completes at once.
const OTHER_EVENTS: u64 = 5;

pub(super) struct LocalActivities {
    pub(super) count: u64,
}

impl Flow for LocalActivities {
    type Memory = ();

    const TYPE: &'static str = "LocalActivities";

    fn advance(&self, _: &mut (), events: &[HistoryEvent], _: &TaskQueue) -> Result<Vec<Command>, Fault> {
        let uncalled = events.iter().find(|event| {
            !matches!(
                event.attributes,
                Some(
                    Attributes::WorkflowExecutionStartedEventAttributes(_)
                        | Attributes::WorkflowTaskScheduledEventAttributes(_)
                        | Attributes::WorkflowTaskStartedEventAttributes(_)
                )
            )
        });
        if let Some(event) = uncalled {
            return Err(uncalled_for(event));
        }
        let mut commands: Vec<_> = (1..=self.count).map(wire::record_local_activity).collect();
        commands.push(wire::complete_workflow(self.count));
        Ok(commands)
    }

    fn close_event_id(&self) -> Option<i64> {
        Some((OTHER_EVENTS + self.count) as i64)
    }

    fn result(&self) -> Option<u64> {
        Some(self.count)
    }
}
