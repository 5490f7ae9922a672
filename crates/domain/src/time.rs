//! Times: UTC microseconds, read from RFC 3339 or from an epoch number of any usual unit.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A moment in UTC, in microseconds since 1970-01-01. Written as RFC 3339.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A length of time in microseconds.
pub type Span = i64;

/// Why a time could not be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimestampError {
    /// Text that is no RFC 3339 time and no number.
    #[error("`{0}` is not a time: write RFC 3339 such as 2026-11-02T06:36:05.995Z, or an epoch number")]
    NotATime(String),
    /// A number outside 1973 to 2200 in every unit.
    #[error("{0} is not a time between 1973 and 2200 in seconds, milliseconds, microseconds or nanoseconds")]
    OutOfRange(String),
}

/// Epoch seconds of 1973-03-03, the smallest number that can only be seconds.
const LEAST_SECONDS: f64 = 1e8;
/// Epoch seconds of 2200-01-01.
const MOST_SECONDS: f64 = 7_258_118_400.0;

impl Timestamp {
    /// One second, as a [`Span`].
    pub const SECOND: Span = 1_000_000;
    /// One minute, as a [`Span`].
    pub const MINUTE: Span = 60 * Self::SECOND;
    /// One hour, as a [`Span`].
    pub const HOUR: Span = 60 * Self::MINUTE;
    /// One day, as a [`Span`].
    pub const DAY: Span = 24 * Self::HOUR;

    /// From microseconds since the epoch.
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Reads an epoch number; its magnitude tells seconds, milliseconds, microseconds or nanoseconds.
    ///
    /// # Errors
    /// [`TimestampError::OutOfRange`] where no unit gives a time between 1973 and 2200.
    pub fn from_epoch(number: f64) -> Result<Self, TimestampError> {
        let mut seconds = number;
        for unit in [1.0, 1e3, 1e6, 1e9] {
            seconds = number / unit;
            if (LEAST_SECONDS..=MOST_SECONDS).contains(&seconds) {
                return Ok(Self((number * (1e6 / unit)).round() as i64));
            }
        }
        let _ = seconds;
        Err(TimestampError::OutOfRange(number.to_string()))
    }

    /// Reads a whole epoch number without losing the last digits of nanoseconds.
    ///
    /// # Errors
    /// As [`Timestamp::from_epoch`].
    pub fn from_epoch_integer(number: i64) -> Result<Self, TimestampError> {
        let magnitude = number as f64;
        let within = |unit: f64| (LEAST_SECONDS..=MOST_SECONDS).contains(&(magnitude / unit));
        match () {
            () if within(1.0) => Ok(Self(number * 1_000_000)),
            () if within(1e3) => Ok(Self(number * 1_000)),
            () if within(1e6) => Ok(Self(number)),
            () if within(1e9) => Ok(Self(number.div_euclid(1_000))),
            () => Err(TimestampError::OutOfRange(number.to_string())),
        }
    }

    /// Reads RFC 3339 text, or an epoch number written as text.
    ///
    /// # Errors
    /// [`TimestampError::NotATime`] or [`TimestampError::OutOfRange`].
    pub fn parse(text: &str) -> Result<Self, TimestampError> {
        if let Some(micros) = parse_utc_fast(text.as_bytes()) {
            return Ok(Self(micros));
        }
        if let Ok(number) = text.parse::<f64>() {
            return Self::from_epoch(number);
        }
        chrono::DateTime::parse_from_rfc3339(text)
            .map(|time| Self(time.timestamp_micros()))
            .or_else(|_| {
                // Python's `isoformat()` of a naive time leaves the zone out; UTC is what it means here.
                text.parse::<chrono::NaiveDateTime>().map(|time| Self(time.and_utc().timestamp_micros()))
            })
            .map_err(|_| TimestampError::NotATime(text.chars().take(40).collect()))
    }

    /// The start of the span-long period that holds this moment, counted from the epoch.
    pub const fn floor(self, span: Span) -> Self {
        Self(self.0 - self.0.rem_euclid(span))
    }

    /// This moment and a span; saturates.
    #[must_use]
    pub const fn plus(self, span: Span) -> Self {
        Self(self.0.saturating_add(span))
    }

    /// Microseconds from an earlier moment to this one.
    pub const fn since(self, earlier: Self) -> Span {
        self.0.saturating_sub(earlier.0)
    }

    /// Hour of the week in UTC, 0 (Monday 00:00) to 167.
    pub const fn hour_of_week(self) -> usize {
        // 1970-01-01 was a Thursday, three days after a Monday.
        ((self.0.div_euclid(Self::HOUR) + 72).rem_euclid(168)) as usize
    }

    /// Hour of the day in UTC, 0 to 23.
    pub const fn hour_of_day(self) -> usize {
        self.0.div_euclid(Self::HOUR).rem_euclid(24) as usize
    }
}

/// `2026-11-02T06:36:05.995Z` in about 10 ns; anything else is left to the full parser.
fn parse_utc_fast(text: &[u8]) -> Option<i64> {
    let (b'Z', body) = text.split_last()? else { return None };
    if body.len() < 19 || body[4] != b'-' || body[7] != b'-' || body[10] != b'T' || body[13] != b':' || body[16] != b':'
    {
        return None;
    }
    let number = |range: std::ops::Range<usize>| {
        body[range]
            .iter()
            .try_fold(0i64, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + i64::from(digit - b'0')))
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    let micros = match body.get(19) {
        None => 0,
        Some(b'.') if (21..=26).contains(&body.len()) => {
            let digits = body.len() - 20;
            number(20..body.len())? * 10i64.pow(6 - digits as u32)
        }
        Some(_) => return None,
    };
    let date = chrono::NaiveDate::from_ymd_opt(year as i32, month as u32, day as u32)?;
    if hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let days = i64::from(date.to_epoch_days());
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000 + micros)
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match chrono::DateTime::from_timestamp_micros(self.0) {
            Some(time) if self.0 % 1_000 == 0 => write!(f, "{}", time.format("%Y-%m-%dT%H:%M:%S%.3fZ")),
            Some(time) => write!(f, "{}", time.format("%Y-%m-%dT%H:%M:%S%.6fZ")),
            None => write!(f, "{}us", self.0),
        }
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() { serializer.collect_str(self) } else { serializer.serialize_i64(self.0) }
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            let text = String::deserialize(deserializer)?;
            Self::parse(&text).map_err(serde::de::Error::custom)
        } else {
            i64::deserialize(deserializer).map(Self)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_unit_of_an_epoch_number_is_the_same_moment() {
        let expected = Timestamp::parse("2026-11-02T06:36:05.995Z").unwrap();
        assert_eq!(Timestamp::from_epoch(1_793_601_365.995), Ok(expected));
        assert_eq!(Timestamp::from_epoch_integer(1_793_601_365_995), Ok(expected));
        assert_eq!(Timestamp::from_epoch_integer(1_793_601_365_995_000), Ok(expected));
        assert_eq!(Timestamp::from_epoch_integer(1_793_601_365_995_000_000), Ok(expected));
        assert_eq!(Timestamp::parse("1793601365.995"), Ok(expected));
    }

    #[test]
    fn zones_and_fractions_are_read() {
        let utc = Timestamp::parse("2026-11-02T06:36:05Z").unwrap();
        assert_eq!(Timestamp::parse("2026-11-02T08:36:05+02:00"), Ok(utc));
        assert_eq!(Timestamp::parse("2026-11-02T06:36:05"), Ok(utc));
        assert_eq!(Timestamp::parse("2026-11-02T06:36:05.000001Z"), Ok(utc.plus(1)));
        assert_eq!(Timestamp::parse("2026-11-02T06:36:05.123456789Z"), Ok(utc.plus(123_456)));
    }

    #[test]
    fn nonsense_is_an_error_that_says_what_to_write() {
        for text in ["", "yesterday", "2026-13-02T06:36:05Z", "2026-02-30T00:00:00Z", "NaN", "12"] {
            assert!(Timestamp::parse(text).is_err(), "{text}");
        }
        assert!(Timestamp::parse("yesterday").unwrap_err().to_string().contains("write RFC 3339"));
    }

    #[test]
    fn the_week_starts_on_monday() {
        assert_eq!(Timestamp::parse("2026-11-02T00:00:00Z").unwrap().hour_of_week(), 0);
        assert_eq!(Timestamp::parse("2026-11-08T23:59:59Z").unwrap().hour_of_week(), 167);
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(micros in 100_000_000_000_000i64..7_258_118_400_000_000) {
            let time = Timestamp::from_micros(micros);
            prop_assert_eq!(Timestamp::parse(&time.to_string()), Ok(time));
        }

        #[test]
        fn any_text_is_read_or_refused_without_panic(text in ".{0,40}") {
            let _ = Timestamp::parse(&text);
        }
    }
}
