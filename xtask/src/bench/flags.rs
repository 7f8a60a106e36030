//! What `cargo xtask bench` itself understands.
use anyhow::{Context, Result, bail, ensure};

/// What can be measured.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum What {
    /// The load generator, or two revisions.
    #[default]
    Load,
    /// The Go SDK.
    Go,
    /// Restate beside the server.
    Restate,
    /// What takes more than one load.
    Experiments,
    /// One after another.
    All,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Flags {
    /// The revision to compare with.
    pub(super) against: Option<String>,
    /// What to measure.
    pub(super) what: What,
    /// Write it into the report page.
    pub(super) report: bool,
}

impl Flags {
    pub(super) fn parse(arguments: &[String]) -> Result<Self> {
        let mut flags = Self::default();
        let mut arguments = arguments.iter();
        while let Some(argument) = arguments.next() {
            let what = match argument.as_str() {
                "--against" => {
                    let revision = arguments.next().context("--against takes a revision of git")?;
                    flags.against = Some(revision.clone());
                    continue;
                }
                "--report" => {
                    flags.report = true;
                    continue;
                }
                "--go" => What::Go,
                "--restate" => What::Restate,
                "--experiments" => What::Experiments,
                "--all" => What::All,
                other => bail!("bench does not know {other:?}; arguments for abide-bench come behind a `--`"),
            };
            ensure!(flags.what == What::Load, "{argument} and another of its kind exclude each other");
            flags.what = what;
        }
        ensure!(
            flags.against.is_none() || matches!(flags.what, What::Load | What::All),
            "two revisions are compared by the load generator alone"
        );
        Ok(flags)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::{Flags, What};

    fn parse(arguments: &[&str]) -> Result<Flags, String> {
        let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
        Flags::parse(&arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn what_is_not_known_is_refused() {
        assert_eq!(parse(&["--report", "--against", "v1"]).unwrap().against.as_deref(), Some("v1"));
        assert_eq!(parse(&["--go"]).unwrap().what, What::Go);
        assert_eq!(parse(&["--report", "--experiments"]).unwrap().what, What::Experiments);
        assert!(parse(&["--go", "--restate"]).unwrap_err().contains("exclude each other"));
        assert!(parse(&["--go", "--against", "v1"]).unwrap_err().contains("alone"));
        assert!(parse(&["--against"]).unwrap_err().contains("takes a revision"));
        assert!(parse(&["--seconds", "2"]).unwrap_err().contains("behind a `--`"));
    }
}
