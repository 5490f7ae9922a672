//! What is normal for a series of hourly values: its level, its season, its spread, and how long it remembers.

use serde::{Deserialize, Serialize};
use wardline_stats::{
    classic::{cusum_run_length, cusum_threshold},
    distribution::{chi_square, normal},
    season::{HourOfWeek, HourlyProfile},
};

/// Hours of a week.
pub(super) const WEEK: i64 = 168;
/// Fewer hours with values do not say what is normal.
pub(super) const LEAST_HOURS: usize = 96;
/// The most hours that are learned from, the newest ones: four weeks of a value an hour.
pub(super) const MOST_HOURS: usize = 672;
/// False findings in a year of one series, by design.
pub(super) const YEARLY: f64 = 0.02;
/// The least shift of interest, in standard deviations of single hours.
pub(super) const LEAST_SHIFT: f64 = 1.0;
/// Parts that are left out in turn to see how well the rest foretells them.
const FOLDS: i64 = 14;
/// Most ranks that are kept.
const MOST_RANKS: usize = 400;
/// The fewest independent hours that the hours must be worth.
const LEAST_INDEPENDENT: f64 = 60.0;
/// Innovations that differ by less than this many spreads rank alike.
const CLOSE: f64 = 0.25;
/// Scores that vary less are those of a series that hardly ever moves.
const LEAST_SPREAD: f64 = 0.1;
/// A walk's largest distance from its bridge, in standard errors, that one settled series in a thousand exceeds.
const SETTLED: f64 = 1.95;
/// Days that say how much the days' means vary beyond what single hours do.
const LEAST_DAYS: usize = 7;
/// A series that never moved has a spread of one part in a hundred.
const RESOLUTION: f64 = 0.01;

/// The mean of one hour's values.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Hour {
    /// Hours since 1970.
    pub(super) at: i64,
    pub(super) mean: f64,
    /// How many values.
    pub(super) n: u32,
}

/// What is normal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Normal {
    /// Expected values by hour of the week.
    season: Vec<f32>,
    /// What is added to the season: it follows the series slowly.
    level: f64,
    /// How many hours the level rests on.
    weight: f64,
    /// Hours from one value to the next, as a rule.
    step: i64,
    /// Correlation of a value with the next one, season taken out.
    memory: f64,
    /// Standard deviation of single hours, season taken out.
    pub(super) spread: f64,
    /// Innovations of the learning period, in order, thinned.
    ranks: Vec<f32>,
    /// Mean of the scores of the learning period, and what they are divided by: their spread, times how much more days
    /// vary than hours tell.
    scale: (f64, f64),
    /// What a score loses each step.
    pub(super) slack: f64,
    /// The sum at which a shift is told.
    pub(super) threshold: f64,
    /// Values that it rests on.
    pub(super) n_values: u64,
    /// Hours that it rests on.
    pub(super) n_hours: usize,
}

/// Why nothing is normal for a series yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unsettled {
    /// Too few hours, or too short a time.
    Short,
    /// It moved while it was learned from, or it has no level that it comes back to.
    Moves,
}

impl Normal {
    /// Learns from hours in order.
    pub(super) fn learn(hours: &[Hour]) -> Result<Self, Unsettled> {
        let (Some(first), Some(last)) = (hours.first(), hours.last()) else { return Err(Unsettled::Short) };
        if hours.len() < LEAST_HOURS || last.at - first.at < WEEK - 1 {
            return Err(Unsettled::Short);
        }
        let step = usual_step(hours);
        let residuals = left_out_residuals(hours);
        let squares: f64 = residuals.iter().map(|residual| residual * residual).sum();
        let mean = hours.iter().map(|hour| hour.mean).sum::<f64>() / hours.len() as f64;
        let least = if squares > 0.0 { 0.0 } else { (RESOLUTION * mean.abs()).max(f64::MIN_POSITIVE) };
        let spread = (squares / hours.len() as f64).sqrt().max(least);
        let (memory, at_most) = memory_of(hours, &residuals, step).ok_or(Unsettled::Moves)?;
        // By the most that it may be: it tries again and again, and a memory that seems short by chance must not pass.
        if hours.len() as f64 * (1.0 - at_most) < LEAST_INDEPENDENT * (1.0 + at_most) {
            return Err(Unsettled::Short);
        }
        let innovations: Vec<f64> = (0..hours.len())
            .map(|at| {
                let before = at.checked_sub(1).map(|before| (hours[before].at, residuals[before]));
                innovation(before, (hours[at].at, residuals[at]), step, memory)
            })
            .collect();
        let mut ranks = innovations.clone();
        ranks.sort_by(f64::total_cmp);
        let ranks = thinned(&ranks);
        let mut scores: Vec<f64> = innovations.iter().map(|new| score_among(&ranks, *new, spread)).collect();
        let scale = standardize(&mut scores);
        if !is_settled(&scores) {
            return Err(Unsettled::Moves);
        }
        let inflation = inflation_of(hours, &scores);
        // A shift of the least size moves every innovation by as much; half of it is what a sum may lose, but never
        // less than two standard errors of the mean that was learned.
        let moved = LEAST_SHIFT * ((1.0 - memory) / (1.0 + memory)).sqrt() / inflation;
        let slack = (moved / 2.0).max(2.0 / (hours.len() as f64).sqrt());
        let run_length = 365.25 * 24.0 / step as f64 / YEARLY;
        let threshold = cusum_threshold(slack, run_length).ok_or(Unsettled::Moves)?;
        Ok(Self {
            season: season_of(&profile_of(hours.iter()), mean),
            level: 0.0,
            weight: hours.len() as f64,
            step,
            memory,
            spread,
            ranks,
            scale: (scale.0, scale.1 * inflation),
            slack,
            threshold,
            n_values: hours.iter().map(|hour| u64::from(hour.n)).sum(),
            n_hours: hours.len(),
        })
    }

    /// What an hour's value should be.
    pub(super) fn expected(&self, at: i64) -> f64 {
        let hour = HourOfWeek::from_unix_seconds(at.saturating_mul(3_600)).hour();
        self.season.get(hour).copied().map_or(0.0, f64::from) + self.level
    }

    /// How unlikely a residual is after the one before it: standard normal while nothing changes, or narrower.
    pub(super) fn score(&self, before: Option<(i64, f64)>, now: (i64, f64)) -> f64 {
        let innovation = innovation(before, now, self.step, self.memory);
        (score_among(&self.ranks, innovation, self.spread) - self.scale.0) / self.scale.1
    }

    /// The level follows a value slowly.
    pub(super) fn follow(&mut self, residual: f64) {
        self.weight = (self.weight + 1.0).min(MOST_HOURS as f64);
        self.level += residual.clamp(-3.0 * self.spread, 3.0 * self.spread) / self.weight;
    }

    /// What lasted is normal from now on.
    pub(super) fn settle(&mut self, residual: f64) {
        self.level += residual;
    }

    /// Chance that a sum comes to as much in a week in which nothing changes.
    pub(super) fn weekly_chance(&self, sum: f64) -> f64 {
        let steps = WEEK as f64 / self.step as f64;
        let run = cusum_run_length(self.slack, sum).unwrap_or(f64::INFINITY);
        (steps / run).clamp(f64::MIN_POSITIVE, 1.0)
    }
}

/// Hours between two values, as a rule: the median.
fn usual_step(hours: &[Hour]) -> i64 {
    let mut gaps: Vec<i64> = hours.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied().unwrap_or(1).max(1)
}

fn profile_of<'a>(hours: impl Iterator<Item = &'a Hour>) -> HourlyProfile {
    let mut profile = HourlyProfile::new();
    for hour in hours {
        if let Some(of_week) = HourOfWeek::new((hour.at + 72).rem_euclid(WEEK) as u8) {
            profile.observe(of_week, hour.mean);
        }
    }
    profile
}

fn season_of(profile: &HourlyProfile, mean: f64) -> Vec<f32> {
    let expected = |hour: u8| HourOfWeek::new(hour).and_then(|hour| profile.expectation(hour));
    (0..WEEK as u8).map(|hour| expected(hour).map_or(mean, |expected| expected.mean) as f32).collect()
}

/// Each hour against what the other days tell of it, so that what was learned is not judged by itself.
fn left_out_residuals(hours: &[Hour]) -> Vec<f64> {
    let mut residuals = vec![0.0; hours.len()];
    let fold_of = |hour: &Hour| hour.at.div_euclid(24).rem_euclid(FOLDS);
    for fold in 0..FOLDS {
        if !hours.iter().any(|hour| fold_of(hour) == fold) {
            continue;
        }
        let profile = profile_of(hours.iter().filter(|hour| fold_of(hour) != fold));
        let mut known: [Option<f64>; WEEK as usize] = [None; WEEK as usize];
        for (residual, hour) in residuals.iter_mut().zip(hours).filter(|(_, hour)| fold_of(hour) == fold) {
            let of_week = (hour.at + 72).rem_euclid(WEEK);
            let expected = *known[of_week as usize].get_or_insert_with(|| {
                let expectation = HourOfWeek::new(of_week as u8).and_then(|of_week| profile.expectation(of_week));
                expectation.map_or(hour.mean, |expected| expected.mean)
            });
            *residual = hour.mean - expected;
        }
    }
    residuals
}

/// Correlation of neighbours, not below zero, corrected for being too small in short series (Kendall), and the most that
/// it may be, two standard errors above.
///
/// `None` where it may well be one: such a series wanders, and nothing is normal for it.
fn memory_of(hours: &[Hour], residuals: &[f64], step: i64) -> Option<(f64, f64)> {
    let (mut products, mut squares, mut pairs) = (0.0, 0.0, 0.0);
    for at in 1..hours.len() {
        if hours[at].at - hours[at - 1].at == step {
            products += residuals[at] * residuals[at - 1];
            squares += 0.5 * (residuals[at].powi(2) + residuals[at - 1].powi(2));
            pairs += 1.0;
        }
    }
    if squares <= 0.0 {
        return Some((0.0, 0.0));
    }
    let raw = products / squares;
    let memory = (raw + (1.0 + 3.0 * raw) / pairs).clamp(0.0, 1.0);
    let error = ((1.0 - memory * memory) / pairs).sqrt();
    let at_most = memory + 2.0 * error;
    (at_most < 1.0).then_some((memory, at_most))
}

/// What is new in a residual, as if the one before it were one step away, and with the spread of residuals.
fn innovation(before: Option<(i64, f64)>, (at, residual): (i64, f64), step: i64, memory: f64) -> f64 {
    let Some((before, known)) = before else { return residual };
    let steps = ((at - before) as f64 / step as f64).max(1.0);
    let remembered = memory.powf(steps);
    (residual - remembered * known) / (1.0 - remembered * remembered).sqrt()
}

/// The normal quantile of a value's rank. Values that lie close count as equal: where a series has few values, their
/// order is that of the season's errors, and says nothing.
fn score_among(sorted: &[f32], value: f64, spread: f64) -> f64 {
    let below = sorted.partition_point(|other| f64::from(*other) < value - CLOSE * spread);
    let not_above = sorted.partition_point(|other| f64::from(*other) <= value + CLOSE * spread);
    let rank = 0.5 * (below + not_above) as f64;
    normal::quantile((rank + 0.5) / (sorted.len() as f64 + 1.0)).unwrap_or(0.0)
}

/// Takes mean and spread out of scores, and says which they were.
fn standardize(scores: &mut [f64]) -> (f64, f64) {
    let n = scores.len() as f64;
    let mean = scores.iter().sum::<f64>() / n;
    let spread = (scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / n).sqrt();
    let spread = if spread > LEAST_SPREAD { spread } else { 1.0 };
    scores.iter_mut().for_each(|score| *score = (*score - mean) / spread);
    (mean, spread)
}

fn thinned(sorted: &[f64]) -> Vec<f32> {
    let kept = sorted.len().min(MOST_RANKS);
    let place = |at: usize| ((at as f64 + 0.5) / kept as f64 * sorted.len() as f64) as usize;
    (0..kept).filter_map(|at| sorted.get(place(at)).map(|value| *value as f32)).collect()
}

/// Whether the scores of the learning period walk about no more than settled ones do.
fn is_settled(scores: &[f64]) -> bool {
    let n = scores.len() as f64;
    let mean = scores.iter().sum::<f64>() / n;
    let spread = (scores.iter().map(|score| (score - mean).powi(2)).sum::<f64>() / n).sqrt();
    if spread <= 0.0 {
        return true;
    }
    let mut walk = 0.0_f64;
    let farthest = scores.iter().fold(0.0_f64, |farthest, score| {
        walk += score - mean;
        farthest.max(walk.abs())
    });
    farthest / (spread * n.sqrt()) <= SETTLED
}

/// By how much more than independent hours the days' means vary, as a factor of the standard deviation: the upper end
/// of what the days allow, at least one.
fn inflation_of(hours: &[Hour], scores: &[f64]) -> f64 {
    let mut days: Vec<(i64, f64, f64)> = Vec::new();
    for (hour, score) in hours.iter().zip(scores) {
        let day = hour.at.div_euclid(24);
        match days.last_mut().filter(|last| last.0 == day) {
            Some(last) => (last.1, last.2) = (last.1 + score, last.2 + 1.0),
            None => days.push((day, *score, 1.0)),
        }
    }
    if days.len() < LEAST_DAYS {
        return 2.0;
    }
    let squares: f64 = days.iter().map(|(_, sum, n)| sum * sum / n).sum();
    let freedom = days.len() as f64;
    // The lower tenth of chi-square: the true variance is above this one time in ten only.
    let least = chi_square::upper_quantile(0.9, freedom).unwrap_or(freedom);
    (squares / least).sqrt().max(1.0)
}
