//! A client's side of a sequence: makes requests, and remembers what the replies name.
use abide_proto::json;
use abide_server::frontend::Method;
use http::{HeaderMap, HeaderValue, header::HeaderName};
use prost_reflect::{DynamicMessage, MethodDescriptor};

use crate::{
    choices::Choices,
    message::Generator,
    server::{Outcome, methods},
    vocabulary::Vocabulary,
};

const TIMEOUTS: [&str; 8] = ["10S", "2S", "1500m", "", "0n", "99999999H", "1n", "junk"];
const HEADERS: [(&str, &str); 10] = [
    ("client-name", "temporal-python"),
    ("client-version", "1.0.0"),
    ("client-version", "0.0.1"),
    ("client-version", "1.2.3-\u{e9}"),
    ("supported-server-versions", ">=1.0.0 <2.0.0"),
    ("supported-server-versions", "<0.0.1 || >"),
    ("caller-type", "operator"),
    ("caller-name", ""),
    ("client-name", "temporal-go"),
    ("grpc-timeout", "1S"),
];

/// The descriptor of a method.
pub(crate) fn described(method: &'static Method) -> MethodDescriptor {
    let (service, _) = methods().find(|(_, of)| std::ptr::eq(*of, method)).expect("the method is of the API");
    let service = json::pool().get_service_by_name(service).expect("every service is described");
    let found = service.methods().find(|of| of.name() == method.name);
    found.expect("every method is described")
}

/// A request of the method.
pub(crate) fn request(method: &'static Method, choices: &mut Choices<'_>, vocabulary: &Vocabulary) -> Vec<u8> {
    let kind = Vocabulary::token_kind(method.name);
    Generator::new(choices, vocabulary, kind).message(&described(method).input())
}

/// The usual request of the method.
pub(crate) fn usual(method: &'static Method, vocabulary: &Vocabulary) -> Vec<u8> {
    request(method, &mut Choices::new(&[]), vocabulary)
}

pub(crate) fn headers(choices: &mut Choices<'_>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let timeout = if choices.odds(40) { choices.pick(&TIMEOUTS) } else { TIMEOUTS[0] };
    if !timeout.is_empty() {
        headers.insert("grpc-timeout", HeaderValue::from_static(timeout));
    }
    while choices.odds(12) {
        let (name, value) = choices.pick(&HEADERS);
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}

/// Remembers what a reply gives.
pub(crate) fn learn(vocabulary: &mut Vocabulary, method: &'static Method, outcome: &Outcome) {
    if let Ok(reply) = outcome {
        let reply = DynamicMessage::decode(described(method).output(), reply.as_ref());
        vocabulary.learn(&reply.expect("a reply is a message of its type"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{Server, method};

    #[test]
    fn usual_requests_lead_somewhere() {
        let (server, mut vocabulary) = (Server::start(), Vocabulary::new());
        for name in [
            "StartWorkflowExecution",
            "PollWorkflowTaskQueue",
            "RespondWorkflowTaskCompleted",
            "PollActivityTaskQueue",
            "RespondActivityTaskCompleted",
            "PollWorkflowTaskQueue",
            "RespondWorkflowTaskFailed",
            "SignalWorkflowExecution",
            "DescribeWorkflowExecution",
            "GetWorkflowExecutionHistory",
        ] {
            let request = usual(method(name), &vocabulary);
            let outcome = server.finish(&server.begin(method(name), headers(&mut Choices::new(&[])), request.into()));
            assert!(outcome.is_ok(), "{name}: {outcome:?}");
            learn(&mut vocabulary, method(name), &outcome);
        }
    }

    #[test]
    fn every_method_is_described() {
        assert!(methods().all(|(_, method)| described(method).name() == method.name));
    }
}
