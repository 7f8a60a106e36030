//! The next instant whose wall clock matches five fields.
use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::field::Field;

const MINUTE_SECONDS: i64 = 60;
const DAY_SECONDS: i64 = 86_400;
/// A schedule that does not fire in the year it is asked in nor in so many after it never fires.
const YEARS_AHEAD: i16 = 5;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Calendar {
    pub(super) minute: Field,
    pub(super) hour: Field,
    pub(super) day_of_month: Field,
    pub(super) month: Field,
    pub(super) day_of_week: Field,
    pub(super) zone: TimeZone,
}

impl Calendar {
    /// The first Unix second, not before `from`, at which a minute of the schedule begins.
    ///
    /// Between two transitions of the zone the wall clock runs with a constant offset, so each such stretch is searched
    /// as plain local time: gaps and repetitions of the wall clock need no care of their own.
    pub(super) fn first_from(&self, from: i64) -> Option<i64> {
        let mut start = Timestamp::from_second(from).ok()?;
        let last_year = self.zone.to_datetime(start).year().checked_add(YEARS_AHEAD)?;
        let until = local_second(Date::new(last_year, 12, 31).ok()?)? + DAY_SECONDS;
        loop {
            let offset = i64::from(self.zone.to_offset(start).seconds());
            let end = self.zone.following(start).next().map(|transition| transition.timestamp());
            let stretch_end = end.map_or(until, |end| until.min(end.as_second() + offset));
            if let Some(local) = self.first_local(start.as_second() + offset, stretch_end) {
                return Some(local - offset);
            }
            if stretch_end == until {
                return None;
            }
            start = end.filter(|end| *end > start)?;
        }
    }

    /// The first match in `from..until`, in seconds of a wall clock without transitions.
    fn first_local(&self, from: i64, until: i64) -> Option<i64> {
        let mut at = from + (-from).rem_euclid(MINUTE_SECONDS);
        while at < until {
            let day = at.div_euclid(DAY_SECONDS);
            let date = jiff::tz::Offset::UTC.to_datetime(Timestamp::from_second(at).ok()?).date();
            if !self.month.contains(date.month()) {
                at = (day + i64::from(date.days_in_month() - date.day()) + 1) * DAY_SECONDS;
                continue;
            }
            if self.matches_day(date)
                && let Some(minute) = self.first_minute(at.rem_euclid(DAY_SECONDS) / MINUTE_SECONDS)
            {
                return Some(day * DAY_SECONDS + minute * MINUTE_SECONDS).filter(|found| *found < until);
            }
            at = (day + 1) * DAY_SECONDS;
        }
        None
    }

    /// Both day fields must match if either is open; if both are restricted, one of them is enough.
    fn matches_day(&self, date: Date) -> bool {
        let of_month = self.day_of_month.contains(date.day());
        let of_week = self.day_of_week.contains(date.weekday().to_sunday_zero_offset());
        if self.day_of_month.open || self.day_of_week.open { of_month && of_week } else { of_month || of_week }
    }

    /// The first matching minute of a day, not before minute `from` (0 to 1439) of that day.
    fn first_minute(&self, from: i64) -> Option<i64> {
        let (hour, minute) = (from / 60, from % 60);
        let this_hour = || self.minute.at_least(minute).filter(|_| self.hour.at_least(hour) == Some(hour));
        let later_hour = || Some(self.hour.at_least(hour + 1)? * 60 + self.minute.at_least(0)?);
        this_hour().map(|minute| hour * 60 + minute).or_else(later_hour)
    }
}

/// The second at which a day begins on a wall clock without transitions.
fn local_second(date: Date) -> Option<i64> {
    let midnight = jiff::tz::Offset::UTC.to_timestamp(date.at(0, 0, 0, 0)).ok()?;
    Some(midnight.as_second())
}
