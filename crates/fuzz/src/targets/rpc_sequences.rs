//! Calls of every method in any order, some at the same time, some abandoned; meanwhile time passes, the clock is set, and
//! the server is killed and started again.
use std::time::Duration;

use abide_server::frontend::Method;

use crate::{
    choices::Choices,
    probe, scene,
    server::{InFlight, Server, method, methods},
    session,
    vocabulary::Vocabulary,
};

/// Steps of one sequence.
const STEPS_MAX: usize = 48;
/// Calls that wait at the same time.
const IN_FLIGHT_MAX: usize = 8;

/// The methods that make things happen; half of all calls are of these.
const LIVELY: [&str; 31] = [
    "AddSearchAttributes",
    "RegisterNamespace",
    "UpdateNamespace",
    "RespondQueryTaskCompleted",
    "QueryWorkflow",
    "StartWorkflowExecution",
    "RespondWorkflowTaskCompleted",
    "StartWorkflowExecution",
    "PollWorkflowTaskQueue",
    "RespondWorkflowTaskCompleted",
    "PollActivityTaskQueue",
    "RespondActivityTaskCompleted",
    "RespondActivityTaskFailed",
    "RecordActivityTaskHeartbeat",
    "SignalWorkflowExecution",
    "SignalWithStartWorkflowExecution",
    "QueryWorkflow",
    "RespondQueryTaskCompleted",
    "RequestCancelWorkflowExecution",
    "RespondActivityTaskCanceled",
    "RespondWorkflowTaskFailed",
    "TerminateWorkflowExecution",
    "GetWorkflowExecutionHistory",
    "GetWorkflowExecutionHistoryReverse",
    "DescribeWorkflowExecution",
    "DescribeTaskQueue",
    "UpdateTaskQueueConfig",
    "ResetStickyTaskQueue",
    "RespondActivityTaskCompletedById",
    "RespondActivityTaskFailedById",
    "ShutdownWorker",
];

const ACTIVITY_ANSWERS: [&str; 4] = [
    "RespondActivityTaskCompleted",
    "RespondActivityTaskFailed",
    "RecordActivityTaskHeartbeat",
    "RespondActivityTaskCanceled",
];

const SPANS: [Duration; 6] = [
    Duration::from_millis(1),
    Duration::from_secs(1),
    Duration::from_secs(11),
    Duration::from_secs(70),
    Duration::from_secs(600),
    Duration::from_secs(25 * 3600),
];

pub(super) fn run(input: &[u8]) {
    let mut choices = Choices::new(input);
    let (mut server, mut waiting) = (Server::start(), Vec::new());
    let mut vocabulary = if choices.odds(100) { scene::play(&server) } else { Vocabulary::new() };
    for _ in 0..STEPS_MAX {
        if choices.is_empty() {
            break;
        }
        step(&mut choices, &mut server, &mut vocabulary, &mut waiting);
    }
    for call in waiting.drain(..) {
        let outcome = server.finish(&call);
        session::learn(&mut vocabulary, call.method, &outcome);
    }
    probe::run_a_workflow(&server);
}

/// A worker takes a task, and answers in some way.
fn turn(
    choices: &mut Choices<'_>,
    server: &Server,
    vocabulary: &mut Vocabulary,
    poll: &'static str,
    answers: &[&'static str],
) {
    let poll = method(poll);
    let polled = server.begin(poll, session::headers(&mut Choices::new(&[])), session::usual(poll, vocabulary).into());
    let outcome = server.finish(&polled);
    session::learn(vocabulary, poll, &outcome);
    let answer = method(choices.pick(answers));
    let request = session::request(answer, choices, vocabulary);
    let outcome = server.finish(&server.begin(answer, session::headers(choices), request.into()));
    session::learn(vocabulary, answer, &outcome);
}

fn step(choices: &mut Choices<'_>, server: &mut Server, vocabulary: &mut Vocabulary, waiting: &mut Vec<InFlight>) {
    let all: Vec<&'static Method> = methods().map(|(_, method)| method).collect();
    match choices.byte() {
        0..=15 => turn(choices, server, vocabulary, "PollWorkflowTaskQueue", &["RespondWorkflowTaskCompleted"]),
        16..=31 => turn(choices, server, vocabulary, "PollActivityTaskQueue", &ACTIVITY_ANSWERS),
        byte @ 32..=191 => {
            let lively = byte < 168;
            let method = if lively { method(LIVELY[usize::from(byte) % LIVELY.len()]) } else { choices.pick(&all) };
            let headers = session::headers(choices);
            let request = session::request(method, choices, vocabulary);
            let call = server.begin(method, headers, request.into());
            if choices.odds(48) && waiting.len() < IN_FLIGHT_MAX {
                waiting.push(call);
            } else {
                let outcome = server.finish(&call);
                session::learn(vocabulary, method, &outcome);
            }
        }
        248..=255 if waiting.len() < IN_FLIGHT_MAX => {
            // Somebody asks, and a worker has something to say to it.
            let query = method("QueryWorkflow");
            waiting.push(server.begin(query, session::headers(choices), session::usual(query, vocabulary).into()));
            let answers = ["RespondQueryTaskCompleted", "RespondWorkflowTaskCompleted"];
            turn(choices, server, vocabulary, "PollWorkflowTaskQueue", &answers);
        }
        192..=207 if !waiting.is_empty() => {
            let call = waiting.remove(choices.below(waiting.len()));
            let outcome = server.finish(&call);
            session::learn(vocabulary, call.method, &outcome);
        }
        208..=215 if !waiting.is_empty() => server.abandon(&waiting.remove(choices.below(waiting.len()))),
        216..=235 => server.pass(choices.pick(&SPANS)),
        236..=239 => server.world().shift_wall(choices.pick(&[
            1_000_000_000,
            -1_000_000_000,
            3_600_000_000_000,
            -3_600_000_000_000,
        ])),
        240..=247 => {
            waiting.clear();
            server.restart().expect("the server starts on what it stored");
        }
        _ => {}
    }
    waiting.retain(|call| match server.outcome(call) {
        Some(outcome) => {
            session::learn(vocabulary, call.method, &outcome);
            false
        }
        None => true,
    });
}
