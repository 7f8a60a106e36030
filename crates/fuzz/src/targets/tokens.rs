//! Task tokens and page tokens that were changed, cut, or made up, handed to every method that takes one.
use std::sync::OnceLock;

use abide_engine::workflow::TaskToken;
use abide_server::frontend::Method;
use prost::Message;
use prost_reflect::{Kind, MessageDescriptor};

use crate::{
    choices::Choices,
    message::Generator,
    probe, scene,
    server::{Server, methods},
    session,
    vocabulary::Vocabulary,
};

const CALLS_MAX: usize = 12;
const KINDS: [&str; 4] = ["workflow_token", "activity_token", "page_token", "query_token"];

pub(super) fn run(input: &[u8]) {
    let mut choices = Choices::new(input);
    let server = Server::start();
    let mut vocabulary = scene::play(&server);
    for _ in 0..CALLS_MAX {
        if choices.is_empty() {
            break;
        }
        let kind = choices.pick(&KINDS);
        let token = token(&mut choices, &vocabulary, kind);
        for kind in KINDS {
            vocabulary.add(kind, &token);
        }
        let method = choices.pick(takers());
        // In every field that takes one: of a field that comes twice the last counts.
        let mut request = session::request(method, &mut choices, &vocabulary);
        request.extend(handing_on(&session::described(method).input(), &token));
        let call = server.begin(method, session::headers(&mut choices), request.into());
        let outcome = server.finish(&call);
        session::learn(&mut vocabulary, method, &outcome);
    }
    probe::run_a_workflow(&server);
}

fn token(choices: &mut Choices<'_>, vocabulary: &Vocabulary, kind: &str) -> Vec<u8> {
    let mut token = vocabulary.choose(kind, choices);
    match choices.byte() {
        0..=99 => Generator::new(choices, vocabulary, "workflow_token").damage(&mut token),
        100..=159 => token = changed(&token, choices),
        160..=199 => {
            let count = choices.below(40);
            token = choices.bytes(count).to_vec();
        }
        _ => {}
    }
    token
}

/// A task token with other fields; what is none is taken for one of zeros.
fn changed(token: &[u8], choices: &mut Choices<'_>) -> Vec<u8> {
    let mut token = TaskToken::decode(token).unwrap_or_default();
    const NUMBERS: [i64; 8] = [0, 1, -1, 2, 5, i64::MAX, i64::MIN, i64::MAX - 1];
    for _ in 0..=choices.below(3) {
        match choices.below(9) {
            0 => token.namespace_id = choices.pick(&["", "x", "00000000-0000-0000-0000-000000000000"]).to_owned(),
            1 => token.workflow_id = choices.pick(&["", "w", "v", "nobody"]).to_owned(),
            2 => token.run_id.truncate(choices.below(17)),
            3 => token.scheduled_event_id = choices.pick(&NUMBERS),
            4 => token.started_event_id = choices.pick(&NUMBERS),
            5 => token.attempt = choices.pick(&[0, 1, 2, -1, i32::MAX, i32::MIN]),
            6 => token.started_time = choices.pick(&NUMBERS),
            7 => token.activity_id = choices.pick(&["", "a", "b", "nobody"]).to_owned(),
            _ => token.query_id = choices.pick(&["", "x", "00000000-0000-0000-0000-000000000000"]).to_owned(),
        }
    }
    token.encode_to_vec()
}

fn is_token(name: &str) -> bool {
    matches!(name, "task_token" | "next_page_token" | "page_token")
}

/// The methods that take a token.
fn takers() -> &'static [&'static Method] {
    static TAKERS: OnceLock<Vec<&'static Method>> = OnceLock::new();
    TAKERS.get_or_init(|| {
        let takes = |method: &&'static Method| session::described(method).input().fields().any(|f| is_token(f.name()));
        methods().map(|(_, method)| method).filter(takes).collect()
    })
}

/// The token in every field of the request that takes one: the last of a field counts.
fn handing_on(request: &MessageDescriptor, token: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for field in request.fields().filter(|field| is_token(field.name()) && field.kind() == Kind::Bytes) {
        prost::encoding::bytes::encode(field.number(), &token.to_vec(), &mut out);
    }
    out
}
