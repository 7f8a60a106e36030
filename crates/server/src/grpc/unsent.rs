//! Replies that a client has not taken yet: how many bytes they are, and whether they stay.
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use bytes::Bytes;

/// The replies of one connection that are not on their way.
///
/// They are counted in two slots: the one for new replies, and that of the round before, which is to become empty.
#[derive(Default)]
pub(super) struct Unsent {
    bytes: AtomicUsize,
    round: AtomicUsize,
    replies: [AtomicUsize; 2],
}

impl Unsent {
    /// Counts a reply until the connection has written the last of its bytes, or gave them up.
    pub(super) fn track(self: &Arc<Self>, reply: Bytes) -> Bytes {
        let slot = self.round.load(Ordering::Relaxed) % 2;
        self.bytes.fetch_add(reply.len(), Ordering::Relaxed);
        self.replies[slot].fetch_add(1, Ordering::Relaxed);
        Bytes::from_owner(Tracked { reply, slot, unsent: Arc::clone(self) })
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Begins the next round. Says whether a reply is left of the one before the last.
    pub(super) fn next_round(&self) -> bool {
        let next = self.round.load(Ordering::Relaxed).wrapping_add(1);
        let is_stuck = self.replies[next % 2].load(Ordering::Relaxed) > 0;
        self.round.store(next, Ordering::Relaxed);
        is_stuck
    }
}

struct Tracked {
    reply: Bytes,
    slot: usize,
    unsent: Arc<Unsent>,
}

impl AsRef<[u8]> for Tracked {
    fn as_ref(&self) -> &[u8] {
        &self.reply
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.unsent.bytes.fetch_sub(self.reply.len(), Ordering::Relaxed);
        self.unsent.replies[self.slot].fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_may_stay_for_a_round_and_no_longer() {
        let unsent = Arc::new(Unsent::default());
        let reply = unsent.track(Bytes::from_static(b"abc"));
        let part = reply.slice(1..);
        drop(reply);
        assert_eq!(unsent.bytes(), 3, "a part keeps the whole");
        assert!(!unsent.next_round());
        let later = unsent.track(Bytes::from_static(b"d"));
        assert!(unsent.next_round());
        drop((part, later));
        assert_eq!(unsent.bytes(), 0);
        assert!(!unsent.next_round() && !unsent.next_round());
    }
}
