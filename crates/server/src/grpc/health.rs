//! `grpc.health.v1.Health`: the server and both services serve until the process is told to end.
use std::{
    pin::Pin,
    task::{Context, Poll, ready},
};

use tokio_stream::Stream;
use tonic::{Request, Response, Status, server::NamedService};
use tonic_health::pb::{
    HealthCheckRequest, HealthCheckResponse,
    health_check_response::ServingStatus,
    health_server::{Health, HealthServer},
};

use crate::{
    drain::Drain,
    env::BoxFuture,
    frontend::{OPERATOR_SERVICE, WORKFLOW_SERVICE},
};

pub(super) const SERVICE: &str = HealthServer::<Checks>::NAME;

pub(super) struct Checks {
    drain: Drain,
}

pub(super) fn service(drain: Drain) -> HealthServer<Checks> {
    HealthServer::new(Checks { drain })
}

impl Checks {
    fn status(&self, service: &str) -> ServingStatus {
        if !["", WORKFLOW_SERVICE.name, OPERATOR_SERVICE.name].contains(&service) {
            ServingStatus::ServiceUnknown
        } else if self.drain.has_started() {
            ServingStatus::NotServing
        } else {
            ServingStatus::Serving
        }
    }
}

#[tonic::async_trait]
impl Health for Checks {
    type WatchStream = Watch;

    async fn check(&self, request: Request<HealthCheckRequest>) -> Result<Response<HealthCheckResponse>, Status> {
        match self.status(&request.get_ref().service) {
            ServingStatus::ServiceUnknown => Err(Status::not_found("unknown service")),
            status => Ok(Response::new(HealthCheckResponse { status: status.into() })),
        }
    }

    async fn watch(&self, request: Request<HealthCheckRequest>) -> Result<Response<Watch>, Status> {
        let drain = self.drain.clone();
        let now = self.status(&request.get_ref().service);
        Ok(Response::new(Watch { now: Some(now), end: Box::pin(async move { drain.started().await }) }))
    }
}

/// The status at first and, when the process is told to end, that it no longer serves.
pub(super) struct Watch {
    now: Option<ServingStatus>,
    end: BoxFuture<()>,
}

impl Stream for Watch {
    type Item = Result<HealthCheckResponse, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let status = match self.now.take() {
            Some(now) => now,
            None => {
                ready!(self.end.as_mut().poll(context));
                self.end = Box::pin(std::future::pending());
                ServingStatus::NotServing
            }
        };
        Poll::Ready(Some(Ok(HealthCheckResponse { status: status.into() })))
    }
}
