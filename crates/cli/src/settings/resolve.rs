//! The options of a client command, from all their places.

use std::{collections::BTreeMap, env, fs};

use toml::{Table, Value};

use super::{DEFAULT, Property, config_file, variable};
use crate::{
    error::CliError,
    flags::{ClientFlags, CommonFlags},
    pairs,
    span::Span,
};

/// All that a connection needs.
#[derive(Clone, Debug)]
pub(crate) struct ClientOptions {
    pub(crate) address: String,
    pub(crate) namespace: String,
    pub(crate) identity: String,
    pub(crate) authority: Option<String>,
    /// Headers of every call, `authorization` among them.
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) connect_timeout: Option<Span>,
}

const TLS_VARIABLES: [&str; 8] = [
    "TEMPORAL_TLS_CLIENT_CERT_PATH",
    "TEMPORAL_TLS_CLIENT_CERT_DATA",
    "TEMPORAL_TLS_CLIENT_KEY_PATH",
    "TEMPORAL_TLS_CLIENT_KEY_DATA",
    "TEMPORAL_TLS_SERVER_CA_CERT_PATH",
    "TEMPORAL_TLS_SERVER_CA_CERT_DATA",
    "TEMPORAL_TLS_SERVER_NAME",
    "TEMPORAL_TLS_DISABLE_HOST_VERIFICATION",
];
const META_VARIABLES: &str = "TEMPORAL_GRPC_META_";

struct Sources<'a> {
    common: &'a CommonFlags,
    profile: Table,
}

impl Sources<'_> {
    fn variable(&self, name: &str) -> Option<String> {
        if self.common.disable_config_env { None } else { variable(name) }
    }

    fn text(&self, flag: Option<&String>, variable: &str, property: &str) -> Option<String> {
        let in_profile = || Property::named(property).ok()?.get(&self.profile);
        flag.cloned().or_else(|| self.variable(variable)).or_else(in_profile)
    }

    /// `--tls` decides; without it, anything that only TLS needs turns it on, and so does an API key.
    fn tls(&self, flags: &ClientFlags, has_api_key: bool) -> Result<bool, CliError> {
        if let Some(tls) = flags.tls {
            return Ok(tls);
        }
        if let Some(text) = self.variable("TEMPORAL_TLS") {
            return text.parse().map_err(|_| CliError::options(format!("TEMPORAL_TLS: {text:?} is not a valid bool")));
        }
        let in_profile = match self.profile.get("tls").map(|tls| tls.get("disabled")) {
            Some(disabled) => disabled.and_then(Value::as_bool) != Some(true),
            None => has_api_key,
        };
        Ok(flags.implies_tls() || TLS_VARIABLES.iter().any(|name| self.variable(name).is_some()) || in_profile)
    }

    fn headers(&self, flags: &ClientFlags) -> Result<BTreeMap<String, String>, CliError> {
        let mut headers = BTreeMap::new();
        for (key, value) in self.profile.get("grpc_meta").and_then(Value::as_table).into_iter().flatten() {
            headers.insert(key.to_lowercase(), value.as_str().unwrap_or_default().to_owned());
        }
        if !self.common.disable_config_env {
            for (name, value) in env::vars() {
                if let Some(key) = name.strip_prefix(META_VARIABLES) {
                    headers.insert(key.to_lowercase().replace('_', "-"), value);
                }
            }
        }
        for (key, value) in pairs::texts("--grpc-meta", &flags.grpc_meta)? {
            headers.insert(key.to_lowercase(), value);
        }
        Ok(headers)
    }
}

pub(crate) fn client_options(flags: &ClientFlags, common: &CommonFlags) -> Result<ClientOptions, CliError> {
    let sources = Sources { common, profile: config_file::chosen_profile(common)? };
    let api_key = sources.text(flags.api_key.as_ref(), "TEMPORAL_API_KEY", "api_key");
    if sources.tls(flags, api_key.is_some())? {
        return Err(CliError::options("TLS is not supported yet: connect without it, or say --tls=false"));
    }
    if sources.text(flags.codec_endpoint.as_ref(), "TEMPORAL_CODEC_ENDPOINT", "codec.endpoint").is_some() {
        return Err(CliError::options("remote codecs are not supported yet"));
    }
    let mut headers = sources.headers(flags)?;
    if let Some(key) = api_key {
        headers.insert("authorization".to_owned(), format!("Bearer {key}"));
    }
    let or_default = |given: Option<String>, default: &str| given.unwrap_or_else(|| default.to_owned());
    Ok(ClientOptions {
        address: or_default(sources.text(flags.address.as_ref(), "TEMPORAL_ADDRESS", "address"), "localhost:7233"),
        namespace: or_default(sources.text(flags.namespace.as_ref(), "TEMPORAL_NAMESPACE", "namespace"), DEFAULT),
        identity: flags.identity.clone().unwrap_or_else(identity),
        authority: flags.client_authority.clone(),
        headers,
        connect_timeout: common.client_connect_timeout,
    })
}

/// Who runs the command, for texts that name the user.
pub(crate) fn user() -> String {
    variable("USER").or_else(|| variable("LOGNAME")).unwrap_or_else(|| "unknown".to_owned())
}

fn identity() -> String {
    let host = ["/proc/sys/kernel/hostname", "/etc/hostname"].iter().find_map(|path| fs::read_to_string(path).ok());
    let host = host.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).or_else(|| variable("HOSTNAME"));
    format!("temporal-cli:{}@{}", user(), host.unwrap_or_else(|| "unknown".to_owned()))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Flags {
        #[command(flatten)]
        common: CommonFlags,
        #[command(flatten)]
        client: ClientFlags,
    }

    /// Variables are left out, as the tests' own environment has a say in them.
    fn options(profile: &str, arguments: &str) -> Result<ClientOptions, CliError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        fs::write(&path, profile).unwrap();
        let line = format!("x --disable-config-env --config-file {} {arguments}", path.display());
        let flags = Flags::try_parse_from(line.split_whitespace()).unwrap();
        client_options(&flags.client, &flags.common)
    }

    #[test]
    fn flags_beat_the_profile_and_the_profile_beats_defaults() {
        let profile = "[profile.default]\naddress = 'a:1'\nnamespace = 'ns'\ngrpc_meta = { X = 'y' }\n[profile.prod]\naddress = 'p:1'\n";
        let found = options(profile, "--namespace mine --grpc-meta z=1").unwrap();
        assert_eq!((found.address.as_str(), found.namespace.as_str()), ("a:1", "mine"));
        assert_eq!(found.headers, BTreeMap::from([("x".into(), "y".into()), ("z".into(), "1".into())]));
        let found = options(profile, "--profile prod").unwrap();
        assert_eq!((found.address.as_str(), found.namespace.as_str()), ("p:1", "default"));
        assert!(options(profile, "--profile none").is_err());
        assert_eq!(options(profile, "--disable-config-file").unwrap().address, "localhost:7233");
    }

    #[test]
    fn whatever_needs_tls_is_refused() {
        assert!(options("", "").is_ok());
        for arguments in ["--tls", "--tls-server-name x", "--api-key k", "--tls-disable-host-verification"] {
            assert!(options("", arguments).is_err(), "{arguments}");
        }
        assert_eq!(options("", "--api-key k --tls=false").unwrap().headers["authorization"], "Bearer k");
        assert!(options("[profile.default.tls]\n", "").is_err());
        assert!(options("[profile.default.tls]\ndisabled = true\n", "").is_ok());
    }
}
