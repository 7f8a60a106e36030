//! The life of a server process: open the store, listen, answer, drain, end.
use std::{future::Future, io, net::SocketAddr, sync::Arc};

use abide_proto::temporal::api::enums::v1::IndexedValueType;
use abide_store::{MemoryStore, Store};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
};

use crate::{
    config::{ServerConfig, Storage},
    drain::Drain,
    env::Env,
    frontend::Frontend,
    grpc::{self, connection},
    http::{self, Page},
    metrics::Metrics,
    namespaces::{MetaError, Namespace, Namespaces, NoFreeColumn, RegisterError, SYSTEM_NAMESPACE, StoredMeta},
};

/// The namespace that is always there.
pub const DEFAULT_NAMESPACE: &str = "default";

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("cannot listen on {address}: {error}")]
    Listen { address: SocketAddr, error: io::Error },
    #[error(transparent)]
    Store(#[from] abide_store::Error),
    #[error(transparent)]
    Namespaces(#[from] MetaError),
    #[error("search attribute {name}: {reason}")]
    SearchAttribute { name: String, reason: NoFreeColumn },
}

/// A server that listens. Dropping it leaves it running; [`RunningServer::stop`] ends it.
pub struct RunningServer {
    pub frontend: Arc<Frontend>,
    pub grpc_address: SocketAddr,
    pub http_address: Option<SocketAddr>,
    pub ui_address: Option<SocketAddr>,
    pub metrics_address: Option<SocketAddr>,
    /// Closed when the last connection has ended; each holds a sender.
    connections: mpsc::Receiver<()>,
}

/// Runs a server until `shutdown` completes and all that was under way has ended.
///
/// # Errors
/// When the store cannot be opened or an address not be listened on.
pub async fn run(config: ServerConfig, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
    let server = RunningServer::start(config, Env::real()).await?;
    shutdown.await;
    server.stop().await;
    Ok(())
}

impl RunningServer {
    /// Starts a server. When this returns, it answers.
    ///
    /// # Errors
    /// When the store cannot be opened or an address not be listened on.
    pub async fn start(config: ServerConfig, env: Env) -> Result<Self, Error> {
        let grpc = Listener::bind(&config, config.grpc_port).await?;
        let http = Listener::optional(&config, config.http_port).await?;
        let ui = Listener::optional(&config, config.ui_port).await?;
        let metrics = Listener::optional(&config, config.metrics_port).await?;

        let frontend = Arc::new(frontend(config, env).await?);
        let (alive, connections) = mpsc::channel(1);
        let accept = Accept { env: frontend.env.clone(), drain: frontend.drain.clone(), alive };
        let addresses =
            [Some(&grpc), http.as_ref(), ui.as_ref(), metrics.as_ref()].map(|listener| listener.map(|l| l.address));
        let [_, http_address, ui_address, metrics_address] = addresses;
        let grpc_address = grpc.address;

        let server = Arc::new(grpc::Server::new(frontend.clone()));
        let (env, drain) = (frontend.env.clone(), frontend.drain.clone());
        accept.each(grpc, move |stream| connection::serve(stream, server.clone(), env.clone(), drain.clone()));
        let page = |text: &str| Page::Text(format!("Abide {}\n{text}\n", env!("CARGO_PKG_VERSION")));
        accept.page(http, page("The HTTP API is not built into this version."));
        accept.page(ui, page("The web interface is not built into this version."));
        accept.page(metrics, Page::Metrics(frontend.metrics.clone()));
        Ok(Self { frontend, grpc_address, http_address, ui_address, metrics_address, connections })
    }

    /// Ends the server: no new connections, long polls end, the calls under way are finished, as long as the
    /// configuration gives them time.
    pub async fn stop(mut self) {
        let Frontend { env, drain, config, .. } = &*self.frontend;
        drain.start();
        tokio::select! {
            _ = self.connections.recv() => {}
            () = env.sleep(config.drain_timeout) => tracing::warn!("calls were still under way at the end"),
        }
    }
}

/// The frontend over an opened store, with the namespaces that the configuration asks for.
async fn frontend(config: ServerConfig, env: Env) -> Result<Frontend, Error> {
    let store: Arc<dyn Store> = match &config.storage {
        Storage::Memory => Arc::new(MemoryStore::default()),
        Storage::Directory(_) => Arc::new(MemoryStore::default()),
    };
    let namespaces = Namespaces::load(Arc::new(StoredMeta::open(store)?)).await?;
    let system_namespace = ensure(&namespaces, &config, &env, SYSTEM_NAMESPACE).await?;
    for name in [DEFAULT_NAMESPACE].into_iter().chain(config.namespaces.iter().map(String::as_str)) {
        let namespace = ensure(&namespaces, &config, &env, name).await?;
        add_search_attributes(&namespaces, &namespace, &config.search_attributes).await?;
    }
    let dynamic_config = config.dynamic_config.clone();
    let (metrics, drain) = (Arc::new(Metrics::default()), Drain::default());
    Ok(Frontend { env, config, dynamic_config, namespaces, system_namespace, metrics, drain })
}

/// The namespace of this name, made if it is not there.
async fn ensure(
    namespaces: &Namespaces,
    config: &ServerConfig,
    env: &Env,
    name: &str,
) -> Result<Arc<Namespace>, MetaError> {
    if let Some(found) = namespaces.by_name(name) {
        return Ok(found);
    }
    match namespaces.register(Namespace::new(env.uuid(), name, config.default_retention)).await {
        Ok(made) => Ok(made),
        Err(RegisterError::Meta(error)) => Err(error),
        Err(RegisterError::NameTaken) => unreachable!("nobody else registers namespaces before the start"),
    }
}

async fn add_search_attributes(
    namespaces: &Namespaces,
    namespace: &Namespace,
    wanted: &[(String, IndexedValueType)],
) -> Result<(), Error> {
    if wanted.iter().all(|(name, _)| namespace.search_attributes.contains_key(name)) {
        return Ok(());
    }
    let add = |old: &Namespace| {
        let mut new = old.clone();
        for (name, kind) in wanted {
            let refused = |reason| Error::SearchAttribute { name: name.clone(), reason };
            new.add_search_attribute(name, *kind).map_err(refused)?;
        }
        Ok::<_, Error>(new)
    };
    use crate::namespaces::ChangeError::{Meta, Refused, Unknown};
    match namespaces.change(namespace.id, add).await {
        Ok(_) => Ok(()),
        Err(Meta(error)) => Err(error.into()),
        Err(Refused(error)) => Err(error),
        Err(Unknown) => unreachable!("the namespace was made before"),
    }
}

struct Listener {
    socket: TcpListener,
    address: SocketAddr,
}

impl Listener {
    async fn bind(config: &ServerConfig, port: u16) -> Result<Self, Error> {
        let address = SocketAddr::new(config.ip, port);
        let bound = TcpListener::bind(address).await.and_then(|socket| Ok((socket.local_addr()?, socket)));
        bound.map(|(address, socket)| Self { socket, address }).map_err(|error| Error::Listen { address, error })
    }

    async fn optional(config: &ServerConfig, port: Option<u16>) -> Result<Option<Self>, Error> {
        match port {
            Some(port) => Self::bind(config, port).await.map(Some),
            None => Ok(None),
        }
    }
}

/// Takes in connections until the server drains.
struct Accept {
    env: Env,
    drain: Drain,
    alive: mpsc::Sender<()>,
}

impl Accept {
    fn page(&self, listener: Option<Listener>, page: Page) {
        let Some(listener) = listener else { return };
        let (page, drain) = (Arc::new(page), self.drain.clone());
        self.each(listener, move |stream| http::serve(stream, page.clone(), drain.clone()));
    }

    /// Serves each connection in a task of its own.
    fn each<F>(&self, listener: Listener, serve: impl Fn(TcpStream) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (env, drain, alive) = (self.env.clone(), self.drain.clone(), self.alive.clone());
        self.env.spawn(async move {
            loop {
                let accepted = tokio::select! {
                    accepted = listener.socket.accept() => accepted,
                    () = drain.started() => return,
                };
                match accepted {
                    Ok((stream, _)) => {
                        let (connection, alive) = (serve(stream), alive.clone());
                        env.spawn(async move {
                            connection.await;
                            drop(alive);
                        });
                    }
                    Err(error) => {
                        // Out of descriptors, most likely: those of ended connections come free.
                        tracing::warn!(%error, "accept");
                        env.sleep(std::time::Duration::from_millis(50)).await;
                    }
                }
            }
        });
    }
}
