//! After retention nothing of a run is left in any key range.
use abide_server::frontend::Frontend;
use abide_store::{Order, Table};

/// What is left of runs in the store; namespaces and the like may stay.
pub fn find(frontend: &Frontend) -> Vec<String> {
    let store = &frontend.shards.shared.store;
    let mut found = Vec::new();
    for shard in frontend.shards.all() {
        for table in [Table::State, Table::History, Table::Timer, Table::Outbox] {
            // Every tag of a key is below this.
            match store.scan(shard.id, table, &[][..]..&[0xff; 8][..], 16, Order::Forward) {
                Ok(rows) => found.extend(rows.iter().map(|(key, _)| format!("{table:?} {}", printable(key)))),
                Err(error) => found.push(format!("{table:?} cannot be read: {error}")),
            }
        }
    }
    found
}

fn printable(key: &[u8]) -> String {
    key.escape_ascii().to_string()
}
