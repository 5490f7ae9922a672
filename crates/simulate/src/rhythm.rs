//! How many visits come at which time: hour of the day, day of the week, holidays.

use wardline_domain::Timestamp;

use crate::random::Random;

/// Shares of the peak by hour of the day (UTC), for a service that people use while awake.
pub(crate) const WAKING: [f64; 24] = [
    0.22, 0.14, 0.10, 0.09, 0.10, 0.16, 0.30, 0.48, 0.66, 0.80, 0.88, 0.93, 0.97, 0.94, 0.90, 0.89, 0.92, 0.98, 1.00,
    0.97, 0.86, 0.68, 0.48, 0.33,
];

/// Shares of the peak by hour of the day (UTC), for a service that offices use.
pub(crate) const OFFICE: [f64; 24] = [
    0.06, 0.05, 0.05, 0.05, 0.06, 0.09, 0.22, 0.52, 0.85, 0.97, 1.00, 0.96, 0.78, 0.88, 0.97, 0.95, 0.86, 0.62, 0.36,
    0.22, 0.16, 0.12, 0.09, 0.07,
];

/// Traffic over time.
#[derive(Clone, Debug)]
pub(crate) struct Rhythm {
    /// Predictions in the busiest hour of an ordinary working day.
    pub(crate) peak_per_hour: f64,
    /// Share of the peak by hour of the day.
    pub(crate) hours: [f64; 24],
    /// Factor on Saturdays and Sundays.
    pub(crate) weekend: f64,
    /// Stretches with more or less traffic than usual.
    pub(crate) holidays: Vec<Holiday>,
}

/// A stretch of unusual, harmless traffic.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Holiday {
    /// When it begins.
    pub(crate) from: Timestamp,
    /// When it ends.
    pub(crate) until: Timestamp,
    /// How much more traffic there is.
    pub(crate) factor: f64,
}

/// Whether a moment lies on a Saturday or Sunday (UTC).
pub(crate) const fn is_weekend(time: Timestamp) -> bool {
    time.hour_of_week() >= 120
}

impl Rhythm {
    /// Predictions an hour at a moment; hours flow into each other.
    pub(crate) fn rate(&self, time: Timestamp) -> f64 {
        let hour = time.hour_of_day();
        let into = time.since(time.floor(Timestamp::HOUR)) as f64 / Timestamp::HOUR as f64;
        let share = self.hours[hour] * (1.0 - into) + self.hours[(hour + 1) % 24] * into;
        let weekend = if is_weekend(time) { self.weekend } else { 1.0 };
        self.peak_per_hour * share * weekend * self.holiday_factor(time)
    }

    /// The moment of the next visit after `time`, by thinning a Poisson process of the highest rate.
    pub(crate) fn next_visit(&self, time: Timestamp, visit_length: f64, random: &mut Random) -> Timestamp {
        let holidays = self.holidays.iter().map(|holiday| holiday.factor).fold(1.0, f64::max);
        let most_visits = self.peak_per_hour * holidays * self.weekend.max(1.0) / visit_length;
        let mean_gap = Timestamp::HOUR as f64 / most_visits;
        let mut next = time;
        loop {
            next = next.plus(random.exponential(mean_gap) as i64 + 1);
            if random.chance(self.rate(next) / (most_visits * visit_length)) {
                return next;
            }
        }
    }

    /// Predictions that are to be expected between two moments.
    #[cfg(test)]
    pub(crate) fn expected(&self, from: Timestamp, until: Timestamp) -> f64 {
        let step = 5 * Timestamp::MINUTE;
        let steps = until.since(from) / step;
        (0..steps).map(|index| self.rate(from.plus(index * step)) / 12.0).sum()
    }

    fn holiday_factor(&self, time: Timestamp) -> f64 {
        self.holidays
            .iter()
            .filter(|holiday| holiday.from <= time && time < holiday.until)
            .map(|holiday| holiday.factor)
            .product()
    }
}
