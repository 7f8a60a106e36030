//! The config file: TOML with a table for each profile.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::{DEFAULT, file, user_file, variable};
use crate::{error::CliError, flags::CommonFlags};

pub(crate) use super::profile::present;

const PROFILE: &str = "profile";

#[derive(Debug, Default)]
pub(crate) struct ConfigFile {
    document: Table,
}

pub(crate) fn path(common: &CommonFlags) -> PathBuf {
    let given = common.config_file.clone().or_else(|| variable("TEMPORAL_CONFIG_FILE").map(PathBuf::from));
    given.unwrap_or_else(|| user_file("temporal.toml"))
}

/// The profile's name if the user gave one.
pub(crate) fn named_profile(common: &CommonFlags) -> Option<String> {
    common.profile.clone().or_else(|| variable("TEMPORAL_PROFILE"))
}

/// The profile that supplies options; one that is named must exist.
pub(super) fn chosen_profile(common: &CommonFlags) -> Result<Table, CliError> {
    if common.disable_config_file {
        return Ok(Table::new());
    }
    let file = ConfigFile::read(&path(common))?;
    match named_profile(common) {
        Some(name) => file.profile(&name).cloned().ok_or_else(|| not_found(&name)),
        None => Ok(file.profile(DEFAULT).cloned().unwrap_or_default()),
    }
}

pub(crate) fn not_found(profile: &str) -> CliError {
    CliError::NotFound(format!("profile {profile:?}"))
}

impl ConfigFile {
    /// A file that is not there holds nothing; one that is no TOML is an error.
    pub(crate) fn read(path: &Path) -> Result<Self, CliError> {
        let Some(text) = file::read(path)? else { return Ok(Self::default()) };
        let document = text.parse().map_err(|error: toml::de::Error| {
            CliError::options(format!("{}: not valid TOML: {}", path.display(), error.message()))
        })?;
        Ok(Self { document })
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), CliError> {
        let mut text = String::new();
        render(&self.document, &mut Vec::new(), &mut text);
        file::replace(path, &text)
    }

    pub(crate) fn profiles(&self) -> impl Iterator<Item = &str> {
        self.document.get(PROFILE).and_then(Value::as_table).into_iter().flat_map(Table::keys).map(String::as_str)
    }

    pub(crate) fn profile(&self, name: &str) -> Option<&Table> {
        self.document.get(PROFILE)?.get(name)?.as_table()
    }

    /// The profile, made if it is not there.
    pub(crate) fn profile_mut(&mut self, name: &str) -> Result<&mut Table, CliError> {
        let bad = || CliError::options(format!("the config file has no valid table for profile {name:?}"));
        let profiles = self.document.entry(PROFILE).or_insert_with(|| Value::Table(Table::new()));
        let profile =
            profiles.as_table_mut().ok_or_else(bad)?.entry(name).or_insert_with(|| Value::Table(Table::new()));
        profile.as_table_mut().ok_or_else(bad)
    }

    /// Whether the profile was there.
    pub(crate) fn remove_profile(&mut self, name: &str) -> bool {
        let profiles = self.document.get_mut(PROFILE).and_then(Value::as_table_mut);
        profiles.and_then(|profiles| profiles.remove(name)).is_some()
    }
}

/// Tables below each other are indented; values come before the tables of a table.
fn render(table: &Table, path: &mut Vec<String>, out: &mut String) {
    let depth = path.len();
    for (key, value) in table.iter().filter(|(_, value)| !value.is_table()) {
        out.push_str(&format!("{:depth$}{:depth$}{} = {value}\n", "", "", key_text(key)));
    }
    for (key, value) in table {
        if let Value::Table(inner) = value {
            path.push(key_text(key));
            out.push_str(&format!("{:depth$}{:depth$}[{}]\n", "", "", path.join(".")));
            render(inner, path, out);
            path.pop();
        }
    }
}

fn key_text(key: &str) -> String {
    let bare = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
    if bare { key.to_owned() } else { Value::from(key).to_string() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::settings::Property;

    #[test]
    fn the_form_is_that_of_other_tools_and_reads_back() {
        let mut file = ConfigFile::default();
        let mut set = |profile: &str, name: &str, text: &str| {
            Property::named(name).unwrap().set(file.profile_mut(profile).unwrap(), text).unwrap();
        };
        set("default", "address", "example.com:7233");
        set("prod", "namespace", "ns1");
        set("prod", "grpc_meta.a", "b");
        set("prod", "tls.disabled", "true");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/temporal.toml");
        file.write(&path).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert_eq!(
            text,
            "[profile]\n  [profile.default]\n    address = \"example.com:7233\"\n  [profile.prod]\n    namespace = \"ns1\"\n    \
             [profile.prod.grpc_meta]\n      a = \"b\"\n    [profile.prod.tls]\n      disabled = true\n"
        );
        let mut back = ConfigFile::read(&path).unwrap();
        assert_eq!(back.document, file.document);
        assert_eq!(back.profiles().collect::<Vec<_>>(), ["default", "prod"]);
        assert!(back.remove_profile("prod") && !back.remove_profile("prod"));
    }

    #[test]
    fn only_what_is_no_toml_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.toml");
        assert!(ConfigFile::read(&path).unwrap().document.is_empty());
        std::fs::write(&path, "unknown = [1, 2]\n[profile.\"a b\"]\nx = 1.5\n").unwrap();
        let file = ConfigFile::read(&path).unwrap();
        file.write(&path).unwrap();
        assert_eq!(ConfigFile::read(&path).unwrap().document, file.document);
        std::fs::write(&path, "[profile").unwrap();
        assert!(ConfigFile::read(&path).is_err());
    }
}
