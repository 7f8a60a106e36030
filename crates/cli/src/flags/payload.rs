//! `--input` and its relatives.

use std::{collections::BTreeMap, fs};

use abide_proto::temporal::api::common::v1::{Payload, Payloads};
use base64::{Engine, prelude::BASE64_STANDARD};
use clap::Args;

use crate::{error::CliError, pairs};

#[derive(Clone, Debug, Default, Args)]
pub(crate) struct PayloadFlags {
    /// Input value, JSON unless --input-meta says otherwise; may be repeated
    #[arg(long, short, value_name = "JSON")]
    pub(crate) input: Vec<String>,
    /// File with an input value; may be repeated
    #[arg(long, value_name = "PATH")]
    pub(crate) input_file: Vec<String>,
    /// Metadata of the inputs; a repeated key goes to the inputs in their order
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) input_meta: Vec<String>,
    /// The inputs are base64
    #[arg(long)]
    pub(crate) input_base64: bool,
}

const ENCODING: &str = "encoding";
const JSON_PLAIN: &str = "json/plain";

impl PayloadFlags {
    /// The inputs as payloads; none if no input was given.
    pub(crate) fn payloads(&self) -> Result<Option<Payloads>, CliError> {
        let raw = self.raw_values()?;
        if raw.is_empty() {
            return Ok(None);
        }
        let metadata = self.metadata()?;
        let payloads = raw.into_iter().enumerate().map(|(index, data)| self.payload(index, data, &metadata));
        Ok(Some(Payloads { payloads: payloads.collect::<Result<_, _>>()? }))
    }

    fn raw_values(&self) -> Result<Vec<Vec<u8>>, CliError> {
        match (self.input.is_empty(), self.input_file.is_empty()) {
            (false, false) => Err(CliError::options("cannot use both --input and --input-file")),
            (false, true) => Ok(self.input.iter().map(|input| input.clone().into_bytes()).collect()),
            (true, _) => self.input_file.iter().map(|path| read(path)).collect(),
        }
    }

    fn metadata(&self) -> Result<BTreeMap<String, Vec<String>>, CliError> {
        let mut by_key: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (key, value) in pairs::texts("--input-meta", &self.input_meta)? {
            by_key.entry(key).or_default().push(value);
        }
        Ok(by_key)
    }

    fn payload(
        &self,
        index: usize,
        data: Vec<u8>,
        metadata: &BTreeMap<String, Vec<String>>,
    ) -> Result<Payload, CliError> {
        let mut chosen: BTreeMap<&str, &str> = BTreeMap::from([(ENCODING, JSON_PLAIN)]);
        for (key, values) in metadata {
            if let Some(value) = values.get(index).or_else(|| values.last()) {
                chosen.insert(key, value);
            }
        }
        let number = index + 1;
        if chosen[ENCODING].starts_with("json/")
            && let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(&data)
        {
            return Err(CliError::options(format!("input {number} is not valid JSON: {error}")));
        }
        let data = if self.input_base64 {
            BASE64_STANDARD
                .decode(data.trim_ascii())
                .map_err(|error| CliError::options(format!("input {number} is not valid base64: {error}")))?
        } else {
            data
        };
        let metadata = chosen.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned().into())).collect();
        Ok(Payload { metadata, data: data.into(), ..Payload::default() })
    }
}

fn read(path: &str) -> Result<Vec<u8>, CliError> {
    fs::read(path).map_err(|source| CliError::File { path: path.into(), source })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn flags(input: &[&str], meta: &[&str], base64: bool) -> PayloadFlags {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        PayloadFlags { input: owned(input), input_meta: owned(meta), input_base64: base64, ..PayloadFlags::default() }
    }

    fn encodings(payloads: &Payloads) -> Vec<&[u8]> {
        payloads.payloads.iter().map(|payload| payload.metadata[ENCODING].as_ref()).collect()
    }

    #[test]
    fn inputs_are_json_unless_said_otherwise() {
        let payloads = flags(&["1", r#"{"a":2}"#], &[], false).payloads().unwrap().unwrap();
        assert_eq!(encodings(&payloads), [b"json/plain", b"json/plain"]);
        assert_eq!(&payloads.payloads[1].data[..], br#"{"a":2}"#);
        assert!(flags(&["bare"], &[], false).payloads().is_err());
        assert!(flags(&["bare"], &["encoding=text/plain"], false).payloads().is_ok());
        assert_eq!(flags(&[], &[], false).payloads().unwrap(), None);
    }

    #[test]
    fn repeated_metadata_goes_to_the_inputs_in_order() {
        let flags = flags(&["a", "b", "c"], &["encoding=x/1", "encoding=x/2"], false);
        assert_eq!(encodings(&flags.payloads().unwrap().unwrap()), [b"x/1", b"x/2", b"x/2"]);
    }

    #[test]
    fn base64_is_decoded_after_the_check_for_json() {
        let decoded = flags(&["AAE="], &["encoding=binary/plain"], true).payloads().unwrap().unwrap();
        assert_eq!(&decoded.payloads[0].data[..], [0, 1]);
        assert!(flags(&["AAE="], &[], true).payloads().is_err());
        assert!(flags(&["***"], &["encoding=binary/plain"], true).payloads().is_err());
    }
}
