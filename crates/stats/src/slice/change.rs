//! Why a metric changed: other rows (mix), or the same rows with other results (rate).

use std::collections::BTreeMap;

use crate::distribution::normal;

/// Most groups.
const MOST_GROUPS: usize = 4_096;

/// Rows of one period: the metric is `sum of numerators / sum of denominators`.
#[derive(Clone, Copy, Debug)]
pub struct MetricRows<'a> {
    /// A code for each row.
    pub groups: &'a [u32],
    /// Losses, errors, clicks.
    pub numerators: &'a [f64],
    /// What they are divided by, each at least 0; `None` for a mean.
    pub denominators: Option<&'a [f64]>,
}

/// A part of a change, in units of the metric.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChangePart {
    /// The part.
    pub amount: f64,
    /// Its standard error, by the delta method.
    pub standard_error: f64,
}

impl ChangePart {
    /// Normal interval; `None` for a confidence outside `(0, 1)`.
    pub fn interval(&self, confidence: f64) -> Option<(f64, f64)> {
        if !(0.0 < confidence && confidence < 1.0) {
            return None;
        }
        let half = normal::quantile(0.5 + 0.5 * confidence)? * self.standard_error;
        Some((self.amount - half, self.amount + half))
    }
}

/// What one group adds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct GroupChange {
    /// Its code.
    pub group: u32,
    /// Its share of the denominators, before and now.
    pub weight: (f64, f64),
    /// By being more or fewer.
    pub mix: ChangePart,
    /// By being better or worse.
    pub rate: ChangePart,
}

/// A change and its parts: `now - before` is the sum of all groups' parts.
#[derive(Clone, Debug, PartialEq)]
pub struct Decomposition {
    /// The metric of the reference.
    pub before: f64,
    /// The metric now.
    pub now: f64,
    /// All groups' mix.
    pub mix: ChangePart,
    /// All groups' rate.
    pub rate: ChangePart,
    /// By code.
    pub groups: Vec<GroupChange>,
}

/// Splits the change of a metric into the mix and the rate of each group.
///
/// ```text
/// mix_g  = (w1 - w0) ((r0 + r1) / 2 - (m0 + m1) / 2)      w: share of the denominators, r: metric in the group
/// rate_g = (w0 + w1) / 2 (r1 - r0)                        m: metric of all
/// ```
///
/// The two-factor Shapley value of each group, and exact: all parts add up to `m1 - m0`. A group that only one period has
/// is all mix. Intervals treat rows as independent draws; they are too narrow for groups with fewer than some 20 rows.
///
/// Cost: `O(n log g + g^2)`. Returns `None` for uneven lengths, no rows, numbers that are not finite, a negative
/// denominator, a sum of zero, or over 4,096 groups.
///
/// Source: Kitagawa, "Components of a Difference Between Two Rates", JASA 50 (1955).
///
/// ```
/// use wardline_stats::slice::{MetricRows, decompose_change};
///
/// let rows = |numerators| MetricRows { groups: &[0, 0, 1, 1], numerators, denominators: None };
/// let found = decompose_change(rows(&[0.0, 1.0, 0.0, 1.0]), rows(&[0.0, 1.0, 1.0, 1.0])).unwrap();
/// assert_eq!((found.mix.amount, found.rate.amount, found.groups[1].rate.amount), (0.0, 0.25, 0.25));
/// ```
pub fn decompose_change(reference: MetricRows<'_>, current: MetricRows<'_>) -> Option<Decomposition> {
    let both = Both::new(&reference, &current)?;
    if both.cells.len() > MOST_GROUPS {
        return None;
    }
    let n = both.cells.len();
    let middle = 0.5 * (both.sums[0].metric() + both.sums[1].metric());
    let groups = both.cells.iter().enumerate().map(|(place, (group, _))| {
        let alone = |slope: Slope| {
            let mut slopes = vec![Slope::default(); n];
            slopes[place] = slope;
            slopes
        };
        let Values { weight, rate } = both.values(place);
        let (grown, mean) = (weight[1] - weight[0], 0.5 * (rate[0] + rate[1]) - middle);
        let mix = both.mix_slope(place, middle);
        let by_rate = both.rate_slope(place);
        GroupChange {
            group: *group,
            weight: (weight[0], weight[1]),
            mix: both.part(grown * mean, &alone(mix), -0.5 * grown),
            rate: both.part(0.5 * (weight[0] + weight[1]) * (rate[1] - rate[0]), &alone(by_rate), 0.0),
        }
    });
    let groups: Vec<GroupChange> = groups.collect();
    let total = |amount: fn(&GroupChange) -> f64| groups.iter().map(amount).sum::<f64>();
    let mix_slopes: Vec<Slope> = (0..n).map(|place| both.mix_slope(place, 0.0)).collect();
    let rate_slopes: Vec<Slope> = (0..n).map(|place| both.rate_slope(place)).collect();
    let found = Decomposition {
        before: both.sums[0].metric(),
        now: both.sums[1].metric(),
        mix: both.part(total(|group| group.mix.amount), &mix_slopes, 0.0),
        rate: both.part(total(|group| group.rate.amount), &rate_slopes, 0.0),
        groups,
    };
    (found.mix.standard_error.is_finite() && found.rate.standard_error.is_finite()).then_some(found)
}

/// Sums of numerators `y` and denominators `d`.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    y: f64,
    d: f64,
    yy: f64,
    yd: f64,
    dd: f64,
}

impl Sums {
    fn add(&mut self, y: f64, d: f64) {
        (self.y, self.d) = (self.y + y, self.d + d);
        (self.yy, self.yd, self.dd) = (self.yy + y * y, self.yd + y * d, self.dd + d * d);
    }

    pub(super) fn metric(&self) -> f64 {
        self.y / self.d
    }
}

/// How an amount depends on a group's weight and metric in each period.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Slope {
    weight: [f64; 2],
    rate: [f64; 2],
}

/// What a row of a group adds to an amount: `by_d d + by_y y`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Influence {
    pub(super) by_d: f64,
    pub(super) by_y: f64,
}

struct Values {
    weight: [f64; 2],
    rate: [f64; 2],
}

/// Both periods by group.
pub(super) struct Both {
    cells: Vec<(u32, [Sums; 2])>,
    pub(super) sums: [Sums; 2],
}

impl Both {
    pub(super) fn new(reference: &MetricRows<'_>, current: &MetricRows<'_>) -> Option<Self> {
        let mut cells = BTreeMap::<u32, [Sums; 2]>::new();
        let mut sums = [Sums::default(); 2];
        for (period, rows) in [reference, current].into_iter().enumerate() {
            let n = rows.groups.len();
            if n != rows.numerators.len() || rows.denominators.is_some_and(|denominators| denominators.len() != n) {
                return None;
            }
            for (row, (group, y)) in rows.groups.iter().zip(rows.numerators).enumerate() {
                let d = rows.denominators.map_or(1.0, |denominators| denominators[row]);
                if !y.is_finite() || !d.is_finite() || d < 0.0 {
                    return None;
                }
                sums[period].add(*y, d);
                cells.entry(*group).or_default()[period].add(*y, d);
            }
        }
        // A group whose denominators are all zero has no metric of its own, and no place in the sum.
        let has_no_place = |sums: &Sums| sums.d <= 0.0 && sums.y != 0.0;
        if cells.values().flatten().any(has_no_place) || !sums.iter().all(|sums| sums.d > 0.0 && sums.dd.is_finite()) {
            return None;
        }
        cells.retain(|_, sums| sums.iter().any(|sums| sums.d > 0.0));
        sums.iter()
            .all(|sums| sums.yy.is_finite() && sums.yd.is_finite())
            .then(|| Self { cells: cells.into_iter().collect(), sums })
    }

    fn values(&self, place: usize) -> Values {
        let cells = &self.cells[place].1;
        let weight = [0, 1].map(|period| cells[period].d / self.sums[period].d);
        // A group that only one period has: its metric is taken to have been the same in the other.
        let rate =
            [0, 1].map(|period| if cells[period].d > 0.0 { &cells[period] } else { &cells[1 - period] }.metric());
        Values { weight, rate }
    }

    pub(super) fn mix_amount(&self) -> f64 {
        let of = |place| {
            let Values { weight, rate } = self.values(place);
            (weight[1] - weight[0]) * 0.5 * (rate[0] + rate[1])
        };
        (0..self.cells.len()).map(of).sum()
    }

    pub(super) fn mix_slopes(&self) -> Vec<Slope> {
        (0..self.cells.len()).map(|place| self.mix_slope(place, 0.0)).collect()
    }

    fn mix_slope(&self, place: usize, middle: f64) -> Slope {
        let Values { weight, rate } = self.values(place);
        let cells = &self.cells[place].1;
        let (grown, mean) = (weight[1] - weight[0], 0.5 * (rate[0] + rate[1]) - middle);
        let in_both = cells.iter().all(|cell| cell.d > 0.0);
        let of = |period: usize| {
            if in_both {
                0.5 * grown
            } else if cells[period].d > 0.0 {
                grown
            } else {
                0.0
            }
        };
        Slope { weight: [-mean, mean], rate: [of(0), of(1)] }
    }

    fn rate_slope(&self, place: usize) -> Slope {
        let Values { weight, rate } = self.values(place);
        if self.cells[place].1.iter().any(|cell| cell.d <= 0.0) {
            return Slope::default();
        }
        let (size, grown) = (0.5 * (weight[0] + weight[1]), 0.5 * (rate[1] - rate[0]));
        Slope { weight: [grown; 2], rate: [-size, size] }
    }

    /// What rows of each group of a period add, beside `by_metric` times what they add to the period's metric.
    pub(super) fn influences(&self, period: usize, slopes: &[Slope], by_metric: f64) -> Vec<(u32, Influence)> {
        let all = &self.sums[period];
        let cell = |place: usize| &self.cells[place].1[period];
        let mean: f64 =
            slopes.iter().enumerate().map(|(place, slope)| slope.weight[period] * cell(place).d / all.d).sum();
        let of = |(place, slope): (usize, &Slope)| {
            let own = cell(place);
            let by_rate = if own.d > 0.0 { slope.rate[period] / own.d } else { 0.0 };
            let metric = if own.d > 0.0 { own.metric() } else { 0.0 };
            let by_d = (slope.weight[period] - mean - by_metric * all.metric()) / all.d - by_rate * metric;
            (self.cells[place].0, Influence { by_d, by_y: by_rate + by_metric / all.d })
        };
        slopes.iter().enumerate().map(of).collect()
    }

    fn part(&self, amount: f64, slopes: &[Slope], by_metric: f64) -> ChangePart {
        let mut variance = 0.0;
        for period in [0, 1] {
            for ((_, influence), (_, cells)) in self.influences(period, slopes, by_metric).iter().zip(&self.cells) {
                let Influence { by_d, by_y } = *influence;
                let cell = &cells[period];
                variance += (by_d * by_d * cell.dd + 2.0 * by_d * by_y * cell.yd + by_y * by_y * cell.yy).max(0.0);
            }
        }
        ChangePart { amount, standard_error: variance.sqrt() }
    }
}

#[cfg(test)]
mod tests;
