//! `server start`

use std::path::{self, PathBuf};

use abide_server::{RunningServer, ServerConfig, config::Storage};
use clap::Args;

use super::{flags, flags::ServerFlags, serve};
use crate::{
    done::Done,
    error::CliError,
    flags::{CommonFlags, LogLevel},
    print::Printer,
    span::Span,
};

#[derive(Debug, Args)]
pub(crate) struct Start {
    #[command(flatten)]
    flags: ServerFlags,
    /// Folder that everything is kept in, made if it is not there
    #[arg(long, value_name = "PATH", env = "ABIDE_DATA_DIR", default_value = "abide-data")]
    data_dir: PathBuf,
    /// Address to listen on; 0.0.0.0 for every one
    #[arg(long, value_name = "HOST", env = "ABIDE_IP", default_value = "127.0.0.1")]
    ip: String,
    /// Port of the gRPC service
    #[arg(long, short, value_name = "PORT", default_value = "7233")]
    port: i64,
    /// Port of the HTTP API; none if not given
    #[arg(long, value_name = "PORT")]
    http_port: Option<i64>,
    /// Port of the web interface; none if not given
    #[arg(long, value_name = "PORT")]
    ui_port: Option<i64>,
    /// Port of the metrics; none if not given
    #[arg(long, value_name = "PORT")]
    metrics_port: Option<i64>,
    /// How long closed runs of the namespaces made at the start are kept
    #[arg(long, value_name = "DURATION", default_value = "3d")]
    retention: Span,
}

impl Start {
    pub(super) fn run(self, common: &CommonFlags) -> Done {
        let (dynamic_config, complaints) = self.flags.dynamic_config()?;
        let data_dir =
            path::absolute(&self.data_dir).map_err(|source| CliError::File { path: self.data_dir.clone(), source })?;
        let optional = |port: Option<i64>| port.map(flags::port).transpose();
        let retention = self.retention.to_std().filter(|time| !time.is_zero());
        let config = ServerConfig {
            ip: flags::ip(&self.ip)?,
            grpc_port: flags::port(self.port)?,
            http_port: optional(self.http_port)?,
            ui_port: optional(self.ui_port)?,
            metrics_port: optional(self.metrics_port)?,
            storage: Storage::Directory(data_dir.clone()),
            namespaces: self.flags.namespace.clone(),
            default_retention: retention.ok_or_else(|| CliError::options("--retention is not a valid time"))?,
            search_attributes: self.flags.search_attributes()?,
            dynamic_config,
            ..ServerConfig::default()
        };
        let out = common.printer();
        serve(config, common, LogLevel::Info, |server| {
            super::complain(&complaints);
            announce(server, &data_dir.display().to_string(), &out);
        })
    }
}

fn announce(server: &RunningServer, data_dir: &str, out: &Printer) {
    let addresses = [
        ("gRPC", Some(server.grpc_address)),
        ("HTTP", server.http_address),
        ("UI", server.ui_address),
        ("Metrics", server.metrics_address),
    ];
    for (label, address) in addresses {
        if let Some(address) = address {
            out.say(&format!("Abide {:10}{address}", format!("{label}:")));
        }
    }
    out.say(&format!("Abide {:10}{data_dir}", "Data:"));
}
