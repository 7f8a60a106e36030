//! What holds for each file: its length, and words that do not belong in it.
use super::sources::Source;

const LINES_MAX: usize = 500;
/// End-to-end tests bring whole workflows and their activities along.
const END_TO_END: (&str, usize) = ("tests/e2e/", 700);
/// Languages whose files are read from top to bottom.
const CODE: [&str; 5] = ["rs", "py", "ts", "go", "sh"];
/// Longer files, and why.
const LONG: [(&str, &str); 0] = [];

/// Written by tools, with addresses in them.
const LOCKS: [&str; 3] = ["Cargo.lock", "package-lock.json", "go.sum"];

/// Words that say that something is not done, or that name a machine or a place that a reader does not have. Each is in two parts
/// so that this file passes.
const BANNED: [(&str, &str); 12] = [
    ("TO", "DO"),
    ("FIX", "ME"),
    ("X", "XX"),
    ("HA", "CK"),
    ("/wo", "rk/"),
    ("/ro", "ot/"),
    ("/ho", "me/"),
    ("index.crates", ".io"),
    ("registry.npm", "js.org"),
    ("pypi", ".org"),
    ("files.python", "hosted.org"),
    ("proxy.go", "lang.org"),
];

/// The problems of all files.
pub(super) fn problems(sources: &[Source]) -> Vec<String> {
    let mut problems = Vec::new();
    for source in sources {
        problems.extend(length(source));
        problems.extend(words(source));
    }
    for (path, _) in LONG {
        if !sources.iter().any(|source| source.path == path && source.text.lines().count() > LINES_MAX) {
            problems.push(format!("{path}: need not be among the long files"));
        }
    }
    problems
}

fn length(source: &Source) -> Option<String> {
    let lines = source.text.lines().count();
    let (folder, end_to_end_max) = END_TO_END;
    let max = if source.path.starts_with(folder) { end_to_end_max } else { LINES_MAX };
    let counts = CODE.contains(&source.extension()) && !LONG.iter().any(|(path, _)| *path == source.path);
    (counts && lines > max).then(|| format!("{}: {lines} lines are more than {max}", source.path))
}

fn words(source: &Source) -> Vec<String> {
    if LOCKS.iter().any(|lock| source.path.ends_with(lock)) {
        return Vec::new();
    }
    let mut problems = Vec::new();
    for (number, line) in source.text.lines().enumerate() {
        for (front, back) in BANNED {
            let word = format!("{front}{back}");
            if has_word(line, &word) {
                problems.push(format!("{}:{}: {word}", source.path, number + 1));
            }
        }
    }
    problems
}

/// Whether a text has a word that is no part of a longer one.
fn has_word(text: &str, word: &str) -> bool {
    let is_letter = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        let open = word.starts_with('/') || !is_letter(before);
        open && (word.ends_with('/') || !is_letter(after))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_files_and_banned_words_are_found() {
        let source = |path: &str, text: String| Source { path: path.to_owned(), text };
        let found = |path: &str, text: String| {
            let problems = problems(&[source(path, text)]);
            problems.into_iter().filter(|problem| problem.starts_with(path)).collect::<Vec<_>>()
        };
        assert_eq!(found("a.rs", "x\n".repeat(500)), Vec::<String>::new());
        assert_eq!(found("a.rs", "x\n".repeat(501)).len(), 1);
        assert_eq!(found("a.txt", "x\n".repeat(501)), Vec::<String>::new());
        assert_eq!(found("a.md", ["one\n// ", "TO", "DO later"].concat()), [["a.md:2: TO", "DO"].concat()]);
        assert_eq!(found("a.md", ["to", "do TO", "DOS"].concat()), Vec::<String>::new());
        assert_eq!(found("a.md", ["see \"/wo", "rk/main\""].concat()).len(), 1);
        assert_eq!(found("a.md", ["frame", "/wo", "rk"].concat()), Vec::<String>::new());
    }
}
