//! The rules of the house that no compiler checks.
mod architecture;
mod files;
mod sources;

use anyhow::Result;

use crate::{
    repository,
    suites::conformance::{self, EXPECTED},
};

/// How many scenarios passed when this was written last; the list only grows.
const EXPECTED_SCENARIOS_MIN: usize = 213;

/// `cargo xtask tidy`
pub(crate) fn task() -> Result<bool> {
    let problems = problems()?;
    problems.iter().for_each(|problem| println!("{problem}"));
    println!("{} problems", problems.len());
    Ok(problems.is_empty())
}

/// Everything that is not as it should be, a line each.
fn problems() -> Result<Vec<String>> {
    let root = repository::root();
    let sources = sources::read(&root)?;
    let mut problems = files::problems(&sources);
    problems.extend(architecture::problems(&root, &sources)?);
    problems.extend(scenarios()?);
    Ok(problems)
}

fn scenarios() -> Result<Vec<String>> {
    let path = repository::root().join(EXPECTED);
    let expected = conformance::names(&path)?;
    let mut problems = Vec::new();
    if expected.len() < EXPECTED_SCENARIOS_MIN {
        problems.push(format!("{EXPECTED}: {} scenarios, and there were {EXPECTED_SCENARIOS_MIN}", expected.len()));
    }
    let sorted: String = expected.iter().map(|name| format!("{name}\n")).collect();
    if std::fs::read_to_string(&path)? != sorted {
        problems.push(format!("{EXPECTED}: not one name a line, sorted, each once"));
    }
    Ok(problems)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    #[test]
    fn the_repository_is_tidy() {
        let problems = super::problems().unwrap();
        assert!(problems.is_empty(), "{problems:#?}");
    }
}
