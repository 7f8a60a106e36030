//! Two rigs that get the same steps: one keeps its runs in memory, the other loads them anew now and then. They must not
//! be told apart.
use abide_engine::{
    Settings, Time,
    api::{common, enums, failure::Failure, history::HistoryEvent, service},
    time::Span,
    workflow::{
        Run, Started, TaskKind, TaskToken,
        activity::{Selector, StartedActivity},
        workflow_task::start::{StartedWorkflowTask, Taker},
    },
};

use crate::{
    commands,
    dice::Dice,
    support::{Rig, steps},
};

/// Far more often than one run has something due. A chain of runs that time out at once would have it for ever.
const WAKES_MAX: usize = 500;

/// One thing that happens.
#[derive(Clone, Debug)]
enum Op {
    Signal {
        name: &'static str,
        request_id: &'static str,
        input: Option<common::Payloads>,
    },
    Cancel,
    Terminate,
    /// The shard looks at the run although nothing need be due.
    Wake,
    /// Time passes, and what becomes due is done when it is.
    Pass(Span),
    /// Time passes while the server is down; it does what is due when it is back.
    Late(Span),
    /// The machine's clock is set back.
    Back(Span),
    TakeTask {
        scheduled_event_id: i64,
        taker: Taker,
    },
    Complete {
        token: TaskToken,
        request: Box<service::RespondWorkflowTaskCompletedRequest>,
    },
    FailTask {
        token: TaskToken,
        cause: i32,
    },
    ForgetSticky,
    TakeActivity {
        scheduled_event_id: i64,
        attempt: i32,
        request_id: &'static str,
    },
    ActivityCompleted(Selector, Option<common::Payloads>),
    ActivityFailed(Selector, Box<Failure>),
    ActivityCanceled(Selector),
    Heartbeat(Selector, Option<common::Payloads>),
    Start {
        request: Box<service::StartWorkflowExecutionRequest>,
        signal: Option<&'static str>,
    },
}

/// What an operation answered, and what it handed out.
#[derive(Default)]
struct Outcome {
    shown: String,
    task: Option<StartedWorkflowTask>,
    activities: Vec<StartedActivity>,
}

/// Does what has no answer.
fn silent(change: impl FnOnce()) -> Outcome {
    change();
    Outcome::default()
}

impl Outcome {
    fn of(answer: impl std::fmt::Debug) -> Self {
        Self { shown: format!("{answer:?}"), ..Default::default() }
    }
}

pub struct Driver {
    clock_is_set_back: bool,
    kept: Rig,
    reloaded: Rig,
    /// What workers were given, newest last; most of it is stale.
    tasks: Vec<TaskToken>,
    activities: Vec<TaskToken>,
}

impl Driver {
    pub fn new(seed: u64) -> Self {
        let dice = &mut Dice::new(seed);
        let clock_is_set_back = dice.percent(30);
        let settings = Settings {
            eager_activities: true,
            buffered_events: dice.pick(&[2, 5, 100]),
            signals_per_run: dice.pick(&[5, 10_000]),
            pending_activities: dice.pick(&[2, 2000]),
            history_count: dice.pick(&[60, 51_200, 51_200]),
            history_size_bytes: dice.pick(&[4000, 50 << 20, 50 << 20]),
            mutable_state_size_bytes: dice.pick(&[900, 8 << 20, 8 << 20]),
            blob_size_bytes: dice.pick(&[150, 2 << 20, 2 << 20, 2 << 20]),
            memo_size_bytes: dice.pick(&[150, 2 << 20, 2 << 20, 2 << 20]),
            ..Settings::default()
        };
        let mut request = commands::start(dice);
        request.input = None;
        let rig = || Rig::with_settings(settings.clone(), |start| *start = request.clone());
        let mut driver =
            Self { clock_is_set_back, kept: rig(), reloaded: rig(), tasks: Vec::new(), activities: Vec::new() };
        driver.same("start");
        driver.note_eager();
        driver
    }

    /// Makes one step, chosen by the seed.
    pub fn step(&mut self, seed: u64) {
        let dice = &mut Dice::new(seed);
        if dice.percent(30) {
            self.reloaded.load();
        }
        let wait = dice.percent(40);
        (self.kept.workers.wait, self.reloaded.workers.wait) = (wait, wait);
        let op = self.choose(dice);
        let told = format!("{op:?}");
        let (kept, reloaded) = (apply(&mut self.kept, &op), apply(&mut self.reloaded, &op));
        assert_eq!(kept.shown, reloaded.shown, "both answer alike to {told}");
        self.same(&told);
        self.tasks.extend(kept.task.map(|task| task.token));
        self.activities.extend(kept.activities.into_iter().map(|activity| activity.token));
        if matches!(op, Op::Start { .. }) {
            self.note_eager();
        }
        self.note_handed_over();
        if matches!(op, Op::Pass(_)) {
            nothing_overdue(self.kept.run(), self.kept.now);
        }
    }

    /// Nobody does anything any more: whatever has a deadline happens.
    pub fn leave_alone(&mut self) {
        pass(&mut self.kept, Span::seconds(6 * 3600));
        nothing_overdue(self.kept.run(), self.kept.now);
        let run = self.kept.run();
        assert!(run.timers.is_empty() || run.header.first_task_at != 0 || !run.is_running(), "all timers have fired");
    }

    /// Every event of every run.
    pub fn events(&self) -> impl Iterator<Item = &HistoryEvent> {
        self.kept.stored.values().flat_map(|stored| &stored.events)
    }

    fn note_eager(&mut self) {
        self.tasks.extend(self.kept.eager_task.take().map(|task| task.token));
        self.reloaded.eager_task = None;
    }

    fn note_handed_over(&mut self) {
        let handed_over = std::mem::take(&mut self.kept.handed_over);
        assert_eq!(handed_over, std::mem::take(&mut self.reloaded.handed_over), "both hand over alike");
        for started in handed_over {
            match started {
                Started::Workflow(task) => self.tasks.push(task.token),
                Started::Activity(task) => self.activities.push(task.token),
            }
        }
    }

    fn same(&self, told: &str) {
        assert_eq!(self.kept.stored, self.reloaded.stored, "both store alike after {told}");
        assert_eq!(self.kept.run(), self.reloaded.run(), "both are alike after {told}");
    }

    fn choose(&self, dice: &mut Dice) -> Op {
        let run = self.kept.run();
        match dice.below(100) {
            0..=7 => Op::Signal {
                name: dice.pick(&["s", "z"]),
                request_id: dice.pick(&["", "", "q1", "q2", "r1"]),
                input: commands::payloads(dice),
            },
            8 if dice.percent(40) => Op::Cancel,
            8 if dice.percent(20) => Op::Terminate,
            10 | 11 if run.is_running() => Op::Wake,
            10 | 11 => self.start(dice),
            8 | 9 | 12..=25 => self.pass(dice),
            26..=40 => self.take_task(dice),
            41..=60 => self.complete(dice),
            61..=64 => self.fail_task(dice),
            65 if self.clock_is_set_back && dice.percent(50) => Op::Back(commands::span(dice)),
            65 => Op::ForgetSticky,
            66..=77 => self.take_activity(dice),
            78..=93 => self.answer_activity(dice),
            94 if run.is_running() => self.start(dice),
            _ if run.is_running() => self.pass(dice),
            _ => self.start(dice),
        }
    }

    fn pass(&self, dice: &mut Dice) -> Op {
        if !dice.percent(20) {
            return Op::Pass(commands::span(dice));
        }
        if self.kept.run().is_running() { Op::Late(commands::span(dice)) } else { self.start(dice) }
    }

    fn start(&self, dice: &mut Dice) -> Op {
        let mut request = commands::start(dice);
        let signal = dice.percent(30).then_some("w");
        let conflict_fails = enums::WorkflowIdConflictPolicy::Fail as i32;
        if signal.is_some() && request.workflow_id_conflict_policy == conflict_fails {
            request.workflow_id_conflict_policy = 0;
        }
        if signal.is_some() {
            request.request_eager_execution = false;
        }
        if !self.kept.run().is_running() && dice.percent(80) {
            request.request_id = String::new();
            request.workflow_id_reuse_policy = enums::WorkflowIdReusePolicy::AllowDuplicate as i32;
        }
        Op::Start { request: Box::new(request), signal }
    }

    fn take_task(&self, dice: &mut Dice) -> Op {
        let mut taker = Taker {
            identity: "worker".into(),
            request_id: dice.pick(&["p1", "p2", "p3"]).into(),
            ..Default::default()
        };
        let waiting = self.kept.waiting(TaskKind::Workflow);
        if let Some(waiting) = waiting.filter(|_| dice.percent(85)) {
            if waiting.is_sticky() && dice.percent(70) {
                taker.sticky_queue = waiting.queue.clone();
            }
            return Op::TakeTask { scheduled_event_id: waiting.scheduled_event_id, taker };
        }
        if dice.percent(30) {
            taker.sticky_queue = "sticky".into();
        }
        Op::TakeTask { scheduled_event_id: self.any_event(dice), taker }
    }

    fn any_event(&self, dice: &mut Dice) -> i64 {
        dice.below(self.kept.run().header.next_event_id as usize + 2) as i64
    }

    fn task_token(&self, dice: &mut Dice) -> Option<TaskToken> {
        let newest = self.tasks.last()?;
        Some(if dice.percent(85) { newest.clone() } else { dice.pick(&self.tasks) })
    }

    fn complete(&self, dice: &mut Dice) -> Op {
        let Some(token) = self.task_token(dice) else { return self.take_task(dice) };
        let request = service::RespondWorkflowTaskCompletedRequest {
            sticky_attributes: dice.percent(50).then(|| steps::sticky(commands::span(dice))),
            return_new_workflow_task: dice.percent(30),
            force_create_new_workflow_task: dice.percent(15),
            ..steps::completion(commands::list(dice, self.kept.run()))
        };
        Op::Complete { token, request: Box::new(request) }
    }

    fn fail_task(&self, dice: &mut Dice) -> Op {
        use enums::WorkflowTaskFailedCause as Cause;
        let mut causes = [
            Cause::NonDeterministicError,
            Cause::WorkflowWorkerUnhandledFailure,
            Cause::UnhandledCommand,
            Cause::ResetWorkflow,
        ];
        if dice.percent(6) {
            causes[0] = Cause::GrpcMessageTooLarge;
        }
        match self.task_token(dice) {
            Some(token) => Op::FailTask { token, cause: dice.pick(&causes) as i32 },
            None => self.take_task(dice),
        }
    }

    fn take_activity(&self, dice: &mut Dice) -> Op {
        let request_id = dice.pick(&["x1", "x2"]);
        let rows = self.kept.stored().outbox.iter().filter(|row| row.task_kind() == TaskKind::Activity);
        let rows: Vec<_> = rows.collect();
        if rows.is_empty() || dice.percent(15) {
            let attempt = 1 + dice.below(3) as i32;
            return Op::TakeActivity { scheduled_event_id: self.any_event(dice), attempt, request_id };
        }
        let row = dice.pick(&rows);
        Op::TakeActivity { scheduled_event_id: row.scheduled_event_id, attempt: row.attempt, request_id }
    }

    fn answer_activity(&self, dice: &mut Dice) -> Op {
        let recent = if dice.percent(85) { self.activities.len().saturating_sub(4) } else { 0 };
        let known = &self.activities[recent..];
        let selector = if known.is_empty() || dice.percent(30) {
            steps::by_id(dice.pick(&["a", "b", "c", "d"]))
        } else {
            Selector::ByToken(dice.pick(known))
        };
        match dice.below(10) {
            0..=2 => Op::ActivityCompleted(selector, commands::payloads(dice)),
            3..=6 => Op::ActivityFailed(selector, Box::new(commands::failure(dice))),
            7 => Op::ActivityCanceled(selector),
            _ => Op::Heartbeat(selector, commands::payloads(dice)),
        }
    }
}

fn apply(rig: &mut Rig, op: &Op) -> Outcome {
    match op.clone() {
        Op::Signal { name, request_id, input } => Outcome::of(rig.signal_with(name, request_id, input)),
        Op::Cancel => silent(|| rig.cancel()),
        Op::Terminate => Outcome::of(rig.terminate()),
        Op::Wake => silent(|| rig.wake()),
        Op::Pass(span) => silent(|| pass(rig, span)),
        Op::Late(span) => {
            rig.now = rig.now + span;
            silent(|| rig.wake())
        }
        Op::Back(span) => silent(|| {
            rig.now = Time(rig.now.0 - span.0);
            rig.clock_is_steady = false;
        }),
        Op::TakeTask { scheduled_event_id, taker } => {
            let taken = rig.take_workflow_task(scheduled_event_id, &taker);
            Outcome { task: taken.clone().ok(), ..Outcome::of(taken) }
        }
        Op::Complete { token, request } => match rig.complete_with(&token, *request) {
            Ok(done) => {
                let shown = format!("{done:?}");
                Outcome { shown, task: done.next_task, activities: done.eager_activities }
            }
            Err(refusal) => Outcome::of(refusal),
        },
        Op::FailTask { token, cause } => Outcome::of(rig.fail_with(&token, cause)),
        Op::ForgetSticky => silent(|| rig.forget_sticky()),
        Op::TakeActivity { scheduled_event_id, attempt, request_id } => {
            let taken = rig.take_activity(scheduled_event_id, attempt, request_id);
            Outcome { activities: taken.clone().ok().into_iter().collect(), ..Outcome::of(taken) }
        }
        Op::ActivityCompleted(selector, result) => Outcome::of(rig.activity_completed(&selector, result)),
        Op::ActivityFailed(selector, failure) => Outcome::of(rig.activity_failed(&selector, *failure)),
        Op::ActivityCanceled(selector) => Outcome::of(rig.activity_canceled(&selector)),
        Op::Heartbeat(selector, details) => Outcome::of(rig.heartbeat(&selector, details)),
        Op::Start { request, signal } => Outcome::of(rig.start_again(*request, signal)),
    }
}

/// Lets time pass, or less of it when too much becomes due.
fn pass(rig: &mut Rig, span: Span) {
    let until = rig.now + span;
    for _ in 0..WAKES_MAX {
        let due = Time::from_ms(rig.stored().wakeup_ms);
        if !rig.run().is_running() || !due.is_set() || due > until {
            return rig.pass(Span(until.0 - rig.now.0));
        }
        rig.pass(Span(due.0 - rig.now.0).max(Span::ZERO));
    }
}

/// Nothing that has a deadline is still waiting behind it. Rows have whole milliseconds, and one that fired is followed
/// by a later one.
fn nothing_overdue(run: &Run, now: Time) {
    if !run.is_running() {
        return;
    }
    let coming = |what: &str, since: i64, limit: i64| {
        let due = Time(since) + Span(limit);
        assert!(!due.is_set() || due + Span::millis(2) > now, "{what} is overdue: {due:?} at {now:?}");
    };
    let (header, profile) = (run.header.get(), run.profile.get());
    coming("the execution timeout", profile.execution_expiration, 0);
    coming("the run timeout", profile.run_expiration, 0);
    coming("the first workflow task", header.first_task_at, 0);
    if let Some(task) = header.workflow_task.as_ref() {
        if task.is_started() {
            coming("the workflow task", task.started_time, task.timeout);
        } else if task.schedule_to_start_timeout != 0 {
            coming("the sticky workflow task", task.scheduled_time, task.schedule_to_start_timeout);
        }
    }
    run.timers.values().for_each(|timer| coming("a timer", timer.fire_time, 0));
    for a in run.activities.values() {
        if a.schedule_to_close != 0 {
            coming("the whole activity", a.first_scheduled_time, a.schedule_to_close);
        }
        if a.backing_off {
            coming("the next attempt", a.scheduled_time, 0);
        } else if !a.is_started() && a.schedule_to_start != 0 {
            coming("an attempt's start", a.scheduled_time, a.schedule_to_start);
        }
        if a.is_started() && a.start_to_close != 0 {
            coming("an attempt", a.started_time, a.start_to_close);
        }
        if a.is_started() && a.heartbeat != 0 {
            coming("a heartbeat", a.started_time.max(a.last_heartbeat_time), a.heartbeat);
        }
    }
}
