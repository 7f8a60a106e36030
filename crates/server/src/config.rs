//! How a server is set up: what the command line, or a test, decides before it starts.
use std::{
    net::{IpAddr, Ipv4Addr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use abide_proto::temporal::api::enums::v1::IndexedValueType;

use crate::{dynamic_config::DynamicConfig, grpc::connection::ConnectionLimits};

/// Number of shards of a new store. A store keeps the number that it was made with.
pub const SHARD_COUNT: u16 = 16;

/// Everything that is fixed for the life of a process.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The address that every listener binds to.
    pub ip: IpAddr,
    /// Port of the gRPC service; 0 takes any free one.
    pub grpc_port: u16,
    /// Port of the HTTP/JSON API; none for no listener, 0 for any free one.
    pub http_port: Option<u16>,
    /// Port of the web page; none when headless.
    pub ui_port: Option<u16>,
    /// Port of `/metrics`; none for no listener.
    pub metrics_port: Option<u16>,
    pub storage: Storage,
    /// Namespaces that exist after the start, besides `default`.
    pub namespaces: Vec<String>,
    /// How long a closed run of the namespaces made at the start is kept.
    pub default_retention: Duration,
    /// Search attributes that every namespace made at the start has.
    pub search_attributes: Vec<(String, IndexedValueType)>,
    pub shard_count: u16,
    pub dynamic_config: DynamicConfig,
    /// How long a shutdown waits for the calls that are under way.
    pub drain_timeout: Duration,
    pub connections: ConnectionLimits,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self {
            ip: IpAddr::V4(Ipv4Addr::LOCALHOST),
            grpc_port: 7233,
            http_port: None,
            ui_port: None,
            metrics_port: None,
            storage: Storage::Memory,
            namespaces: Vec::new(),
            default_retention: Duration::from_secs(24 * 3600),
            search_attributes: Vec::new(),
            shard_count: SHARD_COUNT,
            dynamic_config: DynamicConfig::default(),
            drain_timeout: Duration::from_secs(5),
            connections: ConnectionLimits::default(),
        }
    }
}

/// Where the shards are kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Storage {
    /// Gone when the process ends.
    Memory,
    /// A directory, made when it is not there. One process may use it at a time.
    Directory(PathBuf),
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people: short times, colours on a terminal.
    #[default]
    Pretty,
    /// One plain line per event.
    Text,
    /// One JSON object per event.
    Json,
}

/// The least severe events that are logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogLevel {
    Debug,
    Info,
    #[default]
    Warn,
    Error,
    Never,
}

/// A word that is none of those that an option takes.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{given:?} is not one of {choices}")]
pub struct UnknownChoice {
    given: String,
    choices: &'static str,
}

impl FromStr for LogFormat {
    type Err = UnknownChoice;
    fn from_str(given: &str) -> Result<Self, UnknownChoice> {
        Ok(match given {
            "pretty" => Self::Pretty,
            "text" => Self::Text,
            "json" => Self::Json,
            _ => return Err(UnknownChoice { given: given.to_owned(), choices: "pretty, text, json" }),
        })
    }
}

impl FromStr for LogLevel {
    type Err = UnknownChoice;
    fn from_str(given: &str) -> Result<Self, UnknownChoice> {
        Ok(match given {
            "debug" => Self::Debug,
            "info" => Self::Info,
            "warn" => Self::Warn,
            "error" => Self::Error,
            "never" => Self::Never,
            _ => return Err(UnknownChoice { given: given.to_owned(), choices: "debug, info, warn, error, never" }),
        })
    }
}

/// The type of a search attribute as users write it, in any case: `Keyword`, `keywordlist`.
pub fn search_attribute_type(given: &str) -> Result<IndexedValueType, UnknownChoice> {
    Ok(match given.to_ascii_lowercase().as_str() {
        "text" => IndexedValueType::Text,
        "keyword" => IndexedValueType::Keyword,
        "int" => IndexedValueType::Int,
        "double" => IndexedValueType::Double,
        "bool" => IndexedValueType::Bool,
        "datetime" => IndexedValueType::Datetime,
        "keywordlist" => IndexedValueType::KeywordList,
        _ => {
            let choices = "Text, Keyword, Int, Double, Bool, Datetime, KeywordList";
            return Err(UnknownChoice { given: given.to_owned(), choices });
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_of_search_attributes_are_read_in_any_case() {
        assert_eq!(search_attribute_type("KeyWordList"), Ok(IndexedValueType::KeywordList));
        let wrong = search_attribute_type("number").map_err(|e| e.to_string());
        assert_eq!(
            wrong,
            Err("\"number\" is not one of Text, Keyword, Int, Double, Bool, Datetime, KeywordList".into())
        );
    }

    #[test]
    fn log_options_are_words() {
        assert_eq!("json".parse(), Ok(LogFormat::Json));
        assert_eq!("never".parse(), Ok(LogLevel::Never));
        assert!("loud".parse::<LogLevel>().is_err());
    }
}
