//! What is in memory against what is stored: for the simulator and for tests, which may ask at any time.
use abide_engine::workflow::RunKey;
use abide_store::{Order, Table, keys};

use super::{Error, Shard, outbox::Row};

impl Shard {
    /// What is otherwise in memory than it would be loaded now, in words. What is on its way to the store is left out.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn audit(&self) -> Result<Vec<String>, Error> {
        let state = self.lock();
        let mut found = Vec::new();
        let is_settled = |key: &RunKey| state.runs.get(key).is_none_or(|entry| entry.undurable == 0);
        for (key, entry) in state.runs.iter().filter(|(_, entry)| entry.undurable == 0) {
            let stored = self.load_stored(key)?;
            if stored.as_ref() != Some(&entry.run) {
                // A number that is none differs from itself, but not in its text, which takes long to write.
                let (kept, stored) = (format!("{:?}", entry.run), stored.map(|run| format!("{run:?}")));
                if stored.as_ref() != Some(&kept) {
                    found.push(format!("run {} is {kept} in memory and {stored:?} in the store", key.run_id));
                }
            }
            for (first_event_id, batch) in entry.recent.batches() {
                let row = keys::history(*key.run_id.as_bytes(), *first_event_id);
                if self.shared.store.get(self.id, Table::History, &row)?.as_ref() != Some(batch) {
                    found.push(format!("events {first_event_id} on of run {} are in memory only", key.run_id));
                }
            }
        }
        for (at_ms, key) in state.timers.iter().filter(|(_, key)| is_settled(key)) {
            let row = keys::timer(*at_ms, *key.namespace_id.as_bytes(), &key.workflow_id, *key.run_id.as_bytes());
            if self.shared.store.get(self.id, Table::Timer, &row)?.is_none() {
                found.push(format!("the timer row of run {} at {at_ms} is in memory only", key.run_id));
            }
        }
        let rows = keys::outbox_until(i64::MAX);
        for (row, value) in
            self.shared.store.scan(self.id, Table::Outbox, &rows.start..&rows.end, usize::MAX, Order::Forward)?
        {
            let run_id = keys::decode_outbox(&row).map_err(|error| Error::Unavailable(error.to_string()))?.run;
            match Row::decode(&value, run_id) {
                None => found.push(format!("an outbox row of run {} is damaged", uuid::Uuid::from_bytes(run_id))),
                Some((key, _)) if is_settled(&key) && self.load_stored(&key)?.is_none() => {
                    found.push(format!("an outbox row of run {}, which is not there", key.run_id));
                }
                Some(_) => {}
            }
        }
        found.sort();
        Ok(found)
    }
}
