//! Counters that the server under load shows at `/metrics`.
use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    time::timeout,
};

const SYNCS: &str = "abide_store_syncs_total";
const COMMIT_GROUPS: &str = "abide_commit_groups_total";
const SCRAPE_TIMEOUT: Duration = Duration::from_secs(5);

/// Counters of the store; None where the server does not show them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct StoreCounters {
    pub(crate) syncs: Option<u64>,
    pub(crate) commit_groups: Option<u64>,
}

/// Reads the counters at `address` (`host:port`). What cannot be read is None.
pub(crate) async fn scrape(address: &str) -> StoreCounters {
    match timeout(SCRAPE_TIMEOUT, get(address)).await {
        Ok(Ok(text)) => parse(&text),
        _ => StoreCounters::default(),
    }
}

async fn get(address: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

fn parse(text: &str) -> StoreCounters {
    StoreCounters { syncs: sum(text, SYNCS), commit_groups: sum(text, COMMIT_GROUPS) }
}

/// The sum over all label sets of one counter.
fn sum(text: &str, name: &str) -> Option<u64> {
    let samples = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name).filter(|rest| rest.starts_with([' ', '{']))?;
        rest.rsplit_once(' ')?.1.trim().parse::<f64>().ok()
    });
    samples.fold(None, |total, sample| Some(total.unwrap_or(0) + sample as u64))
}

#[cfg(test)]
mod tests {
    use super::{StoreCounters, parse};

    #[test]
    fn counters_are_summed_over_their_labels() {
        let text = "HTTP/1.1 200 OK\r\n\r\n# TYPE abide_store_syncs_total counter\n\
                    abide_store_syncs_total{shard=\"1\"} 40\nabide_store_syncs_total{shard=\"2\"} 2\n\
                    abide_store_syncs_total_other 9\n";
        assert_eq!(parse(text), StoreCounters { syncs: Some(42), commit_groups: None });
    }
}
