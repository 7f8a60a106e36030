//! gRPC over HTTP/2, as far as the API needs it: unary calls, read and written without going through streams.
//!
//! The two services of the API are answered here straight from the connection: the path picks the method, the message is
//! copied once into a buffer of its size, the reply is written once. Health and reflection, which stream, are tonic's.
use std::{convert::Infallible, future::Future, sync::Arc, time::Duration};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header::CONTENT_TYPE};
use hyper::body::Incoming;
use tonic::{Code, Status};

use crate::{
    frontend::{Arrived, Frontend, Method, OPERATOR_SERVICE, Service, WORKFLOW_SERVICE},
    status,
};

mod admission;
mod body;
mod calls;
pub mod connection;
mod health;
mod message;
mod overload;
mod panic;
mod path;
mod reflection;
mod streams;
mod turn;
mod unsent;

pub use body::Body;
pub use message::{RECEIVE_LIMIT_BYTES, SEND_LIMIT_BYTES, frame};

use admission::{Admission, Kind, Overloaded, Place};
use calls::Calls;
use connection::ConnectionLimits;
use panic::CatchPanic;
use path::Path;
use streams::Stream;
use unsent::Unsent;

/// Everything that answers on the gRPC port.
pub struct Server {
    frontend: Arc<Frontend>,
    admission: Arc<Admission>,
    services: [(&'static str, Vec<Entry>); 2],
    streams: [(&'static str, Stream); 3],
    /// The headers of a refusal: there are most of them when there is the least time to make them.
    overloaded: HeaderMap,
}

/// A method of a service. They are sorted by name.
#[derive(Clone, Copy)]
struct Entry {
    method: &'static Method,
    /// Its place in the metrics.
    index: usize,
    kind: Kind,
}

impl Server {
    pub fn new(frontend: Arc<Frontend>) -> Self {
        let names = |service: &Service| service.methods.iter().map(|method| method.name);
        frontend.metrics.rpc.set_methods(names(&WORKFLOW_SERVICE).chain(names(&OPERATOR_SERVICE)));
        let mut index = 0;
        let mut by_name = |service: &'static Service| {
            let entry = |(at, method): (usize, &'static Method)| Entry {
                method,
                index: index + at,
                kind: Kind::of(method.name),
            };
            let mut methods: Vec<Entry> = service.methods.iter().enumerate().map(entry).collect();
            index += methods.len();
            methods.sort_by_key(|entry| entry.method.name);
            (service.name, methods)
        };
        let services = [by_name(&WORKFLOW_SERVICE), by_name(&OPERATOR_SERVICE)];
        let drain = frontend.drain.clone();
        let streams = [
            (health::SERVICE, streams::lazy(move || health::service(drain.clone()))),
            (reflection::V1, reflection::v1()),
            (reflection::V1_ALPHA, reflection::v1_alpha()),
        ];
        let admission = {
            let (config, waiting) = (&frontend.dynamic_config, frontend.limits.all_waiting());
            Admission::new(frontend.env.clone(), config, waiting, &frontend.metrics)
        };
        let overloaded = std::mem::take(status::overloaded().into_http::<Body>().headers_mut());
        Self { frontend, admission, services, streams, overloaded }
    }

    fn connection_limits(&self) -> &ConnectionLimits {
        &self.frontend.config.connections
    }

    /// Answers one request. Never fails: errors are statuses. Whether the call is let in is decided when this returns,
    /// before the future gets its first turn.
    fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
        unsent: &Arc<Unsent>,
        calls: &Calls,
    ) -> impl Future<Output = Result<Response<Body>, Infallible>> + Send + 'static + use<> {
        let arrived = self.arrived(request, unsent);
        calls.expect(matches!(arrived, Arrival::Refused { .. }));
        async move {
            Ok(match arrived {
                // Apart, so that a call which is refused takes little memory.
                Arrival::Call(call) => Box::pin(self.call(call)).await,
                Arrival::Refused { entry, body } => {
                    // A stream whose request nobody takes would be reset, which is more than to answer it.
                    let _skipped = self.in_time(message::skip(body)).await;
                    self.frontend.metrics.rpc.record(entry.index, Code::ResourceExhausted, Duration::ZERO);
                    let mut refused = Response::new(Body::Empty);
                    refused.headers_mut().clone_from(&self.overloaded);
                    refused
                }
                Arrival::Stream(stream, request) => self.streams[stream].1(*request).await.map(Body::Stream),
                Arrival::Unknown(status) => {
                    self.frontend.metrics.rpc.record_unknown();
                    status.into_http()
                }
                Arrival::Foreign => {
                    let mut refused = Response::new(Body::Empty);
                    *refused.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
                    refused
                }
            })
        }
    }

    fn arrived(&self, request: Request<Incoming>, unsent: &Arc<Unsent>) -> Arrival {
        let is_grpc = |value: &HeaderValue| value.as_bytes().starts_with(b"application/grpc");
        if !request.headers().get(CONTENT_TYPE).is_some_and(is_grpc) {
            return Arrival::Foreign;
        }
        let entry = match self.find(request.uri().path()) {
            Ok(Found::Method(entry)) => entry,
            Ok(Found::Stream(stream)) => return Arrival::Stream(stream, Box::new(request)),
            Err(status) => return Arrival::Unknown(status),
        };
        let (parts, body) = request.into_parts();
        let headers = parts.headers;
        match self.admission.arrive(entry.kind, self.frontend.shards.shared.committer.pending_bytes(), &headers) {
            Ok(place) => Arrival::Call(UnaryCall { entry, place, unsent: Arc::clone(unsent), headers, body }),
            Err(Overloaded) => Arrival::Refused { entry, body },
        }
    }

    async fn call(&self, call: UnaryCall) -> Response<Body> {
        let UnaryCall { entry, place, unsent, headers, body } = call;
        let began = self.frontend.env.monotonic();
        let outcome = self.run(entry.method, place, &unsent, headers, body).await;
        let latency: Duration = self.frontend.env.monotonic() - began;
        let code = outcome.as_ref().map_or_else(Status::code, |_| Code::Ok);
        self.frontend.metrics.rpc.record(entry.index, code, latency);
        match outcome {
            Ok(reply) => replied(unsent.track(reply)),
            Err(status) => status.into_http(),
        }
    }

    async fn run(
        &self,
        method: &Method,
        mut place: Place,
        unsent: &Unsent,
        headers: HeaderMap,
        body: Incoming,
    ) -> Result<Bytes, Status> {
        place.begin().map_err(|Overloaded| status::overloaded())?;
        if unsent.bytes() > self.connection_limits().unsent_bytes_max {
            return Err(status::replies_untaken());
        }
        let message = self.in_time(message::read(body, &headers)).await??;
        place.hold(message.len());
        let arrived = Arrived { headers, message, method: method.name };
        CatchPanic((method.run)(self.frontend.clone(), arrived)).await
    }

    /// What comes of a request's body, unless it takes too long.
    async fn in_time<T>(&self, read: impl Future<Output = T>) -> Result<T, Status> {
        tokio::select! {
            biased;
            read = read => Ok(read),
            () = async { self.frontend.env.sleep(self.connection_limits().request_timeout).await } => {
                Err(status::deadline_exceeded("the request's message did not come in time"))
            }
        }
    }

    fn find(&self, path: &str) -> Result<Found, Status> {
        let Path { service, method } =
            Path::parse(path).ok_or_else(|| status::unimplemented(format!("malformed method name: {path:?}")))?;
        if let Some((_, methods)) = self.services.iter().find(|(name, _)| *name == service) {
            return match methods.binary_search_by_key(&method, |entry| entry.method.name) {
                Ok(at) => Ok(Found::Method(methods[at])),
                Err(_) => Err(unknown_method(service, method)),
            };
        }
        match self.streams.iter().position(|(name, _)| *name == service) {
            Some(stream) if path::has_method(service, method) => Ok(Found::Stream(stream)),
            Some(_) => Err(unknown_method(service, method)),
            None => Err(status::unimplemented(format!("unknown service {service}"))),
        }
    }
}

/// What a path stands for.
enum Found {
    Method(Entry),
    /// The index of a service that streams.
    Stream(usize),
}

/// What becomes of a request. It waits in memory for its turn and some for long after that, so it is kept small.
enum Arrival {
    Call(UnaryCall),
    /// There is too much to do.
    Refused {
        entry: Entry,
        body: Incoming,
    },
    Stream(usize, Box<Request<Incoming>>),
    /// There is no such method.
    Unknown(Status),
    /// It is no gRPC.
    Foreign,
}

/// A call that was let in.
struct UnaryCall {
    entry: Entry,
    place: Place,
    unsent: Arc<Unsent>,
    headers: HeaderMap,
    body: Incoming,
}

fn unknown_method(service: &str, method: &str) -> Status {
    status::unimplemented(format!("unknown method {method} for service {service}"))
}

fn replied(reply: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::unary(reply));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    response
}
