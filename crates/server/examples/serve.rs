//! Runs a server in memory on the port given as the first argument (default 7233), until a signal ends it.
use abide_server::{
    Env, ServerConfig,
    config::{LogFormat, LogLevel},
    logging, run, signals,
};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    logging::init(LogFormat::Pretty, LogLevel::Info);
    let grpc_port = std::env::args().nth(1).map_or(Ok(7233), |port| port.parse())?;
    let config = ServerConfig { grpc_port, metrics_port: Some(0), ..Default::default() };
    let shutdown = signals::termination(&Env::real())?;
    Ok(run(config, shutdown).await?)
}
