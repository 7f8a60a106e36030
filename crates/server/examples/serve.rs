//! Runs a server until a signal ends it: `serve [PORT [DIRECTORY]]`, by default on 7233 and in memory.
use abide_server::{
    Env, ServerConfig,
    config::{LogFormat, LogLevel, Storage},
    logging, run, signals,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    logging::init(LogFormat::Pretty, LogLevel::Info);
    let mut arguments = std::env::args().skip(1);
    let grpc_port = arguments.next().map_or(Ok(7233), |port| port.parse())?;
    let storage = arguments.next().map_or(Storage::Memory, |path| Storage::Directory(path.into()));
    let config = ServerConfig { grpc_port, storage, metrics_port: Some(0), ..Default::default() };
    let shutdown = signals::termination(&Env::real())?;
    Ok(run(config, shutdown).await?)
}
