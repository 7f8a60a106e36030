//! Start and end of a server, and what it shows beside the API.
use std::net::SocketAddr;

use abide_proto::temporal::api::workflowservice::v1 as ws;
use abide_server::{Env, RunningServer, ServerConfig, config::Storage, serve};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::oneshot,
};

use crate::common::start_with;

/// The whole answer to a request for the path.
async fn get(address: SocketAddr, path: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn metrics_and_page_are_shown() {
    let server = start_with(ServerConfig { ui_port: Some(0), metrics_port: Some(0), ..Default::default() }).await;
    server.workflow().get_system_info(ws::GetSystemInfoRequest::default()).await.unwrap();
    let metrics = get(server.running.metrics_address.unwrap(), "/metrics").await;
    assert!(metrics.starts_with("HTTP/1.1 200 OK\r\n"), "{metrics}");
    assert!(metrics.contains("abide_rpc_total{method=\"GetSystemInfo\",code=\"OK\"} 1\n"), "{metrics}");
    assert!(metrics.contains("\nabide_commit_pending_bytes 0\n"), "{metrics}");
    assert!(get(server.running.metrics_address.unwrap(), "/").await.starts_with("HTTP/1.1 404 "));
    assert!(get(server.running.ui_address.unwrap(), "/any").await.contains("Abide"));
    assert_eq!(server.running.http_address, None);
}

#[tokio::test]
async fn a_port_that_is_taken_is_named() {
    let server = start_with(ServerConfig::default()).await;
    let config = ServerConfig { grpc_port: server.running.grpc_address.port(), ..Default::default() };
    let Err(serve::Error::Listen { address, .. }) = RunningServer::start(config, Env::real()).await else {
        panic!("two servers on one port")
    };
    assert_eq!(address, server.running.grpc_address);
}

#[tokio::test]
async fn stopping_ends_idle_connections_and_refuses_new_ones() {
    let server = start_with(ServerConfig::default()).await;
    server.workflow().get_system_info(ws::GetSystemInfoRequest::default()).await.unwrap();
    let address = server.running.grpc_address;
    server.running.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn namespaces_outlive_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let config = ServerConfig { storage: Storage::Directory(directory.path().join("data")), ..Default::default() };
    let first = start_with(ServerConfig { namespaces: vec!["mine".into()], shard_count: 4, ..config.clone() }).await;
    let info = first.workflow().get_cluster_info(ws::GetClusterInfoRequest::default()).await.unwrap().into_inner();
    drop(first.channel);
    first.running.stop().await;

    let again = start_with(config).await;
    let found = again.workflow().get_cluster_info(ws::GetClusterInfoRequest::default()).await.unwrap().into_inner();
    assert_eq!(found.cluster_id, info.cluster_id);
    assert_eq!(found.history_shard_count, 4, "a store keeps its number of shards");
    let request = ws::DescribeNamespaceRequest { namespace: "mine".into(), ..Default::default() };
    again.workflow().describe_namespace(request).await.unwrap();
}

#[tokio::test]
async fn run_ends_when_it_is_told_to() {
    let (stop, stopped) = oneshot::channel::<()>();
    let config = ServerConfig { grpc_port: 0, ..Default::default() };
    let shutdown = async move { stopped.await.unwrap() };
    stop.send(()).unwrap();
    abide_server::run(config, shutdown).await.unwrap();
}
