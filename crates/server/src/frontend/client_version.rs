//! The versions in the metadata: which clients the server speaks to, and which servers a client wants (spec §3.37).
use http::HeaderMap;
use tonic::Status;

use crate::{
    semver::{Range, Version},
    status,
};

/// The version of the API behaviour that this server has; clients compare it with what they need.
pub const SERVER_VERSION: Version = Version::new(1, 32, 0);

/// The clients whose versions are looked at, with the first major version that is not supported.
pub const SUPPORTED_CLIENTS: [(&str, &str, u64); 8] = [
    ("temporal-go", "<2.0.0", 2),
    ("temporal-java", "<2.0.0", 2),
    ("temporal-typescript", "<2.0.0", 2),
    ("temporal-php", "<2.0.0", 2),
    ("temporal-cli", "<2.0.0", 2),
    ("temporal-server", "<2.0.0", 2),
    ("temporal-ui", "<3.0.0", 3),
    ("Nexus-go-sdk", "<2.0.0", 2),
];

/// Refuses a client that is out of range, or that asks for servers that this one is not among.
pub fn check(headers: &HeaderMap, server: &Version) -> Result<(), Status> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok()).filter(|text| !text.is_empty());
    let (Some(name), Some(version)) = (header("client-name"), header("client-version")) else {
        return Ok(());
    };
    if let Some((_, supported, major)) = SUPPORTED_CLIENTS.iter().find(|(known, ..)| *known == name) {
        let parsed: Version =
            version.parse().map_err(|e| status::invalid_argument(format!("Unable to parse client version: {e}")))?;
        if parsed >= Version::new(*major, 0, 0) {
            return Err(status::client_version_not_supported(name, version, supported));
        }
    }
    if let Some(wanted) = header("supported-server-versions") {
        let range: Range = wanted
            .parse()
            .map_err(|e| status::invalid_argument(format!("Unable to parse supported server versions: {e}")))?;
        if !range.contains(server) {
            return Err(status::server_version_not_supported(&server.to_string(), wanted));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use tonic::Code;

    use super::*;

    fn checked(headers: &[(&'static str, &'static str)]) -> Result<(), (Code, String)> {
        let headers =
            headers.iter().map(|(name, value)| (name.parse().expect("a name"), HeaderValue::from_static(value)));
        check(&headers.collect(), &SERVER_VERSION).map_err(|status| (status.code(), status.message().to_owned()))
    }

    #[test]
    fn known_clients_must_be_in_range() {
        let client = |name, version| checked(&[("client-name", name), ("client-version", version)]);
        assert_eq!(client("temporal-go", "1.99.0"), Ok(()));
        assert_eq!(client("temporal-go", "2.0.0-rc1"), Ok(()));
        assert_eq!(client("temporal-ui", "2.9.0"), Ok(()));
        assert_eq!(client("temporal-python", "nonsense"), Ok(()));
        assert_eq!(client("temporal-go", ""), Ok(()));
        let text = "Client version 2.0.0 is not supported. Server supports temporal-go versions: <2.0.0";
        assert_eq!(client("temporal-go", "2.0.0"), Err((Code::FailedPrecondition, text.into())));
        let text = "Unable to parse client version: No Major.Minor.Patch elements found";
        assert_eq!(client("temporal-go", "1.2"), Err((Code::InvalidArgument, text.into())));
    }

    #[test]
    fn any_client_may_ask_for_server_versions() {
        let wants =
            |range| checked(&[("client-name", "mine"), ("client-version", "1"), ("supported-server-versions", range)]);
        assert_eq!(wants(">=1.0.0 <2.0.0"), Ok(()));
        let text = "Server version 1.32.0 is not supported. Client supports server versions: >=2.0.0";
        assert_eq!(wants(">=2.0.0"), Err((Code::FailedPrecondition, text.into())));
        assert!(matches!(wants("nonsense"), Err((Code::InvalidArgument, _))));
    }
}
