//! Task queues in memory: where tasks meet the polls of workers.
//!
//! Generic over the task, and knowing nothing of gRPC, of shards or of the store. A queue keeps what waits ordered by
//! priority, then by scheduled time, then by arrival; polls are served longest-waiting first. Nothing here is durable:
//! a durable task also stands in the caller's outbox until its start is committed there, so a queue may forget tasks
//! beyond its bound and ask for them again ([`Matching::refill_wanted`]).
//!
//! The life of a task: [`Matching::offer`] → a [`Poll`] resolves to a [`Taken`] → the caller commits the start and calls
//! [`Taken::finish`]. A `Poll` or a `Taken` that is dropped on the way gives its task back to its place in the order,
//! so a cancelled call never loses one.
//!
//! A shorter life: [`Matching::reserve`] keeps a poll that waits already for a task that is about to be committed as started,
//! and [`Reserved::deliver`] gives it the task once it is.
//!
//! The clock comes in through [`Clock`]; order never depends on a hash seed.

mod backlog;
mod clock;
mod entry;
mod matching;
mod meter;
mod options;
mod poll;
mod pollers;
mod queue;
mod queue_id;
mod rate_limit;
mod refill;
mod reserve;
mod scaling;
mod signals;
mod stats;

pub use clock::Clock;
pub use entry::{Entry, Task};
pub use matching::{Matching, Offer};
pub use options::Options;
pub use poll::{Poll, Taken};
pub use pollers::{PollerInfo, PollerSeen};
pub use queue_id::{QueueId, TaskKind};
pub use rate_limit::{RateLimit, RateLimitSource};
pub use refill::{Refill, Room};
pub use reserve::Reserved;
pub use stats::{BacklogStats, PriorityStats};
