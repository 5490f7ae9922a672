//! How long things took.

/// Lengths of time in seconds.
#[derive(Clone, Debug, Default)]
pub(super) struct Latencies(Vec<f64>);

impl Latencies {
    /// Notes one.
    pub(super) fn note(&mut self, seconds: f64) {
        self.0.push(seconds);
    }

    /// How many there are.
    pub(super) const fn count(&self) -> usize {
        self.0.len()
    }

    /// The least time that at least this share of them took no longer than, in milliseconds; NaN of none.
    pub(super) fn quantile_ms(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (share * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).map_or(f64::NAN, |seconds| seconds * 1e3)
    }

    /// The one in the middle, in seconds; NaN of none.
    pub(super) fn median(&self) -> f64 {
        self.quantile_ms(0.5) / 1e3
    }
}

impl FromIterator<f64> for Latencies {
    fn from_iter<T: IntoIterator<Item = f64>>(seconds: T) -> Self {
        Self(seconds.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quantile_is_one_of_the_times() {
        let latencies: Latencies = (1..=200).rev().map(|number| f64::from(number) / 1e3).collect();
        assert_eq!(latencies.quantile_ms(0.5), 100.0);
        assert_eq!(latencies.quantile_ms(0.99), 198.0);
        assert_eq!(latencies.quantile_ms(1.0), 200.0);
        assert!(Latencies::default().quantile_ms(0.5).is_nan());
    }
}
