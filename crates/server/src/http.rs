//! Plain HTTP: the metrics, and a page that says what is running.
use std::{convert::Infallible, sync::Arc};

use bytes::Bytes;
use http::{HeaderValue, Method, Request, Response, StatusCode, header::CONTENT_TYPE};
use http_body_util::Full;
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;

use crate::{drain::Drain, metrics::Metrics};

const TEXT: &str = "text/plain; charset=utf-8";

/// What a listener shows.
pub enum Page {
    /// The metrics, at `/metrics`.
    Metrics(Arc<Metrics>),
    /// The same text at every path.
    Text(String),
}

/// Serves one connection until it ends or the server drains.
pub async fn serve(stream: TcpStream, page: Arc<Page>, drain: Drain) {
    let service = service_fn(move |request: Request<Incoming>| {
        let answer = page.answer(request.method(), request.uri().path());
        async move { Ok::<_, Infallible>(answer) }
    });
    let mut builder = http1::Builder::new();
    let mut connection =
        std::pin::pin!(builder.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = &mut connection => ended,
        () = drain.started() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "connection ended");
    }
}

impl Page {
    fn answer(&self, method: &Method, path: &str) -> Response<Full<Bytes>> {
        if !matches!(*method, Method::GET | Method::HEAD) {
            return text(StatusCode::METHOD_NOT_ALLOWED, "Only GET is answered here.\n".into());
        }
        match self {
            Self::Metrics(metrics) if path == "/metrics" => text(StatusCode::OK, metrics.exposition()),
            Self::Metrics(_) => text(StatusCode::NOT_FOUND, "The metrics are at /metrics.\n".into()),
            Self::Text(page) => text(StatusCode::OK, page.clone()),
        }
    }
}

fn text(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(TEXT));
    response
}
