//! gRPC over HTTP/2, as far as the API needs it: unary calls, read and written without going through streams.
//!
//! The two services of the API are answered here straight from the connection: the path picks the method, the message is
//! copied once into a buffer of its size, the reply is written once. Health and reflection, which stream, are tonic's.
use std::{convert::Infallible, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE};
use hyper::body::Incoming;
use tonic::{Code, Status};

use crate::{
    frontend::{Arrived, Frontend, Method, OPERATOR_SERVICE, Service, WORKFLOW_SERVICE},
    status,
};

mod body;
pub mod connection;
mod health;
mod message;
mod panic;
mod path;
mod reflection;
mod streams;

pub use body::Body;
pub use message::{RECEIVE_LIMIT_BYTES, SEND_LIMIT_BYTES, frame};

use panic::CatchPanic;
use path::Path;
use streams::Stream;

/// Everything that answers on the gRPC port.
pub struct Server {
    frontend: Arc<Frontend>,
    /// The methods of each service by name, with their index in the metrics.
    services: [(&'static str, Vec<(&'static Method, usize)>); 2],
    streams: [(&'static str, Stream); 3],
}

impl Server {
    pub fn new(frontend: Arc<Frontend>) -> Self {
        let names = |service: &Service| service.methods.iter().map(|method| method.name);
        frontend.metrics.rpc.set_methods(names(&WORKFLOW_SERVICE).chain(names(&OPERATOR_SERVICE)));
        let mut index = 0;
        let mut by_name = |service: &'static Service| {
            let mut methods: Vec<_> = service
                .methods
                .iter()
                .map(|method| {
                    (method, {
                        index += 1;
                        index - 1
                    })
                })
                .collect();
            methods.sort_by_key(|(method, _)| method.name);
            (service.name, methods)
        };
        let services = [by_name(&WORKFLOW_SERVICE), by_name(&OPERATOR_SERVICE)];
        let drain = frontend.drain.clone();
        let streams = [
            (health::SERVICE, streams::lazy(move || health::service(drain.clone()))),
            (reflection::V1, reflection::v1()),
            (reflection::V1_ALPHA, reflection::v1_alpha()),
        ];
        Self { frontend, services, streams }
    }

    /// Answers one request. Never fails: errors are statuses.
    pub async fn answer(self: Arc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let is_grpc = |value: &HeaderValue| value.as_bytes().starts_with(b"application/grpc");
        if !request.headers().get(CONTENT_TYPE).is_some_and(is_grpc) {
            let mut refused = Response::new(Body::Empty);
            *refused.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
            return Ok(refused);
        }
        Ok(match self.find(request.uri().path()) {
            Ok(Found::Unary(method, index)) => self.unary(method, index, request).await,
            Ok(Found::Streaming(service)) => service(request).await.map(Body::Stream),
            Err(status) => {
                self.frontend.metrics.rpc.record_unknown();
                status.into_http()
            }
        })
    }

    async fn unary(&self, method: &Method, index: usize, request: Request<Incoming>) -> Response<Body> {
        let began = self.frontend.env.monotonic();
        let (parts, body) = request.into_parts();
        let outcome = self.run(method, parts.headers, body).await;
        let latency: Duration = self.frontend.env.monotonic() - began;
        let code = outcome.as_ref().map_or_else(Status::code, |_| Code::Ok);
        self.frontend.metrics.rpc.record(index, code, latency);
        match outcome {
            Ok(reply) => replied(reply),
            Err(status) => status.into_http(),
        }
    }

    async fn run(&self, method: &Method, headers: HeaderMap, body: Incoming) -> Result<Bytes, Status> {
        let message = message::read(body, &headers).await?;
        let arrived = Arrived { headers, message, method: method.name };
        CatchPanic((method.run)(self.frontend.clone(), arrived)).await
    }

    fn find(&self, path: &str) -> Result<Found<'_>, Status> {
        let Path { service, method } =
            Path::parse(path).ok_or_else(|| status::unimplemented(format!("malformed method name: {path:?}")))?;
        if let Some((_, methods)) = self.services.iter().find(|(name, _)| *name == service) {
            return match methods.binary_search_by_key(&method, |(method, _)| method.name) {
                Ok(at) => Ok(Found::Unary(methods[at].0, methods[at].1)),
                Err(_) => Err(unknown_method(service, method)),
            };
        }
        match self.streams.iter().find(|(name, _)| *name == service) {
            Some((_, stream)) if path::has_method(service, method) => Ok(Found::Streaming(stream)),
            Some(_) => Err(unknown_method(service, method)),
            None => Err(status::unimplemented(format!("unknown service {service}"))),
        }
    }
}

enum Found<'s> {
    Unary(&'static Method, usize),
    Streaming(&'s Stream),
}

fn unknown_method(service: &str, method: &str) -> Status {
    status::unimplemented(format!("unknown method {method} for service {service}"))
}

fn replied(reply: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::unary(reply));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}
