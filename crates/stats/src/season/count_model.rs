//! Counts around a seasonal expectation, with the spread that was really seen.

use serde::{Deserialize, Serialize};

use crate::distribution::negative_binomial;

/// A negative binomial law of counts: mean `m`, variance `m + dispersion m^2`.
///
/// Poisson's law promises far too little spread for real traffic (users come in groups), and then
/// pages every night. The dispersion is fitted by moments from quiet counts and their expectations:
/// `sum ((y - m)^2 - m) / sum m^2`, not below zero.
/// Not to be trusted when fitted on fewer than some 20 cells, nor when the expectations themselves
/// were learned from the same cells: give `parameters` for the number that was learned.
/// Reference: Cameron, Trivedi, "Regression Analysis of Count Data" (2013), 3.3.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored")]
pub struct CountModel {
    dispersion: f64,
}

#[derive(Deserialize)]
struct Stored {
    dispersion: f64,
}

impl TryFrom<Stored> for CountModel {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        Self::new(stored.dispersion).ok_or("a dispersion that no counts have")
    }
}

impl CountModel {
    /// Poisson's law.
    pub const POISSON: Self = Self { dispersion: 0.0 };

    /// A law with a known dispersion; `None` if that is negative or not finite.
    #[must_use]
    pub fn new(dispersion: f64) -> Option<Self> {
        (0.0..f64::INFINITY).contains(&dispersion).then_some(Self { dispersion })
    }

    /// Fits the dispersion to pairs of expectation and count; `parameters` expectations were
    /// learned from the same counts and are made up for.
    ///
    /// `None` if there are no more pairs than parameters, an expectation is not finite and positive,
    /// or a count is not finite.
    #[must_use]
    pub fn fit(pairs: &[(f64, f64)], parameters: usize) -> Option<Self> {
        let valid = |(mean, count): &(f64, f64)| *mean > 0.0 && mean.is_finite() && *count >= 0.0 && count.is_finite();
        if pairs.len() <= parameters || !pairs.iter().all(valid) {
            return None;
        }
        let correction = pairs.len() as f64 / (pairs.len() - parameters) as f64;
        let (mut excess, mut squares) = (0.0, 0.0);
        for (mean, count) in pairs {
            excess += (count - mean).powi(2) * correction - mean;
            squares += mean * mean;
        }
        Self::new((excess / squares).max(0.0))
    }

    /// The fitted dispersion: the squared relative spread beyond Poisson's.
    #[must_use]
    pub fn dispersion(&self) -> f64 {
        self.dispersion
    }

    /// The standard deviation of a count around its expectation.
    #[must_use]
    pub fn standard_deviation(&self, mean: f64) -> f64 {
        (mean + self.dispersion * mean * mean).max(0.0).sqrt()
    }

    /// `P(count >= observed)`; `None` for an expectation that is negative or not finite.
    #[must_use]
    pub fn at_least(&self, observed: u64, mean: f64) -> Option<f64> {
        negative_binomial::at_least(observed, mean, self.dispersion)
    }

    /// `P(count <= observed)`; `None` for an expectation that is negative or not finite.
    #[must_use]
    pub fn at_most(&self, observed: u64, mean: f64) -> Option<f64> {
        negative_binomial::at_most(observed, mean, self.dispersion)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fits_the_spread_that_is_there() {
        let pairs: Vec<(f64, f64)> = (0..40).map(|i| (100.0, if i % 2 == 0 { 130.0 } else { 70.0 })).collect();
        let model = CountModel::fit(&pairs, 0).unwrap();
        assert!((model.dispersion() - 0.08).abs() < 1e-12);
        assert!((model.standard_deviation(100.0) - 30.0).abs() < 1e-9);
        assert!(CountModel::fit(&pairs, 10).unwrap().dispersion() > 0.08);
    }

    #[test]
    fn quiet_counts_are_poisson() {
        let model = CountModel::fit(&[(10.0, 10.0), (10.0, 9.0), (10.0, 11.0)], 0).unwrap();
        assert_eq!(model, CountModel::POISSON);
        // scipy 1.17.1: `poisson.sf(19, 10)`.
        assert!((model.at_least(20, 10.0).unwrap() - 0.003_454_341_976_235_38).abs() < 1e-12);
    }

    #[test]
    fn bad_input_gives_nothing() {
        assert_eq!(CountModel::fit(&[], 0), None);
        assert_eq!(CountModel::fit(&[(0.0, 1.0)], 0), None);
        assert_eq!(CountModel::new(f64::NAN), None);
        assert_eq!(CountModel::POISSON.at_least(1, -1.0), None);
    }
}
