//! What callers saw of one workflow id is what one copy of it, changed in one order, could have shown them.
//!
//! The ids that this is about have no workers, so that nothing but calls changes them.
use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet, BinaryHeap},
    sync::{Mutex, PoisonError},
};

/// A call.
#[derive(Clone, Debug, PartialEq)]
pub enum Op {
    /// A start that is refused while the id is open, with its request id.
    Start(String),
    /// A start that terminates a run in its way.
    Restart(String),
    /// The signal's number, which is its request id too.
    Signal(u64),
    /// A signal that starts the id if it is not open.
    SignalWithStart(u64),
    Cancel,
    Terminate,
    /// Describes the current run.
    Describe,
    /// Reads the current run's history.
    History,
}

/// What was answered.
#[derive(Clone, Debug, PartialEq)]
pub enum Ret {
    Done,
    /// There is no run, or none that is open.
    Refused,
    /// A run was started, signalled, or found by its request id.
    Run(String),
    /// Refused, because this run is open.
    Open(String),
    Described {
        run_id: String,
        is_open: bool,
    },
    /// The signals of the run in their order, and whether it is asked to cancel.
    Read {
        run_id: String,
        signals: Vec<u64>,
        is_cancelled: bool,
        is_open: bool,
    },
}

/// One copy of a workflow id, as its current run shows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct WorkflowId {
    /// None before the first run.
    run: Option<Run>,
    /// The ids of the runs that were, as far as answers told them; a new one has another.
    earlier: BTreeSet<String>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Run {
    /// The server's choice; empty until an answer tells it.
    id: String,
    /// The request id of the start that made it.
    start_request: String,
    is_open: bool,
    signals: Vec<u64>,
    is_cancelled: bool,
}

impl WorkflowId {
    fn open(&mut self) -> Option<&mut Run> {
        self.run.as_mut().filter(|run| run.is_open)
    }

    fn start(&mut self, request: &str) {
        let run = Run { start_request: request.to_owned(), is_open: true, ..Run::default() };
        let old = self.run.replace(run).map(|old| old.id);
        self.earlier.extend(old.filter(|id| !id.is_empty()));
    }

    /// Whether the current run may be the one that an answer names.
    fn is_named(&mut self, id: &str) -> bool {
        match &mut self.run {
            Some(run) if run.id.is_empty() && !self.earlier.contains(id) => {
                run.id = id.to_owned();
                true
            }
            Some(run) => run.id == id,
            None => false,
        }
    }

    /// Carries out a call; whether it succeeds.
    fn apply(&mut self, op: &Op) -> bool {
        match op {
            Op::Start(request) | Op::Restart(request) => {
                if self.run.as_ref().is_some_and(|run| run.start_request == *request) {
                    return true;
                }
                let is_free = self.open().is_none() || matches!(op, Op::Restart(_));
                if is_free {
                    self.start(request);
                }
                is_free
            }
            Op::SignalWithStart(signal) => {
                if self.open().is_none() {
                    self.start(&format!("signal {signal}"));
                }
                self.signal(*signal)
            }
            Op::Signal(signal) => self.signal(*signal),
            // A run that is closed is as good as cancelled (spec §3.18).
            Op::Cancel => {
                if let Some(run) = self.open() {
                    run.is_cancelled = true;
                }
                self.run.is_some()
            }
            Op::Terminate => self.open().map(|run| run.is_open = false).is_some(),
            Op::Describe | Op::History => self.run.is_some(),
        }
    }

    /// A signal that the current run knows is not recorded again, and succeeds even if the run is closed (spec §3.18).
    fn signal(&mut self, signal: u64) -> bool {
        let Some(run) = &mut self.run else { return false };
        if run.signals.contains(&signal) {
            return true;
        }
        if run.is_open {
            run.signals.push(signal);
        }
        run.is_open
    }
}

impl WorkflowId {
    /// Carries out a call that may have been answered so; whether it may.
    fn answers(&mut self, op: &Op, ret: &Ret) -> bool {
        let succeeds = self.apply(op);
        match ret {
            Ret::Done => succeeds,
            Ret::Refused => !succeeds,
            Ret::Run(id) => succeeds && self.is_named(id),
            Ret::Open(id) => !succeeds && self.is_named(id),
            Ret::Described { run_id, is_open } => {
                self.is_named(run_id) && self.run.as_ref().is_some_and(|run| run.is_open == *is_open)
            }
            Ret::Read { run_id, signals, is_cancelled, is_open } => {
                let is_alike =
                    |run: &Run| (&run.signals, run.is_cancelled, run.is_open) == (signals, *is_cancelled, *is_open);
                self.is_named(run_id) && self.run.as_ref().is_some_and(is_alike)
            }
        }
    }
}

/// The most calls that are recorded of one id.
pub const CALLS_MAX: usize = 128;

struct Call {
    op: Op,
    /// When it was answered, on the recorder's count of beginnings and ends, and how. None if the answer was lost: then
    /// it may have been carried out at any time since, or never.
    answer: Option<(usize, Ret)>,
    began: usize,
}

/// The calls about one id.
#[derive(Default)]
pub struct Recorder {
    calls: Mutex<(usize, Vec<Call>)>,
}

impl Recorder {
    /// A call begins. The answer names it.
    pub fn begins(&self, op: Op) -> usize {
        let (clock, calls) = &mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *clock += 1;
        assert!(calls.len() < CALLS_MAX, "a set of calls is a number of {CALLS_MAX} bits");
        calls.push(Call { op, answer: None, began: *clock });
        calls.len() - 1
    }

    pub fn ends(&self, call: usize, ret: Ret) {
        let (clock, calls) = &mut *self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        *clock += 1;
        calls[call].answer = Some((*clock, ret));
    }

    /// The calls, if no order of them explains the answers.
    pub fn contradiction(&self) -> Option<String> {
        let (_, calls) = &*self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        if is_explained(calls) {
            return None;
        }
        let line = |call: &Call| match &call.answer {
            Some((ended, ret)) => format!("{}..{ended} {:?}: {ret:?}", call.began, call.op),
            None => format!("{}.. {:?}: lost", call.began, call.op),
        };
        Some(calls.iter().map(line).collect::<Vec<_>>().join("\n"))
    }
}

/// Wing and Gong's search, with Lowe's memory of what was tried: a call may be next if no call that is not yet placed
/// was answered before it began. Where the same answers were explained with the same outcome and fewer of the lost calls, more
/// of them explain nothing further: each of the others can still be placed. Hence first what explains most with fewest.
fn is_explained(calls: &[Call]) -> bool {
    let answered = calls.iter().enumerate().filter(|(_, call)| call.answer.is_some());
    let all: u128 = answered.fold(0, |set, (at, _)| set | 1 << at);
    let rank = |placed: u128| ((placed & all).count_ones(), Reverse((placed & !all).count_ones()));
    let mut tried = BTreeMap::<(u128, WorkflowId), Vec<u128>>::new();
    let mut open = BinaryHeap::from([(rank(0), 0_u128, WorkflowId::default())]);
    while let Some((_, placed, state)) = open.pop() {
        if placed & all == all {
            return true;
        }
        let lost = placed & !all;
        let tried = tried.entry((placed & all, state.clone())).or_default();
        if tried.iter().any(|fewer| fewer & !lost == 0) {
            continue;
        }
        tried.push(lost);
        let is_free = |at: usize| placed & (1 << at) == 0;
        let ends = calls.iter().enumerate().filter(|(at, _)| is_free(*at));
        let first_end = ends.filter_map(|(_, call)| call.answer.as_ref().map(|(ended, _)| *ended)).min();
        let first_end = first_end.unwrap_or(usize::MAX);
        for (at, call) in calls.iter().enumerate().filter(|(at, call)| is_free(*at) && call.began < first_end) {
            let mut next = state.clone();
            let is_possible = match &call.answer {
                Some((_, ret)) => next.answers(&call.op, ret),
                None => {
                    next.apply(&call.op);
                    // What changes nothing needs no place.
                    next != state
                }
            };
            if is_possible {
                let placed = placed | 1 << at;
                open.push((rank(placed), placed, next));
            }
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(id: &str) -> Ret {
        Ret::Run(id.to_owned())
    }

    fn read(run_id: &str, signals: &[u64]) -> Ret {
        Ret::Read { run_id: run_id.to_owned(), signals: signals.to_vec(), is_cancelled: false, is_open: true }
    }

    #[test]
    fn a_lost_signal_may_have_come_or_not() {
        for (seen, is_fine) in [(&[][..], true), (&[1], true), (&[1, 1], false), (&[2], false)] {
            let recorder = Recorder::default();
            recorder.ends(recorder.begins(Op::Start("a".into())), run("r"));
            recorder.begins(Op::Signal(1));
            recorder.ends(recorder.begins(Op::History), read("r", seen));
            assert_eq!(recorder.contradiction().is_none(), is_fine, "{seen:?}");
        }
    }

    #[test]
    fn what_was_acknowledged_is_seen_by_who_asks_later() {
        let recorder = Recorder::default();
        recorder.ends(recorder.begins(Op::Start("a".into())), run("r"));
        let early = recorder.begins(Op::History);
        recorder.ends(recorder.begins(Op::Signal(1)), Ret::Done);
        recorder.ends(early, read("r", &[]));
        assert!(recorder.contradiction().is_none(), "it began before");
        recorder.ends(recorder.begins(Op::History), read("r", &[]));
        assert!(recorder.contradiction().is_some(), "it began after");
    }

    #[test]
    fn many_lost_calls_are_searched_in_no_time() {
        let recorder = Recorder::default();
        let lost = |ops: &[Op]| {
            for op in ops {
                recorder.begins(op.clone());
            }
        };
        for at in 0..5 {
            lost(&[Op::Restart(format!("a{at}")), Op::Start(format!("b{at}")), Op::Terminate, Op::Cancel]);
        }
        lost(&[Op::Signal(1), Op::SignalWithStart(2), Op::Signal(3)]);
        recorder.ends(recorder.begins(Op::History), read("r", &[3, 1]));
        assert!(recorder.contradiction().is_none(), "both may have come, in this order");
        recorder.ends(recorder.begins(Op::History), read("r", &[1, 3]));
        assert!(recorder.contradiction().is_some(), "they do not change their order");
    }

    #[test]
    fn two_starts_are_not_both_new() {
        let recorder = Recorder::default();
        let (first, second) = (recorder.begins(Op::Start("a".into())), recorder.begins(Op::Start("b".into())));
        recorder.ends(first, run("r"));
        recorder.ends(second, run("s"));
        assert!(recorder.contradiction().is_some());
    }
}
