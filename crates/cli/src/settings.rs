//! Where options come from: a flag, then the old environment file, then variables, then the profile of the config file.

pub(crate) mod config_file;
pub(crate) mod env_file;
mod file;
mod profile;
mod resolve;

use std::{env, path::PathBuf};

pub(crate) use profile::Property;
pub(crate) use resolve::{ClientOptions, client_options, user};

/// The name of an environment or profile that nobody named.
pub(crate) const DEFAULT: &str = "default";

/// A variable that is set and not empty.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// A file of the user's configuration folder.
fn user_file(name: &str) -> PathBuf {
    let folder = variable("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".config")))
        .unwrap_or_default();
    folder.join("temporalio").join(name)
}
