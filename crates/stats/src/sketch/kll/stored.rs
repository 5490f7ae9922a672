//! How a `Kll` is written down, and what is refused when it is read back.

use serde::{Deserialize, Serialize};

use super::levels::{Levels, MOST_LEVELS, room_of_levels};
use super::{Kll, MOST_VALUES};

#[derive(Serialize, Deserialize)]
pub(super) struct Stored {
    k: u16,
    seed: u64,
    coins: u64,
    count: u64,
    min: f64,
    max: f64,
    levels: Vec<Vec<f64>>,
}

impl From<Kll> for Stored {
    fn from(sketch: Kll) -> Self {
        let levels = (0..sketch.levels.height()).map(|height| sketch.levels.level(height).to_vec()).collect();
        let Kll { k, seed, coins, count, min, max, .. } = sketch;
        Self { k, seed, coins, count, min, max, levels }
    }
}

impl TryFrom<Stored> for Kll {
    type Error = &'static str;

    fn try_from(stored: Stored) -> Result<Self, Self::Error> {
        if stored.k < Self::LEAST_K || stored.levels.is_empty() || stored.levels.len() > MOST_LEVELS {
            return Err("a quantile sketch of no possible size");
        }
        let kept: usize = stored.levels.iter().map(Vec::len).sum();
        if kept > room_of_levels(stored.k, stored.levels.len()) {
            return Err("a quantile sketch with more values than it has room for");
        }
        let weights: u128 = stored.levels.iter().enumerate().map(|(h, level)| (level.len() as u128) << h).sum();
        if weights != u128::from(stored.count) || stored.count > MOST_VALUES {
            return Err("a quantile sketch whose values do not add up to its count");
        }
        if stored.count == 0 && (stored.min, stored.max) != (0.0, 0.0) {
            return Err("an empty quantile sketch with a range");
        }
        let within = |value: &f64| value.is_finite() && stored.min <= *value && *value <= stored.max;
        let range_is_finite = stored.min.is_finite() && stored.max.is_finite();
        if !range_is_finite || !stored.levels.iter().flatten().all(within) {
            return Err("a quantile sketch with values outside its range");
        }
        if !stored.levels.iter().skip(1).all(|level| level.is_sorted()) {
            return Err("a quantile sketch whose levels are not in order");
        }
        Ok(Self {
            levels: Levels::from_values(&stored.levels, stored.k),
            k: stored.k,
            seed: stored.seed,
            coins: stored.coins,
            count: stored.count,
            min: stored.min,
            max: stored.max,
        })
    }
}
