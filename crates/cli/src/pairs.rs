//! `KEY=VALUE` flags, and flags whose value is JSON.

use std::collections::BTreeMap;

use abide_proto::temporal::api::common::v1::{Payload, Payloads};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::error::CliError;

/// Pairs whose value is any text; `flag` is named in the error.
pub(crate) fn texts(flag: &str, given: &[String]) -> Result<Vec<(String, String)>, CliError> {
    given
        .iter()
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
            _ => Err(CliError::options(format!("{flag} {pair:?}: expected KEY=VALUE"))),
        })
        .collect()
}

/// Pairs whose value is JSON.
pub(crate) fn json(flag: &str, given: &[String]) -> Result<BTreeMap<String, Value>, CliError> {
    let parsed = texts(flag, given)?.into_iter().map(|(key, value)| match serde_json::from_str(&value) {
        Ok(value) => Ok((key, value)),
        Err(error) => Err(CliError::options(format!("{flag} {key}: {value:?} is not valid JSON: {error}"))),
    });
    parsed.collect()
}

/// Pairs whose value is JSON, as payloads by key; none if no pair was given.
pub(crate) fn payloads<M: FromIterator<(String, Payload)>>(
    flag: &str,
    given: &[String],
) -> Result<Option<M>, CliError> {
    let values = json(flag, given)?;
    let payloads = values.into_iter().map(|(key, value)| (key, json_payload(&value)));
    Ok((!given.is_empty()).then(|| payloads.collect()))
}

/// The JSON value of a flag, letter by letter, as a list of one payload.
pub(crate) fn json_payloads(flag: &str, given: String) -> Result<Payloads, CliError> {
    match serde_json::from_str::<IgnoredAny>(&given) {
        Ok(_) => Ok(Payloads { payloads: vec![json_plain(given)] }),
        Err(error) => Err(CliError::options(format!("{flag} {given:?} is not valid JSON: {error}"))),
    }
}

/// A `json/plain` payload.
pub(crate) fn json_payload(value: &Value) -> Payload {
    json_plain(value.to_string())
}

fn json_plain(text: String) -> Payload {
    Payload { metadata: [("encoding".to_owned(), "json/plain".into())].into(), data: text.into(), ..Payload::default() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_pair_has_a_key_and_a_value() {
        let read = |pair: &str| texts("--memo", &[pair.to_owned()]);
        assert_eq!(read("a=b=c").unwrap(), [("a".to_owned(), "b=c".to_owned())]);
        assert_eq!(read("a=").unwrap(), [("a".to_owned(), String::new())]);
        assert_eq!(read("a").unwrap_err().to_string(), r#"--memo "a": expected KEY=VALUE"#);
        assert!(read("=b").is_err());
    }

    #[test]
    fn json_pairs_refuse_bare_words() {
        assert_eq!(json("--memo", &["n=5".to_owned()]).unwrap()["n"], 5);
        assert!(json("--memo", &["n=bare".to_owned()]).is_err());
    }

    #[test]
    fn a_json_value_is_kept_letter_by_letter() {
        let big = "{\"n\": 12345678901234567890123}";
        let payloads = json_payloads("--result", big.to_owned()).unwrap().payloads;
        assert_eq!(payloads.iter().map(|payload| &payload.data[..]).collect::<Vec<_>>(), [big.as_bytes()]);
        let refused = json_payloads("--result", "bare".to_owned()).unwrap_err().to_string();
        assert!(refused.starts_with(r#"--result "bare" is not valid JSON: "#));
    }
}
