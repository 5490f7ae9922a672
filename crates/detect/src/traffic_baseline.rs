//! How much traffic is normal, by hour of the day and of the week, and how far normal traffic strays.

use serde::{Deserialize, Serialize};
use wardline_domain::{Span, Timestamp};

/// Most cells of the learning period; beyond that they are merged in pairs.
const MOST_CELLS: usize = 50_000;
/// Normal traffic strays by at least this much, as a share, whatever a short learning showed.
const LEAST_STRAY: f64 = 0.1;
/// And by this much in hours that the learning has not seen.
const STRAY_UNSEEN: f64 = 0.7;

/// Counts of events by minute during learning.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TrafficLearning {
    width: Span,
    /// Start in microseconds and events, only where there are some.
    cells: Vec<(i64, u64)>,
    longest_gap: Span,
    last: Option<Timestamp>,
}

impl Default for TrafficLearning {
    fn default() -> Self {
        Self { width: Timestamp::MINUTE, cells: Vec::new(), longest_gap: 0, last: None }
    }
}

impl TrafficLearning {
    /// Takes one second's count.
    pub(crate) fn observe(&mut self, time: Timestamp, events: u32) {
        if let Some(last) = self.last {
            self.longest_gap = self.longest_gap.max(time.since(last));
        }
        self.last = Some(time);
        let start = time.floor(self.width).micros();
        match self.cells.last_mut() {
            Some((open, n)) if *open == start => *n += u64::from(events),
            _ => self.cells.push((start, u64::from(events))),
        }
        if self.cells.len() > MOST_CELLS {
            self.width *= 2;
            self.cells = self.in_cells(self.width);
        }
    }

    /// Counts in wider cells, empty ones left out.
    fn in_cells(&self, width: Span) -> Vec<(i64, u64)> {
        let mut wider: Vec<(i64, u64)> = Vec::new();
        for &(start, n) in &self.cells {
            let start = Timestamp::from_micros(start).floor(width).micros();
            match wider.last_mut() {
                Some((open, sum)) if *open == start => *sum += n,
                _ => wider.push((start, n)),
            }
        }
        wider
    }

    /// Counts in wider cells that lie wholly between two moments, empty ones included.
    fn whole_cells(&self, width: Span, from: Timestamp, until: Timestamp) -> Vec<(Timestamp, f64)> {
        let counts: std::collections::BTreeMap<i64, u64> = self.in_cells(width).into_iter().collect();
        let mut cells = Vec::new();
        let mut start = from.plus(width - 1).floor(width);
        while start.plus(width) <= until && cells.len() < MOST_CELLS {
            cells.push((start, counts.get(&start.micros()).copied().unwrap_or(0) as f64));
            start = start.plus(width);
        }
        cells
    }

    /// What is normal.
    pub(crate) fn finish(&self, from: Timestamp, until: Timestamp) -> TrafficBaseline {
        let total: u64 = self.cells.iter().map(|&(_, n)| n).sum();
        let seconds = (until.since(from) as f64 / Timestamp::SECOND as f64).max(1.0);
        let mut baseline = TrafficBaseline::flat(total as f64 / seconds, self.longest_gap);
        baseline.set_season(&self.whole_cells(Timestamp::HOUR, from, until), until.since(from));
        baseline.width = baseline.window_width();
        let cells = self.whole_cells(baseline.width, from, until);
        baseline.stray = baseline.stray_of(&cells).max(LEAST_STRAY);
        baseline.windows = cells.len();
        baseline
    }
}

/// How the season was learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Season {
    /// Less than a day: no season is known.
    None,
    /// By hour of the day, weekends apart where there was one.
    Day,
    /// By hour of the week.
    Week,
}

/// How much traffic is normal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct TrafficBaseline {
    /// Events per second by hour of the week.
    pub(crate) rates: Vec<f64>,
    /// Whether the hour of the week was seen, or for [`Season::Day`] the hour of the day.
    pub(crate) seen: Vec<bool>,
    /// Events per second over the whole learning period.
    pub(crate) mean: f64,
    /// How the season was learned.
    pub(crate) season: Season,
    /// Width of the windows that traffic is judged in.
    pub(crate) width: Span,
    /// Standard deviation of counts beyond chance, as a share of the expected count.
    pub(crate) stray: f64,
    /// How many windows that rests on.
    pub(crate) windows: usize,
    /// The longest time without an event.
    pub(crate) longest_gap: Span,
}

impl TrafficBaseline {
    fn flat(mean: f64, longest_gap: Span) -> Self {
        Self {
            rates: vec![mean; 168],
            seen: vec![false; 168],
            mean,
            season: Season::None,
            width: Timestamp::HOUR,
            stray: LEAST_STRAY,
            windows: 0,
            longest_gap,
        }
    }

    fn set_season(&mut self, hours: &[(Timestamp, f64)], span: Span) {
        self.season = match span {
            span if span >= 13 * Timestamp::DAY => Season::Week,
            span if span >= 20 * Timestamp::HOUR => Season::Day,
            _ => Season::None,
        };
        for &(time, _) in hours {
            self.seen[time.hour_of_week()] = true;
        }
        if self.season == Season::None {
            return;
        }
        // An hour of the week has few repeats, so it leans on the hour of the day of its kind of day
        // with the weight of one more observation.
        let is_weekend = |hour_of_week: usize| hour_of_week >= 120;
        for hour in 0..168 {
            let mean_of = |belongs: &dyn Fn(usize) -> bool| {
                let (mut sum, mut n) = (0.0, 0.0_f64);
                for &(_, count) in hours.iter().filter(|(time, _)| belongs(time.hour_of_week())) {
                    sum += count;
                    n += 1.0;
                }
                (n > 0.0).then(|| (sum / n, n))
            };
            let same_day_kind = mean_of(&|other| other % 24 == hour % 24 && is_weekend(other) == is_weekend(hour));
            let same_hour = mean_of(&|other| other % 24 == hour % 24);
            let daily = same_day_kind.or(same_hour).map(|(mean, _)| mean);
            let own = mean_of(&|other| other == hour).filter(|_| self.season == Season::Week);
            let expected = match (own, daily) {
                (Some((own, n)), Some(daily)) => (own * n + daily) / (n + 1.0),
                (None, Some(daily)) => daily,
                _ => continue,
            };
            self.seen[hour] = same_day_kind.is_some();
            self.rates[hour] = expected / 3_600.0;
        }
    }

    /// The shortest width whose windows hold 60 events on average.
    fn window_width(&self) -> Span {
        let events = |width: Span| self.mean * width as f64 / Timestamp::SECOND as f64;
        [Timestamp::MINUTE, 10 * Timestamp::MINUTE, Timestamp::HOUR, 6 * Timestamp::HOUR]
            .into_iter()
            .find(|&width| events(width) >= 60.0)
            .unwrap_or(Timestamp::DAY)
    }

    fn stray_of(&self, cells: &[(Timestamp, f64)]) -> f64 {
        let (mut sum, mut n) = (0.0, 0.0_f64);
        for &(start, count) in cells {
            let expected = self.expected(start, start.plus(self.width));
            if expected >= 5.0 {
                sum += ((count - expected) * (count - expected) - expected) / (expected * expected);
                n += 1.0;
            }
        }
        if n < 2.0 {
            return STRAY_UNSEEN;
        }
        // The rates were fitted to the same counts: correct for what that hides.
        let repeats = match self.season {
            Season::Week => 3.0,
            Season::Day => 2.0,
            Season::None => n,
        };
        (sum / n * repeats / (repeats - 1.0)).max(0.0).sqrt()
    }

    /// Events that are normal between two moments.
    pub(crate) fn expected(&self, from: Timestamp, until: Timestamp) -> f64 {
        let mut events = 0.0;
        let mut start = from;
        let mut steps = 0;
        while start < until && steps < 24 * 40 {
            let end = start.floor(Timestamp::HOUR).plus(Timestamp::HOUR).min(until);
            events += self.rates[start.hour_of_week()] * end.since(start) as f64 / Timestamp::SECOND as f64;
            start = end;
            steps += 1;
        }
        if start < until { events + self.mean * until.since(start) as f64 / Timestamp::SECOND as f64 } else { events }
    }

    /// Whether the learning knows what is normal at a moment.
    pub(crate) fn knows(&self, time: Timestamp) -> bool {
        self.seen[time.hour_of_week()]
    }

    /// Variance of a count at a moment, beyond chance and as a share of the expected count squared: the
    /// stray, and what the rate itself may be off, as it rests on a few repeats of that hour.
    pub(crate) fn dispersion(&self, time: Timestamp, expected: f64) -> f64 {
        let stray = if self.knows(time) { self.stray } else { self.stray.max(STRAY_UNSEEN) };
        let repeats = match self.season {
            Season::None => (self.windows as f64).max(1.0),
            Season::Day => 2.0,
            Season::Week => 3.0,
        };
        stray * stray * (1.0 + 1.0 / repeats) + 1.0 / (repeats * expected.max(1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_weeks_teach_the_hours_of_the_week() {
        let monday = Timestamp::parse("2026-01-05T00:00:00Z").unwrap();
        let mut learning = TrafficLearning::default();
        for minute in 0..14 * 24 * 60 {
            let time = monday.plus(minute * Timestamp::MINUTE);
            let busy = (8..18).contains(&time.hour_of_day()) && time.hour_of_week() < 120;
            learning.observe(time, if busy { 60 } else { 6 });
        }
        let baseline = learning.finish(monday, monday.plus(14 * Timestamp::DAY));
        let at = |day: i64, hour: i64| {
            let start = monday.plus(day * Timestamp::DAY + hour * Timestamp::HOUR);
            baseline.expected(start, start.plus(Timestamp::HOUR)).round()
        };
        assert_eq!((baseline.season, at(1, 10), at(1, 3), at(5, 10)), (Season::Week, 3_600.0, 360.0, 360.0));
        assert!(baseline.stray < 0.2);
    }
}
