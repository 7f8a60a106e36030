//! Workflow-task completions with any commands, against a run in any state that commands, workers, signals and time lead
//! to. The rig of the engine's own tests checks after every step what must always hold.
use abide_engine::{
    Settings,
    api::{enums, failure::Failure, service},
    time::Span,
    workflow::{
        TaskKind, TaskToken,
        activity::Selector,
        start,
        workflow_task::{complete::Completed, start::Taker},
    },
};
use abide_proto::json;
use prost::Message;

use crate::{
    choices::Choices,
    message::Generator,
    support::{Rig, start_request},
    vocabulary::Vocabulary,
};

const STEPS_MAX: usize = 64;
const SERVICE: &str = "temporal.api.workflowservice.v1";

struct Driver<'i> {
    choices: Choices<'i>,
    vocabulary: Vocabulary,
    rig: Rig,
    /// What workers were given, newest last.
    tasks: Vec<TaskToken>,
    activities: Vec<TaskToken>,
}

pub(super) fn run(input: &[u8]) {
    let mut choices = Choices::new(input);
    let vocabulary = Vocabulary::new();
    let settings = settings(&mut choices);
    let request = start(&mut choices, &vocabulary, &settings);
    let rig = Rig::with_settings(settings, |start| *start = request);
    let mut driver = Driver { choices, vocabulary, rig, tasks: Vec::new(), activities: Vec::new() };
    driver.tasks.extend(driver.rig.eager_task.take().map(|task| task.token));
    for _ in 0..STEPS_MAX {
        if driver.choices.is_empty() {
            return;
        }
        driver.step();
    }
}

fn settings(choices: &mut Choices<'_>) -> Settings {
    Settings {
        eager_activities: choices.pick(&[true, false]),
        buffered_events: choices.pick(&[100, 2, 0]),
        signals_per_run: choices.pick(&[10_000, 5, 0]),
        pending_activities: choices.pick(&[2000, 2, 0]),
        history_count: choices.pick(&[51_200, 60, 10]),
        history_size_bytes: choices.pick(&[50 << 20, 4000]),
        mutable_state_size_bytes: choices.pick(&[8 << 20, 900]),
        blob_size_bytes: choices.pick(&[2 << 20, 150]),
        memo_size_bytes: choices.pick(&[2 << 20, 150]),
        ..Settings::default()
    }
}

/// Any message of the API's services; the usual one where the bytes made are no message.
fn any<M: Message + Default>(choices: &mut Choices<'_>, vocabulary: &Vocabulary, name: &str) -> M {
    let descriptor = json::pool().get_message_by_name(name).expect("the targets name messages of the API");
    let made = Generator::new(choices, vocabulary, "workflow_token").message(&descriptor);
    M::decode(made.as_slice()).unwrap_or_default()
}

/// A start that the server lets in.
fn start(
    choices: &mut Choices<'_>,
    vocabulary: &Vocabulary,
    settings: &Settings,
) -> service::StartWorkflowExecutionRequest {
    let usual = start_request();
    if choices.odds(128) {
        return usual;
    }
    let name = format!("{SERVICE}.StartWorkflowExecutionRequest");
    let mut request: service::StartWorkflowExecutionRequest = any(choices, vocabulary, &name);
    request.workflow_id.clone_from(&usual.workflow_id);
    if start::validate_start(settings, "default", &request).is_ok() { request } else { usual }
}

impl Driver<'_> {
    fn step(&mut self) {
        for activity in self.rig.run().activities.values() {
            self.vocabulary.add("activity_id", activity.activity_id.as_bytes());
            self.vocabulary.see_number(activity.scheduled_event_id);
        }
        let running = self.rig.run().is_running();
        match self.choices.byte() {
            0..=119 => self.complete(),
            120..=134 => self.take_activity(),
            135..=164 => self.answer_activity(),
            165..=194 => {
                let span = self.choices.pick(&[1_000, 10_000, 1, 70_000, 600_000]);
                self.rig.pass(Span::millis(span));
            }
            195..=209 => {
                let (name, id) = self.choices.pick(&[("s", ""), ("s", "q"), ("z", "q2"), ("", "r1")]);
                let input = self.any("temporal.api.common.v1.Payloads");
                let _ = self.rig.signal_with(name, id, Some(input));
            }
            210..=214 => self.rig.cancel(),
            215..=219 => self.fail_task(),
            220..=229 => self.rig.load(),
            230..=234 => self.rig.forget_sticky(),
            235..=236 => drop(self.rig.terminate()),
            237..=246 if running => self.rig.wake(),
            _ => self.start_again(),
        }
    }

    fn any<M: Message + Default>(&mut self, name: &str) -> M {
        any(&mut self.choices, &self.vocabulary, name)
    }

    fn start_again(&mut self) {
        let request = start(&mut self.choices, &self.vocabulary, &self.rig.settings);
        let signal = self.choices.pick(&[None, Some("w")]);
        let fails = enums::WorkflowIdConflictPolicy::Fail as i32;
        if signal.is_some() && request.workflow_id_conflict_policy == fails {
            return; // refused before the engine sees it
        }
        if self.rig.start_again(request, signal).is_ok() {
            self.tasks.extend(self.rig.eager_task.take().map(|task| task.token));
        }
    }

    /// The newest task, or an old one; takes the one that waits.
    fn task(&mut self) -> Option<TaskToken> {
        if let Some(waiting) = self.rig.waiting(TaskKind::Workflow)
            && !self.choices.odds(16)
        {
            let sticky_queue = if waiting.is_sticky() { waiting.queue.clone() } else { String::new() };
            let taker = Taker { identity: "worker".into(), request_id: "take".into(), sticky_queue };
            let taken = self.rig.take_workflow_task(waiting.scheduled_event_id, &taker);
            self.tasks.extend(taken.ok().map(|task| task.token));
        }
        let back = if self.choices.odds(16) { self.choices.below(self.tasks.len().max(1)) } else { 0 };
        self.tasks.iter().rev().nth(back).cloned()
    }

    fn complete(&mut self) {
        let Some(token) = self.task() else { return };
        let request: service::RespondWorkflowTaskCompletedRequest =
            self.any(&format!("{SERVICE}.RespondWorkflowTaskCompletedRequest"));
        if let Ok(Completed { next_task, eager_activities }) = self.rig.complete_with(&token, request) {
            self.tasks.extend(next_task.map(|task| task.token));
            self.activities.extend(eager_activities.into_iter().map(|activity| activity.token));
        }
    }

    fn fail_task(&mut self) {
        let Some(token) = self.task() else { return };
        let cause = self.choices.pick(&[24, 1, 0, -1, 99, 23, 32, 36]);
        let _ = self.rig.fail_with(&token, cause);
    }

    fn take_activity(&mut self) {
        let request_id = self.choices.pick(&["x1", "x2"]);
        if let Some(waiting) = self.rig.waiting(TaskKind::Activity) {
            let taken = self.rig.take_activity(waiting.scheduled_event_id, waiting.attempt, request_id);
            self.activities.extend(taken.ok().map(|activity| activity.token));
        }
    }

    fn answer_activity(&mut self) {
        let back = self.choices.below(4);
        let token = self.activities.iter().rev().nth(back).cloned();
        let selector = match token {
            Some(token) if !self.choices.odds(64) => Selector::ByToken(token),
            _ => Selector::ById { activity_id: self.choices.pick(&["a", "b", "x"]).into() },
        };
        match self.choices.below(4) {
            0 => {
                let result = self.any("temporal.api.common.v1.Payloads");
                let _ = self.rig.activity_completed(&selector, Some(result));
            }
            1 => {
                let failure: Failure = self.any("temporal.api.failure.v1.Failure");
                let _ = self.rig.activity_failed(&selector, failure);
            }
            2 => drop(self.rig.activity_canceled(&selector)),
            _ => {
                let details = self.any("temporal.api.common.v1.Payloads");
                let _ = self.rig.heartbeat(&selector, Some(details));
            }
        }
    }
}
