//! Cron schedules of workflows (spec §3.15): the five-field texts of a start's `cron_schedule` and when they fire.
//!
//! The accepted texts are those of the parser that users' schedules were written for:
//! - `minute hour day-of-month month day-of-week`, each of `*`, `?`, numbers, ranges `1-5`, steps `*/15` and `5/15`,
//!   lists `1,2,8-10`; months `jan`..`dec` and days `sun`..`sat` by name in any case; Sunday is 0 and 7 is no day.
//!   If neither day field says `*` or `?` (a step above 1 takes that away), a day needs to match only one of them;
//! - `@yearly`, `@annually`, `@monthly`, `@weekly`, `@daily`, `@midnight`, `@hourly`;
//! - `@every 1h30m`: so long after the second of the previous time, cut to whole seconds and at least one;
//! - before any of these `CRON_TZ=<IANA name> ` or `TZ=<IANA name> `, spelled exactly; without it UTC counts.
//!
//! Daylight saving: a schedule fires at every instant whose wall clock matches it. A local time that a jump forward
//! leaves out does not happen on that day; one that a jump back repeats happens twice. The original agrees except around
//! jumps at midnight or by half an hour (Chile, Lord Howe), where it loses or misplaces firings for days to months.
//!
//! The zones come from a database within the binary, so that every node fires at the same times whatever its system has.
mod calendar;
mod duration;
mod field;
mod parse;

pub use field::FieldError;
pub use parse::ParseError;

use crate::time::{LONGEST, Span, Time};
use calendar::Calendar;

/// What a start or a child command with a schedule that cannot be parsed is answered (§3.37.1).
pub const INVALID: &str = "invalid CronSchedule.";

const NANOS: i64 = 1_000_000_000;

/// A parsed cron schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Schedule(Rule);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    /// A fixed number of seconds, at least 1, after the previous time.
    Every(i64),
    Calendar(Calendar),
}

impl Schedule {
    /// Parses a schedule; the empty text is none.
    pub fn parse(text: &str) -> Result<Self, ParseError> {
        parse::schedule(text).map(Self)
    }

    /// The first whole second after `t` at which the schedule fires; none if that lies behind the fifth calendar year
    /// after the one of `t`. An `@every` always fires, if need be in the last second that [`Time`] holds.
    pub fn next_after(&self, t: Time) -> Option<Time> {
        let second = t.0.div_euclid(NANOS);
        match &self.0 {
            Rule::Every(period) => Some(at_second(second.saturating_add(*period))),
            Rule::Calendar(calendar) => calendar.first_from(second + 1)?.checked_mul(NANOS).map(Time),
        }
    }

    /// The first firing after `previous` that is not before `now`.
    fn next_from(&self, previous: Time, now: Time) -> Option<Time> {
        match &self.0 {
            Rule::Every(period) => {
                let start = previous.0.div_euclid(NANOS);
                let elapsed = (ceil_seconds(now.0) - start).max(1);
                let periods = elapsed / period + i64::from(elapsed % period != 0);
                Some(at_second(start.saturating_add(periods.saturating_mul(*period))))
            }
            Rule::Calendar(_) => self.next_after(previous.max(Time(now.0.saturating_sub(1)))),
        }
    }
}

/// How long a run waits at `now` for the first firing, counted from `previous_execution`, that is not before `now`:
/// whole seconds, rounded up, at most [`LONGEST`]; none if the schedule never fires again.
pub fn backoff(schedule: &Schedule, previous_execution: Time, now: Time) -> Option<Span> {
    let wait = schedule.next_from(previous_execution, now)? - now;
    Some(Span(ceil_seconds(wait.0).saturating_mul(NANOS)).min(LONGEST))
}

/// The time of a Unix second, cut to the last one that [`Time`] holds.
fn at_second(second: i64) -> Time {
    Time(second.min(i64::MAX / NANOS) * NANOS)
}

fn ceil_seconds(nanos: i64) -> i64 {
    nanos.div_euclid(NANOS) + i64::from(nanos.rem_euclid(NANOS) != 0)
}

#[cfg(test)]
mod tests;
