//! Workflows as workers run them: small programs, replayed from their history at every task.
//!
//! A program is a line such as `A3 T5 S2`: three activities at once, a timer of five seconds, two signals. It comes with the
//! start, behind the counts that earlier runs of the chain handed on.
use std::collections::{BTreeMap, VecDeque};

use abide_proto::temporal::api::{
    command::v1::{
        CancelTimerCommandAttributes, CancelWorkflowExecutionCommandAttributes, Command,
        CompleteWorkflowExecutionCommandAttributes, ContinueAsNewWorkflowExecutionCommandAttributes,
        FailWorkflowExecutionCommandAttributes, RecordMarkerCommandAttributes,
        RequestCancelActivityTaskCommandAttributes, ScheduleActivityTaskCommandAttributes, StartTimerCommandAttributes,
        command::Attributes as Does,
    },
    common::v1::{ActivityType, Payload, Payloads, RetryPolicy, WorkflowType},
    enums::v1::CommandType,
    failure::v1::{ApplicationFailureInfo, Failure, failure::FailureInfo},
    history::v1::{HistoryEvent, history_event::Attributes as Is},
    taskqueue::v1::TaskQueue,
};
use prost_types::Duration;

/// The workflow type of all programs.
pub const TYPE: &str = "Program";

/// One step of a program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Activities of one type, all at once; the step is over when all have ended.
    Activities {
        activity_type: &'static str,
        count: u32,
    },
    Timer {
        seconds: i64,
    },
    /// Waits until so many signals have come, over the whole chain.
    Signals {
        count: u64,
    },
    Markers {
        count: u32,
    },
    /// A long timer that is cancelled once an activity beside it has ended.
    CancelledTimer,
    /// An activity that is asked to cancel itself after a second.
    CancelledActivity,
    ContinueAsNew,
    Fail,
}

/// The activity types, by the letter of their step.
const ACTIVITY_TYPES: [(char, &str); 5] =
    [('A', "prompt"), ('F', "flaky"), ('B', "beating"), ('X', "lost once"), ('D', "never answered")];

/// What a chain of runs has seen so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    pub activities: u64,
    pub timed_out: u64,
    /// Which ones, as bits: a try that comes late may enter a signal into a later run once more (spec §3.18).
    pub signals: u64,
    pub runs: u64,
}

impl Counts {
    pub fn signals_count(self) -> u64 {
        u64::from(self.signals.count_ones())
    }

    fn text(self) -> String {
        format!("{} {} {} {}", self.activities, self.timed_out, self.signals, self.runs)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut numbers = text.split(' ').map(|number| number.parse::<u64>().ok());
        let mut next = || numbers.next().flatten();
        Some(Self { activities: next()?, timed_out: next()?, signals: next()?, runs: next()? })
    }
}

/// A program's text as the input of its first run.
pub fn input(program: &str) -> Payloads {
    payloads(&format!("{}|{program}", Counts { runs: 1, ..Counts::default() }.text()))
}

/// What a run that completed says it has seen.
pub fn counts_of_result(result: Option<&Payloads>) -> Option<Counts> {
    Counts::parse(&text(result))
}

/// What a program comes to, if nothing is lost and nothing happens twice.
pub fn expected(program: &str) -> Counts {
    let mut counts = Counts { runs: 1, ..Counts::default() };
    for step in parse(program) {
        match step {
            Step::Activities { activity_type: "never answered", count } => counts.timed_out += u64::from(count),
            Step::Activities { count, .. } => counts.activities += u64::from(count),
            Step::CancelledTimer => counts.activities += 1,
            Step::Signals { count } => counts.signals |= all_signals(count),
            Step::ContinueAsNew => counts.runs += 1,
            _ => {}
        }
    }
    counts
}

/// The bits of the signals from the first to this one.
fn all_signals(last: u64) -> u64 {
    (1 << (last + 1)) - 2
}

fn parse(program: &str) -> Vec<Step> {
    program.split_whitespace().filter_map(step).collect()
}

fn step(word: &str) -> Option<Step> {
    let letter = word.chars().next()?;
    let number: u32 = word[1..].parse().unwrap_or(1);
    if let Some((_, activity_type)) = ACTIVITY_TYPES.iter().find(|(of, _)| *of == letter) {
        return Some(Step::Activities { activity_type, count: number });
    }
    Some(match letter {
        'T' => Step::Timer { seconds: number.into() },
        'S' => Step::Signals { count: number.into() },
        'L' => Step::Markers { count: number },
        'K' => Step::CancelledTimer,
        'Q' => Step::CancelledActivity,
        'N' => Step::ContinueAsNew,
        'E' => Step::Fail,
        _ => return None,
    })
}

pub fn payloads(text: &str) -> Payloads {
    let metadata = [("encoding".to_owned(), "json/plain".into())].into();
    Payloads { payloads: vec![Payload { metadata, data: text.to_owned().into(), ..Payload::default() }] }
}

/// The text of the only payload.
pub fn text(payloads: Option<&Payloads>) -> String {
    let data = payloads.and_then(|payloads| payloads.payloads.first()).map(|payload| payload.data.clone());
    String::from_utf8(data.unwrap_or_default().to_vec()).unwrap_or_default()
}

/// A run of a program, as far as its history goes.
#[derive(Debug, Default)]
pub struct Machine {
    steps: Vec<Step>,
    at: usize,
    /// Whether the commands of the step at hand were given.
    is_entered: bool,
    /// Which part of a step of several parts is at hand.
    part: u32,
    next_id: u32,
    pub counts: Counts,
    task_queue: String,
    program: String,
    is_cancel_requested: bool,
    is_over: bool,
    /// Ids of what is pending for the step at hand.
    activities: BTreeMap<String, ()>,
    timers: BTreeMap<String, ()>,
    /// Ids and types by the event that scheduled them.
    scheduled: BTreeMap<i64, (String, String)>,
    /// What the commands of the last task must have become.
    owed: VecDeque<(CommandType, String)>,
}

impl Machine {
    /// Takes in the next event. An error says why no worker could have brought it about.
    pub fn observe(&mut self, event: &HistoryEvent) -> Result<(), String> {
        let Some(is) = &event.attributes else { return Err(format!("event {} has no attributes", event.event_id)) };
        match is {
            Is::WorkflowExecutionStartedEventAttributes(started) => {
                let input = text(started.input.as_ref());
                let (counts, program) = input.split_once('|').ok_or("an input that no driver sent")?;
                self.counts = Counts::parse(counts).ok_or("an input that no driver sent")?;
                self.steps = parse(program);
                self.program = program.to_owned();
                self.task_queue = started.task_queue.as_ref().map(|queue| queue.name.clone()).unwrap_or_default();
            }
            Is::WorkflowTaskCompletedEventAttributes(_) => {
                self.settle_debts()?;
                let commands = self.advance();
                self.owed = commands.iter().map(|command| (command.command_type(), id_of(command))).collect();
            }
            Is::ActivityTaskScheduledEventAttributes(scheduled) => {
                self.pay(CommandType::ScheduleActivityTask, &scheduled.activity_id)?;
                let activity_type = scheduled.activity_type.as_ref().map(|of| of.name.clone()).unwrap_or_default();
                self.scheduled.insert(event.event_id, (scheduled.activity_id.clone(), activity_type));
            }
            Is::ActivityTaskCompletedEventAttributes(ended) => {
                self.end_activity(ended.scheduled_event_id)?;
                self.counts.activities += 1;
            }
            Is::ActivityTaskFailedEventAttributes(ended) => {
                let activity_type = self.end_activity(ended.scheduled_event_id)?;
                if activity_type != "until cancelled" {
                    return Err(format!("the activity of event {} failed for good", ended.scheduled_event_id));
                }
            }
            Is::ActivityTaskTimedOutEventAttributes(ended) => {
                let activity_type = self.end_activity(ended.scheduled_event_id)?;
                self.counts.timed_out += u64::from(activity_type == "never answered");
            }
            Is::ActivityTaskCanceledEventAttributes(ended) => drop(self.end_activity(ended.scheduled_event_id)?),
            Is::ActivityTaskCancelRequestedEventAttributes(asked) => {
                self.pay(CommandType::RequestCancelActivityTask, &asked.scheduled_event_id.to_string())?;
            }
            Is::TimerStartedEventAttributes(started) => self.pay(CommandType::StartTimer, &started.timer_id)?,
            Is::TimerFiredEventAttributes(fired) => self.end_timer(&fired.timer_id)?,
            Is::TimerCanceledEventAttributes(canceled) => self.pay(CommandType::CancelTimer, &canceled.timer_id)?,
            Is::MarkerRecordedEventAttributes(marker) => self.pay(CommandType::RecordMarker, &marker.marker_name)?,
            Is::WorkflowExecutionSignaledEventAttributes(signal) => {
                let number: u32 = signal.signal_name.parse().map_err(|_| "a signal that no driver sent")?;
                self.counts.signals |= 1 << number;
            }
            Is::WorkflowExecutionCancelRequestedEventAttributes(_) => self.is_cancel_requested = true,
            Is::WorkflowExecutionCompletedEventAttributes(_) => self.pay(CommandType::CompleteWorkflowExecution, "")?,
            Is::WorkflowExecutionFailedEventAttributes(_) => self.pay(CommandType::FailWorkflowExecution, "")?,
            Is::WorkflowExecutionCanceledEventAttributes(_) => self.pay(CommandType::CancelWorkflowExecution, "")?,
            Is::WorkflowExecutionContinuedAsNewEventAttributes(_) => {
                self.pay(CommandType::ContinueAsNewWorkflowExecution, "")?;
            }
            Is::WorkflowTaskStartedEventAttributes(_) => self.settle_debts()?,
            _ => {}
        }
        Ok(())
    }

    fn settle_debts(&self) -> Result<(), String> {
        match self.owed.front() {
            Some((kind, id)) => Err(format!("command {kind:?} {id} did not become an event")),
            None => Ok(()),
        }
    }

    fn pay(&mut self, kind: CommandType, id: &str) -> Result<(), String> {
        match self.owed.pop_front() {
            Some((owed, owed_id)) if owed == kind && owed_id == id => Ok(()),
            other => Err(format!("{kind:?} {id} in the history, where {other:?} was commanded")),
        }
    }

    /// Its type.
    fn end_activity(&mut self, scheduled_event_id: i64) -> Result<String, String> {
        let ended = self.scheduled.remove(&scheduled_event_id);
        let (id, activity_type) =
            ended.ok_or_else(|| format!("an end of the activity of event {scheduled_event_id}, not pending"))?;
        self.activities.remove(&id);
        Ok(activity_type)
    }

    fn end_timer(&mut self, id: &str) -> Result<(), String> {
        self.timers.remove(id).ok_or_else(|| format!("timer {id} fired, not pending"))
    }

    /// The commands of the task that ends here.
    pub fn advance(&mut self) -> Vec<Command> {
        let mut commands = Vec::new();
        while !self.is_over && self.advance_step(&mut commands) {}
        commands
    }

    /// Goes as far as the step at hand lets it; whether another one follows.
    fn advance_step(&mut self, commands: &mut Vec<Command>) -> bool {
        if self.is_cancel_requested {
            self.is_over = true;
            commands.push(command(
                CommandType::CancelWorkflowExecution,
                Does::CancelWorkflowExecutionCommandAttributes(CancelWorkflowExecutionCommandAttributes::default()),
            ));
            return false;
        }
        let Some(step) = self.steps.get(self.at).cloned() else {
            self.is_over = true;
            let result = Some(payloads(&self.counts.text()));
            commands.push(command(
                CommandType::CompleteWorkflowExecution,
                Does::CompleteWorkflowExecutionCommandAttributes(CompleteWorkflowExecutionCommandAttributes { result }),
            ));
            return false;
        };
        if !self.is_entered {
            self.is_entered = true;
            self.part = 0;
            self.enter(&step, commands);
        }
        if self.is_over || !self.is_through(&step, commands) {
            return false;
        }
        self.at += 1;
        self.is_entered = false;
        true
    }

    fn enter(&mut self, step: &Step, commands: &mut Vec<Command>) {
        match step {
            Step::Activities { activity_type, count } => {
                (0..*count).for_each(|_| commands.push(self.activity(activity_type)));
            }
            Step::Timer { seconds } => commands.push(self.timer(*seconds)),
            Step::Signals { .. } => {}
            Step::Markers { count } => {
                for _ in 0..*count {
                    let marker_name = self.id();
                    let details = [("data".to_owned(), payloads(&marker_name))].into();
                    let attributes = RecordMarkerCommandAttributes {
                        marker_name,
                        details,
                        ..RecordMarkerCommandAttributes::default()
                    };
                    commands.push(command(CommandType::RecordMarker, Does::RecordMarkerCommandAttributes(attributes)));
                }
            }
            Step::CancelledTimer => {
                commands.push(self.timer(100_000));
                commands.push(self.activity("prompt"));
            }
            Step::CancelledActivity => {
                commands.push(self.activity("until cancelled"));
                commands.push(self.timer(1));
            }
            Step::ContinueAsNew => {
                self.is_over = true;
                commands.push(self.continue_as_new());
            }
            Step::Fail => {
                self.is_over = true;
                let failure = Some(application_failure("as told"));
                commands.push(command(
                    CommandType::FailWorkflowExecution,
                    Does::FailWorkflowExecutionCommandAttributes(FailWorkflowExecutionCommandAttributes { failure }),
                ));
            }
        }
    }

    fn is_through(&mut self, step: &Step, commands: &mut Vec<Command>) -> bool {
        match step {
            Step::Signals { count } => self.counts.signals_count() >= *count,
            Step::CancelledTimer if self.activities.is_empty() => {
                while let Some((timer_id, ())) = self.timers.pop_first() {
                    let attributes = CancelTimerCommandAttributes { timer_id };
                    commands.push(command(CommandType::CancelTimer, Does::CancelTimerCommandAttributes(attributes)));
                }
                true
            }
            Step::CancelledActivity if self.timers.is_empty() => {
                if self.part == 0 {
                    self.part = 1;
                    let pending = self.scheduled.iter().filter(|(_, (id, _))| self.activities.contains_key(id));
                    for (scheduled_event_id, _) in pending {
                        let attributes =
                            RequestCancelActivityTaskCommandAttributes { scheduled_event_id: *scheduled_event_id };
                        commands.push(command(
                            CommandType::RequestCancelActivityTask,
                            Does::RequestCancelActivityTaskCommandAttributes(attributes),
                        ));
                    }
                }
                self.activities.is_empty()
            }
            _ => self.activities.is_empty() && self.timers.is_empty(),
        }
    }

    fn id(&mut self) -> String {
        self.next_id += 1;
        self.next_id.to_string()
    }

    fn activity(&mut self, activity_type: &str) -> Command {
        let activity_id = self.id();
        self.activities.insert(activity_id.clone(), ());
        let is_doomed = activity_type == "never answered";
        let attributes = ScheduleActivityTaskCommandAttributes {
            activity_id,
            activity_type: Some(ActivityType { name: activity_type.to_owned() }),
            task_queue: Some(TaskQueue { name: self.task_queue.clone(), ..TaskQueue::default() }),
            schedule_to_close_timeout: is_doomed.then(|| seconds(20)),
            start_to_close_timeout: Some(seconds(5)),
            heartbeat_timeout: matches!(activity_type, "beating" | "until cancelled").then(|| seconds(2)),
            retry_policy: Some(RetryPolicy {
                initial_interval: Some(seconds(1)),
                backoff_coefficient: 1.0,
                ..RetryPolicy::default()
            }),
            ..ScheduleActivityTaskCommandAttributes::default()
        };
        command(CommandType::ScheduleActivityTask, Does::ScheduleActivityTaskCommandAttributes(attributes))
    }

    fn timer(&mut self, timer_seconds: i64) -> Command {
        let timer_id = self.id();
        self.timers.insert(timer_id.clone(), ());
        let start_to_fire_timeout = Some(seconds(timer_seconds));
        let attributes = StartTimerCommandAttributes { timer_id, start_to_fire_timeout };
        command(CommandType::StartTimer, Does::StartTimerCommandAttributes(attributes))
    }

    fn continue_as_new(&self) -> Command {
        let rest = self.program.split_whitespace().skip(self.at + 1).collect::<Vec<_>>().join(" ");
        let counts = Counts { runs: self.counts.runs + 1, ..self.counts };
        let attributes = ContinueAsNewWorkflowExecutionCommandAttributes {
            workflow_type: Some(WorkflowType { name: TYPE.to_owned() }),
            task_queue: Some(TaskQueue { name: self.task_queue.clone(), ..TaskQueue::default() }),
            input: Some(payloads(&format!("{}|{rest}", counts.text()))),
            ..ContinueAsNewWorkflowExecutionCommandAttributes::default()
        };
        command(
            CommandType::ContinueAsNewWorkflowExecution,
            Does::ContinueAsNewWorkflowExecutionCommandAttributes(attributes),
        )
    }
}

/// A failure that an activity or a workflow of a program ends with.
pub fn application_failure(message: &str) -> Failure {
    Failure {
        message: message.to_owned(),
        failure_info: Some(FailureInfo::ApplicationFailureInfo(ApplicationFailureInfo::default())),
        ..Failure::default()
    }
}

fn command(kind: CommandType, attributes: Does) -> Command {
    Command { command_type: kind.into(), attributes: Some(attributes), ..Command::default() }
}

/// What tells a command from others of its kind.
fn id_of(command: &Command) -> String {
    match &command.attributes {
        Some(Does::ScheduleActivityTaskCommandAttributes(attributes)) => attributes.activity_id.clone(),
        Some(Does::StartTimerCommandAttributes(attributes)) => attributes.timer_id.clone(),
        Some(Does::CancelTimerCommandAttributes(attributes)) => attributes.timer_id.clone(),
        Some(Does::RecordMarkerCommandAttributes(attributes)) => attributes.marker_name.clone(),
        Some(Does::RequestCancelActivityTaskCommandAttributes(attributes)) => attributes.scheduled_event_id.to_string(),
        _ => String::new(),
    }
}

fn seconds(seconds: i64) -> Duration {
    Duration { seconds, nanos: 0 }
}
