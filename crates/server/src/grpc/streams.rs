//! Services that stream, which tonic answers: health and reflection.
use std::{convert::Infallible, sync::OnceLock};

use http::{Request, Response};
use hyper::body::Incoming;
use tower::{Service, ServiceExt};

use crate::env::BoxFuture;

/// Answers the requests of one service.
pub(super) type Stream = Box<dyn Fn(Request<Incoming>) -> BoxFuture<Response<tonic::body::Body>> + Send + Sync>;

/// A service that is made when it is called for the first time.
pub(super) fn lazy<S>(make: impl Fn() -> S + Send + Sync + 'static) -> Stream
where
    S: Service<Request<Incoming>, Response = Response<tonic::body::Body>, Error = Infallible>,
    S: Clone + Send + Sync + 'static,
    S::Future: Send,
{
    let made = OnceLock::new();
    Box::new(move |request| {
        let service: S = made.get_or_init(&make).clone();
        Box::pin(async move {
            match service.oneshot(request).await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        })
    })
}
