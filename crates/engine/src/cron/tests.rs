#![allow(clippy::unwrap_used)]
use super::*;
use jiff::Timestamp;
use proptest::prelude::*;

fn time(text: &str) -> Time {
    Time(i64::try_from(text.parse::<Timestamp>().unwrap().as_nanosecond()).unwrap())
}

fn text(time: Time) -> String {
    Timestamp::from_nanosecond(i128::from(time.0)).unwrap().to_string()
}

/// Checks the first firings after a time.
fn check(schedule: &str, after: &str, firings: &[&str]) {
    let parsed = Schedule::parse(schedule).unwrap();
    let mut at = time(after);
    for firing in firings {
        at = parsed.next_after(at).unwrap_or_else(|| panic!("{schedule}: nothing at {firing}"));
        assert_eq!(text(at), *firing, "{schedule} after {after}");
    }
}

#[test]
fn fields() {
    let after = "2027-03-01T10:20:30.5Z"; // A Monday.
    check("* * * * *", after, &["2027-03-01T10:21:00Z", "2027-03-01T10:22:00Z"]);
    check("? ? ? ? ?", after, &["2027-03-01T10:21:00Z"]);
    check("*/15 * * * *", after, &["2027-03-01T10:30:00Z", "2027-03-01T10:45:00Z", "2027-03-01T11:00:00Z"]);
    check("50/5 * * * *", after, &["2027-03-01T10:50:00Z", "2027-03-01T10:55:00Z", "2027-03-01T11:50:00Z"]);
    check("0-30/20,7 9 * * *", after, &["2027-03-02T09:00:00Z", "2027-03-02T09:07:00Z", "2027-03-02T09:20:00Z"]);
    check("5 10 * * *", after, &["2027-03-02T10:05:00Z"]);
    check("0 0 1 feb,NOV-Dec *", after, &["2027-11-01T00:00:00Z", "2027-12-01T00:00:00Z", "2028-02-01T00:00:00Z"]);
    check("0 0 * * Fri", after, &["2027-03-05T00:00:00Z", "2027-03-12T00:00:00Z"]);
    check("0 0 * * 0", after, &["2027-03-07T00:00:00Z"]);
    check("0 0 31 * *", after, &["2027-03-31T00:00:00Z", "2027-05-31T00:00:00Z"]);
    check("0 0 29 2 *", after, &["2028-02-29T00:00:00Z", "2032-02-29T00:00:00Z"]);
    check("0\t12\u{a0} *  * * ", after, &["2027-03-01T12:00:00Z"]);
}

#[test]
fn lenient_spellings() {
    let after = "2027-03-01T10:20:30Z";
    check(",5,,06, +11 * * *", after, &["2027-03-01T11:05:00Z", "2027-03-01T11:06:00Z", "2027-03-02T11:05:00Z"]);
    check("*-5 * * * *", after, &["2027-03-01T10:21:00Z"]);
    check("7/9223372036854775807 * * * *", after, &["2027-03-01T11:07:00Z", "2027-03-01T12:07:00Z"]);
}

#[test]
fn one_of_two_restricted_day_fields_is_enough() {
    let after = "2027-03-01T10:20:30Z";
    check("0 0 3 * tue", after, &["2027-03-02T00:00:00Z", "2027-03-03T00:00:00Z", "2027-03-09T00:00:00Z"]);
    check("0 0 3 * *", after, &["2027-03-03T00:00:00Z", "2027-04-03T00:00:00Z"]);
    check("0 0 ? * tue", after, &["2027-03-02T00:00:00Z", "2027-03-09T00:00:00Z"]);
    // An open item in a list opens the field; a step above 1 restricts it.
    check("0 0 1-5,* * tue", after, &["2027-03-02T00:00:00Z", "2027-03-09T00:00:00Z"]);
    check("0 0 */1 * tue", after, &["2027-03-02T00:00:00Z", "2027-03-09T00:00:00Z"]);
    check("0 0 */30 * tue", after, &["2027-03-02T00:00:00Z", "2027-03-09T00:00:00Z", "2027-03-16T00:00:00Z"]);
    check("0 0 */20 * wed", after, &["2027-03-03T00:00:00Z", "2027-03-10T00:00:00Z", "2027-03-17T00:00:00Z"]);
    check("0 0 */20 * wed", "2027-03-17T00:00:00Z", &["2027-03-21T00:00:00Z", "2027-03-24T00:00:00Z"]);
}

#[test]
fn words() {
    let after = "2027-03-03T10:20:30Z";
    check("@yearly", after, &["2028-01-01T00:00:00Z", "2029-01-01T00:00:00Z"]);
    check("@annually", after, &["2028-01-01T00:00:00Z"]);
    check("@monthly", after, &["2027-04-01T00:00:00Z"]);
    check("@weekly", after, &["2027-03-07T00:00:00Z", "2027-03-14T00:00:00Z"]);
    check("@daily", after, &["2027-03-04T00:00:00Z"]);
    check("@midnight", after, &["2027-03-04T00:00:00Z"]);
    check("@hourly", after, &["2027-03-03T11:00:00Z", "2027-03-03T12:00:00Z"]);
    check("TZ=Asia/Kolkata @hourly", after, &["2027-03-03T10:30:00Z", "2027-03-03T11:30:00Z"]);
}

#[test]
fn every_counts_whole_seconds_from_the_second_of_the_previous_time() {
    let after = "2027-03-03T10:20:30.9Z";
    check("@every 2s", after, &["2027-03-03T10:20:32Z", "2027-03-03T10:20:34Z"]);
    check("@every 1h30m", after, &["2027-03-03T11:50:30Z"]);
    check("@every 2.9s", after, &["2027-03-03T10:20:32Z"]);
    check("@every .5m1500ms", after, &["2027-03-03T10:21:01Z"]);
    for short in ["10ms", "1ns", "0", "-5s", "-2562047h47m16.854775808s"] {
        check(&format!("@every {short}"), after, &["2027-03-03T10:20:31Z", "2027-03-03T10:20:32Z"]);
    }
    check("@every 2562047h47m16.854775807s", after, &["2262-04-11T23:47:16Z"]);
}

#[test]
fn durations() {
    for (text, nanos) in [
        ("0", Some(0)),
        ("+0", Some(0)),
        ("1ns", Some(1)),
        ("1.9ns", Some(1)),
        ("3us4\u{b5}s5\u{3bc}s", Some(12_000)),
        ("-1.5ms", Some(-1_500_000)),
        ("1.s", Some(NANOS)),
        (".25h", Some(900 * NANOS)),
        ("1m1m", Some(120 * NANOS)),
        ("0.1234567890123456789012345678901234567890s", Some(123_456_789)),
        ("9223372036854775807ns", Some(i64::MAX)),
        ("9223372036854775808ns", None),
        ("-9223372036854775808ns", Some(i64::MIN)),
        ("9223372036854775807ns1ns", None),
        ("18446744073709551616ns", None),
        ("5124095576030431h", None),
        ("", None),
        ("-", None),
        ("00", None),
        ("1", None),
        (".s", None),
        (".", None),
        ("s", None),
        ("1 s", None),
        (" 1s", None),
        ("1d", None),
        ("1S", None),
        ("--1s", None),
        ("1s-1s", None),
        ("1\u{e9}", None),
    ] {
        assert_eq!(duration::parse(text), nanos, "{text:?}");
    }
}

#[test]
fn zones() {
    let after = "2027-06-01T00:00:00Z";
    check("0 9 * * *", after, &["2027-06-01T09:00:00Z"]);
    check("TZ=Asia/Kolkata 0 9 * * *", after, &["2027-06-01T03:30:00Z"]);
    check("CRON_TZ=Asia/Kathmandu   0 9 * * * ", after, &["2027-06-01T03:15:00Z"]);
    check("CRON_TZ=Etc/GMT+5 0 9 * * *", after, &["2027-06-01T14:00:00Z"]);
    for utc in ["UTC", "", "Local", "Etc/UTC", "Zulu"] {
        check(&format!("TZ={utc} 0 9 * * *"), after, &["2027-06-01T09:00:00Z"]);
    }
    // The day of the zone counts, not that of UTC: this is Sunday in Tokyo.
    check("TZ=Asia/Tokyo 0 6 * * sun", after, &["2027-06-05T21:00:00Z"]);
}

#[test]
fn a_jump_forward_leaves_times_out() {
    let ny = "CRON_TZ=America/New_York ";
    let before = "2027-03-13T12:00:00Z"; // 02:00 becomes 03:00 on March 14.
    check(&format!("{ny}30 2 * * *"), before, &["2027-03-15T06:30:00Z"]);
    check(&format!("{ny}30 1 * * *"), before, &["2027-03-14T06:30:00Z", "2027-03-15T05:30:00Z"]);
    check(&format!("{ny}0 3 * * *"), before, &["2027-03-14T07:00:00Z"]);
    check(
        &format!("{ny}*/30 1-3 14 3 *"),
        before,
        &[
            "2027-03-14T06:00:00Z",
            "2027-03-14T06:30:00Z",
            "2027-03-14T07:00:00Z",
            "2027-03-14T07:30:00Z",
            "2028-03-14T05:00:00Z",
        ],
    );
    // No midnight on that day.
    check("TZ=America/Sao_Paulo @daily", "2018-11-03T12:00:00Z", &["2018-11-05T02:00:00Z"]);
    // A whole day left out.
    check("TZ=Pacific/Apia 0 12 * * *", "2011-12-29T12:00:00Z", &["2011-12-29T22:00:00Z", "2011-12-30T22:00:00Z"]);
}

#[test]
fn a_jump_back_repeats_times() {
    let before = "2027-11-07T04:00:00Z"; // 02:00 becomes 01:00 on November 7, midnight was 04:00 UTC.
    check(
        "TZ=America/New_York 30 1 * * *",
        before,
        &["2027-11-07T05:30:00Z", "2027-11-07T06:30:00Z", "2027-11-08T06:30:00Z"],
    );
    check("TZ=America/New_York 0 2 * * *", before, &["2027-11-07T07:00:00Z"]);
    // By half an hour: 02:00 becomes 01:30.
    check(
        "TZ=Australia/Lord_Howe 45 1 * * *",
        "2027-04-03T12:00:00Z",
        &["2027-04-03T14:45:00Z", "2027-04-03T15:15:00Z", "2027-04-04T15:15:00Z"],
    );
    check("TZ=Australia/Lord_Howe @daily", "2027-10-02T12:00:00Z", &["2027-10-02T13:30:00Z", "2027-10-03T13:00:00Z"]);
}

#[test]
fn refused_texts() {
    let field = |field, error| ParseError::Field { field, error };
    let bounds = |name, min, max| field(name, FieldError::OutOfBounds { min, max });
    for (text, error) in [
        ("", ParseError::Empty),
        (" ", ParseError::FieldCount { found: 0 }),
        ("every day", ParseError::FieldCount { found: 2 }),
        ("* * * *", ParseError::FieldCount { found: 4 }),
        ("0 0 * * * *", ParseError::FieldCount { found: 6 }),
        ("61 * * * *", bounds("minute", 0, 59)),
        ("* 24 * * *", bounds("hour", 0, 23)),
        ("* * 0 * *", bounds("day of month", 1, 31)),
        ("* * * 0-3 *", bounds("month", 1, 12)),
        ("* * * * 7", bounds("day of week", 0, 6)),
        ("* * L * *", field("day of month", FieldError::NotANumber)),
        ("* * * * mon#1", field("day of week", FieldError::NotANumber)),
        ("mon * * * *", field("minute", FieldError::NotANumber)),
        ("* * * january *", field("month", FieldError::NotANumber)),
        ("-5 * * * *", field("minute", FieldError::NotANumber)),
        ("5- * * * *", field("minute", FieldError::NotANumber)),
        ("*/ * * * *", field("minute", FieldError::NotANumber)),
        ("*/-2 * * * *", field("minute", FieldError::NotANumber)),
        ("*/9223372036854775808 * * * *", field("minute", FieldError::NotANumber)),
        ("1,5-3 * * * *", field("minute", FieldError::Reversed)),
        ("* * * * fri-mon", field("day of week", FieldError::Reversed)),
        ("1-2-3 * * * *", field("minute", FieldError::TooManyHyphens)),
        ("*/2/3 * * * *", field("minute", FieldError::TooManySlashes)),
        ("*/0 * * * *", field("minute", FieldError::ZeroStep)),
        ("@DAILY", ParseError::UnknownWord),
        ("@daily ", ParseError::UnknownWord),
        ("@reboot", ParseError::UnknownWord),
        ("@every", ParseError::UnknownWord),
        (" @daily", ParseError::FieldCount { found: 1 }),
        ("@every ", ParseError::BadDuration),
        ("@every  5s", ParseError::BadDuration),
        ("@every 1d", ParseError::BadDuration),
        ("TZ=UTC", ParseError::OnlyZone),
        ("TZ=UTC ", ParseError::FieldCount { found: 0 }),
        ("CRON_TZ=Nowhere/City * * * * *", ParseError::UnknownZone),
        ("TZ=europe/berlin * * * * *", ParseError::UnknownZone),
        ("TZ=utc * * * * *", ParseError::UnknownZone),
        ("TZ=Etc/Unknown * * * * *", ParseError::UnknownZone),
        ("TZ=../UTC * * * * *", ParseError::UnknownZone),
        ("TZ=+02:00 * * * * *", ParseError::UnknownZone),
        ("TZ=UTC\t* * * * *", ParseError::UnknownZone),
        ("tz=UTC * * * * *", ParseError::FieldCount { found: 6 }),
    ] {
        assert_eq!(Schedule::parse(text), Err(error), "{text:?}");
    }
}

#[test]
fn errors_say_what_and_where() {
    let error = Schedule::parse("61 * * * *").unwrap_err();
    assert_eq!(error.to_string(), "minute: outside of 0-59");
}

#[test]
fn what_never_comes_is_none() {
    let after = time("2027-03-01T00:00:00Z");
    for never in ["0 0 30 2 *", "0 0 31 4,6,9,11 *", ", * * * *", "* * , * *", "TZ=America/New_York 0 0 30 2 *"] {
        let schedule = Schedule::parse(never).unwrap();
        assert_eq!(schedule.next_after(after), None, "{never}");
        assert_eq!(backoff(&schedule, after, after), None, "{never}");
    }
    // The year 2100 has no leap day: 2096 is the last before 2104, and the fifth year counts whole.
    let leap_day = Schedule::parse("0 0 29 2 *").unwrap();
    assert_eq!(leap_day.next_after(time("2098-12-31T23:59:58Z")), None);
    assert_eq!(leap_day.next_after(time("2099-01-01T00:00:00Z")), Some(time("2104-02-29T00:00:00Z")));
}

#[test]
fn the_backoff_leads_to_the_first_firing_that_is_not_past() {
    for (schedule, previous, now, seconds) in [
        // The first run waits too.
        ("@every 2s", "2027-03-03T10:20:30.9Z", "2027-03-03T10:20:30.9Z", 2),
        ("@every 1s", "2027-03-03T10:20:30Z", "2027-03-03T10:20:30Z", 1),
        ("* * * * *", "2027-03-03T10:20:00Z", "2027-03-03T10:20:00Z", 60),
        ("* * * * *", "2027-03-03T10:20:30.25Z", "2027-03-03T10:20:30.25Z", 30),
        // A run that took less than its period, and one that took more.
        ("@every 10s", "2027-03-03T10:20:30Z", "2027-03-03T10:20:33.5Z", 7),
        ("@every 10s", "2027-03-03T10:20:30Z", "2027-03-03T10:21:03.5Z", 7),
        ("*/5 * * * *", "2027-03-03T10:00:00Z", "2027-03-03T10:14:59.999Z", 1),
        // A firing right now is not past.
        ("@every 10s", "2027-03-03T10:20:30Z", "2027-03-03T10:20:50Z", 0),
        ("*/5 * * * *", "2027-03-03T10:00:00Z", "2027-03-03T10:10:00Z", 0),
        // A previous execution that lies ahead.
        ("@every 10s", "2027-03-03T10:20:30Z", "2027-03-03T10:20:00Z", 40),
        ("*/5 * * * *", "2027-03-03T10:15:00Z", "2027-03-03T10:00:00Z", 1200),
        // Decades behind, without stepping through them.
        ("@every 1s", "1970-01-01T00:00:00Z", "2027-03-03T10:20:30.5Z", 1),
        ("* * * * *", "1970-01-01T00:00:00Z", "2027-03-03T10:20:30.5Z", 30),
    ] {
        let parsed = Schedule::parse(schedule).unwrap();
        let wait = backoff(&parsed, time(previous), time(now));
        assert_eq!(wait, Some(Span::seconds(seconds)), "{schedule} from {previous} at {now}");
    }
    let ages = Schedule::parse("@every 2000000h").unwrap();
    assert_eq!(backoff(&ages, time("2027-01-01T00:00:00Z"), time("2027-01-01T00:00:00Z")), Some(LONGEST));
}

const ZONES: [&str; 5] =
    ["", "TZ=America/New_York ", "TZ=Australia/Lord_Howe ", "TZ=Africa/Monrovia ", "CRON_TZ=Asia/Tokyo "];

/// Texts that are mostly schedules.
fn schedule_text() -> impl Strategy<Value = String> {
    let zone = prop::sample::select(&ZONES[..]);
    let body = prop_oneof![
        "@every [0-9]{1,4}([.][0-9]{1,3})?(ms|s|m|h)",
        "@(hourly|daily|weekly|monthly|yearly)",
        "([*]|[*]/[1-9]|[1-5]?[0-9]) ([*]|[*]/[1-7]|1?[0-9]) ([*?]|[12]?[1-9](,29)?) ([*]|[1-9]) ([*?]|[0-3]-[4-6])",
    ];
    (zone, body).prop_map(|(zone, body)| format!("{zone}{body}"))
}

fn wall_clock_time() -> impl Strategy<Value = Time> {
    // The years 1970 to 2200.
    (0..7_258_118_400 * NANOS).prop_map(Time)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_and_no_time_panics(text in "\\PC*", previous: i64, now: i64) {
        if let Ok(schedule) = Schedule::parse(&text) {
            schedule.next_after(Time(previous));
            backoff(&schedule, Time(previous), Time(now));
        }
    }

    #[test]
    fn no_text_of_the_right_letters_panics(
        text in "(C?(RON_)?TZ=[A-Z/a-z]{0,5} )?(@every )?[-+*?/,.0-9a-zµ ]{0,24}", previous: i64, now: i64,
    ) {
        if let Ok(schedule) = Schedule::parse(&text) {
            schedule.next_after(Time(previous));
            backoff(&schedule, Time(previous), Time(now));
        }
    }

    #[test]
    fn no_time_is_too_early_or_too_late(text in schedule_text(), previous: i64, now: i64) {
        let schedule = Schedule::parse(&text).unwrap();
        schedule.next_after(Time(previous));
        if let Some(wait) = backoff(&schedule, Time(previous), Time(now)) {
            prop_assert!(Span::ZERO <= wait || now > i64::MAX - NANOS, "{:?}", wait);
        }
    }

    #[test]
    fn firings_are_later_whole_seconds_and_none_is_left_out(
        text in schedule_text(), after in wall_clock_time(), part in 0.0..1.0,
    ) {
        let schedule = Schedule::parse(&text).unwrap();
        let Some(next) = schedule.next_after(after) else { return Ok(()) };
        prop_assert!(next > after);
        prop_assert_eq!(next.0 % NANOS, 0);
        // From anywhere before a firing of a calendar, that firing is the next.
        if !text.contains("@every") {
            let between = Time(after.0 + ((next - after).0 as f64 * part) as i64).min(Time(next.0 - 1));
            prop_assert_eq!(schedule.next_after(between), Some(next));
        }
    }

    #[test]
    fn the_backoff_is_what_stepping_finds(
        text in schedule_text(), previous in wall_clock_time(), run_ns in 0..20_000 * NANOS,
    ) {
        let schedule = Schedule::parse(&text).unwrap();
        let now = previous + Span(run_ns);
        let mut stepped = schedule.next_after(previous);
        while let Some(next) = stepped.filter(|next| *next < now) {
            stepped = schedule.next_after(next);
        }
        let wait = backoff(&schedule, previous, now);
        prop_assert_eq!(wait.is_some(), stepped.is_some());
        if let (Some(wait), Some(next)) = (wait, stepped) {
            prop_assert_eq!(wait.0 % NANOS, 0);
            prop_assert!(now + wait >= next && now + wait < next + Span(NANOS));
        }
    }
}
