//! Flags of both servers, and how they are read.

use std::net::{IpAddr, Ipv4Addr, ToSocketAddrs};

use abide_proto::temporal::api::enums::v1::IndexedValueType;
use abide_server::{config::search_attribute_type, dynamic_config::DynamicConfig};
use clap::Args;

use crate::{error::CliError, pairs};

#[derive(Clone, Debug, Default, Args)]
pub(super) struct ServerFlags {
    /// Namespace to make besides default; may be repeated
    #[arg(long, short, value_name = "NAME")]
    pub(super) namespace: Vec<String>,
    /// Search attribute of every namespace made at the start; may be repeated
    #[arg(long, value_name = "NAME=TYPE")]
    search_attribute: Vec<String>,
    /// Setting by its dynamic-config key; unknown keys change nothing; may be repeated
    #[arg(long, value_name = "KEY=JSON")]
    dynamic_config_value: Vec<String>,
}

impl ServerFlags {
    pub(super) fn search_attributes(&self) -> Result<Vec<(String, IndexedValueType)>, CliError> {
        let pairs = self.search_attribute.iter().map(|given| match given.split_once('=') {
            Some((name, kind)) if !name.is_empty() => {
                let bad = |_| CliError::options(format!("--search-attribute {name}: {kind:?} is not a valid type"));
                Ok((name.to_owned(), search_attribute_type(kind).map_err(bad)?))
            }
            _ => Err(CliError::options(format!("--search-attribute {given:?}: expected NAME=TYPE"))),
        });
        pairs.collect()
    }

    /// The settings, with what was wrong with known ones.
    pub(super) fn dynamic_config(&self) -> Result<(DynamicConfig, Vec<String>), CliError> {
        let values = pairs::json("--dynamic-config-value", &self.dynamic_config_value)?;
        let (config, bad) = DynamicConfig::from_values(values.iter().map(|(key, value)| (key.as_str(), value)));
        Ok((config, bad.iter().map(ToString::to_string).collect()))
    }
}

/// A port; 0 is a free one.
pub(super) fn port(number: i64) -> Result<u16, CliError> {
    number.try_into().map_err(|_| CliError::options(format!("invalid port {number}")))
}

/// The address of a name: `localhost` is 127.0.0.1.
pub(super) fn ip(host: &str) -> Result<IpAddr, CliError> {
    if host == "localhost" {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    if let Ok(address) = host.parse() {
        return Ok(address);
    }
    let bad = |why: &str| CliError::options(format!("--ip {host:?} is not a valid address: {why}"));
    let mut found = (host, 0).to_socket_addrs().map_err(|error| bad(&error.to_string()))?;
    found.next().map(|address| address.ip()).ok_or_else(|| bad("it has none"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn attributes_have_a_type_in_any_case() {
        let read = |given: &str| {
            let flags = ServerFlags { search_attribute: vec![given.to_owned()], ..ServerFlags::default() };
            flags.search_attributes()
        };
        assert_eq!(read("Word=keyword").unwrap(), [("Word".to_owned(), IndexedValueType::Keyword)]);
        assert!(read("Word").is_err() && read("Word=Colour").is_err() && read("=Int").is_err());
    }

    #[test]
    fn settings_are_json_and_unknown_keys_pass() {
        let read = |given: &str| {
            let flags = ServerFlags { dynamic_config_value: vec![given.to_owned()], ..ServerFlags::default() };
            flags.dynamic_config()
        };
        assert_eq!(read("some.key=[1]").unwrap().1, Vec::<String>::new());
        assert_eq!(read("frontend.WorkflowPauseEnabled=1").unwrap().1.len(), 1);
        assert!(read("frontend.WorkflowPauseEnabled=true").unwrap().0.workflow_pause);
        assert!(read("nothing").is_err() && read("a=bare").is_err());
    }

    #[test]
    fn ports_and_addresses() {
        assert_eq!(port(7233).unwrap(), 7233);
        assert!(port(65_536).is_err() && port(-1).is_err());
        assert_eq!(ip("localhost").unwrap(), ip("127.0.0.1").unwrap());
        assert!(ip("not an address").is_err());
    }
}
