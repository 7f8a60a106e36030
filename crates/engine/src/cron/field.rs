//! One field of a schedule: the set of its values.

/// What is wrong in one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FieldError {
    #[error("not a number or a name")]
    NotANumber,
    #[error("more than one hyphen in a range")]
    TooManyHyphens,
    #[error("more than one slash in a range")]
    TooManySlashes,
    #[error("outside of {min}-{max}")]
    OutOfBounds { min: u8, max: u8 },
    #[error("a range that ends before it begins")]
    Reversed,
    #[error("a step of zero")]
    ZeroStep,
}

/// The kind of a field: what it is called, its least and greatest value, and the names of values from `min` on.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) name: &'static str,
    min: u8,
    max: u8,
    names: &'static [&'static str],
}

pub(super) const MINUTE: Unit = Unit { name: "minute", min: 0, max: 59, names: &[] };
pub(super) const HOUR: Unit = Unit { name: "hour", min: 0, max: 23, names: &[] };
pub(super) const DAY_OF_MONTH: Unit = Unit { name: "day of month", min: 1, max: 31, names: &[] };
pub(super) const MONTH: Unit = Unit {
    name: "month",
    min: 1,
    max: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
pub(super) const DAY_OF_WEEK: Unit =
    Unit { name: "day of week", min: 0, max: 6, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

/// The values that a field lists, and whether it is open (`*` or `?`), which decides how the two day fields combine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Field {
    /// Bit n is value n; all values are below 60.
    values: u64,
    pub(super) open: bool,
}

impl Field {
    /// Parses a comma-separated list of ranges. Empty items are passed over, so that a field of commas alone is accepted,
    /// has no value and never matches.
    pub(super) fn parse(text: &str, unit: &Unit) -> Result<Self, FieldError> {
        text.split(',').filter(|item| !item.is_empty()).try_fold(Self::default(), |all, item| {
            let range = Self::parse_range(item, unit)?;
            Ok(Self { values: all.values | range.values, open: all.open | range.open })
        })
    }

    /// Parses `first`, `first-last`, `first/step`, `first-last/step`, where `first` may be open.
    fn parse_range(text: &str, unit: &Unit) -> Result<Self, FieldError> {
        let (ends, step) = match text.split_once('/') {
            Some((_, step)) if step.contains('/') => return Err(FieldError::TooManySlashes),
            Some((ends, step)) => (ends, Some(number(step)?)),
            None => (text, None),
        };
        let (first, last) = match ends.split_once('-') {
            Some((first, last)) => (first, Some(last)),
            None => (ends, None),
        };
        // What follows the hyphen of an open range is not looked at: `*-5` is `*`.
        let open = matches!(first, "*" | "?");
        let (first, last) = match last {
            _ if open => (u64::from(unit.min), u64::from(unit.max)),
            Some(last) if last.contains('-') => return Err(FieldError::TooManyHyphens),
            Some(last) => (unit.value(first)?, unit.value(last)?),
            None if step.is_some() => (unit.value(first)?, u64::from(unit.max)),
            None => (unit.value(first)?, unit.value(first)?),
        };
        if first < u64::from(unit.min) || last > u64::from(unit.max) {
            return Err(FieldError::OutOfBounds { min: unit.min, max: unit.max });
        }
        if first > last {
            return Err(FieldError::Reversed);
        }
        let step = step.unwrap_or(1);
        if step == 0 {
            return Err(FieldError::ZeroStep);
        }
        // A step beyond the bounds leaves the first value alone.
        let stride = usize::try_from(step).unwrap_or(usize::MAX);
        let values = (first..=last).step_by(stride).fold(0, |values, value| values | 1 << value);
        Ok(Self { values, open: open && step == 1 })
    }

    pub(super) fn contains(self, value: i8) -> bool {
        self.values & (1 << value) != 0
    }

    /// The least value that is not below `least`, which is at most 60.
    pub(super) fn at_least(self, least: i64) -> Option<i64> {
        let rest = self.values >> least;
        (rest != 0).then(|| least + i64::from(rest.trailing_zeros()))
    }
}

impl Unit {
    /// The number of a name, or a number itself.
    fn value(&self, text: &str) -> Result<u64, FieldError> {
        match (u64::from(self.min)..).zip(self.names).find(|(_, name)| text.eq_ignore_ascii_case(name)) {
            Some((value, _)) => Ok(value),
            None => number(text),
        }
    }
}

/// A decimal number, with or without a plus sign, that a signed 64-bit integer holds.
fn number(text: &str) -> Result<u64, FieldError> {
    text.parse::<i64>().ok().and_then(|n| u64::try_from(n).ok()).ok_or(FieldError::NotANumber)
}
