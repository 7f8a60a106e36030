//! The life of a server process: open the store, listen, answer, drain, end.
use std::{future::Future, io, net::SocketAddr, path::PathBuf, sync::Arc};

use abide_store::Committer;
use tokio::sync::{mpsc, oneshot};

use crate::{
    config::ServerConfig,
    env::Env,
    frontend::Frontend,
    grpc::{self, connection},
    http::Page,
    namespaces::{MetaError, NoFreeColumn},
    task_queue_configs,
};

mod accept;
mod measures;
mod open;

use accept::{Acceptor, Listener};

/// The namespace that is always there.
pub const DEFAULT_NAMESPACE: &str = "default";

/// Why a server did not start, or ended by itself.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on {address}: {error}")]
    Listen { address: SocketAddr, error: io::Error },
    #[error("cannot make the directory {}: {error}", .path.display())]
    Directory { path: PathBuf, error: io::Error },
    #[error(transparent)]
    Open(#[from] abide_store::embedded::OpenError),
    #[error(transparent)]
    Namespaces(#[from] MetaError),
    #[error(transparent)]
    Shards(#[from] crate::shard::Error),
    #[error(transparent)]
    TaskQueueConfigs(#[from] task_queue_configs::Error),
    #[error("search attribute {name}: {reason}")]
    SearchAttribute { name: String, reason: NoFreeColumn },
    /// Only another start can tell what is on disk.
    #[error("the store has stopped, and only another start can tell what is on disk: {0}")]
    StoreStopped(String),
}

/// A server that listens. Dropping it leaves it running; [`RunningServer::stop`] ends it.
pub struct RunningServer {
    pub frontend: Arc<Frontend>,
    pub grpc_address: SocketAddr,
    pub http_address: Option<SocketAddr>,
    pub ui_address: Option<SocketAddr>,
    pub metrics_address: Option<SocketAddr>,
    /// Closed when the last connection has ended.
    connections: mpsc::Receiver<()>,
    /// Gets the reason when the store has stopped for good.
    store_stopped: oneshot::Receiver<String>,
}

/// Runs a server until `shutdown` completes and all that was under way has ended.
///
/// # Errors
/// When the store cannot be opened or an address not be listened on, and as [`RunningServer::serve_until`].
pub async fn run(config: ServerConfig, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
    let server = RunningServer::start(config, Env::real()).await?;
    tracing::info!(
        grpc = %server.grpc_address,
        http = server.http_address.map(tracing::field::display),
        ui = server.ui_address.map(tracing::field::display),
        metrics = server.metrics_address.map(tracing::field::display),
        "serving"
    );
    server.serve_until(shutdown).await
}

impl RunningServer {
    /// Starts a server. When this returns, it answers.
    ///
    /// # Errors
    /// When the store cannot be opened or an address not be listened on.
    pub async fn start(config: ServerConfig, env: Env) -> Result<Self, Error> {
        // Listening comes first: a port that is taken is found out before anything is opened or made.
        let grpc = Listener::bind(&config, config.grpc_port)?;
        let http = Listener::optional(&config, config.http_port)?;
        let ui = Listener::optional(&config, config.ui_port)?;
        let metrics = Listener::optional(&config, config.metrics_port)?;
        let grpc_address = grpc.address;
        let [http_address, ui_address, metrics_address] =
            [&http, &ui, &metrics].map(|listener| listener.as_ref().map(|listener| listener.address));

        let store = open::store(&config.storage)?;
        let (stopped, store_stopped) = oneshot::channel();
        store.on_stop(Box::new(move |reason| {
            let _ = stopped.send(reason.to_owned()); // a server that is dropped or ending does not listen
        }));
        let frontend = Arc::new(Frontend::open(config, env, store, Committer::start).await?);
        let (env, drain) = (frontend.env.clone(), frontend.drain.clone());
        let (alive, connections) = mpsc::channel(1);
        let acceptor = Acceptor { env: env.clone(), drain: drain.clone(), alive };
        let page = |text: &str| Page::Text(format!("Abide {}\n{text}\n", env!("CARGO_PKG_VERSION")));
        acceptor.serve_page(http, page("The HTTP API is not built into this version."));
        acceptor.serve_page(ui, page("The web interface is not built into this version."));
        acceptor.serve_page(metrics, Page::Metrics(frontend.metrics.clone()));
        let server = Arc::new(grpc::Server::new(frontend.clone()));
        acceptor.serve_each(grpc, move |stream| connection::serve(stream, server.clone(), env.clone(), drain.clone()));
        Ok(Self { frontend, grpc_address, http_address, ui_address, metrics_address, connections, store_stopped })
    }

    /// Serves until `shutdown` completes, then ends as [`RunningServer::stop`] does.
    ///
    /// # Errors
    /// When the store has stopped for good before that. A server that can accept nothing any more does not stay: what
    /// watches over the process starts it again, and that recovers all that was acknowledged.
    pub async fn serve_until(mut self, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        let outcome = tokio::select! {
            () = shutdown => Ok(()),
            Ok(reason) = &mut self.store_stopped => Err(Error::StoreStopped(reason)),
        };
        if let Err(error) = &outcome {
            tracing::error!(%error, "the server ends");
        }
        self.stop().await;
        outcome
    }

    /// Ends the server: no new connections, long polls end, the calls under way are finished, as long as the
    /// configuration gives them time. What was accepted is durable, and the store is closed with the last handle to the
    /// frontend.
    pub async fn stop(mut self) {
        let Frontend { env, drain, config, .. } = &*self.frontend;
        drain.start();
        self.frontend.matching.end_all_polls();
        tokio::select! {
            biased;
            _ = self.connections.recv() => {}
            () = env.sleep(config.drain_timeout) => tracing::warn!("calls were still under way at the end"),
        }
        tracing::debug!("all connections have ended");
        let shards = self.frontend.shards.shared.clone();
        // Nobody waits for an answer any more, but what was accepted is to be durable.
        if env.blocking(move || shards.committer.flush()).await.is_none() {
            tracing::error!("the store was not flushed");
        }
        env.end_tasks().await;
        tracing::debug!("all tasks have ended");
    }
}
