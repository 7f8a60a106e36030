//! The old environment file: names of environments, each with flags and their values.
//!
//! It is YAML of one shape only, `env:` over names over `flag: value`, and that is all that is read here.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{DEFAULT, file, user_file, variable};
use crate::error::CliError;

/// Flags and their values.
pub(crate) type Environment = BTreeMap<String, String>;

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct EnvFile {
    pub(crate) environments: BTreeMap<String, Environment>,
}

/// A line that is not of the file's shape.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "line {line}: {text:?} is not valid here: expected names of environments under `env:`, and `flag: value` under each"
)]
pub(crate) struct BadLine {
    line: usize,
    text: String,
}

/// The path of the file, and the environment's name if the user gave one.
pub(crate) fn chosen(flag_file: Option<&Path>, flag_name: Option<&str>) -> (PathBuf, Option<String>) {
    let path = flag_file.map(Path::to_owned).or_else(|| variable("TEMPORAL_ENV_FILE").map(PathBuf::from));
    let name = flag_name.map(str::to_owned).or_else(|| variable("TEMPORAL_ENV"));
    (path.unwrap_or_else(|| user_file("temporal.yaml")), name)
}

/// The flags that the chosen environment supplies. One that is named must exist.
pub(crate) fn supplied(path: &Path, name: Option<&str>) -> Result<Environment, CliError> {
    let mut file = EnvFile::read(path)?;
    match (file.environments.remove(name.unwrap_or(DEFAULT)), name) {
        (Some(environment), _) => Ok(environment),
        (None, None | Some(DEFAULT)) => Ok(Environment::new()),
        (None, Some(name)) => Err(CliError::NotFound(format!("environment {name:?}"))),
    }
}

impl EnvFile {
    /// A file that is not there holds nothing.
    pub(crate) fn read(path: &Path) -> Result<Self, CliError> {
        let Some(text) = file::read(path)? else { return Ok(Self::default()) };
        parse(&text).map_err(|error| CliError::options(format!("{}: {error}", path.display())))
    }

    pub(crate) fn write(&self, path: &Path) -> Result<(), CliError> {
        file::replace(path, &self.render())
    }

    fn render(&self) -> String {
        let mut out = String::from(if self.environments.is_empty() { "env: {}\n" } else { "env:\n" });
        for (name, flags) in &self.environments {
            let end = if flags.is_empty() { ": {}" } else { ":" };
            out.push_str(&format!("    {}{end}\n", scalar(name)));
            for (flag, value) in flags {
                out.push_str(&format!("        {}: {}\n", scalar(flag), scalar(value)));
            }
        }
        out
    }
}

/// Plain if no reader could take it for anything but text.
fn scalar(text: &str) -> String {
    let plain = text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-/@+:".contains(c))
        && !text.ends_with(':')
        && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"].contains(&text.to_ascii_lowercase().as_str());
    if plain { text.to_owned() } else { serde_json::Value::from(text).to_string() }
}

fn parse(text: &str) -> Result<EnvFile, BadLine> {
    let mut file = EnvFile::default();
    let (mut in_env, mut name_indent, mut current) = (false, None, None::<String>);
    for (index, raw) in text.lines().enumerate() {
        let bad = || BadLine { line: index + 1, text: raw.to_owned() };
        let content = raw.trim_start_matches(' ');
        let indent = raw.len() - content.len();
        if content.trim().is_empty() || content.starts_with('#') || content.trim_end() == "---" {
            continue;
        }
        let (key, value) = entry(content).ok_or_else(bad)?;
        if indent == 0 {
            in_env = key == "env";
            (name_indent, current) = (None, None);
            if in_env && value.is_some() {
                return Err(bad());
            }
        } else if in_env && indent <= *name_indent.get_or_insert(indent) {
            if name_indent != Some(indent) || value.is_some() {
                return Err(bad());
            }
            file.environments.entry(key.clone()).or_default();
            current = Some(key);
        } else if in_env {
            let environment = current.as_ref().and_then(|name| file.environments.get_mut(name)).ok_or_else(bad)?;
            environment.insert(key, value.unwrap_or_default());
        }
    }
    Ok(file)
}

/// `key:` or `key: value`, each plain or quoted; an empty mapping is no value.
fn entry(content: &str) -> Option<(String, Option<String>)> {
    let (key, rest) = match quoted(content) {
        Some((key, rest)) => (key, rest.strip_prefix(':')?),
        None => {
            let end = content.find(": ").or_else(|| content.trim_end().strip_suffix(':').map(str::len))?;
            (content[..end].trim_end().to_owned(), &content[end + 1..])
        }
    };
    let rest = rest.trim();
    let uncommented = |rest: &str| rest.is_empty() || rest.starts_with('#');
    if uncommented(rest) || rest == "{}" {
        return Some((key, None));
    }
    if let Some((value, rest)) = quoted(rest) {
        return uncommented(rest.trim()).then_some((key, Some(value)));
    }
    let plain = rest.split(" #").next().unwrap_or_default().trim_end();
    (!plain.starts_with(['{', '[', '|', '>', '&', '*', '!', '"', '\''])).then(|| (key, Some(plain.to_owned())))
}

/// A quoted scalar at the start, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    if let Some(rest) = text.strip_prefix('\'') {
        let mut value = String::new();
        let mut parts = rest.split('\'').peekable();
        let mut used = 1;
        while let Some(part) = parts.next() {
            value.push_str(part);
            used += part.len() + 1;
            match parts.peek() {
                Some(&"") if text[used..].starts_with('\'') => {
                    value.push('\'');
                    parts.next();
                    used += 1;
                }
                Some(_) => return Some((value, &text[used..])),
                None => return None,
            }
        }
        return None;
    }
    if !text.starts_with('"') {
        return None;
    }
    let mut stream = serde_json::Deserializer::from_str(text).into_iter::<String>();
    let value = stream.next()?.ok()?;
    Some((value, &text[stream.byte_offset()..]))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
