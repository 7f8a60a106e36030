//! The connection of a client command.

use std::{collections::BTreeMap, error::Error};

use abide_proto::temporal::api::{
    operatorservice::v1::operator_service_client::OperatorServiceClient,
    workflowservice::v1::workflow_service_client::WorkflowServiceClient,
};
use tonic::{
    Request, Status,
    metadata::{Ascii, AsciiMetadataKey, AsciiMetadataValue, MetadataKey, MetadataValue},
    service::{Interceptor, interceptor::InterceptedService},
    transport::{Channel, Endpoint},
};
use tonic_health::pb::health_client::HealthClient;

use crate::{error::CliError, settings::ClientOptions};

pub(crate) type Service = InterceptedService<Channel, Headers>;

/// The name and version by which servers know what this client understands.
const CLIENT_HEADERS: [(&str, &str); 3] = [
    ("client-name", "temporal-cli"),
    ("client-version", env!("CARGO_PKG_VERSION")),
    ("supported-features", "follows-next-run-id"),
];
const MESSAGE_BYTES_MAX: usize = 128 * 1024 * 1024;

/// A connected client, its namespace and its identity.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    service: Service,
    namespace: String,
    identity: String,
}

impl Client {
    pub(crate) async fn connect(options: ClientOptions) -> Result<Self, CliError> {
        let headers = Headers::new(&options.headers)?;
        let unreachable =
            |error: &dyn Error| CliError::Unreachable { address: options.address.clone(), reason: root_cause(error) };
        let mut endpoint = Endpoint::from_shared(format!("http://{}", options.address)).map_err(|e| unreachable(&e))?;
        if let Some(authority) = &options.authority {
            let origin = format!("http://{authority}").parse();
            endpoint =
                endpoint.origin(origin.map_err(|_| CliError::options("--client-authority is not a valid name"))?);
        }
        if let Some(timeout) = options.connect_timeout.and_then(|span| span.to_std()) {
            endpoint = endpoint.connect_timeout(timeout);
        }
        let channel = endpoint.connect().await.map_err(|error| unreachable(&error))?;
        let service = InterceptedService::new(channel, headers);
        Ok(Self { service, namespace: options.namespace, identity: options.identity })
    }

    pub(crate) fn workflows(&self) -> WorkflowServiceClient<Service> {
        WorkflowServiceClient::new(self.service.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    pub(crate) fn operator(&self) -> OperatorServiceClient<Service> {
        OperatorServiceClient::new(self.service.clone()).max_decoding_message_size(MESSAGE_BYTES_MAX)
    }

    pub(crate) fn health(&self) -> HealthClient<Service> {
        HealthClient::new(self.service.clone())
    }

    pub(crate) fn namespace(&self) -> &str {
        &self.namespace
    }

    pub(crate) fn identity(&self) -> &str {
        &self.identity
    }
}

/// Adds the same headers to every call.
#[derive(Clone, Debug)]
pub(crate) struct Headers(Vec<(AsciiMetadataKey, AsciiMetadataValue)>);

impl Headers {
    fn new(given: &BTreeMap<String, String>) -> Result<Self, CliError> {
        let fixed = CLIENT_HEADERS.iter().map(|(key, value)| (*key, *value));
        let given = given.iter().map(|(key, value)| (key.as_str(), value.as_str()));
        let parsed = fixed.chain(given).map(|(key, value)| {
            let bad = || CliError::options(format!("{key:?} is not a valid gRPC header"));
            let name = MetadataKey::<Ascii>::from_bytes(key.as_bytes()).map_err(|_| bad())?;
            Ok((name, MetadataValue::try_from(value).map_err(|_| bad())?))
        });
        parsed.collect::<Result<_, CliError>>().map(Self)
    }
}

impl Interceptor for Headers {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        for (key, value) in &self.0 {
            request.metadata_mut().insert(key.clone(), value.clone());
        }
        Ok(request)
    }
}

/// The innermost cause: the outer ones only say that the transport failed.
fn root_cause(error: &dyn Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
