//! The slices that are responsible for an effect, with p-values that know of the search.

use std::fmt;

use super::attributes::{Attributes, Condition};
use super::enumerate::{Search, top_slices};
use super::share::{Baseline, Level, Share, share_explained};
use crate::distribution::{normal, student_t};
use crate::random::SplitMix;

/// A slice whose score is lower on the half that is searched is not worth a test.
const LEAST_SCORE: f64 = 3.0;
/// Two conditions that so large a part of their rows have in common are two names for one thing.
const ALIAS: f64 = 0.9;

/// How responsible slices are looked for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// `least_rows` counts in each half of the rows; `top` is not used.
    pub search: Search,
    /// Slices that are named, 1 to 100.
    pub most_slices: usize,
    /// Chance of naming any slice that does not carry the effect, in `(0, 0.5)`.
    pub alpha: f64,
    /// Of the intervals, in `(0, 1)`.
    pub confidence: f64,
    /// The normal effect. Without it, shares are of the excess over the rows that no named slice has: they tell how slices
    /// divide the excess, and are 1 if only one is named.
    pub baseline: Option<Baseline>,
    /// Of the split into halves.
    pub seed: u64,
}

impl Default for Settings {
    /// Five slices at most, 5 % for any false one, 95 % intervals.
    fn default() -> Self {
        Self { search: Search::default(), most_slices: 5, alpha: 0.05, confidence: 0.95, baseline: None, seed: 1 }
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SliceError {
    /// Fewer rows than two slices in two halves need.
    TooFewRows {
        /// Rows that there are.
        rows: usize,
        /// Rows that there must be.
        needed: usize,
    },
    /// Lengths differ, or an effect is not finite.
    BadEffect,
    /// A setting is out of its range.
    BadSetting,
}

impl fmt::Display for SliceError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooFewRows { rows, needed } => {
                write!(formatter, "{rows} rows are too few to find a responsible slice; {needed} are needed")
            }
            Self::BadEffect => write!(formatter, "the effect needs one finite number for each row"),
            Self::BadSetting => write!(formatter, "a setting of the slice search is out of its range"),
        }
    }
}

impl std::error::Error for SliceError {}

/// Another condition that nearly the same rows meet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alias {
    /// The condition that is named.
    pub of: Condition,
    /// The other one.
    pub other: Condition,
    /// Rows that meet both, among those that meet either.
    pub in_common: f64,
}

/// A slice that carries the effect. All figures but `score` are from the half that was not searched.
#[derive(Clone, Debug, PartialEq)]
pub struct ResponsibleSlice {
    /// As few as carry it, by attribute.
    pub conditions: Vec<Condition>,
    /// Rows in the slice and not in one that is named before.
    pub n_inside: usize,
    /// Rows in none of these.
    pub n_outside: usize,
    /// Their mean effects: observed, and what was to be expected.
    pub mean_inside: f64,
    /// See `mean_inside`.
    pub mean_outside: f64,
    /// Between which values the difference of the means lies.
    pub difference: (f64, f64),
    /// Of "the slice is no worse than the rows outside", adjusted for all slices that were searched and named.
    pub p_value: f64,
    /// Share of the excess that disappears without the slice; `None` if there is no clear excess.
    pub share: Option<Share>,
    /// Standard errors on the half that was searched: flattered by the search.
    pub score: f64,
    /// Conditions that say the same.
    pub aliases: Vec<Alias>,
}

/// What was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Responsible {
    /// The most responsible first.
    pub slices: Vec<ResponsibleSlice>,
    /// Slices that were tested; those after the first failure are not named.
    pub n_tested: usize,
    /// Rows of the searched half and of the half for the tests.
    pub n_rows: (usize, usize),
}

/// The slices that carry an effect; none if chance would do.
///
/// 1. Rows are dealt into two halves by `seed`. On the first half, [`top_slices`] finds the best conjunction.
/// 2. *Parsimony*: a condition stays only if the slice is worse than the rows that the slice without it adds, by more
///    standard errors than the best of all values would be by chance (`alpha / values`, Bonferroni).
/// 3. Its rows are taken out, and the next slice is sought among the others: slices that overlap and say the same thing
///    are one. Conditions that at least 90 % of the rows share are its [`Alias`]es.
/// 4. On the second half, each slice is tested against the rows outside it and all before it (Welch's t, with the variance
///    of each side at least the pooled one, so that few or equal values do not look sure), in the order found, until one
///    fails.
///
/// **False alarms.** The second half did not take part in the search, so the number of slices examined, or pruned, does not
/// matter; tests in a fixed order that end at the first failure keep the chance of *any* false slice at `alpha`
/// (Maurer, Hothorn, Lehmacher, 1995), hence the false discovery rate too. A slice is false if its rows are on average no
/// worse than those outside. Half of the rows is the price: an effect needs 1.4 times the size that a search with known
/// slice would need. Permutations of the whole search would keep more power at a hundred times the cost, and would say
/// nothing of the second slice once the first is real.
///
/// **Not to be trusted** for effects with a few enormous values (cap them first), for dependent rows (sessions: sum them to one
/// row), and for a slice of which each half has fewer than `least_rows`. A slice of several values of one attribute is named value by value.
///
/// Cost: `most_slices + 1` searches on half of the rows. The answer depends on the order of rows only by the split.
///
/// ```
/// use wardline_stats::slice::{Attributes, Settings, responsible_slices};
///
/// let columns = [(0..4_000).map(|row| row % 4).collect(), (0..4_000).map(|row| row / 4 % 5).collect()];
/// let failed: Vec<f64> = (0..4_000).map(|row| if row % 20 == 7 || row % 31 == 0 { 1.0 } else { 0.0 }).collect();
/// let found = responsible_slices(&Attributes::new(&columns).unwrap(), &failed, Settings::default()).unwrap();
/// assert_eq!(found.slices.len(), 1);
/// assert_eq!(found.slices[0].conditions.iter().map(|condition| condition.value).collect::<Vec<_>>(), [3, 1]);
/// ```
pub fn responsible_slices(
    attributes: &Attributes,
    effect: &[f64],
    settings: Settings,
) -> Result<Responsible, SliceError> {
    check(attributes, effect, &settings)?;
    let mut order: Vec<usize> = (0..effect.len()).collect();
    SplitMix::new(settings.seed).shuffle(&mut order);
    let (searched, tested) = order.split_at_mut(effect.len() / 2);
    // In their order: columns are read from front to back.
    searched.sort_unstable();
    tested.sort_unstable();
    let candidates = candidates(attributes, effect, searched, &settings);
    let (named, n_tested) = confirmed(attributes, effect, tested, candidates, &settings);
    let shares = shares(attributes, effect, tested, &named, &settings);
    let finish = |(mut slice, share): (ResponsibleSlice, Option<Share>)| {
        slice.share = share;
        slice.aliases = aliases(attributes, &slice.conditions);
        slice
    };
    let slices = named.into_iter().zip(shares).map(finish).collect();
    Ok(Responsible { slices, n_tested, n_rows: (searched.len(), tested.len()) })
}

fn check(attributes: &Attributes, effect: &[f64], settings: &Settings) -> Result<(), SliceError> {
    let Settings { search, most_slices, alpha, confidence, baseline, .. } = settings;
    let is_known = baseline.is_none_or(|baseline| {
        baseline.mean.is_finite() && baseline.standard_error.is_finite() && baseline.standard_error >= 0.0
    });
    let is_in_range = (1..=3).contains(&search.most_conditions)
        && (2..=1 << 30).contains(&search.least_rows)
        && (1..=100).contains(most_slices)
        && 0.0 < *alpha
        && *alpha < 0.5
        && 0.0 < *confidence
        && *confidence < 1.0;
    if !is_in_range || !is_known {
        return Err(SliceError::BadSetting);
    }
    if effect.len() != attributes.n_rows() || effect.iter().any(|value| !value.is_finite()) {
        return Err(SliceError::BadEffect);
    }
    let needed = 4 * search.least_rows;
    if effect.len() < needed {
        return Err(SliceError::TooFewRows { rows: effect.len(), needed });
    }
    Ok(())
}

/// Slices in the order in which they explain the searched half, with their scores.
fn candidates(
    attributes: &Attributes,
    effect: &[f64],
    searched: &[usize],
    settings: &Settings,
) -> Vec<(Vec<Condition>, f64)> {
    let mut left = searched.to_vec();
    let mut found = Vec::new();
    let refinements = attributes.n_values().max(1) as f64;
    let Some(least) = normal::upper_quantile(settings.alpha / refinements) else { return found };
    while found.len() < settings.most_slices {
        let here = attributes.rows(&left);
        let values: Vec<f64> = left.iter().map(|row| effect[*row]).collect();
        let best = top_slices(&here, &values, Search { top: 1, ..settings.search });
        let Some(best) = best.and_then(|best| best.into_iter().next()).filter(|best| best.score >= LEAST_SCORE) else {
            break;
        };
        let conditions = simplest(&here, &values, best.conditions, least);
        left.retain(|row| !attributes.meets(*row, &conditions));
        found.push((conditions, best.score));
    }
    found
}

/// The slice without the conditions that add nothing clear.
fn simplest(attributes: &Attributes, effect: &[f64], conditions: Vec<Condition>, least: f64) -> Vec<Condition> {
    let mut kept = conditions;
    while kept.len() > 1 {
        let gains = (0..kept.len()).map(|place| {
            let mut wider = kept.clone();
            wider.remove(place);
            let gain = Contrast::new(effect, |row| attributes.meets(row, &wider).then(|| attributes.meets(row, &kept)));
            (gain.map_or(0.0, |gain| gain.difference / gain.error_if_equal), wider)
        });
        let Some((gain, wider)) = gains.min_by(|left, right| left.0.total_cmp(&right.0)) else { break };
        if gain >= least {
            break;
        }
        kept = wider;
    }
    kept
}

/// Tests on the half that was not searched, until one fails; and how many were made.
fn confirmed(
    attributes: &Attributes,
    effect: &[f64],
    tested: &[usize],
    candidates: Vec<(Vec<Condition>, f64)>,
    settings: &Settings,
) -> (Vec<ResponsibleSlice>, usize) {
    let mut left = tested.to_vec();
    let (mut named, mut n_tested, mut p_value) = (Vec::new(), 0, 0.0_f64);
    for (conditions, score) in candidates {
        n_tested += 1;
        let values: Vec<f64> = left.iter().map(|row| effect[*row]).collect();
        let Some(contrast) = Contrast::new(&values, |row| Some(attributes.meets(left[row], &conditions))) else {
            break;
        };
        p_value = p_value.max(contrast.p_value().unwrap_or(1.0));
        if contrast.n.0 < settings.search.least_rows as f64 || p_value > settings.alpha {
            break;
        }
        let half = normal::quantile(0.5 + 0.5 * settings.confidence).unwrap_or(f64::INFINITY) * contrast.error;
        named.push(ResponsibleSlice {
            n_inside: contrast.n.0 as usize,
            n_outside: contrast.n.1 as usize,
            mean_inside: contrast.mean.0,
            mean_outside: contrast.mean.1,
            difference: (contrast.difference - half, contrast.difference + half),
            p_value,
            share: None,
            score,
            aliases: Vec::new(),
            conditions: conditions.clone(),
        });
        left.retain(|row| !attributes.meets(*row, &conditions));
    }
    (named, n_tested)
}

/// A row counts for the first slice that has it, so shares of slices add up.
fn shares(
    attributes: &Attributes,
    effect: &[f64],
    tested: &[usize],
    named: &[ResponsibleSlice],
    settings: &Settings,
) -> Vec<Option<Share>> {
    let values: Vec<f64> = tested.iter().map(|row| effect[*row]).collect();
    let slice_of = |row: &usize| named.iter().position(|slice| attributes.meets(*row, &slice.conditions));
    let slices: Vec<Option<usize>> = tested.iter().map(slice_of).collect();
    let is_rest: Vec<bool> = slices.iter().map(Option::is_none).collect();
    let level = settings.baseline.map_or(Level::Rest(&is_rest), Level::Known);
    let of = |place| {
        let is_inside: Vec<bool> = slices.iter().map(|slice| *slice == Some(place)).collect();
        share_explained(&values, &is_inside, level, settings.confidence)
    };
    (0..named.len()).map(of).collect()
}

fn aliases(attributes: &Attributes, conditions: &[Condition]) -> Vec<Alias> {
    let mut found = Vec::new();
    for condition in conditions {
        let own = &attributes.columns()[condition.attribute];
        let n = own.codes.iter().filter(|code| u32::from(**code) == condition.value).count();
        for (attribute, column) in attributes.columns().iter().enumerate() {
            if conditions.iter().any(|other| other.attribute == attribute) {
                continue;
            }
            let mut counts = vec![(0_usize, 0_usize); column.n_values + 1];
            for (code, other) in own.codes.iter().zip(&column.codes) {
                let count = &mut counts[usize::from(*other)];
                count.0 += 1;
                count.1 += usize::from(u32::from(*code) == condition.value);
            }
            for (value, (all, both)) in counts.iter().take(column.n_values).enumerate() {
                let in_common = *both as f64 / (n + all - both).max(1) as f64;
                if in_common >= ALIAS {
                    let other = Condition { attribute, value: value as u32 };
                    found.push(Alias { of: *condition, other, in_common });
                }
            }
        }
    }
    found
}

/// Rows inside against rows outside.
struct Contrast {
    n: (f64, f64),
    mean: (f64, f64),
    /// Variances of the two means.
    variance: (f64, f64),
    difference: f64,
    error: f64,
    /// Were both sides alike: what an equality is tested with.
    error_if_equal: f64,
}

impl Contrast {
    /// `side` says whether a row is inside, or `None` if it takes no part.
    fn new(effect: &[f64], side: impl Fn(usize) -> Option<bool>) -> Option<Self> {
        let mut sums = [(0.0_f64, 0.0_f64); 2];
        let sides: Vec<Option<bool>> = (0..effect.len()).map(side).collect();
        let taking_part =
            || effect.iter().zip(&sides).filter_map(|(value, side)| Some((value, usize::from(!(*side)?))));
        taking_part().for_each(|(value, side)| sums[side] = (sums[side].0 + 1.0, sums[side].1 + value));
        let [(inside, _), (outside, _)] = sums;
        if inside < 2.0 || outside < 2.0 {
            return None;
        }
        let means = sums.map(|(n, sum)| sum / n);
        let all = (sums[0].1 + sums[1].1) / (inside + outside);
        let (mut squares, mut pooled) = ([0.0; 2], 0.0);
        for (value, side) in taking_part() {
            squares[side] += (value - means[side]).powi(2);
            pooled += (value - all).powi(2);
        }
        let pooled = pooled / (inside + outside - 1.0);
        let of = |squares: f64, n: f64| (squares / (n - 1.0)).max(pooled) / n;
        let variance = (of(squares[0], inside), of(squares[1], outside));
        let (difference, error) = (means[0] - means[1], (variance.0 + variance.1).sqrt());
        let error_if_equal = (pooled * (1.0 / inside + 1.0 / outside)).sqrt();
        let is_usable = difference.is_finite() && error.is_finite() && error > 0.0;
        is_usable.then_some(Self {
            n: (inside, outside),
            mean: (means[0], means[1]),
            variance,
            difference,
            error,
            error_if_equal,
        })
    }

    /// One-sided: the inside is no worse.
    fn p_value(&self) -> Option<f64> {
        let parts = self.variance.0.powi(2) / (self.n.0 - 1.0) + self.variance.1.powi(2) / (self.n.1 - 1.0);
        let degrees = (self.variance.0 + self.variance.1).powi(2) / parts;
        let half = 0.5 * student_t::two_sided(self.difference / self.error, degrees)?;
        Some(if self.difference > 0.0 { half } else { 1.0 - half })
    }
}

#[cfg(test)]
mod tests;
