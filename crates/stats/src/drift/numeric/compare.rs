//! A window set beside its reference, as cells of the number line.

use std::cell::OnceCell;

use super::{NumericReference, NumericWindow};
use crate::sketch::Moments;
use crate::two_sample::{
    CountTest, KsTest, MannWhitney, MeanTest, ProportionTest, ShapeTest, Wasserstein, cells, chi_square, g_test,
    two_proportions, welch_t_moments,
};

/// Both samples, ready for any test; each answers in `O(cells)`, microseconds.
///
/// Where reference and window are small (at most 4,096 different and 4,096 values) every answer is that
/// of the exact two-sample function. Otherwise `D` of Kolmogorov-Smirnov is taken at the knots, where
/// both shares are exact: it is at most 1/3,600 too small, so its p-value errs to the safe side. The
/// others take the values between two knots to lie evenly there.
#[derive(Debug)]
pub struct NumericComparison<'a> {
    reference: &'a NumericReference,
    window: &'a NumericWindow,
    cells: Vec<cells::Cell>,
    /// Its exact p-value is worth keeping.
    kolmogorov_smirnov: OnceCell<Option<KsTest>>,
}

impl<'a> NumericComparison<'a> {
    pub(super) fn new(reference: &'a NumericReference, window: &'a NumericWindow) -> Self {
        let exact = reference.is_whole() && window.values.len() as u64 == window.count();
        let cells = if exact { whole_cells(reference, window) } else { counted_cells(reference, window) };
        Self { reference, window, cells, kolmogorov_smirnov: OnceCell::new() }
    }

    /// Finite values of the reference and of the window.
    #[must_use]
    pub fn counts(&self) -> (u64, u64) {
        (self.reference.count(), self.window.count())
    }

    /// See [`crate::two_sample::kolmogorov_smirnov`].
    #[must_use]
    pub fn kolmogorov_smirnov(&self) -> Option<KsTest> {
        *self.kolmogorov_smirnov.get_or_init(|| cells::kolmogorov_smirnov(&self.cells))
    }

    /// See [`crate::two_sample::cramer_von_mises`].
    #[must_use]
    pub fn cramer_von_mises(&self) -> Option<ShapeTest> {
        cells::cramer_von_mises(&self.cells)
    }

    /// See [`crate::two_sample::anderson_darling`].
    #[must_use]
    pub fn anderson_darling(&self) -> Option<ShapeTest> {
        cells::anderson_darling(&self.cells)
    }

    /// See [`crate::two_sample::mann_whitney`]: two-sided, so a fall is seen as well as a rise.
    #[must_use]
    pub fn mann_whitney(&self) -> Option<MannWhitney> {
        cells::mann_whitney(&self.cells)
    }

    /// See [`crate::two_sample::epps_singleton`].
    #[must_use]
    pub fn epps_singleton(&self) -> Option<ShapeTest> {
        cells::epps_singleton(&self.cells)
    }

    /// See [`crate::two_sample::welch_t`].
    #[must_use]
    pub fn welch_t(&self) -> Option<MeanTest> {
        welch_t_moments(&self.reference.moments, &self.window.moments)
    }

    /// Do the shares of refused values differ? `None` if none was refused.
    #[must_use]
    pub fn refused(&self) -> Option<ProportionTest> {
        let side = |refused: u64, taken: u64| (refused, refused + taken);
        let reference = side(self.reference.refused, self.reference.count());
        two_proportions(reference, side(self.window.refused, self.window.count()))
    }

    /// See [`crate::two_sample::energy_distance`].
    #[must_use]
    pub fn energy_distance(&self) -> Option<f64> {
        cells::energy_distance(&self.cells)
    }

    /// See [`crate::two_sample::wasserstein`]: in the unit of the values.
    #[must_use]
    pub fn wasserstein(&self) -> Option<f64> {
        cells::wasserstein(&self.cells, f64::NEG_INFINITY, f64::INFINITY).filter(|distance| distance.is_finite())
    }

    /// See [`crate::two_sample::wasserstein_normalised`]: in standard deviations of the reference.
    #[must_use]
    pub fn wasserstein_normalised(&self) -> Option<f64> {
        let moments: &Moments = &self.reference.moments;
        let deviation = (moments.m2() / moments.count() as f64).sqrt();
        self.wasserstein().map(|distance| distance / deviation).filter(|normalised| normalised.is_finite())
    }

    /// The robust form: between the reference's quantiles `clip` and `1 - clip`, relative to the width
    /// between them, so that one row moves it by at most `1/n` of the width. 0.005 suits.
    #[must_use]
    pub fn wasserstein_clipped(&self, clip: f64) -> Option<Wasserstein> {
        if !(0.0..0.5).contains(&clip) {
            return None;
        }
        let (low, high) = (self.reference.quantile(clip)?, self.reference.quantile(1.0 - clip)?);
        if high <= low {
            return None;
        }
        let distance = cells::wasserstein(&self.cells, low, high)?;
        let relative = distance / (high - low);
        (distance.is_finite() && relative.is_finite()).then_some(Wasserstein { distance, relative })
    }

    /// Counts in at most `bins` bins of about equal reference shares, cut at knots: no row, however
    /// extreme, can move a cut. Fewer where many values are equal.
    #[must_use]
    pub fn quantile_bins(&self, bins: usize) -> (Vec<u64>, Vec<u64>) {
        let total = self.reference.count() as f64;
        let bins = bins.max(1);
        let (mut reference, mut current) = (vec![0], vec![0]);
        let (mut seen, mut next) = (0_u64, 1_usize);
        for cell in &self.cells {
            // A full bin ends with the last reference value in it; what lies beyond opens the next.
            let mut full = false;
            while next < bins && seen as f64 >= (total * next as f64 / bins as f64).round().max(1.0) {
                next += 1;
                full = true;
            }
            if full && seen < self.reference.count() {
                reference.push(0);
                current.push(0);
            }
            let last = reference.len() - 1;
            reference[last] += cell.reference;
            current[last] += cell.current;
            seen += cell.reference;
        }
        (reference, current)
    }

    /// Counts by value, for a column of few different values, with what lies between two of them.
    ///
    /// `None` if the reference has more than `most` different values.
    #[must_use]
    pub fn value_counts(&self, most: usize) -> Option<(&'a [u64], &'a [u64])> {
        let few = self.reference.is_whole() && self.reference.distinct() <= most;
        few.then_some((&self.reference.counts[..], &self.window.counts[..]))
    }

    /// See [`chi_square`], on [`Self::quantile_bins`].
    #[must_use]
    pub fn chi_square(&self, bins: usize) -> Option<CountTest> {
        let (reference, current) = self.quantile_bins(bins);
        chi_square(&reference, &current, 5.0)
    }

    /// See [`g_test`], on [`Self::quantile_bins`].
    #[must_use]
    pub fn g_test(&self, bins: usize) -> Option<CountTest> {
        let (reference, current) = self.quantile_bins(bins);
        g_test(&reference, &current, 5.0)
    }
}

/// One cell for each different value of either side.
fn whole_cells(reference: &NumericReference, window: &NumericWindow) -> Vec<cells::Cell> {
    let mut values: Vec<f64> = window.values.clone();
    values.sort_unstable_by(f64::total_cmp);
    let mut cells: Vec<cells::Cell> = Vec::with_capacity(reference.knots.len() + values.len());
    let mut counted = reference.knots.iter().zip(reference.counts.iter().skip(1).step_by(2)).peekable();
    let mut values = values.into_iter().peekable();
    loop {
        let place = match (counted.peek(), values.peek()) {
            (Some((knot, _)), Some(value)) => knot.min(*value),
            (Some((knot, _)), None) => **knot,
            (None, Some(value)) => *value,
            (None, None) => return cells,
        };
        let ours = counted.next_if(|(knot, _)| **knot <= place).map_or(0, |(_, count)| *count);
        let mut theirs = 0;
        while values.next_if(|value| *value <= place).is_some() {
            theirs += 1;
        }
        cells.push(cells::Cell::at(place, ours, theirs));
    }
}

/// One cell for each knot and each gap that holds anything, and for what lies beyond the ends.
fn counted_cells(reference: &NumericReference, window: &NumericWindow) -> Vec<cells::Cell> {
    let knots = &reference.knots;
    let (first, last) = (knots[0], knots[knots.len() - 1]);
    let mut cells: Vec<cells::Cell> = Vec::with_capacity(reference.counts.len());
    cells.extend(window.below.buckets().map(|bucket| cells::Cell::at(first - bucket.midpoint, 0, bucket.count)));
    cells.reverse();
    for (index, knot) in knots.iter().enumerate() {
        let at = 2 * index + 1;
        cells.push(cells::Cell::at(*knot, reference.counts[at], window.counts[at]));
        let (ours, theirs) = (reference.counts[at + 1], window.counts[at + 1]);
        if let Some(next) = knots.get(index + 1).filter(|_| ours + theirs > 0) {
            cells.push(cells::Cell { low: *knot, high: *next, reference: ours, current: theirs });
        }
    }
    cells.extend(window.above.buckets().map(|bucket| cells::Cell::at(last + bucket.midpoint, 0, bucket.count)));
    cells
}
