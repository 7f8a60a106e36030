//! The newest events of a run in memory, as they are stored: nearly every read is of what has just happened, and a read of
//! the store looks into many tables for it.
use std::collections::VecDeque;

use abide_engine::workflow::Batch;

/// What is kept of a run at most.
const BYTES_MAX: usize = 8 << 10;

/// Batches that follow each other, up to the newest.
#[derive(Debug, Default)]
pub(super) struct Recent {
    /// Encoded `History`s by the id of their first event.
    batches: VecDeque<(i64, Vec<u8>)>,
    bytes: usize,
}

impl Recent {
    /// Adds the run's next batches.
    pub(super) fn extend(&mut self, batches: &[Batch]) {
        for batch in batches {
            self.bytes += batch.encoded.len();
            self.batches.push_back((batch.first_event_id, batch.encoded.clone()));
        }
        while self.bytes > BYTES_MAX {
            let Some((_, oldest)) = self.batches.pop_front() else { return };
            self.bytes -= oldest.len();
        }
    }

    /// The first `limit` batches that begin in `from..=to`, if all that begin there are here.
    pub(super) fn between(&self, from: i64, to: i64, limit: usize) -> Option<Vec<Vec<u8>>> {
        self.batches.front().filter(|(first, _)| *first <= from)?;
        let within = self.batches.iter().filter(|(first, _)| (from..=to).contains(first));
        Some(within.take(limit).map(|(_, encoded)| encoded.clone()).collect())
    }

    /// All of it, for a comparison with what is stored.
    pub(super) fn batches(&self) -> impl Iterator<Item = &(i64, Vec<u8>)> {
        self.batches.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(first_event_id: i64, bytes: usize) -> Batch {
        Batch { first_event_id, events: Vec::new(), encoded: vec![first_event_id as u8; bytes] }
    }

    #[test]
    fn what_is_not_all_here_is_not_given() {
        let mut recent = Recent::default();
        assert_eq!(recent.between(1, 9, 9), None);
        recent.extend(&[batch(1, 10), batch(3, 10), batch(7, 10)]);
        assert_eq!(recent.between(1, 9, 2), Some(vec![vec![1; 10], vec![3; 10]]));
        assert_eq!(recent.between(3, 6, 9), Some(vec![vec![3; 10]]));
        assert_eq!(recent.between(8, 9, 9), Some(vec![]), "a batch is found by its first event");
        recent.extend(&[batch(9, BYTES_MAX - 15)]);
        assert_eq!(recent.between(3, 9, 9), None, "the oldest went");
        assert_eq!(recent.between(7, 8, 9), Some(vec![vec![7; 10]]));
        recent.extend(&[batch(12, BYTES_MAX + 1)]);
        assert_eq!(recent.between(12, 12, 9), None);
        assert_eq!((recent.bytes, recent.batches.len()), (0, 0));
    }
}
