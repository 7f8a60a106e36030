//! Random commands and starts, good and bad.
use abide_engine::{
    api::{
        Attributes,
        command::Command,
        common::{self, RetryPolicy},
        enums::{self, CommandType},
        failure::{ApplicationFailureInfo, CanceledFailureInfo, Failure, ServerFailureInfo, failure::FailureInfo},
        service,
    },
    time::Span,
    workflow::Run,
};
use prost_types::Duration;

use crate::{
    dice::Dice,
    support::{cmd, start_request, steps},
};

const TIMERS: [&str; 3] = ["t", "u", "v"];

/// Spans around the ones that matter, with odd nanoseconds.
pub fn span(dice: &mut Dice) -> Span {
    let unit = dice.pick(&[1_000, 1_000_000, 100_000_000, 1_000_000_000, 1_000_000_000, 10_000_000_000]);
    let odd = if dice.percent(30) { dice.below(2_000_000) as i64 } else { 0 };
    Span(unit * (1 + dice.below(30) as i64) + odd)
}

fn some_span(dice: &mut Dice, chance: usize) -> Option<Duration> {
    dice.percent(chance).then(|| if dice.percent(10) { Duration::default() } else { span(dice).duration() })
}

fn retries(dice: &mut Dice) -> Option<RetryPolicy> {
    dice.percent(60).then(|| RetryPolicy {
        initial_interval: some_span(dice, 70),
        backoff_coefficient: dice.pick(&[0.0, 1.0, 2.0, 1e9]),
        maximum_interval: dice.percent(20).then(|| Span::seconds(3600).duration()),
        maximum_attempts: dice.below(4) as i32,
        non_retryable_error_types: dice.percent(20).then(|| "Boom".into()).into_iter().collect(),
    })
}

pub fn failure(dice: &mut Dice) -> Failure {
    let info = match dice.below(6) {
        0 => FailureInfo::ServerFailureInfo(ServerFailureInfo { non_retryable: dice.percent(50) }),
        1 => FailureInfo::CanceledFailureInfo(CanceledFailureInfo::default()),
        _ => FailureInfo::ApplicationFailureInfo(ApplicationFailureInfo {
            r#type: "Boom".into(),
            non_retryable: dice.percent(15),
            next_retry_delay: dice.percent(20).then(|| Duration { seconds: dice.below(20) as i64 - 5, nanos: 0 }),
            ..Default::default()
        }),
    };
    Failure { message: "boom".into(), failure_info: Some(info), ..Default::default() }
}

pub fn payloads(dice: &mut Dice) -> Option<common::Payloads> {
    dice.percent(50).then(|| steps::payloads(dice.below(200))).flatten()
}

/// One of the names, nearly always one that fits.
fn name(dice: &mut Dice, names: &[&'static str], fits: impl Fn(&str) -> bool) -> &'static str {
    let fitting: Vec<_> = names.iter().copied().filter(|name| fits(name)).collect();
    if fitting.is_empty() || dice.percent(3) { dice.pick(names) } else { dice.pick(&fitting) }
}

fn activity(dice: &mut Dice, run: &Run) -> Command {
    let id = name(dice, &["a", "b", "c", "d"], |id| run.activities.by_name(id).is_none());
    cmd::activity_with(id, |a| {
        let whole = dice.percent(25);
        a.start_to_close_timeout = some_span(dice, if whole { 60 } else { 97 });
        a.schedule_to_close_timeout = if whole { some_span(dice, 100) } else { None };
        a.schedule_to_start_timeout = some_span(dice, 15);
        a.heartbeat_timeout = some_span(dice, 30);
        a.retry_policy = retries(dice);
        a.request_eager_execution = dice.percent(20);
        a.input = payloads(dice);
    })
}

fn cancel_activity(dice: &mut Dice, run: &Run) -> Command {
    let pending: Vec<i64> = run.activities.iter().map(|(id, _)| *id).collect();
    if pending.is_empty() && dice.percent(95) {
        return activity(dice, run);
    }
    let id = if pending.is_empty() || dice.percent(5) {
        dice.below(run.header.next_event_id as usize) as i64
    } else {
        dice.pick(&pending)
    };
    cmd::cancel_activity(id)
}

fn timer(dice: &mut Dice, run: &Run) -> Command {
    let after = if dice.percent(2) {
        Span(-1)
    } else if dice.percent(10) {
        Span::ZERO
    } else {
        span(dice)
    };
    cmd::timer(name(dice, &TIMERS, |id| !run.timers.contains(&id.to_owned())), after)
}

fn cancel_timer(dice: &mut Dice, run: &Run) -> Command {
    let fired = |id: &str| {
        run.buffered.values().any(|event| match &event.attributes {
            Some(Attributes::TimerFiredEventAttributes(a)) => a.timer_id == id,
            _ => false,
        })
    };
    if run.timers.is_empty() && !TIMERS.iter().any(|id| fired(id)) && dice.percent(95) {
        return timer(dice, run);
    }
    cmd::cancel_timer(name(dice, &TIMERS, |id| run.timers.contains(&id.to_owned()) || fired(id)))
}

fn close(dice: &mut Dice) -> Command {
    match dice.below(7) {
        0 => cmd::done_with(payloads(dice)),
        1 | 6 => cmd::give_up(failure(dice)),
        2 => cmd::canceled(),
        _ => cmd::continue_as_new(|a| {
            a.input = payloads(dice);
            a.retry_policy = retries(dice);
            a.workflow_run_timeout = dice.percent(30).then(|| Span::seconds(30 + dice.below(600) as i64).duration());
            a.backoff_start_interval = some_span(dice, 20);
            a.cron_schedule = if dice.percent(10) { "*/5 * * * *".into() } else { String::new() };
        }),
    }
}

/// Commands of one completion; most of them are good.
pub fn list(dice: &mut Dice, run: &Run) -> Vec<Command> {
    let mut commands = Vec::new();
    for _ in 0..dice.below(5) {
        commands.push(match dice.below(20) {
            0..=6 => activity(dice, run),
            7..=9 => cancel_activity(dice, run),
            10..=13 => timer(dice, run),
            14 | 15 => cancel_timer(dice, run),
            16 | 17 => cmd::marker(if dice.percent(2) { "" } else { "m" }),
            18 => cmd::memo(dice.pick(&["k", "l"]), dice.below(300)),
            _ if dice.percent(20) => bad(dice),
            _ => cmd::marker("m"),
        });
    }
    if dice.percent(10) {
        let at = if dice.percent(90) { commands.len() } else { dice.below(commands.len() + 1) };
        commands.insert(at, close(dice));
    }
    commands
}

fn bad(dice: &mut Dice) -> Command {
    let kinds = [0, 99, CommandType::ProtocolMessage as i32, CommandType::StartTimer as i32, 4, 10, 16];
    Command { command_type: dice.pick(&kinds), ..Default::default() }
}

/// A start that is valid.
pub fn start(dice: &mut Dice) -> service::StartWorkflowExecutionRequest {
    let mut request = start_request();
    request.request_id = dice.pick(&["r1", "r2", "r3", ""]).into();
    request.workflow_id_reuse_policy = dice.below(5) as i32;
    request.workflow_id_conflict_policy =
        if request.workflow_id_reuse_policy == 4 { 0 } else { dice.pick(&[0, 0, 1, 2, 2, 3]) };
    if request.workflow_id_reuse_policy == enums::WorkflowIdReusePolicy::RejectDuplicate as i32 {
        request.workflow_id_conflict_policy = dice.below(3) as i32;
    }
    let seconds = |dice: &mut Dice, most| Some(Span::seconds(20 + dice.below(most) as i64).duration());
    if dice.percent(15) {
        request.workflow_run_timeout = seconds(dice, 600);
    }
    if dice.percent(15) {
        request.workflow_execution_timeout = seconds(dice, 3600);
    }
    if dice.percent(40) {
        request.workflow_task_timeout = Some(Span::seconds(1 + dice.below(200) as i64).duration());
    }
    request.retry_policy = retries(dice);
    match dice.below(8) {
        0 => request.cron_schedule = dice.pick(&["*/5 * * * *", "@every 90s", "0 0 30 2 *"]).into(),
        1 => request.workflow_start_delay = Some(span(dice).duration()),
        _ => {}
    }
    request.request_eager_execution = dice.percent(20);
    if dice.percent(30) {
        let on_conflict = abide_engine::api::workflow::OnConflictOptions {
            attach_request_id: dice.percent(70),
            ..Default::default()
        };
        request.on_conflict_options = Some(on_conflict);
    }
    request
}
