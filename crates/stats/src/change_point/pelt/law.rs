//! How likely a stretch of cells is under one law, from its sums.

use super::super::onset::x_ln_ratio;

/// Of a cell or a stretch: events or exposure, successes or events or sum, squares.
pub(super) type Sums = [f64; 3];

/// The law of the cells of one segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Law {
    Share,
    Rate,
    Mean,
    MeanAndVariance,
}

impl Law {
    pub(super) fn numbers_of_a_segment(self) -> f64 {
        if self == Self::MeanAndVariance { 2.0 } else { 1.0 }
    }
}

/// A law with what is the same in all segments: dispersion, variance, or the least variance.
#[derive(Clone, Copy, Debug)]
pub(super) struct Model {
    law: Law,
    scale: f64,
}

/// The median of the square of a standard normal number.
const MEDIAN_SQUARE: f64 = 0.454_936_423_119_572_7;

/// The least variance of a segment, as a share of that of all values.
const LEAST_VARIANCE: f64 = 1e-4;

impl Model {
    /// `None` if nothing varies.
    pub(super) fn of(law: Law, cells: &[Sums]) -> Option<Self> {
        let total = cells.iter().copied().fold([0.0; 3], add);
        let scale = match law {
            Law::Share | Law::Rate => dispersion(law, cells),
            Law::Mean => variance_of_differences(cells),
            Law::MeanAndVariance => LEAST_VARIANCE * rest(total) / total[0],
        };
        let size = total[2] / total[0];
        // Differences in the last digits of equal values are no variance.
        let varies = matches!(law, Law::Share | Law::Rate) || scale > 1e-20 * size;
        (varies && scale > 0.0 && scale.is_finite()).then_some(Self { law, scale })
    }

    /// The greatest `ln(likelihood)` of a stretch, less what is the same for all segmentations.
    pub(super) fn log_likelihood(&self, stretch: Sums) -> f64 {
        let [n, sum, _] = stretch;
        match self.law {
            Law::Share => (x_ln_ratio(sum, n) + x_ln_ratio(n - sum, n)) / self.scale,
            Law::Rate => x_ln_ratio(sum, n) / self.scale,
            Law::Mean => -0.5 * rest(stretch) / self.scale,
            Law::MeanAndVariance if n > 0.0 => {
                let variance = (rest(stretch) / n).max(self.scale);
                -0.5 * (n * variance.ln() + rest(stretch) / variance)
            }
            Law::MeanAndVariance => 0.0,
        }
    }

    /// The standard deviation of one value (share, mean) or of the count of one exposure (rate).
    pub(super) fn deviation(&self, stretch: Sums) -> f64 {
        let [n, sum, _] = stretch;
        if n <= 0.0 {
            return 0.0;
        }
        let level = sum / n;
        match self.law {
            Law::Share => (self.scale * level * (1.0 - level)).max(0.0).sqrt(),
            Law::Rate => (self.scale * level).max(0.0).sqrt(),
            Law::Mean => self.scale.sqrt(),
            Law::MeanAndVariance => (rest(stretch) / n).max(self.scale).sqrt(),
        }
    }
}

pub(super) fn add(a: Sums, b: Sums) -> Sums {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// The sum of squares around the mean of a stretch.
fn rest([n, sum, squares]: Sums) -> f64 {
    if n > 0.0 { (squares - sum * sum / n).max(0.0) } else { 0.0 }
}

/// How much more neighbouring cells differ than chance would have it, at least 1.
fn dispersion(law: Law, cells: &[Sums]) -> f64 {
    let squares = neighbours(cells, |a, b| {
        let pooled = (a[1] + b[1]) / (a[0] + b[0]);
        let variance = if law == Law::Share { pooled * (1.0 - pooled) } else { pooled };
        (variance > 0.0).then_some((a[1] / a[0] - b[1] / b[0]).powi(2) / (variance * (1.0 / a[0] + 1.0 / b[0])))
    });
    median(squares).map_or(1.0, |median| (median / MEDIAN_SQUARE).max(1.0))
}

/// The variance of one value, from the differences of neighbouring means.
fn variance_of_differences(cells: &[Sums]) -> f64 {
    let squares = neighbours(cells, |a, b| Some((a[1] / a[0] - b[1] / b[0]).powi(2) / (1.0 / a[0] + 1.0 / b[0])));
    let mean = squares.iter().sum::<f64>() / squares.len().max(1) as f64;
    // Where most neighbours are equal the median knows nothing.
    median(squares).map_or(0.0, |median| if median > 0.0 { median / MEDIAN_SQUARE } else { mean })
}

fn neighbours(cells: &[Sums], square: impl Fn(Sums, Sums) -> Option<f64>) -> Vec<f64> {
    let used: Vec<Sums> = cells.iter().copied().filter(|cell| cell[0] > 0.0).collect();
    used.windows(2).filter_map(|pair| square(pair[0], pair[1])).collect()
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    let middle = values.len() / 2;
    (!values.is_empty()).then(|| *values.select_nth_unstable_by(middle, f64::total_cmp).1)
}
