//! Queues that were too long for memory get what they forgot from the outboxes; idle queues go.
use std::{sync::Arc, time::Duration};

use super::{Shard, Shared, outbox, recover};

/// How long a refill that failed waits before the next try.
const PAUSE: Duration = Duration::from_secs(1);
/// How often idle queues are looked for.
const EXPIRE_EVERY: Duration = Duration::from_secs(60);

/// Serves refills, and drops idle queues, for as long as the process lives.
pub(super) fn run(shared: &Arc<Shared>, shards: &[Arc<Shard>]) {
    let (refilling, shards) = (Arc::clone(shared), shards.to_vec());
    shared.env.spawn(async move {
        loop {
            let queue = refilling.matching.refill_wanted().await;
            let Some(mut refill) = refilling.matching.begin_refill(&queue) else { continue };
            let mut failed = None;
            for shard in &shards {
                let added = recover::each_task(shard, |run, dispatch| {
                    refill.add(outbox::for_queue(&queue, run, dispatch));
                });
                failed = failed.or_else(|| added.err());
            }
            match failed {
                None => refill.finish(true),
                Some(error) => {
                    tracing::warn!(queue = %queue.name, %error, "a task queue waits for the store");
                    refilling.env.sleep(PAUSE).await;
                }
            }
        }
    });
    let expiring = Arc::clone(shared);
    shared.env.spawn(async move {
        loop {
            expiring.env.sleep(EXPIRE_EVERY).await;
            let left = expiring.matching.expire_idle();
            outbox::offer_to_normal(&expiring, left);
        }
    });
}
