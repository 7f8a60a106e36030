//! HTTP/1.1 on one connection that is kept.
use anyhow::{Context, Result, ensure};
use http_body_util::{BodyExt, Full};
use hyper::{
    Request,
    body::Bytes,
    client::conn::http1::{self, SendRequest},
};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

/// A caller with a connection of its own.
pub struct Client {
    address: String,
    sender: SendRequest<Full<Bytes>>,
}

impl Client {
    /// Connects to `address` (`host:port`).
    pub async fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await.with_context(|| format!("no connection to {address}"))?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // It ends with the sender; what went wrong on it, the request that meets it tells.
        tokio::spawn(async move { drop(connection.await) });
        Ok(Self { address: address.to_owned(), sender })
    }

    /// Posts JSON and returns the body of an answer that says that all went well.
    pub async fn post(&mut self, path: &str, json: String) -> Result<Bytes> {
        let request = Request::post(path)
            .header("host", &self.address)
            .header("content-type", "application/json")
            .body(Full::new(Bytes::from(json)))?;
        self.sender.ready().await?;
        let answer = self.sender.send_request(request).await?;
        let status = answer.status();
        let body = answer.into_body().collect().await?.to_bytes();
        ensure!(status.is_success(), "{path} was answered with {status}: {}", String::from_utf8_lossy(&body));
        Ok(body)
    }
}
