//! Load on one connection: workflows that are started at a pace, and answered when they were let in.
use std::time::{Duration, Instant};

use crate::{
    clock,
    error::Error,
    fault::Fault,
    overload::requests::{self, Starts},
    raw::{Connection, Reply},
};

/// How often calls are handed over: the timer is no finer.
const TICK: Duration = Duration::from_millis(1);
const TIMEOUT: &str = "30S";

/// How starts follow one another.
#[derive(Debug, Clone, Copy)]
pub(super) enum Pace {
    /// So many workflows at a time.
    Closed { concurrency: usize },
    /// So many starts per second, whatever becomes of them.
    Open { per_second: f64 },
}

/// A part of the load.
#[derive(Debug, Clone, Copy)]
pub(super) struct Phase {
    pub(super) pace: Pace,
    pub(super) length: Duration,
}

/// What became of the starts of one phase.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// When each start that was let in was made, and how long its reply took.
    pub(super) starts: Vec<(Instant, Duration)>,
    /// The last start that was refused.
    pub(super) refused_at: Option<Instant>,
    pub(super) refused: u64,
    /// Starts that were due when the server took no more.
    pub(super) held_back: u64,
    pub(super) answers: Vec<Duration>,
    pub(super) answers_refused: u64,
}

impl Tally {
    pub(super) fn add(&mut self, other: Self) {
        self.starts.extend(other.starts);
        self.refused_at = self.refused_at.max(other.refused_at);
        self.refused += other.refused;
        self.held_back += other.held_back;
        self.answers.extend(other.answers);
        self.answers_refused += other.answers_refused;
    }
}

#[derive(Debug)]
struct Tag {
    is_start: bool,
    phase: usize,
    at: Instant,
}

/// A connection with its part of the load.
#[derive(Debug)]
pub(super) struct Lane {
    connection: Connection<Tag>,
    starts: Starts,
    next: u64,
}

impl Lane {
    pub(super) async fn open(address: &str, tag: &str, number: usize) -> Result<Self, Error> {
        Ok(Self { connection: Connection::open(address).await?, starts: Starts::new(tag, number), next: 0 })
    }

    /// Goes through the phases without a pause and waits until every call is answered. A call belongs to the phase in
    /// which its workflow was started.
    pub(super) async fn run(&mut self, phases: &[Phase], lost_after: Duration) -> Result<Vec<Tally>, Error> {
        let mut tallies: Vec<Tally> = phases.iter().map(|_| Tally::default()).collect();
        let mut replies = Vec::new();
        let mut begin = clock::now();
        for (number, phase) in phases.iter().enumerate() {
            let (end, mut due) = (begin + phase.length, 0);
            loop {
                let now = clock::now();
                if now >= end {
                    break;
                }
                let count = match phase.pace {
                    Pace::Closed { concurrency } => concurrency.saturating_sub(self.connection.under_way()),
                    Pace::Open { per_second } => {
                        let by_now = ((now - begin).as_secs_f64() * per_second) as usize;
                        by_now - std::mem::replace(&mut due, by_now)
                    }
                };
                tallies[number].held_back += self.start(count, number, now);
                self.exchange(now + TICK, &mut replies, &mut tallies).await?;
            }
            begin = end;
        }
        let lost_at = clock::now() + lost_after;
        while self.connection.under_way() > 0 {
            if clock::now() > lost_at {
                let what = format!("the answer to {} calls", self.connection.under_way());
                return Err(Fault::Lost { what, waited_s: lost_after.as_secs() }.into());
            }
            self.exchange(lost_at, &mut replies, &mut tallies).await?;
        }
        Ok(tallies)
    }

    /// Says how many could not be started.
    fn start(&mut self, count: usize, phase: usize, at: Instant) -> u64 {
        for started in 0..count {
            let message = self.starts.message(self.next);
            if !self.connection.takes(message.len()) {
                return (count - started) as u64;
            }
            self.connection.call(requests::START, TIMEOUT, message, Tag { is_start: true, phase, at });
            self.next += 1;
        }
        0
    }

    async fn exchange(
        &mut self,
        until: Instant,
        replies: &mut Vec<Reply<Tag>>,
        tallies: &mut [Tally],
    ) -> Result<(), Error> {
        self.connection.exchange(until, replies).await?;
        let now = clock::now();
        for Reply { tag, message } in replies.drain(..) {
            let (tally, took) = (&mut tallies[tag.phase], now - tag.at);
            match message {
                Some(message) if tag.is_start => {
                    tally.starts.push((tag.at, took));
                    let answer = requests::answer(&message)?;
                    let tag = Tag { is_start: false, phase: tag.phase, at: now };
                    self.connection.call(requests::ANSWER, TIMEOUT, &answer, tag);
                }
                Some(_) => tally.answers.push(took),
                None if tag.is_start => {
                    tally.refused += 1;
                    tally.refused_at = Some(now);
                }
                None => tally.answers_refused += 1,
            }
        }
        Ok(())
    }
}
