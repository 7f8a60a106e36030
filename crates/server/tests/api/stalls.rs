//! Clients that stall, byte by byte: each is cut off, and costs no more than its connection until then.
use std::time::Duration;

use abide_server::{ServerConfig, grpc::connection::ConnectionLimits};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::common::{Server, start_with};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const ACK: u8 = 1;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const MAX_CONCURRENT_STREAMS: u16 = 3;
const INITIAL_WINDOW_SIZE: u16 = 4;

const SOON: Duration = Duration::from_millis(10);

async fn limited(connections: ConnectionLimits) -> Server {
    start_with(ServerConfig { connections, ..Default::default() }).await
}

async fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.running.grpc_address).await.unwrap()
}

/// Reads until the server has cut the connection, with an end or a reset.
async fn is_cut(mut stream: TcpStream) {
    let mut read = Vec::new();
    let _ = stream.read_to_end(&mut read).await;
}

#[derive(Debug)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

async fn send(to: &mut TcpStream, frame: Frame) {
    let mut bytes = (frame.payload.len() as u32).to_be_bytes()[1..].to_vec();
    bytes.extend([frame.kind, frame.flags]);
    bytes.extend(frame.stream.to_be_bytes());
    bytes.extend(frame.payload);
    to.write_all(&bytes).await.unwrap();
}

/// The next frame of this kind.
async fn receive(from: &mut TcpStream, kind: u8) -> Frame {
    loop {
        let mut head = [0; 9];
        from.read_exact(&mut head).await.unwrap();
        let mut payload = vec![0; u32::from_be_bytes([0, head[0], head[1], head[2]]) as usize];
        from.read_exact(&mut payload).await.unwrap();
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        let frame = Frame { kind: head[3], flags: head[4], stream, payload };
        if frame.kind == kind {
            return frame;
        }
    }
}

fn setting(name: u16, value: u32) -> Vec<u8> {
    [&name.to_be_bytes()[..], &value.to_be_bytes()].concat()
}

/// Preface and settings: from here on the connection is open. The client takes `window` bytes of each reply.
async fn open(server: &Server, window: u32) -> TcpStream {
    let mut stream = connect(server).await;
    stream.write_all(PREFACE).await.unwrap();
    let payload = setting(INITIAL_WINDOW_SIZE, window);
    send(&mut stream, Frame { kind: SETTINGS, flags: 0, stream: 0, payload }).await;
    stream
}

/// Asks for something small.
async fn call(on: &mut TcpStream, stream: u32) {
    let mut payload = Vec::new();
    for (name, value) in [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", "/temporal.api.workflowservice.v1.WorkflowService/GetSystemInfo"),
        ("content-type", "application/grpc"),
    ] {
        // A literal that no table keeps, with lengths below 127.
        payload.extend([0, name.len() as u8]);
        payload.extend(name.as_bytes());
        payload.push(value.len() as u8);
        payload.extend(value.as_bytes());
    }
    send(on, Frame { kind: HEADERS, flags: END_HEADERS, stream, payload }).await;
    send(on, Frame { kind: DATA, flags: END_STREAM, stream, payload: vec![0; 5] }).await;
}

#[tokio::test]
async fn who_does_not_begin_to_speak_is_cut() {
    let server = limited(ConnectionLimits { preface_timeout: SOON, ..Default::default() }).await;
    for said in [&b""[..], &PREFACE[..10]] {
        let mut stream = connect(&server).await;
        stream.write_all(said).await.unwrap();
        is_cut(stream).await;
    }
}

#[tokio::test]
async fn who_speaks_something_else_is_cut() {
    let server = limited(ConnectionLimits::default()).await;
    let mut stream = connect(&server).await;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
    is_cut(stream).await;
}

#[tokio::test]
async fn who_does_not_answer_pings_is_cut() {
    let server = limited(ConnectionLimits { ping_interval: SOON, ping_timeout: SOON, ..Default::default() }).await;
    is_cut(open(&server, 1 << 16).await).await;
}

#[tokio::test]
async fn who_answers_pings_stays() {
    let limits = ConnectionLimits { ping_interval: SOON, ping_timeout: Duration::from_secs(60), ..Default::default() };
    let server = limited(limits).await;
    let mut stream = open(&server, 1 << 16).await;
    for _ in 0..3 {
        let ping = receive(&mut stream, PING).await;
        send(&mut stream, Frame { flags: ACK, ..ping }).await;
    }
    call(&mut stream, 1).await;
    assert_eq!(receive(&mut stream, DATA).await.stream, 1);
}

#[tokio::test]
async fn who_takes_no_reply_is_cut() {
    let server = limited(ConnectionLimits { reply_timeout: SOON, ..Default::default() }).await;
    for window in [0, 1] {
        let mut stream = open(&server, window).await;
        call(&mut stream, 1).await;
        is_cut(stream).await;
    }
}

#[tokio::test]
async fn who_takes_its_replies_stays() {
    let server = limited(ConnectionLimits { reply_timeout: SOON, ..Default::default() }).await;
    let mut stream = open(&server, 1 << 16).await;
    // The timeout passes at least once between two of these.
    let begin = server.running.frontend.env.monotonic();
    let mut id = 1;
    while server.running.frontend.env.monotonic() < begin + SOON * 4 {
        call(&mut stream, id).await;
        assert_eq!(receive(&mut stream, DATA).await.stream, id);
        id += 2;
    }
}

#[tokio::test]
async fn replies_that_are_not_taken_are_bounded() {
    let server = limited(ConnectionLimits { unsent_bytes_max: 1, ..Default::default() }).await;
    let mut stream = open(&server, 0).await;
    call(&mut stream, 1).await;
    assert_eq!(receive(&mut stream, HEADERS).await.flags & END_STREAM, 0, "a reply follows");
    call(&mut stream, 3).await;
    assert_ne!(receive(&mut stream, HEADERS).await.flags & END_STREAM, 0, "an error has no message");
}

#[tokio::test]
async fn calls_at_a_time_are_bounded() {
    let server = limited(ConnectionLimits { streams_max: 77, ..Default::default() }).await;
    let mut stream = open(&server, 1 << 16).await;
    let settings = receive(&mut stream, SETTINGS).await.payload;
    let told = setting(MAX_CONCURRENT_STREAMS, 77);
    assert!(settings.chunks(6).any(|setting| setting == told), "{settings:?}");
}
