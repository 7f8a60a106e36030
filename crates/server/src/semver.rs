//! Semantic versions and ranges of them, as clients send them in metadata.
use std::{cmp::Ordering, fmt, str::FromStr};

/// A version. Build metadata does not count and is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    numbers: [u64; 3],
    /// The identifiers of a pre-release; none for a release.
    pre_release: Vec<Identifier>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    // Numbers come before words, as their order here says.
    Number(u64),
    Word(String),
}

/// Why a text is no version, or no range, in the words that clients know.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ParseError {
    #[error("No Major.Minor.Patch elements found")]
    NotThreeParts,
    #[error("Invalid character(s) found in version \"{0}\"")]
    BadPart(String),
    #[error("Could not get version from string: \"{0}\"")]
    NoVersion(String),
    #[error("empty range")]
    EmptyRange,
}

impl Version {
    pub const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self { numbers: [major, minor, patch], pre_release: Vec::new() }
    }
}

impl FromStr for Version {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let mut parts = text.splitn(3, '.');
        let (Some(major), Some(minor), Some(rest)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(ParseError::NotThreeParts);
        };
        let rest = rest.split_once('+').map_or(rest, |(version, _build)| version);
        let (patch, pre_release) = rest.split_once('-').map_or((rest, None), |(patch, pre)| (patch, Some(pre)));
        let number = |part: &str| part.parse::<u64>().map_err(|_| ParseError::BadPart(text.to_owned()));
        let numbers = [number(major)?, number(minor)?, number(patch)?];
        let identifiers = pre_release.map(|pre| pre.split('.').map(identifier).collect());
        Ok(Self { numbers, pre_release: identifiers.unwrap_or_default() })
    }
}

fn identifier(part: &str) -> Identifier {
    part.parse().map_or_else(|_| Identifier::Word(part.to_owned()), Identifier::Number)
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        // A pre-release comes before its release.
        let release = |version: &Self| version.pre_release.is_empty();
        self.numbers
            .cmp(&other.numbers)
            .then_with(|| release(self).cmp(&release(other)))
            .then_with(|| self.pre_release.cmp(&other.pre_release))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [major, minor, patch] = self.numbers;
        write!(f, "{major}.{minor}.{patch}")?;
        for (at, identifier) in self.pre_release.iter().enumerate() {
            f.write_str(if at == 0 { "-" } else { "." })?;
            match identifier {
                Identifier::Number(number) => write!(f, "{number}")?,
                Identifier::Word(word) => f.write_str(word)?,
            }
        }
        Ok(())
    }
}

/// Alternatives (`||`) of conditions that all hold (separated by spaces): `>=1.0.0 <2.0.0 || 3.1.0`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range(Vec<Vec<Condition>>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Condition {
    /// The orders of the version to the bound that satisfy the condition.
    allowed: &'static [Ordering],
    bound: Version,
}

const OPERATORS: [(&str, &[Ordering]); 8] = [
    ("<=", &[Ordering::Less, Ordering::Equal]),
    (">=", &[Ordering::Greater, Ordering::Equal]),
    ("!=", &[Ordering::Less, Ordering::Greater]),
    ("==", &[Ordering::Equal]),
    ("<", &[Ordering::Less]),
    (">", &[Ordering::Greater]),
    ("=", &[Ordering::Equal]),
    ("!", &[Ordering::Less, Ordering::Greater]),
];

impl Range {
    pub fn contains(&self, version: &Version) -> bool {
        let holds = |condition: &Condition| condition.allowed.contains(&version.cmp(&condition.bound));
        self.0.iter().any(|conditions| conditions.iter().all(holds))
    }
}

impl FromStr for Range {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        let alternative = |part: &str| {
            let conditions: Vec<Condition> = part.split_whitespace().map(condition).collect::<Result<_, _>>()?;
            if conditions.is_empty() { Err(ParseError::EmptyRange) } else { Ok(conditions) }
        };
        Ok(Self(text.split("||").map(alternative).collect::<Result<_, _>>()?))
    }
}

fn condition(text: &str) -> Result<Condition, ParseError> {
    let found = OPERATORS.iter().find_map(|(sign, allowed)| Some((text.strip_prefix(sign)?, *allowed)));
    let (version, allowed) = found.unwrap_or((text, &[Ordering::Equal]));
    if !version.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(ParseError::NoVersion(text.to_owned()));
    }
    Ok(Condition { allowed, bound: version.parse()? })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn versions_are_ordered() {
        let sorted = [
            "0.9.9",
            "1.0.0-alpha",
            "1.0.0-alpha.1",
            "1.0.0-alpha.beta",
            "1.0.0-rc.2",
            "1.0.0-rc.11",
            "1.0.0",
            "1.0.1",
            "1.2.0",
            "10.0.0",
        ];
        let versions: Vec<Version> = sorted.iter().map(|text| text.parse().unwrap()).collect();
        assert!(versions.is_sorted_by(|a, b| a < b));
        assert_eq!("1.2.3+build".parse(), Ok(Version::new(1, 2, 3)));
        assert_eq!(versions[4].to_string(), "1.0.0-rc.2");
    }

    #[test]
    fn ranges_are_alternatives_of_conditions() {
        let range: Range = ">=1.0.0 <2.0.0 !=1.5.0 || 3.1.0".parse().unwrap();
        let inside = |text: &str| range.contains(&text.parse().unwrap());
        assert!(inside("1.0.0") && inside("1.99.0") && inside("3.1.0") && inside("2.0.0-rc1"));
        assert!(!inside("0.9.0") && !inside("1.5.0") && !inside("2.0.0") && !inside("3.1.1"));
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!("x".parse::<Version>(), Err(ParseError::NotThreeParts));
        assert_eq!("1.x.0".parse::<Version>(), Err(ParseError::BadPart("1.x.0".into())));
        assert_eq!("nonsense".parse::<Range>(), Err(ParseError::NoVersion("nonsense".into())));
        assert_eq!("1.0.0 ||".parse::<Range>(), Err(ParseError::EmptyRange));
    }
}
