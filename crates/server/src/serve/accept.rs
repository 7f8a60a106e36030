//! Listening, and a task per connection.
use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    sync::mpsc,
};

use super::Error;
use crate::{
    config::ServerConfig,
    drain::Drain,
    env::Env,
    http::{self, Page},
};

/// How long accepting rests after an error; most likely the process is out of descriptors, and those of ended
/// connections come free.
const REST_AFTER_ERROR: Duration = Duration::from_millis(50);

/// Connections that wait to be accepted: after a restart all clients come back at once, and one that finds no room tries
/// again only a second later. The system may have a lower limit.
const BACKLOG: u32 = 4096;

pub(super) struct Listener {
    socket: TcpListener,
    pub(super) address: SocketAddr,
}

impl Listener {
    pub(super) fn bind(config: &ServerConfig, port: u16) -> Result<Self, Error> {
        let address = SocketAddr::new(config.ip, port);
        listen(address)
            .and_then(|socket| Ok((socket.local_addr()?, socket)))
            .map(|(address, socket)| Self { socket, address })
            .map_err(|error| Error::Listen { address, error })
    }

    pub(super) fn optional(config: &ServerConfig, port: Option<u16>) -> Result<Option<Self>, Error> {
        match port {
            Some(port) => Self::bind(config, port).map(Some),
            None => Ok(None),
        }
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // A server that starts again takes the port over from connections that are still being closed.
    socket.set_reuseaddr(cfg!(unix))?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Takes in connections until the server drains.
pub(super) struct Acceptor {
    pub(super) env: Env,
    pub(super) drain: Drain,
    /// Each connection holds one; when all are dropped, all connections have ended.
    pub(super) alive: mpsc::Sender<()>,
}

impl Acceptor {
    pub(super) fn serve_page(&self, listener: Option<Listener>, page: Page) {
        let Some(listener) = listener else { return };
        let (page, drain) = (Arc::new(page), self.drain.clone());
        self.serve_each(listener, move |stream| http::serve(stream, page.clone(), drain.clone()));
    }

    /// Serves each connection in a task of its own.
    pub(super) fn serve_each<F>(&self, listener: Listener, serve: impl Fn(TcpStream) -> F + Send + 'static)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let (env, drain, alive) = (self.env.clone(), self.drain.clone(), self.alive.clone());
        self.env.spawn(async move {
            loop {
                let accepted = tokio::select! {
                    biased;
                    accepted = listener.socket.accept() => accepted,
                    () = drain.started() => break,
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
                        tracing::warn!(%error, "accept");
                        env.sleep(REST_AFTER_ERROR).await;
                    }
                }
            }
            drop(serve); // and what it holds, before the end is told
            drop(alive);
        });
    }
}
