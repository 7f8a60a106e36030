//! What every open run of the load must look like: the checker of every task and every outcome.
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use abide_proto::temporal::api::{
    command::v1::{Command, command},
    history::v1::{HistoryEvent, history_event::Attributes},
    taskqueue::v1::TaskQueue,
    workflowservice::v1::{PollActivityTaskQueueResponse, PollWorkflowTaskQueueResponse},
};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::{
    clock,
    fault::{Fault, same},
    flow::Flow,
    history::News,
    wire,
};

/// Who waits for a run's close hears of it at once; a loaded machine may take a moment.
const TOLD_WITHIN: Duration = Duration::from_secs(5);

/// The runs that are open, by their number.
pub(crate) struct Ledger<F: Flow> {
    runs: Mutex<FxHashMap<u64, Run<F::Memory>>>,
}

struct Run<M> {
    run_id: String,
    memory: M,
    /// The started event of the last workflow task; the next task's new events begin after it.
    seen_event_id: i64,
    /// The worker answered with the command that closes the run, and this result.
    closed_with: Option<u64>,
    /// When the server took that answer.
    closed_at: Option<Instant>,
    /// Activities handed out so far, by number.
    handed_out: FxHashSet<u64>,
}

impl<F: Flow> Ledger<F> {
    pub(crate) fn new() -> Self {
        Ledger { runs: Mutex::new(FxHashMap::default()) }
    }

    fn runs(&self) -> MutexGuard<'_, FxHashMap<u64, Run<F::Memory>>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that run `index` is about to be started.
    pub(crate) fn open(&self, index: u64) {
        let run = Run {
            run_id: String::new(),
            memory: F::Memory::default(),
            seen_event_id: 0,
            closed_with: None,
            closed_at: None,
            handed_out: FxHashSet::default(),
        };
        self.runs().insert(index, run);
    }

    /// Notes the run id that the start call answered.
    pub(crate) fn started(&self, index: u64, run_id: &str) -> Result<(), Fault> {
        match self.runs().get_mut(&index) {
            Some(run) => run.is(index, run_id),
            None => Ok(()), // closed already, and checked then
        }
    }

    /// Checks a workflow task whose history is complete in `task`, and answers it; with nothing if it is of no use any
    /// more.
    pub(crate) fn workflow_task(
        &self,
        index: u64,
        flow: &F,
        task: &PollWorkflowTaskQueueResponse,
        activity_queue: &TaskQueue,
    ) -> Result<Option<Vec<Command>>, Fault> {
        let mut runs = self.runs();
        let what = || format!("workflow task {} of run {index}", task.started_event_id);
        // A task that the server failed on its way to the worker comes behind the next one, or behind the run's end.
        let is_overtaken = |run: Option<&Run<F::Memory>>| {
            let is_later =
                |run: &Run<F::Memory>| run.closed_with.is_none() && task.started_event_id >= run.seen_event_id;
            flow.may_overflow() && !run.is_some_and(is_later)
        };
        if is_overtaken(runs.get(&index)) {
            return Ok(None);
        }
        let Some(run) = runs.get_mut(&index) else {
            return Err(Fault::Duplicated { what: what() }); // a run that is not open has had all its tasks
        };
        run.is(index, task.workflow_execution.as_ref().map_or("", |e| &e.run_id))?;
        if run.closed_with.is_some() || task.started_event_id <= run.seen_event_id {
            return Err(Fault::Duplicated { what: what() });
        }
        let type_name = task.workflow_type.as_ref().map_or("", |t| &t.name);
        same(F::TYPE, type_name, || format!("workflow type of {}", what()))?;
        let News { events, previous_started_event_id, is_replay } = News::of(index, run.seen_event_id, task)?;
        if is_replay {
            same(true, flow.may_overflow(), || format!("permission to fail the task before {}", what()))?;
            run.memory = F::Memory::default();
        } else {
            same(1, task.attempt, || format!("attempt of {}", what()))?;
        }
        let previous = task.previous_started_event_id;
        same(previous_started_event_id, previous, || format!("previous started event of {}", what()))?;
        run.seen_event_id = task.started_event_id;
        let commands = flow.advance(&mut run.memory, events, activity_queue)?;
        run.closed_with = commands.iter().find_map(close_result);
        Ok(Some(commands))
    }

    /// Notes that the server took the answer to a workflow task.
    pub(crate) fn answer_taken(&self, index: u64) {
        if let Some(run) = self.runs().get_mut(&index).filter(|run| run.closed_with.is_some()) {
            run.closed_at = Some(clock::now());
        }
    }

    /// Checks a wait for the close of run `index` that ended without it: the run must still have been open.
    pub(crate) fn waited_in_vain(&self, index: u64) -> Result<(), Fault> {
        let closed_at = self.runs().get(&index).and_then(|run| run.closed_at);
        match closed_at.map(|at| at.elapsed()).filter(|since| *since > TOLD_WITHIN) {
            Some(since) => Err(Fault::Lost {
                what: format!("the wake-up of the call that waits for the close of run {index}, which is closed,"),
                waited_s: since.as_secs(),
            }),
            None => Ok(()),
        }
    }

    /// Checks an activity task.
    pub(crate) fn activity_task(
        &self,
        index: u64,
        flow: &F,
        task: &PollActivityTaskQueueResponse,
    ) -> Result<(), Fault> {
        let mut runs = self.runs();
        let what = || format!("activity {} of run {index}", task.activity_id);
        let Some(run) = runs.get_mut(&index) else {
            return Err(Fault::Duplicated { what: what() });
        };
        run.is(index, task.workflow_execution.as_ref().map_or("", |e| &e.run_id))?;
        same(1, task.attempt, || format!("attempt of {}", what()))?;
        same(wire::ACTIVITY_TYPE, task.activity_type.as_ref().map_or("", |t| &t.name), || {
            format!("type of {}", what())
        })?;
        same(F::TYPE, task.workflow_type.as_ref().map_or("", |t| &t.name), || format!("workflow type of {}", what()))?;
        let number = wire::number(task.input.as_ref()).filter(|n| (1..=flow.activities() as u64).contains(n));
        let Some(number) = number.filter(|n| task.activity_id == n.to_string()) else {
            return Err(Fault::wrong(format!("input of {}", what()), "its number", "something else"));
        };
        if run.handed_out.insert(number) { Ok(()) } else { Err(Fault::Duplicated { what: what() }) }
    }

    /// Checks the close event that a client saw, and forgets the run.
    pub(crate) fn closed(&self, index: u64, flow: &F, event: &HistoryEvent) -> Result<(), Fault> {
        let Some(run) = self.runs().remove(&index) else {
            return Err(Fault::Duplicated { what: format!("close of run {index}") });
        };
        let Some(Attributes::WorkflowExecutionCompletedEventAttributes(completed)) = &event.attributes else {
            let got = event.event_type().as_str_name();
            return Err(Fault::wrong(
                format!("close event of run {index}"),
                "EVENT_TYPE_WORKFLOW_EXECUTION_COMPLETED",
                got,
            ));
        };
        let result = wire::number(completed.result.as_ref());
        if result.is_none() || result != run.closed_with || flow.result().is_some_and(|r| Some(r) != result) {
            let expected = flow.result().or(run.closed_with).map_or_else(|| "none yet".to_owned(), |r| r.to_string());
            let got = String::from_utf8_lossy(wire::data(completed.result.as_ref())).into_owned();
            return Err(Fault::wrong(format!("result of run {index}"), expected, got));
        }
        let close_event_id = flow.close_event_id().unwrap_or(event.event_id);
        same(close_event_id, event.event_id, || format!("close event id of run {index}"))?;
        same(flow.activities(), run.handed_out.len(), || format!("number of activities handed out for run {index}"))
    }
}

impl<M> Run<M> {
    /// The first run id seen is the right one ever after.
    fn is(&mut self, index: u64, run_id: &str) -> Result<(), Fault> {
        if self.run_id.is_empty() {
            same(false, run_id.is_empty(), || format!("emptiness of the run id of run {index}"))?;
            run_id.clone_into(&mut self.run_id);
        }
        same(self.run_id.as_str(), run_id, || format!("run id of run {index}"))
    }
}

fn close_result(command: &Command) -> Option<u64> {
    match &command.attributes {
        Some(command::Attributes::CompleteWorkflowExecutionCommandAttributes(complete)) => {
            wire::number(complete.result.as_ref())
        }
        _ => None,
    }
}
