//! Reading how many tests passed from what test programs print.

/// The number before a word: 12 in `12 passed, 1 failed` for `passed`.
pub(crate) fn before(line: &str, word: &str) -> Option<u64> {
    let mut words = line.split(|c: char| c.is_whitespace() || c == ',' || c == ';').filter(|word| !word.is_empty());
    let mut last = words.next()?;
    for next in words {
        if next == word {
            return last.parse().ok();
        }
        last = next;
    }
    None
}

/// The number behind a word: 5 in `# pass 5` for `pass`.
pub(crate) fn behind(line: &str, word: &str) -> Option<u64> {
    let mut words = line.split_whitespace().skip_while(|next| *next != word);
    words.next()?;
    words.next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_found_by_their_words() {
        let cargo = "test result: ok. 12 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.01s";
        assert_eq!((before(cargo, "passed"), before(cargo, "failed")), (Some(12), Some(3)));
        let pytest = "=========== 1 failed, 93 passed, 2 warnings in 12.34s ============";
        assert_eq!((before(pytest, "passed"), before(pytest, "failed")), (Some(93), Some(1)));
        assert_eq!(before(pytest, "errors"), None);
        assert_eq!(before("passed", "passed"), None);
        assert_eq!((behind("# pass 5", "pass"), behind("ℹ fail 0", "fail")), (Some(5), Some(0)));
        assert_eq!(behind("pass", "pass"), None);
    }
}
