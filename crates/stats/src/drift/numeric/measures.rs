//! Every measure of one numeric column at once.

use serde::{Deserialize, Serialize};

use super::NumericComparison;
pub use crate::drift::distances::Measured;
use crate::drift::distances::{Distances, distances};
use crate::two_sample::{
    CountTest, KsTest, MannWhitney, MeanTest, ProportionTest, ShapeTest, Wasserstein, chi_square, g_test,
};

/// Bins of equal reference shares that the distances between counts are taken on.
const BINS: usize = 10;
/// Share of the reference that is clipped at each end for the robust Wasserstein distance.
const CLIP: f64 = 0.005;

/// What every test and distance says about one numeric column. `None` where a test has too little
/// data or no meaning, such as a t test of constants.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NumericMeasures {
    /// Greatest difference of the distribution functions.
    pub kolmogorov_smirnov: Option<KsTest>,
    /// Mean squared difference of the distribution functions.
    pub cramer_von_mises: Option<ShapeTest>,
    /// The same, weighted towards the tails.
    pub anderson_darling: Option<ShapeTest>,
    /// Is one sample larger than the other?
    pub mann_whitney: Option<MannWhitney>,
    /// Difference of the characteristic functions.
    pub epps_singleton: Option<ShapeTest>,
    /// Difference of the means.
    pub welch_t: Option<MeanTest>,
    /// Chi-square on ten bins of equal reference shares.
    pub chi_square: Option<CountTest>,
    /// Its likelihood-ratio form.
    pub g_test: Option<CountTest>,
    /// First Wasserstein distance, in the unit of the values.
    pub wasserstein: Option<f64>,
    /// The same in standard deviations of the reference.
    pub wasserstein_normalised: Option<f64>,
    /// The robust form, clipped at the reference's 0.5 % and 99.5 % quantiles.
    pub wasserstein_clipped: Option<Wasserstein>,
    /// Energy distance.
    pub energy_distance: Option<f64>,
    /// Shares of values that were refused: missing, infinite, or beyond 1e120.
    pub refused: Option<ProportionTest>,
    /// Distances between the shares of ten bins, each with what chance alone would give.
    pub distances: Option<Distances>,
}

impl NumericComparison<'_> {
    /// Every measure, with thresholds of distances passed by chance with probability `alpha`.
    ///
    /// Some hundred microseconds for a reference and a window of any size.
    #[must_use]
    pub fn measures(&self, alpha: f64) -> NumericMeasures {
        let (reference, current) = self.quantile_bins(BINS);
        NumericMeasures {
            kolmogorov_smirnov: self.kolmogorov_smirnov(),
            cramer_von_mises: self.cramer_von_mises(),
            anderson_darling: self.anderson_darling(),
            mann_whitney: self.mann_whitney(),
            epps_singleton: self.epps_singleton(),
            welch_t: self.welch_t(),
            chi_square: chi_square(&reference, &current, 5.0),
            g_test: g_test(&reference, &current, 5.0),
            wasserstein: self.wasserstein(),
            wasserstein_normalised: self.wasserstein_normalised(),
            wasserstein_clipped: self.wasserstein_clipped(CLIP),
            energy_distance: self.energy_distance(),
            refused: self.refused(),
            distances: distances(&reference, &current, alpha),
        }
    }
}
