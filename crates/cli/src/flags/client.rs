//! Flags of every command that talks to a server.

use clap::Args;

/// As given; `settings` fills in the rest from variables and the profile.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Options of the connection")]
pub(crate) struct ClientFlags {
    /// Server address [env: TEMPORAL_ADDRESS] [default: localhost:7233]
    #[arg(long, global = true, value_name = "HOST:PORT")]
    pub(crate) address: Option<String>,
    /// The :authority header of every call
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) client_authority: Option<String>,
    /// Namespace [env: TEMPORAL_NAMESPACE] [default: default]
    #[arg(long, short, global = true, value_name = "NAME")]
    pub(crate) namespace: Option<String>,
    /// API key, sent as a bearer token [env: TEMPORAL_API_KEY]
    #[arg(long, global = true, value_name = "KEY")]
    pub(crate) api_key: Option<String>,
    /// Header of every call; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub(crate) grpc_meta: Vec<String>,
    /// Connect by TLS [env: TEMPORAL_TLS]
    #[arg(long, global = true, num_args = 0..=1, require_equals = true, default_missing_value = "true", value_name = "BOOL")]
    pub(crate) tls: Option<bool>,
    /// Path of the client's certificate [env: TEMPORAL_TLS_CLIENT_CERT_PATH]
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) tls_cert_path: Option<String>,
    /// The client's certificate [env: TEMPORAL_TLS_CLIENT_CERT_DATA]
    #[arg(long, global = true, value_name = "PEM")]
    pub(crate) tls_cert_data: Option<String>,
    /// Path of the client's key [env: TEMPORAL_TLS_CLIENT_KEY_PATH]
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) tls_key_path: Option<String>,
    /// The client's key [env: TEMPORAL_TLS_CLIENT_KEY_DATA]
    #[arg(long, global = true, value_name = "PEM")]
    pub(crate) tls_key_data: Option<String>,
    /// Path of the certificate that the server's is checked against [env: TEMPORAL_TLS_SERVER_CA_CERT_PATH]
    #[arg(long, global = true, value_name = "PATH")]
    pub(crate) tls_ca_path: Option<String>,
    /// The certificate that the server's is checked against [env: TEMPORAL_TLS_SERVER_CA_CERT_DATA]
    #[arg(long, global = true, value_name = "PEM")]
    pub(crate) tls_ca_data: Option<String>,
    /// Do not check the server's name [env: TEMPORAL_TLS_DISABLE_HOST_VERIFICATION]
    #[arg(long, global = true)]
    pub(crate) tls_disable_host_verification: bool,
    /// The server's name in its certificate [env: TEMPORAL_TLS_SERVER_NAME]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) tls_server_name: Option<String>,
    /// Address of a remote codec [env: TEMPORAL_CODEC_ENDPOINT]
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) codec_endpoint: Option<String>,
    /// Authorization header for the remote codec [env: TEMPORAL_CODEC_AUTH]
    #[arg(long, global = true, value_name = "VALUE")]
    pub(crate) codec_auth: Option<String>,
    /// Header for the remote codec; may be repeated
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub(crate) codec_header: Vec<String>,
    /// Who makes the calls.
    #[arg(long, global = true, value_name = "NAME", help = "Who makes the calls [default: temporal-cli:USER@HOST]")]
    pub(crate) identity: Option<String>,
}

impl ClientFlags {
    /// Whether a flag asks for TLS without saying `--tls`.
    pub(crate) fn implies_tls(&self) -> bool {
        let named = [
            &self.tls_cert_path,
            &self.tls_cert_data,
            &self.tls_key_path,
            &self.tls_key_data,
            &self.tls_ca_path,
            &self.tls_ca_data,
            &self.tls_server_name,
        ];
        self.tls_disable_host_verification || named.iter().any(|flag| flag.is_some())
    }
}
