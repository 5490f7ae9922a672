//! Equal-width bins over a range, by the rules of numpy.

/// The most bins that are made, however narrow the rule wants them.
const MOST_BINS: usize = 1 << 20;

/// Bins between ascending, equally spaced edges; the last one includes its upper edge.
pub(super) struct Histogram {
    low: f64,
    high: f64,
    edges: Vec<f64>,
}

impl Histogram {
    /// `numpy.histogram_bin_edges(values, "sturges")`: `range / (log2(n) + 1)` wide.
    pub(super) fn sturges(values: &[f64]) -> Option<Self> {
        Self::with_rule(values, |values, range| range / ((values.len() as f64).log2() + 1.0))
    }

    /// `numpy.histogram_bin_edges(values, "doane")`: Sturges with more bins for a skewed sample.
    pub(super) fn doane(values: &[f64]) -> Option<Self> {
        Self::with_rule(values, |values, range| {
            let n = values.len() as f64;
            if n <= 2.0 {
                return 0.0;
            }
            let of_skewness = (6.0 * (n - 2.0) / ((n + 1.0) * (n + 3.0))).sqrt();
            let mean = values.iter().sum::<f64>() / n;
            let deviation = (values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n).sqrt();
            if deviation <= 0.0 {
                return 0.0;
            }
            let skewness = values.iter().map(|value| ((value - mean) / deviation).powi(3)).sum::<f64>() / n;
            range / (1.0 + n.log2() + (1.0 + skewness.abs() / of_skewness).log2())
        })
    }

    /// `None` for no value, or one that is not finite, or a range that overflows.
    fn with_rule(values: &[f64], width: impl Fn(&[f64], f64) -> f64) -> Option<Self> {
        if values.is_empty() || values.iter().any(|value| !value.is_finite()) {
            return None;
        }
        let (low, high) = values
            .iter()
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(*value), high.max(*value)));
        // A constant gets a bin of width one around it.
        let (low, high) = if low == high { (low - 0.5, high + 0.5) } else { (low, high) };
        let range = high - low;
        let width = width(values, range);
        let bins = if width > 0.0 { (range / width).ceil() } else { 1.0 };
        if !range.is_finite() || !bins.is_finite() {
            return None;
        }
        let bins = (bins as usize).clamp(1, MOST_BINS);
        let step = range / bins as f64;
        let mut edges: Vec<f64> = (0..=bins).map(|at| at as f64 * step + low).collect();
        edges[bins] = high;
        Some(Self { low, high, edges })
    }

    /// Counts of the bins; values beyond the range are left out.
    pub(super) fn counts(&self, values: &[f64]) -> Vec<u64> {
        let bins = self.edges.len() - 1;
        let mut counts = vec![0; bins];
        for value in values.iter().filter(|value| self.low <= **value && **value <= self.high) {
            let above = self.edges.partition_point(|edge| edge <= value);
            counts[(above - 1).min(bins - 1)] += 1;
        }
        counts
    }

    #[cfg(test)]
    pub(super) fn edges(&self) -> &[f64] {
        &self.edges
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::two_sample::golden_samples;

    /// golden-stats.json, numpy 2.4.6: Sturges' bins of both samples together.
    #[test]
    fn agrees_with_numpy() {
        let (a, b) = golden_samples();
        let bins = Histogram::sturges(&[a.clone(), b.clone()].concat()).unwrap();
        assert_eq!(bins.counts(&a), [6, 5, 6, 5, 5, 5, 6, 2]);
        assert_eq!(bins.counts(&b), [0, 0, 4, 7, 4, 5, 6, 4]);
        assert!((bins.edges()[1] - 0.136_509_900_990_099_02).abs() < 1e-15);
    }

    #[test]
    fn bad_samples_have_no_bins() {
        assert!(Histogram::sturges(&[]).is_none());
        assert!(Histogram::doane(&[f64::NAN]).is_none());
        assert!(Histogram::sturges(&[f64::MAX, f64::MIN]).is_none());
        assert_eq!(Histogram::doane(&[3.0; 10]).unwrap().counts(&[3.0; 4]), [4]);
    }
}
