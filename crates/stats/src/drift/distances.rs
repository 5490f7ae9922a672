//! All distances between two vectors of counts, each with its noise floor.

use serde::{Deserialize, Serialize};

use crate::two_sample::{
    Distance, NoiseFloor, hellinger, jensen_shannon, kullback_leibler, l_infinity, noise_floor, pool_small_cells,
    population_stability, total_variation,
};

/// Shares of zero are raised to this for PSI and KL, as in common use.
const SHARE_FLOOR: f64 = 1e-4;

/// A distance and what chance alone gives.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// The distance.
    pub value: f64,
    /// Its mean and its upper quantile when nothing changed.
    pub floor: NoiseFloor,
}

impl Measured {
    /// Whether the distance is greater than chance would give but for a probability of alpha.
    #[must_use]
    pub fn is_beyond_chance(&self) -> bool {
        self.value > self.floor.threshold
    }
}

/// The distances between the shares of two vectors of counts, cells below 5 expected pooled.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Distances {
    /// See [`population_stability`].
    pub population_stability: Measured,
    /// See [`kullback_leibler`].
    pub kullback_leibler: Measured,
    /// See [`jensen_shannon`], in nats.
    pub jensen_shannon: Measured,
    /// See [`hellinger`].
    pub hellinger: Measured,
    /// See [`l_infinity`].
    pub l_infinity: Measured,
    /// See [`total_variation`]: the share of values that changed place.
    pub total_variation: f64,
}

/// All distances at once, each with a threshold that chance passes with probability `alpha`.
///
/// Cells expected to hold fewer than 5 are pooled first, so that the thresholds hold.
/// `None` if fewer than two cells remain, a side is empty, or `alpha` is not between zero and one.
#[must_use]
pub fn distances(reference: &[u64], current: &[u64], alpha: f64) -> Option<Distances> {
    let (reference, current) = pool_small_cells(reference, current, 5.0)?;
    let (a, b) = (&reference[..], &current[..]);
    let measured = |distance: Distance, value: Option<f64>| {
        Some(Measured { value: value?, floor: noise_floor(distance, a, b, alpha)? })
    };
    Some(Distances {
        population_stability: measured(Distance::PopulationStability, population_stability(a, b, SHARE_FLOOR))?,
        kullback_leibler: measured(Distance::KullbackLeibler, kullback_leibler(a, b, SHARE_FLOOR))?,
        jensen_shannon: measured(Distance::JensenShannon, jensen_shannon(a, b))?,
        hellinger: measured(Distance::Hellinger, hellinger(a, b))?,
        l_infinity: measured(Distance::LInfinity, l_infinity(a, b))?,
        total_variation: total_variation(a, b)?,
    })
}
