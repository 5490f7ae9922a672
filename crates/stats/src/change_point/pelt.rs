//! All changes of a finished series: the segmentation of least cost, found exactly.

use serde::{Deserialize, Serialize};

use self::law::{Law, Model, Sums, add};
use super::onset::{Onset, interval};
use super::{CountCell, MeanCell, ShareCell};
use crate::distribution::chi_square;

mod law;
mod search;
#[cfg(test)]
mod tests;

/// More cells than this are refused: an unchanged series costs the square of its length.
const MOST_CELLS: usize = 20_000;

/// What a further segment costs, on the scale of `-2 ln(likelihood)`.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum Penalty {
    /// As much as keeps the probability that an unchanged series of `n` cells shows any change at
    /// this or below (a quarter of it for 100 to 200 cells, as splits resemble each other): the upper `alpha/n` quantile of chi-square, with a degree of freedom for each
    /// number that a segment has (one, or two with a variance of its own).
    FalseAlarm(f64),
    /// This much. `2 ln(n)` for one number a segment is the Schwarz criterion.
    Fixed(f64),
}

/// How a series is cut.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct PeltSettings {
    /// The price of a segment.
    pub penalty: Penalty,
    /// The fewest cells of a segment, at least 1.
    pub least_cells: usize,
}

impl Default for PeltSettings {
    /// One false change in a hundred unchanged series, segments of any length.
    fn default() -> Self {
        Self { penalty: Penalty::FalseAlarm(0.01), least_cells: 1 }
    }
}

/// A stretch without change.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segment {
    /// Its first cell.
    pub first: usize,
    /// The cell after its last.
    pub end: usize,
    /// Its share, rate or mean.
    pub level: f64,
    /// The standard deviation of its values around the level, as the model has it.
    pub deviation: f64,
}

/// Where a series changed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Segmentation {
    /// One more than there are changes, in order.
    pub segments: Vec<Segment>,
    /// The changes, in order, each with its 95 % interval between the two beside it.
    pub changes: Vec<Onset>,
    /// `-2 ln(likelihood)` of the segments and the penalty of every change.
    pub cost: f64,
}

/// The changes of a share: binomial cells.
///
/// Minimises the sum over segments of `-2 ln(likelihood) / dispersion` plus the penalty, exactly.
/// The dispersion (at least 1) comes from the differences of neighbouring cells, so clumped events
/// do not make changes. The interval of a change holds the splits between its neighbours that carry
/// 95 % of the normalised likelihood, as for [`super::onset_of_share`].
///
/// **False alarms:** [`Penalty::FalseAlarm`] keeps to its `alpha`, or below, while cells are
/// independent and expect some ten events of each kind; autocorrelation makes changes.
/// Cost: `O(cells)` with many changes, `O(cells^2)` with none (10,000 cells: half a second).
/// `None` for fewer than two cells with events, more than 20,000 cells, more successes than events, a
/// penalty that is not positive and finite, or an `alpha` outside `0..1`.
/// Source: Killick, Fearnhead, Eckley, "Optimal detection of changepoints with a linear
/// computational cost", JASA 107 (2012).
#[must_use]
pub fn changes_of_share(cells: &[ShareCell], settings: &PeltSettings) -> Option<Segmentation> {
    if cells.iter().any(|cell| cell.successes > cell.n) {
        return None;
    }
    let sums = cells.iter().map(|cell| [cell.n as f64, cell.successes as f64, 0.0]).collect();
    cut(sums, Law::Share, 0.0, settings)
}

/// The changes of a rate of events for each unit of exposure: Poisson cells.
///
/// As [`changes_of_share`]; `None` also for an exposure that is negative or not finite.
#[must_use]
pub fn changes_of_rate(cells: &[CountCell], settings: &PeltSettings) -> Option<Segmentation> {
    if cells.iter().any(|cell| !(0.0..f64::INFINITY).contains(&cell.exposure)) {
        return None;
    }
    let sums = cells.iter().map(|cell| [cell.exposure, cell.events as f64, 0.0]).collect();
    cut(sums, Law::Rate, 0.0, settings)
}

/// The changes of a mean: normal values with one variance in all segments.
///
/// As [`changes_of_share`], without dispersion: the variance is the squared median of the scaled
/// differences of neighbouring cells over 0.6745, which changes and outliers hardly move. For
/// latencies give logarithms. Long tails make changes; so do single outliers, as segments of one
/// cell: ask for more. `None` also if a sum is not finite or nothing varies.
#[must_use]
pub fn changes_of_mean(cells: &[MeanCell], settings: &PeltSettings) -> Option<Segmentation> {
    let (sums, centre) = mean_sums(cells)?;
    cut(sums, Law::Mean, centre, settings)
}

/// The changes of a mean, a variance or both: normal values, each segment with its own variance.
///
/// As [`changes_of_mean`]; the variance of a segment is at least a ten-thousandth of that of all
/// values, so that equal values are no endless evidence. A variance needs values: segments have ten
/// cells at least, or as many as the settings ask for beyond that.
#[must_use]
pub fn changes_of_mean_and_variance(cells: &[MeanCell], settings: &PeltSettings) -> Option<Segmentation> {
    let settings = PeltSettings { least_cells: settings.least_cells.max(10), ..*settings };
    let (sums, centre) = mean_sums(cells)?;
    cut(sums, Law::MeanAndVariance, centre, &settings)
}

/// Sums around the mean of all, so that squares of large numbers keep their digits, and that mean.
fn mean_sums(cells: &[MeanCell]) -> Option<(Vec<Sums>, f64)> {
    let (n, sum) = cells.iter().fold((0.0, 0.0), |(n, sum), cell| (n + cell.n as f64, sum + cell.sum));
    let centre = if n > 0.0 { sum / n } else { 0.0 };
    let around = |cell: &MeanCell| {
        let n = cell.n as f64;
        let squares = cell.sum_of_squares - centre * (2.0 * cell.sum - n * centre);
        [n, cell.sum - n * centre, squares.max(0.0)]
    };
    let sums: Vec<Sums> = cells.iter().map(around).collect();
    sums.iter().flatten().all(|sum| sum.is_finite()).then_some((sums, centre))
}

fn cut(cells: Vec<Sums>, law: Law, centre: f64, settings: &PeltSettings) -> Option<Segmentation> {
    if cells.len() > MOST_CELLS || cells.iter().filter(|cell| cell[0] > 0.0).count() < 2 {
        return None;
    }
    let penalty = penalty(settings.penalty, law, cells.len())?;
    let model = Model::of(law, &cells)?;
    let mut before = Vec::with_capacity(cells.len() + 1);
    before.push([0.0; 3]);
    for cell in &cells {
        before.push(add(before[before.len() - 1], *cell));
    }
    let stretch = |first: usize, end: usize| -> Sums { std::array::from_fn(|i| before[end][i] - before[first][i]) };
    let cost = |first: usize, end: usize| -2.0 * model.log_likelihood(stretch(first, end));
    let (ends, total) = search::least_cost(cells.len(), settings.least_cells.max(1), penalty, cost);
    let mut segments: Vec<Segment> = Vec::with_capacity(ends.len());
    for end in ends {
        let first = segments.last().map_or(0, |last| last.end);
        let sums = stretch(first, end);
        let level = if sums[0] > 0.0 { centre + sums[1] / sums[0] } else { 0.0 };
        segments.push(Segment { first, end, level, deviation: model.deviation(sums) });
    }
    let gain =
        |first: usize, split: usize, end: usize| 0.5 * (cost(first, end) - cost(first, split) - cost(split, end));
    let changes = segments.windows(2).map(|pair| change(&cells, pair, settings.least_cells.max(1), gain)).collect();
    Some(Segmentation { segments, changes, cost: total })
}

fn penalty(penalty: Penalty, law: Law, cells: usize) -> Option<f64> {
    let price = match penalty {
        Penalty::FalseAlarm(alpha) if 0.0 < alpha && alpha < 1.0 => {
            chi_square::upper_quantile(alpha / cells as f64, law.numbers_of_a_segment())?
        }
        Penalty::FalseAlarm(_) => return None,
        Penalty::Fixed(price) => price,
    };
    (0.0 < price && price.is_finite()).then_some(price)
}

/// The change between two neighbouring segments, with the interval of its splits.
fn change(cells: &[Sums], pair: &[Segment], least: usize, gain: impl Fn(usize, usize, usize) -> f64) -> Onset {
    let (first, cell, end) = (pair[0].first, pair[0].end, pair[1].end);
    let splits = (first + least..=end - least).filter(|split| *split == cell || cells[split - 1][0] > 0.0);
    let scored: Vec<(usize, f64)> = splits.map(|split| (split, gain(first, split, end))).collect();
    let (earliest, latest) = interval(&scored, 1.0);
    // Cells without events before a split may hide the true start.
    let hidden = cells[first..earliest].iter().rev().take_while(|sums| sums[0] == 0.0).count();
    Onset {
        cell,
        earliest: earliest - hidden,
        latest,
        log_likelihood_ratio: gain(first, cell, end),
        before: pair[0].level,
        after: pair[1].level,
    }
}
