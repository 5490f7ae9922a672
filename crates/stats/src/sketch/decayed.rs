//! A stream that is forgotten little by little.

use serde::{Deserialize, Serialize};

use super::weighted::Weighted;
use super::{Merge, MergeError};

/// A sketch in which a value counts half as much after each half-life.
///
/// The weight of a value seen at time `t` is `2^(t / half_life)` relative to a moving origin, so a
/// value of any time, late ones included, gets the weight it should have, nothing is touched as
/// time goes by, and sketches made in parts merge into the sketch of the whole (up to rounding).
/// Only when the newest weights near `2^64` are all weights divided by a power of two, exactly.
///
/// Shares, means and variances do not depend on the moment they are asked for:
/// [`sketch`](Self::sketch) answers them at once; [`as_of`](Self::as_of) makes weights that count
/// values, one for each value seen at that moment. The effective number of values of a steady
/// stream is `2 / ln 2 = 2.885` times those that come in a half-life.
///
/// One time far ahead makes all others weigh nothing: check clocks that are not trusted first.
///
/// Cost: a value costs the sketch's insert and one power of two, about 10 ns.
/// Reference: Cormode, Shkapenyuk, Srivastava, Xu, "Forward Decay", ICDE (2009).
///
/// ```
/// use wardline_stats::sketch::{Decayed, WeightedMoments};
/// let mut level = Decayed::new(WeightedMoments::new(), 60.0).unwrap_or_else(|| unreachable!());
/// for second in 0..1_000_u32 {
///     level.insert(&if second < 500 { 1.0 } else { 5.0 }, f64::from(second));
/// }
/// let mean = level.sketch().mean().unwrap_or_default();
/// assert!((mean - 5.0).abs() < 0.02);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Stored<S>", bound(deserialize = "S: Deserialize<'de>"))]
pub struct Decayed<S> {
    half_life: f64,
    /// The time of weight one, in half-lives.
    origin: Option<i64>,
    sketch: S,
}

/// Weights stay below `2` to one more than this.
const HIGHEST: i64 = 64;
/// Below `2` to this a weight is nothing beside one.
const LOWEST: i64 = -200;
/// Times are told to a part of a half-life up to here.
const FARTHEST: f64 = (1_i64 << 44) as f64;

impl<S: Weighted + Clone> Decayed<S> {
    /// An empty sketch like this one; `None` if the half-life is not finite and positive.
    #[must_use]
    pub fn new(sketch: S, half_life: f64) -> Option<Self> {
        if !(half_life.is_normal() && half_life > 0.0) {
            return None;
        }
        let mut empty = sketch;
        empty.clear();
        Some(Self { half_life, origin: None, sketch: empty })
    }

    /// Takes in a value seen at a time, in the unit of the half-life.
    ///
    /// `false` if it was refused: the sketch refuses the value, the time is not finite or more than
    /// `2^44` half-lives from zero, or the value is so old that it weighs nothing.
    #[inline]
    pub fn insert(&mut self, value: &S::Value, at: f64) -> bool {
        let Some((whole, part)) = self.position(at) else { return false };
        let mut power = whole - self.origin.unwrap_or(whole);
        // A value that is refused must not move the origin either.
        if power < LOWEST || !self.sketch.accepts(value) {
            return false;
        }
        if power > HIGHEST {
            fade(&mut self.sketch, -power);
            self.origin = Some(whole);
            power = 0;
        }
        self.origin = Some(self.origin.unwrap_or(whole));
        self.sketch.insert_weighted(value, part.exp2() * power_of_two(power))
    }

    /// A time in half-lives: whole ones, and the part of one.
    fn position(&self, at: f64) -> Option<(i64, f64)> {
        let position = at / self.half_life;
        let whole = position.floor();
        (position.abs() <= FARTHEST).then_some((whole as i64, position - whole))
    }

    /// What was seen, with weights relative to each other: for shares, means and variances.
    #[must_use]
    pub fn sketch(&self) -> &S {
        &self.sketch
    }

    /// What was seen, where a value seen at `now` weighs one; `None` before the first value, or if
    /// `now` is no possible time or more than 64 half-lives before the newest values.
    #[must_use]
    pub fn as_of(&self, now: f64) -> Option<S> {
        let (whole, part) = self.position(now)?;
        let power = self.origin? - whole;
        if power > HIGHEST {
            return None;
        }
        let mut scaled = self.sketch.clone();
        fade(&mut scaled, power);
        scaled.scale(1.0 / part.exp2());
        Some(scaled)
    }

    /// How many values of equal weight would be as many.
    #[must_use]
    pub fn effective_count(&self) -> f64 {
        self.sketch.effective_count()
    }

    /// After how long a value counts half.
    #[must_use]
    pub fn half_life(&self) -> f64 {
        self.half_life
    }
}

/// Multiplies all weights by a power of two.
fn fade<S: Weighted>(sketch: &mut S, power: i64) {
    // Squares of weights down to `2^LOWEST` are numbers still at this power, and none far below.
    if power < -300 { sketch.clear() } else { sketch.scale(power_of_two(power)) }
}

fn power_of_two(power: i64) -> f64 {
    2.0_f64.powi(power.clamp(-1_000, 1_000) as i32)
}

impl<S: Weighted + Clone> Merge for Decayed<S> {
    fn merge_from(&mut self, other: &Self) -> Result<(), MergeError> {
        if self.half_life != other.half_life {
            return Err(MergeError::DifferentShape);
        }
        let Some(theirs) = other.origin else { return Ok(()) };
        let ours = self.origin.unwrap_or(theirs);
        if ours >= theirs {
            let mut faded = other.sketch.clone();
            fade(&mut faded, theirs - ours);
            self.sketch.merge_from(&faded)?;
        } else {
            let mut faded = self.sketch.clone();
            fade(&mut faded, ours - theirs);
            faded.merge_from(&other.sketch)?;
            self.sketch = faded;
        }
        self.origin = Some(ours.max(theirs));
        Ok(())
    }

    fn clear(&mut self) {
        self.sketch.clear();
        self.origin = None;
    }
}

#[derive(Deserialize)]
struct Stored<S> {
    half_life: f64,
    origin: Option<i64>,
    sketch: S,
}

impl<S> TryFrom<Stored<S>> for Decayed<S> {
    type Error = &'static str;

    fn try_from(stored: Stored<S>) -> Result<Self, Self::Error> {
        let Stored { half_life, origin, sketch } = stored;
        let near = origin.is_none_or(|origin| origin.unsigned_abs() <= FARTHEST as u64);
        let sound = near && half_life.is_normal() && half_life > 0.0;
        sound.then_some(Self { half_life, origin, sketch }).ok_or("a half-life or a time that cannot be")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sketch::{FixedBins, WeightedBins, WeightedCounts, WeightedMoments};

    fn level(values: &[(f64, f64)]) -> Decayed<WeightedMoments> {
        let mut level = Decayed::new(WeightedMoments::new(), 10.0).unwrap();
        values.iter().for_each(|(value, at)| assert!(level.insert(value, *at)));
        level
    }

    /// pandas 3.1.1: `Series([1, 2, 4, 8]).ewm(halflife=2).mean()` ends at 4.757359312880715.
    #[test]
    fn a_regular_stream_is_an_exponential_mean() {
        let values = [(1.0, 0.0), (2.0, 5.0), (4.0, 10.0), (8.0, 15.0)];
        let weights = [0.5_f64.powf(1.5), 0.5, 0.5_f64.powf(0.5), 1.0];
        let sum: f64 = weights.iter().sum();
        assert!((level(&values).sketch().mean().unwrap() - 4.757_359_312_880_715).abs() < 1e-14);
        assert!((level(&values).as_of(15.0).unwrap().weight() - sum).abs() < 1e-14);
        assert!((level(&values).as_of(25.0).unwrap().weight() - 0.5 * sum).abs() < 1e-14);
    }

    #[test]
    fn a_steady_stream_counts_as_many_as_stated() {
        let values: Vec<(f64, f64)> = (0..100_000).map(|i| (1.0, f64::from(i) / 100.0)).collect();
        let found = level(&values).effective_count();
        assert!((found - 1_000.0 * 2.0 / std::f64::consts::LN_2).abs() < 5.0, "{found}");
    }

    #[test]
    fn counts_and_bins_forget_too() {
        let mut counts = Decayed::new(WeightedCounts::<u32>::with_cap(4), 1.0).unwrap();
        let bins = FixedBins::new(vec![0.0]).unwrap();
        let mut bins = Decayed::new(WeightedBins::like(&bins), 1.0).unwrap();
        for at in 0..1_000_u32 {
            assert!(counts.insert(&(at / 100), f64::from(at)));
            assert!(bins.insert(&if at < 990 { -1.0 } else { 1.0 }, f64::from(at)));
        }
        assert!(counts.sketch().share_of(&9).unwrap() > 0.999);
        assert!(bins.sketch().shares().unwrap()[1] > 0.999);
        assert!(counts.sketch().other() < 1e-9 * counts.sketch().weight());
    }

    #[test]
    fn bad_times_are_refused() {
        let mut level = level(&[(1.0, 0.0)]);
        for at in [f64::NAN, f64::INFINITY, 1e300, -1e5] {
            assert!(!level.insert(&2.0, at), "{at}");
        }
        assert!(!level.insert(&f64::NAN, 1e9));
        assert_eq!(level.sketch().mean(), Some(1.0));
        assert!(level.insert(&3.0, 1e9));
        assert_eq!((level.sketch().mean(), level.as_of(0.0)), (Some(3.0), None));
        assert_eq!(Decayed::new(WeightedMoments::new(), 0.0), None);
        assert_eq!(Decayed::new(WeightedMoments::new(), f64::NAN), None);
        let other = Decayed::new(WeightedMoments::new(), 11.0).unwrap();
        assert_eq!(level.merge_from(&other), Err(MergeError::DifferentShape));
    }

    proptest! {
        #[test]
        fn neither_order_nor_parts_matter(
            left in proptest::collection::vec((-1e3..1e3_f64, -500.0..1500.0_f64), 1..60),
            right in proptest::collection::vec((-1e3..1e3_f64, -500.0..1500.0_f64), 1..60),
        ) {
            let mut merged = level(&left);
            merged.merge_from(&level(&right)).unwrap();
            let mut reversed = [left, right].concat();
            reversed.reverse();
            let whole = level(&reversed);
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (a.abs() + b.abs()) + 1e-9;
            prop_assert!(close(merged.sketch().mean().unwrap(), whole.sketch().mean().unwrap()));
            prop_assert!(close(merged.effective_count(), whole.effective_count()));
            let weight = |level: &Decayed<WeightedMoments>| level.as_of(1_600.0).unwrap().weight();
            prop_assert!((weight(&merged) - weight(&whole)).abs() <= 1e-12 * weight(&whole));
        }
    }
}
