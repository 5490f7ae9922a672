//! Axes: which values and moments get a tick, and where they lie.

use wardline_domain::{Span, Timestamp};

use super::reading::formatted;

/// A scale from values to places on the page.
#[derive(Clone, Copy, Debug)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    at_low: f64,
    at_high: f64,
}

impl Scale {
    /// Values `low..high` to places `at_low..at_high`.
    pub(super) fn new(low: f64, high: f64, at_low: f64, at_high: f64) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Self { low, high, at_low, at_high }
    }

    /// The place of a value.
    pub(super) fn place(self, value: f64) -> f64 {
        self.at_low + (value - self.low) / (self.high - self.low) * (self.at_high - self.at_low)
    }

    /// The place of a moment, on a scale over microseconds.
    pub(super) fn at(self, time: Timestamp) -> f64 {
        self.place(time.micros() as f64)
    }
}

/// Round values from 0, or from below, up to just over `high`: steps of 1, 2, 2.5 or 5 times a power of ten.
pub(super) fn value_ticks(low: f64, high: f64, most: usize) -> Vec<f64> {
    let low = low.min(0.0);
    let range = if high > low { high - low } else { 1.0 };
    let rough = range / most.max(1) as f64;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|factor| factor * power).find(|step| *step >= rough * 0.999);
    let step = step.unwrap_or(power * 10.0);
    let first = (low / step).floor() as i64;
    let last = (high / step - 1e-9).ceil().max(first as f64 + 1.0) as i64;
    (first..=last).map(|index| index as f64 * step).collect()
}

/// Round moments within a stretch of time, each with its text.
pub(super) fn time_ticks(from: Timestamp, until: Timestamp, most: i64) -> Vec<(Timestamp, String)> {
    const STEPS: [Span; 15] = [
        Timestamp::SECOND,
        10 * Timestamp::SECOND,
        30 * Timestamp::SECOND,
        Timestamp::MINUTE,
        5 * Timestamp::MINUTE,
        15 * Timestamp::MINUTE,
        30 * Timestamp::MINUTE,
        Timestamp::HOUR,
        2 * Timestamp::HOUR,
        3 * Timestamp::HOUR,
        6 * Timestamp::HOUR,
        12 * Timestamp::HOUR,
        Timestamp::DAY,
        2 * Timestamp::DAY,
        7 * Timestamp::DAY,
    ];
    let range = until.since(from).max(1);
    let step = STEPS
        .into_iter()
        .find(|step| range / step <= most)
        .unwrap_or(range / most / Timestamp::DAY * Timestamp::DAY + Timestamp::DAY);
    let form = match step {
        _ if step >= Timestamp::DAY => "%-d %b",
        _ if step >= Timestamp::MINUTE => "%H:%M",
        _ => "%H:%M:%S",
    };
    let mut ticks = Vec::new();
    let mut tick = from.plus(step - 1).floor(step);
    while tick <= until {
        // The day is said where it changes.
        let midnight = tick.floor(Timestamp::DAY) == tick && step < Timestamp::DAY;
        ticks.push((tick, formatted(tick, if midnight { "%-d %b" } else { form })));
        tick = tick.plus(step);
    }
    ticks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn value_ticks_are_round_and_cover_the_range() {
        assert_eq!(value_ticks(0.0, 93.0, 4), [0.0, 25.0, 50.0, 75.0, 100.0]);
        assert_eq!(value_ticks(0.0, 0.0, 4), [0.0, 0.25]);
        let ticks = value_ticks(0.2, 7.3, 4);
        assert_eq!((ticks[0], ticks[ticks.len() - 1]), (0.0, 8.0));
        assert_eq!(value_ticks(-3.0, 3.0, 4)[0], -4.0);
    }

    #[test]
    fn time_ticks_say_the_day_where_it_changes() {
        let from = Timestamp::parse("2026-11-02T21:30:00Z").unwrap();
        let texts: Vec<String> =
            time_ticks(from, from.plus(6 * Timestamp::HOUR), 7).into_iter().map(|(_, text)| text).collect();
        assert_eq!(texts, ["22:00", "23:00", "3 Nov", "01:00", "02:00", "03:00"]);
        assert_eq!(time_ticks(from, from.plus(20 * Timestamp::DAY), 7).len(), 3);
        assert!(time_ticks(from, from.plus(900 * Timestamp::DAY), 7).len() <= 8);
    }
}
