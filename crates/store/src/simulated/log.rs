//! The log record of a group: its bytes behind a checksum, so that a torn one is recognised.

use rand::Rng;
use rand::rngs::SmallRng;
use xxhash_rust::xxh3::xxh3_64;

use super::below;
use crate::store::{Batch, Lease, Mutation, ShardId, Table};

const SECTOR_BYTES: usize = 512;

/// Loses what a disk may lose of an un-synced record: nothing, its end, or a sector in the middle.
pub(super) fn tear(record: &mut Vec<u8>, rng: &mut SmallRng) {
    match rng.random_range(0..3) {
        0 => {}
        1 => {
            let kept = below(rng, record.len());
            record.truncate(kept);
        }
        _ => {
            let sectors = record.len().div_ceil(SECTOR_BYTES);
            let start = below(rng, sectors) * SECTOR_BYTES;
            let end = record.len().min(start + SECTOR_BYTES);
            record[start..end].fill(0);
        }
    }
}

pub(super) fn encode(group: &[Batch]) -> Vec<u8> {
    let mut body = Vec::new();
    for batch in group {
        body.extend_from_slice(&batch.lease.shard.0.to_be_bytes());
        body.extend_from_slice(&batch.lease.epoch.to_be_bytes());
        number(&mut body, batch.mutations.len());
        for mutation in &batch.mutations {
            let (tag, table, first, second) = match mutation {
                Mutation::Put { table, key, value } => (0, table, key.as_slice(), value.as_slice()),
                Mutation::Delete { table, key } => (1, table, key.as_slice(), [].as_slice()),
                Mutation::DeleteRange { table, start, end } => (2, table, start.as_slice(), end.as_slice()),
            };
            body.push(tag);
            body.push(*table as u8);
            number(&mut body, first.len());
            body.extend_from_slice(first);
            number(&mut body, second.len());
            body.extend_from_slice(second);
        }
    }
    [xxh3_64(&body).to_be_bytes().as_slice(), &body].concat()
}

/// The group, if the record is whole.
pub(super) fn decode(record: &[u8]) -> Option<Vec<Batch>> {
    let (checksum, mut rest) = record.split_first_chunk()?;
    if u64::from_be_bytes(*checksum) != xxh3_64(rest) {
        return None;
    }
    let mut group = Vec::new();
    while !rest.is_empty() {
        let lease = Lease {
            shard: ShardId(u16::from_be_bytes(array(&mut rest)?)),
            epoch: u64::from_be_bytes(array(&mut rest)?),
        };
        let mut batch = Batch::new(lease);
        for _ in 0..u32::from_be_bytes(array(&mut rest)?) {
            let [tag, table] = array(&mut rest)?;
            let table = *Table::ALL.get(usize::from(table))?;
            let (first, second) = (bytes(&mut rest)?, bytes(&mut rest)?);
            batch.mutations.push(match tag {
                0 => Mutation::Put { table, key: first, value: second },
                1 => Mutation::Delete { table, key: first },
                2 => Mutation::DeleteRange { table, start: first, end: second },
                _ => return None,
            });
        }
        group.push(batch);
    }
    Some(group)
}

fn number(body: &mut Vec<u8>, number: usize) {
    let number = u32::try_from(number).expect("a simulated group is far below 4 GiB");
    body.extend_from_slice(&number.to_be_bytes());
}

fn array<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (array, after) = rest.split_first_chunk()?;
    *rest = after;
    Some(*array)
}

fn bytes(rest: &mut &[u8]) -> Option<Vec<u8>> {
    let count = usize::try_from(u32::from_be_bytes(array(rest)?)).ok()?;
    let (bytes, after) = rest.split_at_checked(count)?;
    *rest = after;
    Some(bytes.to_vec())
}
