//! The documents say what is true: paths exist, crates are named, and the table of dependencies is the one that is built.
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use anyhow::Result;

use super::sources::Source;

const MAP: &str = "ARCHITECTURE.md";
/// Where the key space is laid out.
const KEYS: &str = "crates/store/src/keys.rs";
/// Documents whose paths are checked.
const DOCUMENTS: [&str; 3] = [MAP, "README.md", "CONTRIBUTING.md"];
/// Every row of the table of dependencies begins with one of these.
const CRATE_NAMES: [&str; 3] = ["abide-", "xtask", "restate-"];

type Edges = BTreeMap<String, BTreeSet<String>>;

/// The problems of the documents.
pub(super) fn problems(root: &Path, sources: &[Source]) -> Result<Vec<String>> {
    let mut problems = Vec::new();
    for document in sources.iter().filter(|source| DOCUMENTS.contains(&source.path.as_str())) {
        let gone = paths(&document.text).into_iter().filter(|path| !root.join(path).exists());
        problems.extend(gone.map(|path| format!("{}: there is no {path}", document.path)));
    }
    let Some(map) = sources.iter().find(|source| source.path == MAP) else {
        problems.push(format!("{MAP} is not there"));
        return Ok(problems);
    };
    let built = built_edges(sources);
    for name in built.keys() {
        let folder = name.strip_prefix("abide-").map_or_else(|| name.clone(), |short| format!("crates/{short}"));
        if !map.text.contains(&format!("`{folder}`")) {
            problems.push(format!("{MAP}: does not speak of `{folder}`"));
        }
    }
    let written = written_edges(&map.text);
    for name in built.keys().chain(written.keys()).collect::<BTreeSet<_>>() {
        let (built, written) = (built.get(name), written.get(name));
        if built != written {
            problems.push(format!("{MAP}: {name} depends on {built:?}, and the table says {written:?}"));
        }
    }
    problems.extend(unlisted_tags(sources, &map.text));
    Ok(problems)
}

/// The tags of the key space that the map does not list.
fn unlisted_tags(sources: &[Source], map: &str) -> Vec<String> {
    let keys = sources.iter().filter(|source| source.path == KEYS).flat_map(|source| source.text.lines());
    let tags = keys.filter(|line| line.starts_with("const TAG_")).filter_map(|line| line.split_once("0x"));
    let tags = tags.map(|(_, tag)| tag.trim_end_matches(';'));
    let unlisted = tags.filter(|tag| !map.contains(&format!("| `{tag}` ")));
    unlisted.map(|tag| format!("{MAP}: does not list the keys with tag {tag}")).collect()
}

/// What a document puts between backticks and that looks like a path of the repository.
fn paths(text: &str) -> BTreeSet<&str> {
    const TOPS: [&str; 7] = ["crates/", "xtask/", "tests/", "docs/", "conformance/", ".ci/", ".cargo/"];
    let quoted = text.split('`').skip(1).step_by(2);
    let words = quoted.flat_map(str::split_whitespace).map(|word| word.split_once("::").map_or(word, |(path, _)| path));
    words.filter(|word| TOPS.iter().any(|top| word.starts_with(top)) && !word.contains(['*', '<', '{'])).collect()
}

/// The crates of this workspace that each depends on, outside its tests.
fn built_edges(sources: &[Source]) -> Edges {
    let mut edges = Edges::new();
    for manifest in sources.iter().filter(|source| source.path.ends_with("/Cargo.toml")) {
        let (mut section, mut name, mut found) = ("", None, BTreeSet::new());
        for line in manifest.text.lines() {
            match line.split_once('=') {
                None if line.starts_with('[') => section = line,
                Some((key, value)) if section == "[package]" && key.trim() == "name" => {
                    name = Some(value.trim().trim_matches('"').to_owned());
                }
                // What is optional is in no program.
                Some((key, value))
                    if section == "[dependencies]" && key.starts_with("abide-") && !value.contains("optional") =>
                {
                    let end = key.find(['.', ' ']).unwrap_or(key.len());
                    found.insert(key[..end].to_owned());
                }
                _ => {}
            }
        }
        edges.extend(name.map(|name| (name, found)));
    }
    edges
}

/// The rows `| crate | what it depends on |` of the map.
fn written_edges(text: &str) -> Edges {
    let mut edges = Edges::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", name, on, ..] = cells.as_slice() else { continue };
        let name = name.trim_matches('`');
        if CRATE_NAMES.iter().any(|start| name.starts_with(start)) {
            let on = on.split(',').map(|on| on.trim().trim_matches('`'));
            edges.insert(name.to_owned(), on.filter(|on| on.starts_with("abide-")).map(str::to_owned).collect());
        }
    }
    edges
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn a_table_that_is_not_true_is_found() {
        let manifest = "[package]\nname = \"abide-a\"\n[dependencies]\nabide-b.workspace = true\nbytes = \"1\"\n\
                        [dev-dependencies]\nabide-c.workspace = true\n";
        let check = |map: &str| {
            let sources = [source("crates/a/Cargo.toml", manifest), source(MAP, map)];
            problems(Path::new("."), &sources).unwrap()
        };
        let prose = "`abide-a` lives in `crates/a`";
        let found = check(&format!("{prose}\n| `abide-a` | `abide-b` |\n"));
        assert!(found.iter().all(|problem| problem.ends_with("there is no crates/a")), "{found:?}");
        assert_eq!(check("| `abide-a` | `abide-b`, `abide-c` |").len(), 2);
        assert_eq!(check("").len(), 2);
    }

    #[test]
    fn a_key_that_is_not_listed_is_found() {
        let sources = [source(KEYS, "const TAG_A: u8 = 0x01;\nconst TAG_B: u8 = 0x02;\n")];
        assert_eq!(
            unlisted_tags(&sources, "| State | `01` namespace |"),
            ["ARCHITECTURE.md: does not list the keys with tag 02"]
        );
    }

    #[test]
    fn paths_are_what_begins_with_a_folder_of_ours() {
        let text = "`crates/a/src/lib.rs` and `cargo test`, `crates/b/src/x.rs::Thing`, `crates/*/src`, `a/b`";
        assert_eq!(paths(text), BTreeSet::from(["crates/a/src/lib.rs", "crates/b/src/x.rs"]));
    }
}
