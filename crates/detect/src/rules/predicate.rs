//! One test of one field; rules that test the same share it.

use std::net::IpAddr;

use super::{
    field::Field,
    text_pattern::{Place, TextPattern},
};

/// A test of a field.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Predicate {
    pub(crate) field: Field,
    pub(crate) test: Test,
}

/// What is tested. A value that is missing passes [`Test::Null`] only.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Test {
    /// The value is missing.
    Null,
    /// The value is there.
    Exists,
    /// Equal to a plain value: as a text, as a number, or as a truth value, as the column holds.
    Equal {
        text: String,
        cased: bool,
        number: Option<Number>,
        boolean: Option<bool>,
    },
    /// A text or a whole number in digits.
    Text {
        pattern: TextPattern,
        cased: bool,
    },
    Regex(String),
    Compare(Compare, Number),
    /// A part of a time in UTC.
    TimePart(TimePart, Compare, i64),
    /// An address in a network.
    Network(IpAddr, u8),
    /// Another field of the same record.
    Same {
        other: Field,
        place: Place,
        cased: bool,
    },
}

/// A number that can be looked up: by its bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Number(u64);

impl Number {
    pub(crate) const fn new(number: f64) -> Self {
        // There is one zero.
        Self(if number == 0.0 { 0 } else { number.to_bits() })
    }

    pub(crate) const fn get(self) -> f64 {
        f64::from_bits(self.0)
    }
}

/// How two numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Compare {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
}

impl Compare {
    pub(crate) fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Greater => left > right,
            Self::AtLeast => left >= right,
            Self::Equal => left == right,
        }
    }

    pub(crate) const fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::Equal => "=",
        }
    }
}

/// A part of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum TimePart {
    Minute,
    Hour,
    Day,
    /// Of ISO 8601.
    Week,
    Month,
    Year,
}

impl TimePart {
    /// The part of a moment in microseconds.
    pub(crate) fn of(self, micros: i64) -> i64 {
        let days = micros.div_euclid(86_400_000_000);
        match self {
            Self::Minute => micros.div_euclid(60_000_000).rem_euclid(60),
            Self::Hour => micros.div_euclid(3_600_000_000).rem_euclid(24),
            Self::Day => civil(days).2,
            Self::Week => week(days),
            Self::Month => civil(days).1,
            Self::Year => civil(days).0,
        }
    }

    /// The name in SQL.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Year => "year",
        }
    }
}

/// Year, month and day of a day since 1970: the calendar counted in years that begin in March.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let calendar_month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(calendar_month <= 2), calendar_month, day)
}

fn day_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

/// The week of ISO 8601: that of the year in which its Thursday lies.
fn week(days: i64) -> i64 {
    let thursday = days - (days + 3).rem_euclid(7) + 3;
    (thursday - day_of(civil(thursday).0, 1, 1)) / 7 + 1
}

/// Whether an address lies in a network.
pub(crate) fn in_network(address: IpAddr, network: IpAddr, prefix: u8) -> bool {
    let shared = |left: u128, right: u128, bits: u32| {
        let shift = bits.saturating_sub(u32::from(prefix));
        shift >= bits || left >> shift == right >> shift
    };
    match (address, network) {
        (IpAddr::V4(left), IpAddr::V4(right)) => shared(u32::from(left).into(), u32::from(right).into(), 32),
        (IpAddr::V6(left), IpAddr::V6(right)) => shared(left.into(), right.into(), 128),
        _ => false,
    }
}

/// The value of a text as a number, where it is a finite one.
pub(crate) fn number_of(text: &str) -> Option<f64> {
    // Names of numbers, such as `inf`, are texts.
    let is_number = text.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E'));
    if !is_number {
        return None;
    }
    text.parse::<f64>().ok().filter(|number| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_time_are_those_of_the_calendar() {
        let micros = wardline_domain::Timestamp::parse("2027-01-03T23:59:58Z").unwrap().micros();
        let parts = [TimePart::Minute, TimePart::Hour, TimePart::Day, TimePart::Week, TimePart::Month, TimePart::Year];
        // A Sunday of the last week of 2026.
        assert_eq!(parts.map(|part| part.of(micros)), [59, 23, 3, 53, 1, 2027]);
        let leap = wardline_domain::Timestamp::parse("2028-02-29T00:00:00Z").unwrap().micros();
        assert_eq!(parts.map(|part| part.of(leap)), [0, 0, 29, 9, 2, 2028]);
    }

    #[test]
    fn networks_hold_their_addresses() {
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(in_network(address("10.1.2.3"), address("10.0.0.0"), 8));
        assert!(!in_network(address("11.1.2.3"), address("10.0.0.0"), 8));
        assert!(in_network(address("1.2.3.4"), address("0.0.0.0"), 0));
        assert!(in_network(address("2001:db8::1"), address("2001:db8::"), 32));
        assert!(!in_network(address("10.0.0.1"), address("::"), 0));
    }
}
