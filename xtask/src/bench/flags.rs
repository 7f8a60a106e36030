//! What `cargo xtask bench` itself understands.
use anyhow::{Context, Result, bail, ensure};

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    /// The revision to compare with.
    pub(super) against: Option<String>,
    /// Load with the Go SDK instead of the load generator.
    pub(super) go: bool,
    /// Measure everything and write it into the report page.
    pub(super) report: bool,
}

impl Flags {
    pub(super) fn parse(arguments: &[String]) -> Result<Self> {
        let mut flags = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                "--against" => {
                    let revision = arguments.next().context("--against takes a revision of git")?;
                    flags.against = Some(revision.clone());
                }
                "--go" => flags.go = true,
                "--report" => flags.report = true,
                other => bail!("bench does not know {other:?}; arguments for abide-bench come behind a `--`"),
            }
        }
        ensure!(!flags.go || (flags.against.is_none() && !flags.report), "--go stands alone");
        Ok(flags)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::Flags;

    fn parse(arguments: &[&str]) -> Result<Flags, String> {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Flags::parse(&arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert_eq!(parse(&["--report", "--against", "v1"]).unwrap().against.as_deref(), Some("v1"));
        assert!(parse(&["--go"]).unwrap().go);
        assert!(parse(&["--go", "--against", "v1"]).unwrap_err().contains("alone"));
        assert!(parse(&["--against"]).unwrap_err().contains("takes a revision"));
        assert!(parse(&["--seconds", "2"]).unwrap_err().contains("behind a `--`"));
    }
}
