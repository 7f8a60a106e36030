//! The properties of a profile, by the names that `config get` and `config set` know them.

use toml::{Table, Value};

/// A property's place in the table of a profile.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Property {
    path: Vec<String>,
    is_bool: bool,
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown property {0:?}")]
pub(crate) struct UnknownProperty(String);

const TEXTS: [&str; 12] = [
    "address",
    "namespace",
    "api_key",
    "codec.auth",
    "codec.endpoint",
    "tls.client_cert_data",
    "tls.client_cert_path",
    "tls.client_key_data",
    "tls.client_key_path",
    "tls.server_ca_cert_data",
    "tls.server_ca_cert_path",
    "tls.server_name",
];
const BOOLS: [&str; 3] = ["tls", "tls.disabled", "tls.disable_host_verification"];
const GRPC_META: &str = "grpc_meta";

impl Property {
    pub(crate) fn named(name: &str) -> Result<Self, UnknownProperty> {
        let is_bool = BOOLS.contains(&name);
        let known = is_bool || TEXTS.contains(&name);
        let path = match name.split_once('.') {
            Some((GRPC_META, key)) if !key.is_empty() => vec![GRPC_META.to_owned(), key.to_owned()],
            _ if known => name.split('.').map(str::to_owned).collect(),
            _ => return Err(UnknownProperty(name.to_owned())),
        };
        Ok(Self { path, is_bool })
    }

    /// The value as text; none if the profile does not have it.
    pub(crate) fn get(&self, profile: &Table) -> Option<String> {
        match self.find(profile)? {
            Value::String(text) => Some(text.clone()),
            Value::Table(_) => Some("true".to_owned()), // `tls`: that the table is there
            other => Some(other.to_string()),
        }
    }

    fn find<'a>(&self, profile: &'a Table) -> Option<&'a Value> {
        let (first, rest) = self.path.split_first()?;
        rest.iter().try_fold(profile.get(first)?, |value, key| value.get(key.as_str()))
    }

    /// Writes the value; a bool that is none is refused.
    pub(crate) fn set(&self, profile: &mut Table, text: &str) -> Result<(), String> {
        let value = if self.is_bool {
            Value::Boolean(text.parse().map_err(|_| format!("{text:?} is not a valid bool"))?)
        } else {
            Value::String(text.to_owned())
        };
        match (self.path.as_slice(), value) {
            ([_], Value::Boolean(true)) => drop(profile.entry("tls").or_insert_with(|| Value::Table(Table::new()))),
            ([_], Value::Boolean(false)) => drop(profile.remove("tls")),
            ([key], value) => drop(profile.insert(key.clone(), value)),
            ([table, key, ..], value) => {
                let table = profile.entry(table.as_str()).or_insert_with(|| Value::Table(Table::new()));
                let table = table.as_table_mut().ok_or_else(|| format!("{} is not a valid table", self.path[0]))?;
                table.insert(key.clone(), value);
            }
            ([], _) => {}
        }
        Ok(())
    }

    pub(crate) fn remove(&self, profile: &mut Table) {
        match self.path.as_slice() {
            [key] => drop(profile.remove(key)),
            [table, key, ..] => {
                if let Some(inner) = profile.get_mut(table).and_then(Value::as_table_mut) {
                    inner.remove(key);
                }
            }
            [] => {}
        }
    }
}

/// Every known property that the profile has, by name, with its value.
pub(crate) fn present(profile: &Table) -> Vec<(String, String)> {
    let meta = profile.get(GRPC_META).and_then(Value::as_table);
    let meta = meta.into_iter().flat_map(Table::keys).map(|key| format!("{GRPC_META}.{key}"));
    let mut names: Vec<String> = TEXTS.iter().chain(&BOOLS).map(|name| (*name).to_owned()).chain(meta).collect();
    names.sort();
    let value = |name: String| Some((name.clone(), Property::named(&name).ok()?.get(profile)?));
    names.into_iter().filter_map(value).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn properties_are_set_read_and_removed() {
        let mut profile = Table::new();
        for (name, text) in [("address", "h:1"), ("grpc_meta.a", "b"), ("tls.disabled", "true")] {
            Property::named(name).unwrap().set(&mut profile, text).unwrap();
        }
        let shown =
            |profile: &Table| present(profile).into_iter().map(|(name, value)| name + "=" + &value).collect::<Vec<_>>();
        assert_eq!(shown(&profile), ["address=h:1", "grpc_meta.a=b", "tls=true", "tls.disabled=true"]);
        assert_eq!(profile["tls"]["disabled"], Value::Boolean(true));
        Property::named("tls").unwrap().set(&mut profile, "false").unwrap();
        Property::named("address").unwrap().remove(&mut profile);
        assert_eq!(shown(&profile), ["grpc_meta.a=b"]);
    }

    #[test]
    fn unknown_names_and_bad_bools_are_refused() {
        assert_eq!(Property::named("colour").unwrap_err().to_string(), "unknown property \"colour\"");
        assert!(Property::named("grpc_meta.").is_err());
        assert!(Property::named("tls.disabled").unwrap().set(&mut Table::new(), "maybe").is_err());
    }
}
