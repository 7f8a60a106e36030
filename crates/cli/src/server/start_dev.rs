//! `server start-dev`: the command line that SDKs know for their local test servers.

use std::path::{self, PathBuf};

use abide_server::{RunningServer, ServerConfig, config::Storage};
use clap::Args;

use super::{flags, flags::ServerFlags, serve};
use crate::{
    done::Done,
    error::CliError,
    flags::{CommonFlags, LogLevel},
    print::Printer,
};

#[derive(Debug, Args)]
pub(crate) struct StartDev {
    #[command(flatten)]
    flags: ServerFlags,
    /// Where everything is kept on disk; in memory if not given
    #[arg(long, short = 'f', value_name = "PATH")]
    db_filename: Option<PathBuf>,
    /// Port of the gRPC service
    #[arg(long, short, value_name = "PORT", default_value = "7233")]
    port: i64,
    /// Port of the HTTP API; 0 for none
    #[arg(long, value_name = "PORT", default_value = "0")]
    http_port: i64,
    /// Port of the metrics; a free one if not given
    #[arg(long, value_name = "PORT", default_value = "0", hide_default_value = true)]
    metrics_port: i64,
    /// Port of the web interface [default: the gRPC port + 1000]
    #[arg(long, value_name = "PORT")]
    ui_port: Option<i64>,
    /// No web interface
    #[arg(long)]
    headless: bool,
    /// Address to listen on
    #[arg(long, value_name = "HOST", default_value = "localhost")]
    ip: String,
    #[command(flatten)]
    accepted: Accepted,
}

/// Flags of the reference that have nothing to change here; SDKs and scripts may pass them.
#[derive(Debug, Args)]
struct Accepted {
    #[arg(long, hide = true)]
    ui_ip: Option<String>,
    #[arg(long, hide = true)]
    ui_public_path: Option<String>,
    #[arg(long, hide = true)]
    ui_asset_path: Option<String>,
    #[arg(long, hide = true)]
    ui_codec_endpoint: Option<String>,
    #[arg(long, hide = true)]
    ui_disable_news_fetch: bool,
    #[arg(long, hide = true)]
    sqlite_pragma: Vec<String>,
    #[arg(long, hide = true)]
    log_config: bool,
}

const UI_PORT_ABOVE: i64 = 1000;

impl StartDev {
    pub(super) fn run(self, common: &CommonFlags) -> Done {
        let (config, complaints) = self.config()?;
        let persistence = match &config.storage {
            Storage::Memory => "in-memory".to_owned(),
            Storage::Directory(path) => path.display().to_string(),
        };
        let out = common.printer();
        serve(config, common, LogLevel::Warn, |server| {
            super::complain(&complaints);
            announce(server, &self.ip, &persistence, &out);
        })
    }

    fn config(&self) -> Result<(ServerConfig, Vec<String>), CliError> {
        let (dynamic_config, complaints) = self.flags.dynamic_config()?;
        let ui_port = match (self.headless, self.ui_port) {
            (true, _) => None,
            (false, None) if self.port == 0 => Some(0),
            (false, given) => Some(flags::port(given.unwrap_or(self.port + UI_PORT_ABOVE))?),
        };
        let config = ServerConfig {
            ip: flags::ip(&self.ip)?,
            grpc_port: flags::port(self.port)?,
            http_port: Some(flags::port(self.http_port)?).filter(|port| *port != 0),
            ui_port,
            metrics_port: Some(flags::port(self.metrics_port)?),
            storage: self.storage()?,
            namespaces: self.flags.namespace.clone(),
            search_attributes: self.flags.search_attributes()?,
            dynamic_config,
            ..ServerConfig::default()
        };
        Ok((config, complaints))
    }

    /// The store is a folder of the file's name, in a folder that must be there already.
    fn storage(&self) -> Result<Storage, CliError> {
        let Some(path) = &self.db_filename else { return Ok(Storage::Memory) };
        let failed = |source| CliError::File { path: path.clone(), source };
        let path = path::absolute(path).map_err(failed)?;
        if let Some(folder) = path.parent() {
            folder.metadata().map_err(|source| CliError::File { path: folder.to_owned(), source })?;
        }
        if path.is_file() {
            return Err(CliError::options(format!("{} is a file: the store needs a folder", path.display())));
        }
        Ok(Storage::Directory(path))
    }
}

/// The lines that tell a user, and a waiting script, that the server answers.
fn announce(server: &RunningServer, host: &str, persistence: &str, out: &Printer) {
    let line = |label: &str, value: String| out.say(&format!("Abide {:13}{value}", format!("{label}:")));
    line("Server", format!("{host}:{}", server.grpc_address.port()));
    line("Persistence", persistence.to_owned());
    if let Some(address) = server.http_address {
        line("HTTP", format!("{host}:{}", address.port()));
    }
    if let Some(address) = server.ui_address {
        line("UI", format!("http://{host}:{}", address.port()));
    }
    if let Some(address) = server.metrics_address {
        line("Metrics", format!("http://{host}:{}/metrics", address.port()));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        command: StartDev,
    }

    fn config(line: &str) -> Result<ServerConfig, CliError> {
        let arguments = ["start-dev"].into_iter().chain(line.split_whitespace());
        Line::try_parse_from(arguments).unwrap().command.config().map(|(config, _)| config)
    }

    #[test]
    fn ports_follow_the_grpc_port() {
        let plain = config("").unwrap();
        assert_eq!(
            (plain.grpc_port, plain.ui_port, plain.http_port, plain.metrics_port),
            (7233, Some(8233), None, Some(0))
        );
        let chosen = config("--port 1234 --http-port 1235 --ui-port 1236 --metrics-port 1237").unwrap();
        assert_eq!((chosen.ui_port, chosen.http_port, chosen.metrics_port), (Some(1236), Some(1235), Some(1237)));
        assert_eq!(config("--headless --port 1").unwrap().ui_port, None);
        assert!(config("--port 99999999 --headless").is_err());
        assert!(config("--port 65000").is_err(), "the port of the web interface is too high");
    }

    #[test]
    fn what_sdks_pass_is_understood() {
        let config = config(
            "--port 1 --namespace default --ip 127.0.0.1 --dynamic-config-value frontend.enableServerVersionCheck=false \
             --dynamic-config-value system.system.refreshNexusEndpointsMinWait=\"0s\" --headless --sqlite-pragma a=b \
             --search-attribute Word=keyword -n other",
        )
        .unwrap();
        assert_eq!(config.namespaces, ["default", "other"]);
        assert_eq!(config.search_attributes.len(), 1);
        assert_eq!(config.storage, Storage::Memory);
    }

    #[test]
    fn the_store_needs_a_folder_to_be_in() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| format!("--db-filename {}", folder.path().join(name).display());
        assert_eq!(config(&at("x.db")).unwrap().storage, Storage::Directory(folder.path().join("x.db")));
        assert!(config(&at("no/such/x.db")).is_err());
        std::fs::write(folder.path().join("file"), "").unwrap();
        assert!(config(&at("file")).is_err());
    }
}
