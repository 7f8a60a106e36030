//! The service: steps that are durable one by one, as activities are, or none.
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use restate_sdk::prelude::*;
use tokio::net::TcpListener;

/// How many steps the handler `three` has.
pub const STEPS: u64 = 3;

/// The service, and how many steps were executed so far.
pub struct Steps {
    executed: Arc<AtomicU64>,
}

#[restate_sdk::service]
impl Steps {
    /// Three steps one after another, each of which gives the number back.
    #[handler]
    async fn three(&self, context: Context<'_>, number: u64) -> Result<u64, HandlerError> {
        let mut sum = 0;
        for _ in 0..STEPS {
            let executed = Arc::clone(&self.executed);
            sum += context
                .run(move || async move {
                    executed.fetch_add(1, Ordering::Relaxed);
                    Ok(number)
                })
                .name("echo")
                .await?;
        }
        Ok(sum)
    }

    /// No steps.
    #[handler]
    async fn none(&self, _context: Context<'_>, number: u64) -> Result<u64, HandlerError> {
        Ok(number)
    }
}

/// Serves on a free port. Returns its address and the count of executed steps.
pub async fn serve() -> anyhow::Result<(SocketAddr, Arc<AtomicU64>)> {
    let executed = Arc::new(AtomicU64::new(0));
    let endpoint = Endpoint::builder().bind(Steps { executed: Arc::clone(&executed) }).build();
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    tokio::spawn(HttpServer::new(endpoint).serve(listener));
    Ok((address, executed))
}
