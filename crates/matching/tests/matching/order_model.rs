//! Random calls against a model that sorts a list: nothing is lost, doubled or out of order, however polls end.

use std::collections::{BTreeMap, VecDeque};
use std::task::Poll as Progress;

use abide_matching::{Entry, Offer, Options, Poll, PollerInfo, Taken};
use proptest::prelude::*;

use crate::support::{Queues, TestTask, drain, look, poller, queues, workflow_queue};

#[derive(Clone, Debug)]
enum Call {
    Offer { priority: u8, scheduled_time_ms: i64, durable: bool },
    OfferAgain(usize),
    OfferWaiting { priority: u8 },
    Poll { worker: u8 },
    Look(usize),
    DropPoll(usize),
    EndPolls { worker: u8 },
    Finish(usize),
    GiveBack(usize),
    Cancel(usize),
}

fn call() -> impl Strategy<Value = Call> {
    let index = any::<usize>;
    prop_oneof![
        6 => (0..7u8, 0..4i64, any::<bool>())
            .prop_map(|(priority, scheduled_time_ms, durable)| Call::Offer { priority, scheduled_time_ms, durable }),
        1 => index().prop_map(Call::OfferAgain),
        1 => (1..6u8).prop_map(|priority| Call::OfferWaiting { priority }),
        5 => (0..3u8).prop_map(|worker| Call::Poll { worker }),
        4 => index().prop_map(Call::Look),
        3 => index().prop_map(Call::DropPoll),
        1 => (0..3u8).prop_map(|worker| Call::EndPolls { worker }),
        2 => index().prop_map(Call::Finish),
        2 => index().prop_map(Call::GiveBack),
        1 => index().prop_map(Call::Cancel),
    ]
}

/// Priority, scheduled time, key: keys are given in the order of arrival.
type Place = (u8, i64, u32);

#[derive(Default)]
struct Model {
    waiting: Vec<Place>,
    polls: VecDeque<(u32, u8)>,
    handed: BTreeMap<u32, Place>,
    known: BTreeMap<u32, Place>,
}

impl Model {
    fn dispatch(&mut self) {
        self.waiting.sort_unstable();
        while !self.waiting.is_empty() && !self.polls.is_empty() {
            let (poll, _) = self.polls.pop_front().unwrap();
            self.handed.insert(poll, self.waiting.remove(0));
        }
    }
}

struct Run {
    queues: Queues,
    model: Model,
    polls: Vec<(u32, Poll<TestTask>)>,
    taken: Vec<Taken<TestTask>>,
    next_key: u32,
    next_poll: u32,
}

fn pick<T>(of: &mut Vec<T>, index: usize) -> Option<T> {
    if of.is_empty() { None } else { Some(of.swap_remove(index % of.len())) }
}

fn place(entry: &Entry<TestTask>) -> Place {
    let priority = if entry.priority == 0 { 3 } else { entry.priority.min(5) };
    (priority, entry.scheduled_time_ms, entry.task.key)
}

impl Run {
    fn new() -> Self {
        let (queues, _) = queues(Options::default());
        Self { queues, model: Model::default(), polls: vec![], taken: vec![], next_key: 0, next_poll: 0 }
    }

    fn new_entry(&mut self, priority: u8, scheduled_time_ms: i64, durable: bool) -> Entry<TestTask> {
        self.next_key += 1;
        Entry { task: TestTask { key: self.next_key, durable }, priority, scheduled_time_ms }
    }

    fn apply(&mut self, call: Call) {
        let queue = workflow_queue();
        match call {
            Call::Offer { priority, scheduled_time_ms, durable } => {
                let entry = self.new_entry(priority, scheduled_time_ms, durable);
                self.model.known.insert(entry.task.key, place(&entry));
                self.model.waiting.push(place(&entry));
                self.model.dispatch();
                let expected =
                    if self.model.waiting.contains(&place(&entry)) { Offer::Queued } else { Offer::Delivered };
                assert_eq!(self.queues.offer(&queue, entry), expected);
            }
            Call::OfferAgain(index) => {
                // One that is out comes again with a new place, which `lifecycle` looks at.
                let waiting = &self.model.waiting;
                if waiting.is_empty() {
                    return;
                }
                let (priority, scheduled_time_ms, key) = waiting[index % waiting.len()];
                let again = Entry { task: TestTask { key, durable: true }, priority, scheduled_time_ms };
                assert_eq!(self.queues.offer(&queue, again), Offer::Duplicate);
            }
            Call::OfferWaiting { priority } => {
                let entry = self.new_entry(priority, 0, false);
                let is_polled = !self.model.polls.is_empty();
                assert_eq!(self.queues.offer_waiting(&queue, entry.clone()).is_ok(), is_polled);
                if is_polled {
                    self.model.known.insert(entry.task.key, place(&entry));
                    self.model.waiting.push(place(&entry));
                    self.model.dispatch();
                }
            }
            Call::Poll { worker } => {
                let info = PollerInfo { worker_instance_key: format!("w{worker}"), ..poller("me") };
                self.polls.push((self.next_poll, self.queues.poll(&queue, info)));
                self.model.polls.push_back((self.next_poll, worker));
                self.next_poll += 1;
                self.model.dispatch();
            }
            Call::Look(index) => {
                let Some((id, mut poll)) = pick(&mut self.polls, index) else { return };
                let expected = self.model.handed.remove(&id);
                match look(&mut poll) {
                    Progress::Pending => {
                        assert_eq!(expected, None);
                        assert!(self.model.polls.iter().any(|&(waiting, _)| waiting == id));
                        self.polls.push((id, poll));
                    }
                    Progress::Ready(Some(taken)) => {
                        assert_eq!(expected, Some(place(&taken)));
                        self.taken.push(taken);
                    }
                    Progress::Ready(None) => {
                        assert_eq!(expected, None);
                        assert!(!self.model.polls.iter().any(|&(waiting, _)| waiting == id));
                    }
                }
            }
            Call::DropPoll(index) => {
                let Some((id, poll)) = pick(&mut self.polls, index) else { return };
                drop(poll);
                self.model.polls.retain(|&(waiting, _)| waiting != id);
                self.model.waiting.extend(self.model.handed.remove(&id));
                self.model.dispatch();
            }
            Call::EndPolls { worker } => {
                let before = self.model.polls.len();
                self.model.polls.retain(|&(_, of)| of != worker);
                let ended = self.queues.end_polls(&queue, &format!("w{worker}"));
                assert_eq!(ended, before - self.model.polls.len());
            }
            Call::Finish(index) => {
                let Some(taken) = pick(&mut self.taken, index) else { return };
                self.model.known.remove(&taken.finish().task.key);
            }
            Call::GiveBack(index) => {
                let Some(taken) = pick(&mut self.taken, index) else { return };
                self.model.waiting.push(place(&taken));
                taken.give_back();
                self.model.dispatch();
            }
            Call::Cancel(index) => {
                let known: Vec<_> = self.model.known.values().copied().collect();
                if known.is_empty() {
                    return;
                }
                let wanted = known[index % known.len()];
                let is_waiting = self.model.waiting.contains(&wanted);
                assert_eq!(self.queues.cancel(&queue, wanted.2).is_some(), is_waiting);
                if is_waiting {
                    self.model.waiting.retain(|&waiting| waiting != wanted);
                    self.model.known.remove(&wanted.2);
                }
            }
        }
    }

    /// Every poll and every taken task goes; what the model still knows must come, in order.
    fn wind_up(mut self) {
        self.polls.clear();
        self.taken.clear();
        let mut rest: Vec<_> = self.model.known.into_values().collect();
        rest.sort_unstable();
        let keys: Vec<_> = rest.into_iter().map(|(_, _, key)| key).collect();
        assert_eq!(drain(&self.queues, &workflow_queue()), keys);
        assert_eq!(self.queues.backlog(&workflow_queue()).count, 0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_call_agrees_with_the_model(calls in prop::collection::vec(call(), 0..120)) {
        let mut run = Run::new();
        for call in calls {
            run.apply(call);
        }
        run.wind_up();
    }
}
