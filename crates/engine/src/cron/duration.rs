//! The durations of `@every`, in the notation of Go: `1h30m`, `1.5s`, `-2us`.

/// The magnitude that no duration exceeds, in nanoseconds.
const LIMIT: u64 = 1 << 63;
/// Digits of a fraction behind these are below any nanosecond.
const FRACTION_DIGITS_MAX: usize = 18;

/// Nanoseconds of a duration: an optional sign, then `0` or numbers, each with a unit. None for anything else, and for
/// what 64 bits do not hold.
pub(super) fn parse(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total = 0_u64;
    while !rest.is_empty() {
        let (nanos, after) = parse_item(rest)?;
        total = total.checked_add(nanos).filter(|total| *total <= LIMIT)?;
        rest = after;
    }
    if negative { 0_i64.checked_sub_unsigned(total) } else { i64::try_from(total).ok() }
}

/// The nanoseconds of the number and unit that `text` begins with, and what comes behind them.
fn parse_item(text: &str) -> Option<(u64, &str)> {
    let (whole, rest) = split_digits(text);
    let (fraction, rest) = rest.strip_prefix('.').map_or(("", rest), split_digits);
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let unit_bytes = rest.find(|c: char| c == '.' || c.is_ascii_digit()).unwrap_or(rest.len());
    let (unit, rest) = rest.split_at(unit_bytes);
    let unit = unit_nanos(unit)?;
    let whole = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()? };
    let nanos = whole.checked_mul(unit)?.checked_add(fraction_nanos(fraction, unit))?;
    Some((nanos, rest)).filter(|_| nanos <= LIMIT)
}

/// The whole nanoseconds of a fraction of a unit, given as the digits behind the point.
fn fraction_nanos(digits: &str, unit: u64) -> u64 {
    let weighted = digits
        .bytes()
        .take(FRACTION_DIGITS_MAX)
        .fold((0_u128, 1_u128), |(value, scale), digit| (value * 10 + u128::from(digit - b'0'), scale * 10));
    (weighted.0 * u128::from(unit) / weighted.1) as u64
}

fn split_digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

fn unit_nanos(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        // Both the micro sign and the Greek letter.
        "us" | "\u{b5}s" | "\u{3bc}s" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}
