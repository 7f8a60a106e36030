//! Advice to workers whether to poll more or less.

const IDLE_POLL_MS: i64 = 1_000;
const BACKLOG_AGE_MS: i64 = 200;
const ADDS_PER_DISPATCH: f32 = 1.2;
const DECISIONS_PER_SECOND: u32 = 10;

/// What the advice is made from, at the moment a task is handed to a poll.
pub(crate) struct Situation {
    /// How long the poll had waited.
    pub(crate) waited_ms: i64,
    /// How long the oldest task that is left has waited; 0 if none is left.
    pub(crate) backlog_age_ms: i64,
    pub(crate) adds_per_second: f32,
    pub(crate) dispatches_per_second: f32,
}

/// Bounds how often one queue gives advice.
#[derive(Debug, Default)]
pub(crate) struct Scaling {
    second: i64,
    given: u32,
}

impl Scaling {
    /// One more poll (1), one fewer (-1), or no advice.
    pub(crate) fn decide(&mut self, situation: &Situation, now_ms: i64) -> Option<i32> {
        let outrun = situation.dispatches_per_second > 0.0
            && situation.adds_per_second / situation.dispatches_per_second > ADDS_PER_DISPATCH;
        let delta = if situation.waited_ms >= IDLE_POLL_MS {
            -1
        } else if situation.backlog_age_ms > BACKLOG_AGE_MS || outrun {
            1
        } else {
            return None;
        };
        let second = now_ms.div_euclid(1000);
        if second != self.second {
            (self.second, self.given) = (second, 0);
        }
        if self.given >= DECISIONS_PER_SECOND {
            return None;
        }
        self.given += 1;
        Some(delta)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn situation(waited_ms: i64, backlog_age_ms: i64, adds_per_second: f32) -> Situation {
        Situation { waited_ms, backlog_age_ms, adds_per_second, dispatches_per_second: 10.0 }
    }

    #[test]
    fn fewer_when_polls_idle_and_more_when_tasks_wait() {
        let mut scaling = Scaling::default();
        assert_eq!(scaling.decide(&situation(1_000, 0, 10.0), 0), Some(-1));
        assert_eq!(scaling.decide(&situation(999, 200, 12.0), 0), None);
        assert_eq!(scaling.decide(&situation(0, 201, 10.0), 0), Some(1));
        assert_eq!(scaling.decide(&situation(0, 0, 12.1), 0), Some(1));
    }

    #[test]
    fn at_most_ten_a_second() {
        let mut scaling = Scaling::default();
        let mut given = |now_ms| (0..20).filter_map(|_| scaling.decide(&situation(5_000, 0, 0.0), now_ms)).count();
        assert_eq!(given(500), 10);
        assert_eq!(given(999), 0);
        assert_eq!(given(1_000), 10);
    }
}
