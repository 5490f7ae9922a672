//! Sketches whose values have weights: what forgetting is made of.

mod bins;
mod counts;
mod moments;

pub use bins::WeightedBins;
pub use counts::WeightedCounts;
pub use moments::WeightedMoments;

use super::Merge;

/// A sketch that takes values with weights, and whose weights can be scaled all at once.
pub trait Weighted: Merge {
    /// What it takes in.
    type Value: ?Sized;

    /// Whether it would take this value in, whatever the weight.
    fn accepts(&self, value: &Self::Value) -> bool;

    /// Takes in a value with a weight; `false` if it was refused: the value is not
    /// [accepted](Self::accepts), or the weight is not above zero and at most 1e30.
    fn insert_weighted(&mut self, value: &Self::Value, weight: f64) -> bool;

    /// Multiplies all weights by a factor that is finite and not negative.
    fn scale(&mut self, factor: f64);

    /// The sum of the weights.
    fn weight(&self) -> f64;

    /// How many values of equal weight would be as many: `(sum w)^2 / sum w^2`; zero without values.
    ///
    /// Use it where a formula asks for the size of the sample. Reference: Kish (1965).
    fn effective_count(&self) -> f64;
}

/// The sums that every weighted sketch keeps.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
struct Mass {
    weight: f64,
    squares: f64,
}

impl Mass {
    /// Adds a weight; `false` if it is none.
    #[inline]
    fn add(&mut self, weight: f64) -> bool {
        let valid = 0.0 < weight && weight <= HEAVIEST;
        if valid {
            self.weight += weight;
            self.squares += weight * weight;
        }
        valid
    }

    fn merge(&mut self, other: &Self) {
        self.weight += other.weight;
        self.squares += other.squares;
    }

    fn scale(&mut self, factor: f64) {
        self.weight *= factor;
        self.squares *= factor * factor;
    }

    fn effective_count(&self) -> f64 {
        if self.squares > 0.0 { self.weight * (self.weight / self.squares) } else { 0.0 }
    }

    /// Whether there are weights with these sums: of any number of positive numbers the square of
    /// the sum is at least the sum of squares.
    fn is_sound(&self) -> bool {
        let empty = self.weight == 0.0 && self.squares == 0.0;
        let positive = 0.0 < self.weight && self.weight <= HEAVIEST * HEAVIEST && 0.0 < self.squares;
        let count = self.effective_count();
        empty || positive && 1.0 - 1e-6 <= count && count <= 2.0 * u64::MAX as f64
    }
}

/// Weights up to this, and values up to `moments::LARGEST`, leave room for sums of `w x^2`.
const HEAVIEST: f64 = 1e30;
