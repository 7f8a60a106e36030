//! The limit on tasks handed out per second by one queue (a token bucket, kept as the time at which it is full again).

const NS_PER_MS: i64 = 1_000_000;
const NS_PER_S: f64 = 1e9;
/// About eleven days: slower rates than that are taken as this one.
const MAX_INTERVAL_NS: f64 = 1e15;

/// Where a rate limit comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateLimitSource {
    /// The last poll that named a rate.
    Worker,
    /// [`crate::Matching::set_rate_limit`], which outranks the workers.
    Api,
}

/// The limit that holds for a queue.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateLimit {
    /// 0 holds everything back.
    pub per_second: f64,
    pub source: RateLimitSource,
}

/// The answer to a request for one token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    Granted,
    /// None now; the next comes at this time.
    NextAt {
        at_ms: i64,
    },
    /// None until the limit is changed.
    Never,
}

/// The limits set on a queue and the tokens of the one that holds.
#[derive(Debug, Default)]
pub(crate) struct Limiter {
    worker: Option<f64>,
    api: Option<f64>,
    bucket: Bucket,
}

impl Limiter {
    pub(crate) fn set_worker(&mut self, per_second: f64, now_ms: i64) {
        self.worker = Some(per_second);
        self.apply(now_ms);
    }

    pub(crate) fn set_api(&mut self, per_second: Option<f64>, now_ms: i64) {
        self.api = per_second;
        self.apply(now_ms);
    }

    pub(crate) fn has_api_limit(&self) -> bool {
        self.api.is_some()
    }

    pub(crate) fn effective(&self) -> Option<RateLimit> {
        let (per_second, source) = match (self.api, self.worker) {
            (Some(per_second), _) => (per_second, RateLimitSource::Api),
            (None, Some(per_second)) => (per_second, RateLimitSource::Worker),
            (None, None) => return None,
        };
        Some(RateLimit { per_second, source })
    }

    fn apply(&mut self, now_ms: i64) {
        self.bucket.change(self.effective().map(|limit| limit.per_second), now_ms);
    }

    pub(crate) fn take(&mut self, now_ms: i64) -> Token {
        self.bucket.take(now_ms)
    }

    /// Returns the token of a task that was handed out for nothing.
    pub(crate) fn refund(&mut self) {
        if let Bucket::Limited { interval_ns, full_at_ns, .. } = &mut self.bucket {
            *full_at_ns -= *interval_ns;
        }
    }
}

/// Invariants: in `Limited`, `burst >= 1` tokens fit, one comes back every `interval_ns`, and all are back at `full_at_ns`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Bucket {
    #[default]
    Unlimited,
    Blocked,
    Limited {
        interval_ns: i64,
        burst: i64,
        full_at_ns: i64,
    },
}

impl Bucket {
    fn change(&mut self, per_second: Option<f64>, now_ms: i64) {
        let now_ns = now_ms.saturating_mul(NS_PER_MS);
        *self = match per_second {
            None => Self::Unlimited,
            Some(rate) if rate.is_nan() || rate <= 0.0 => Self::Blocked,
            Some(rate) => {
                let interval_ns = (NS_PER_S / rate).min(MAX_INTERVAL_NS) as i64;
                let burst = rate.ceil().min(NS_PER_S) as i64;
                let empty_until_ns = now_ns.saturating_add(burst.saturating_mul(interval_ns));
                let full_at_ns = match *self {
                    Self::Unlimited => now_ns,
                    Self::Blocked => empty_until_ns,
                    Self::Limited { full_at_ns, .. } => full_at_ns.min(empty_until_ns),
                };
                Self::Limited { interval_ns, burst, full_at_ns }
            }
        };
    }

    fn take(&mut self, now_ms: i64) -> Token {
        match self {
            Self::Unlimited => Token::Granted,
            Self::Blocked => Token::Never,
            Self::Limited { interval_ns, burst, full_at_ns } => {
                let now_ns = now_ms.saturating_mul(NS_PER_MS);
                let next_ns = *full_at_ns - (*burst - 1) * *interval_ns;
                if next_ns > now_ns {
                    return Token::NextAt { at_ms: next_ns.saturating_add(NS_PER_MS - 1).div_euclid(NS_PER_MS) };
                }
                *full_at_ns = (*full_at_ns).max(now_ns).saturating_add(*interval_ns);
                Token::Granted
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn granted(limiter: &mut Limiter, now_ms: i64) -> usize {
        (0..1000).take_while(|_| limiter.take(now_ms) == Token::Granted).count()
    }

    #[test]
    fn a_burst_of_one_second_then_the_rate() {
        let mut limiter = Limiter::default();
        limiter.set_worker(5.0, 10_000);
        assert_eq!(granted(&mut limiter, 10_000), 5);
        assert_eq!(limiter.take(10_000), Token::NextAt { at_ms: 10_200 });
        assert_eq!(granted(&mut limiter, 10_199), 0);
        assert_eq!(granted(&mut limiter, 10_200), 1);
        assert_eq!(granted(&mut limiter, 10_600), 2);
        assert_eq!(granted(&mut limiter, 99_000), 5, "tokens beyond the burst are lost");
    }

    #[test]
    fn slow_rates_and_odd_ones() {
        let mut limiter = Limiter::default();
        limiter.set_worker(0.5, 0);
        assert_eq!(granted(&mut limiter, 0), 1);
        assert_eq!(limiter.take(0), Token::NextAt { at_ms: 2_000 });
        for odd in [0.0, -1.0, f64::NAN, f64::NEG_INFINITY] {
            limiter.set_worker(odd, 0);
            assert_eq!(limiter.take(0), Token::Never);
        }
        limiter.set_worker(1e-300, 0);
        assert!(matches!(limiter.take(0), Token::NextAt { at_ms } if at_ms > 0));
        limiter.set_worker(f64::INFINITY, i64::MAX);
        assert_eq!(granted(&mut limiter, i64::MAX), 1000);
    }

    #[test]
    fn the_api_outranks_the_worker_until_it_is_unset() {
        let mut limiter = Limiter::default();
        limiter.set_api(Some(0.0), 0);
        limiter.set_worker(2.0, 0);
        assert_eq!(limiter.take(0), Token::Never);
        assert_eq!(limiter.effective(), Some(RateLimit { per_second: 0.0, source: RateLimitSource::Api }));
        limiter.set_api(None, 0);
        assert_eq!(limiter.take(0), Token::NextAt { at_ms: 500 });
        assert_eq!(limiter.effective(), Some(RateLimit { per_second: 2.0, source: RateLimitSource::Worker }));
    }

    #[test]
    fn a_faster_rate_does_not_wait_for_the_slow_one() {
        let mut limiter = Limiter::default();
        limiter.set_worker(0.001, 0);
        assert_eq!(granted(&mut limiter, 0), 1);
        limiter.set_worker(10.0, 0);
        assert_eq!(limiter.take(0), Token::NextAt { at_ms: 100 });
    }

    #[test]
    fn a_refund_makes_the_token_available_again() {
        let mut limiter = Limiter::default();
        limiter.set_worker(1.0, 0);
        assert_eq!(limiter.take(0), Token::Granted);
        limiter.refund();
        assert_eq!(limiter.take(0), Token::Granted);
        assert_ne!(limiter.take(0), Token::Granted);
    }
}
