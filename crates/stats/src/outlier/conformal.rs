//! From scores to p-values: a threshold means a false-alarm rate.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::distribution::beta;
use crate::interval::Interval;

/// Scores of rows that are usual, against which others are ranked.
///
/// `p = (1 + usual scores at least as large) / (1 + n)`. Whatever the model and whatever the law of the scores: while
/// a row is exchangeable with the usual ones, `P(p <= alpha) <= alpha`, and within `1 / (n + 1)` of it where scores do
/// not tie. Nobody has to say how many rows are unusual. The usual rows must not be those that the model was fitted
/// on, whose scores are too small. Many rows judged at once: [`crate::multiple::benjamini_hochberg`] keeps its rate
/// over these p-values (Bates and others, theorem 2).
///
/// Cost: sorts once; `O(ln(n))` a score; 8 bytes a usual score.
/// Reference: Vovk, Gammerman, Shafer, "Algorithmic Learning in a Random World" (2005); Bates, Candès, Lei, Romano,
/// Sesia, "Testing for outliers with conformal p-values", Annals of Statistics 51 (2023).
///
/// ```
/// use wardline_stats::outlier::Calibration;
///
/// let usual: Vec<f64> = (0..999).map(f64::from).collect();
/// let calibration = Calibration::new(&usual).unwrap();
/// assert_eq!(calibration.p_value(2_000.0), Some(0.001));
/// assert_eq!(calibration.threshold(0.01), Some(989.0));
/// assert_eq!(calibration.threshold(0.0001), None); // Too few rows to promise that.
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub struct Calibration {
    /// Rising.
    scores: Vec<f64>,
}

impl Calibration {
    /// From the scores of usual rows; `None` where there is none, or one is no number.
    #[must_use]
    pub fn new(scores: &[f64]) -> Option<Self> {
        if scores.is_empty() || scores.iter().any(|score| score.is_nan()) {
            return None;
        }
        let mut scores = scores.to_vec();
        scores.sort_unstable_by(f64::total_cmp);
        Some(Self { scores })
    }

    /// The p-value of a score, in `[1 / (n + 1), 1]`; `None` for NaN.
    #[must_use]
    pub fn p_value(&self, score: f64) -> Option<f64> {
        let below = self.below(score)?;
        Some((1 + self.scores.len() - below) as f64 / (1 + self.scores.len()) as f64)
    }

    /// The same with ties, and the row's own place, broken at random: even in `(0, 1]` while nothing is unusual, as
    /// tests that bet on p-values need it. `u` is even in `(0, 1]`; `None` for any other, and for NaN.
    #[must_use]
    pub fn smoothed_p_value(&self, score: f64, u: f64) -> Option<f64> {
        let below = self.below(score)?;
        if !(0.0 < u && u <= 1.0) {
            return None;
        }
        let same = self.scores[below..].partition_point(|other| *other <= score);
        let above = self.scores.len() - below - same;
        Some((above as f64 + u * (same + 1) as f64) / (1 + self.scores.len()) as f64)
    }

    fn below(&self, score: f64) -> Option<usize> {
        (!score.is_nan()).then(|| self.scores.partition_point(|other| *other < score))
    }

    /// Scores above this one have a p-value of at most `alpha`; `None` where there are too few usual rows to promise
    /// it: at least `1 / alpha - 1` are needed.
    #[must_use]
    pub fn threshold(&self, alpha: f64) -> Option<f64> {
        let most = self.most_above(alpha)?;
        Some(self.scores[self.scores.len() - most])
    }

    /// The smallest p-value that these usual rows can give.
    #[must_use]
    pub fn least_p_value(&self) -> f64 {
        1.0 / (1 + self.scores.len()) as f64
    }

    /// Between which rates the false alarms of [`Calibration::threshold`] lie, for the usual rows at hand.
    ///
    /// `alpha` holds on average over draws of usual rows; for one draw the rate follows a beta law with `k` and
    /// `n + 1 - k`, where `k = floor(alpha (n + 1))` and scores do not tie.
    /// `None` as for the threshold, or unless `0 < confidence < 1`. Reference: Vovk, ACML (2012), proposition 2a.
    #[must_use]
    pub fn rate_interval(&self, alpha: f64, confidence: f64) -> Option<Interval> {
        let k = self.most_above(alpha)? as f64;
        let rest = (1 + self.scores.len()) as f64 - k;
        if !(0.0 < confidence && confidence < 1.0) {
            return None;
        }
        let tail = 0.5 * (1.0 - confidence);
        Some(Interval { low: beta::quantile(tail, k, rest)?, high: beta::quantile(1.0 - tail, k, rest)? })
    }

    /// How many ranks from the top have a p-value of at most `alpha`; `None` where none has.
    fn most_above(&self, alpha: f64) -> Option<usize> {
        if !(0.0 < alpha && alpha < 1.0) {
            return None;
        }
        // What is meant as 1 / 20 must not become less than it by rounding.
        let most = (alpha * (1 + self.scores.len()) as f64 * (1.0 + 1e-12)).floor() as usize;
        let most = most.min(self.scores.len());
        (most > 0).then_some(most)
    }

    /// How many usual rows there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.scores.len()
    }
}

impl TryFrom<Vec<f64>> for Calibration {
    type Error = &'static str;

    fn try_from(scores: Vec<f64>) -> Result<Self, Self::Error> {
        Self::new(&scores).ok_or("no usual scores")
    }
}

impl From<Calibration> for Vec<f64> {
    fn from(calibration: Calibration) -> Self {
        calibration.scores
    }
}

/// The last scores of a stream, against which the next is ranked.
///
/// Follows what is slowly becoming usual, and learns an attack as well that lasts as long as the window: keep rows out
/// that were found unusual, or stay with a fixed [`Calibration`].
/// Cost: a search and a move within the window a score, 0.3 µs for 2,000; 16 bytes a score.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StoredWindow", into = "StoredWindow")]
pub struct SlidingCalibration {
    capacity: usize,
    /// As they came.
    arrived: VecDeque<f64>,
    /// The same in order.
    calibration: Calibration,
}

#[derive(Clone, Serialize, Deserialize)]
struct StoredWindow {
    capacity: usize,
    arrived: VecDeque<f64>,
}

impl SlidingCalibration {
    /// A window of the last `capacity` scores, `1..=1_000_000`.
    #[must_use]
    pub fn new(capacity: usize) -> Option<Self> {
        let sized = (1..=1_000_000).contains(&capacity);
        let calibration = Calibration { scores: Vec::new() };
        sized.then(|| Self { capacity, arrived: VecDeque::new(), calibration })
    }

    /// The window as it is now, for its p-values and threshold; `None` while it is empty.
    ///
    /// It says too what the window is too short for: [`Calibration::least_p_value`] and [`Calibration::threshold`].
    #[must_use]
    pub fn now(&self) -> Option<&Calibration> {
        (!self.arrived.is_empty()).then_some(&self.calibration)
    }

    /// The p-value of a score against the window, which does not change; `None` for NaN and for an empty window.
    #[must_use]
    pub fn p_value(&self, score: f64) -> Option<f64> {
        self.now()?.p_value(score)
    }

    /// Takes a usual score into the window, in place of the oldest where it is full; false for NaN.
    pub fn insert(&mut self, score: f64) -> bool {
        if score.is_nan() {
            return false;
        }
        let sorted = &mut self.calibration.scores;
        if self.arrived.len() == self.capacity
            && let Some(oldest) = self.arrived.pop_front()
        {
            let place = sorted.partition_point(|other| other.total_cmp(&oldest).is_lt());
            sorted.remove(place);
        }
        self.arrived.push_back(score);
        let place = sorted.partition_point(|other| other.total_cmp(&score).is_lt());
        sorted.insert(place, score);
        true
    }

    /// How many scores are in the window.
    #[must_use]
    pub fn count(&self) -> usize {
        self.arrived.len()
    }
}

impl TryFrom<StoredWindow> for SlidingCalibration {
    type Error = &'static str;

    fn try_from(stored: StoredWindow) -> Result<Self, Self::Error> {
        let mut window = Self::new(stored.capacity).ok_or("a window of scores without a size")?;
        if stored.arrived.len() > stored.capacity || stored.arrived.iter().any(|score| score.is_nan()) {
            return Err("not a window of scores");
        }
        let sorted = &mut window.calibration.scores;
        sorted.extend(&stored.arrived);
        sorted.sort_unstable_by(f64::total_cmp);
        window.arrived = stored.arrived;
        Ok(window)
    }
}

impl From<SlidingCalibration> for StoredWindow {
    fn from(window: SlidingCalibration) -> Self {
        Self { capacity: window.capacity, arrived: window.arrived }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::random::SplitMix;

    /// Goal: at most the stated share of usual rows is called unusual, ties or not. Method: 400 calibrations of 199
    /// rows, 50 rows each; the share may exceed alpha by chance only (four standard errors, rows of one calibration
    /// taken as dependent).
    #[test]
    fn false_alarms_stay_at_what_was_asked() {
        let laws: [fn(&mut SplitMix) -> f64; 2] = [SplitMix::normal, |random| (random.unit() * 4.0).floor()];
        for (law, ties) in laws.into_iter().zip([false, true]) {
            let mut random = SplitMix::new(8);
            let mut alarms = 0;
            for _ in 0..400 {
                let usual: Vec<f64> = (0..199).map(|_| law(&mut random)).collect();
                let threshold = Calibration::new(&usual).unwrap();
                alarms += (0..50).filter(|_| threshold.p_value(law(&mut random)).unwrap() <= 0.05).count();
            }
            let rate = f64::from(alarms as u32) / 20_000.0;
            assert!(rate < 0.055 && (ties || rate > 0.045), "{rate}");
        }
    }

    #[test]
    fn too_few_rows_are_said() {
        let calibration = Calibration::new(&[1.0; 98]).unwrap();
        assert_eq!(calibration.threshold(0.01), None);
        assert_eq!(calibration.rate_interval(0.01, 0.9), None);
        assert_eq!(Calibration::new(&[1.0; 99]).unwrap().threshold(0.01), Some(1.0));
        assert_eq!(Calibration::new(&[]), None);
        assert_eq!(Calibration::new(&[f64::NAN]), None);
        assert_eq!(calibration.p_value(f64::NAN), None);
        let exact: Vec<f64> = (0..999).map(f64::from).collect();
        let interval = Calibration::new(&exact).unwrap().rate_interval(0.05, 0.9).unwrap();
        assert!(interval.low > 0.038 && interval.contains(0.05) && interval.high < 0.062, "{interval:?}");
    }

    /// Goal: the greatest rates that can be asked have a threshold too.
    #[test]
    fn a_rate_of_almost_one_is_answered() {
        for count in [1, 2, 1_000] {
            let calibration = Calibration::new(&vec![3.0; count]).unwrap();
            assert_eq!(calibration.threshold(1.0 - f64::EPSILON / 2.0), Some(3.0));
            assert!(calibration.rate_interval(1.0 - f64::EPSILON / 2.0, 0.9).is_some());
            assert_eq!(calibration.threshold(1.0), None);
        }
    }

    /// Goal: with ties broken at random the rate is exact, however many tie. Method: 400 calibrations of 199 scores of
    /// four values, 50 more each; within four standard errors.
    #[test]
    fn broken_ties_make_the_rate_exact() {
        let mut random = SplitMix::new(12);
        let draw = |random: &mut SplitMix| (random.unit() * 4.0).floor();
        let mut alarms = 0;
        for _ in 0..400 {
            let usual: Vec<f64> = (0..199).map(|_| draw(&mut random)).collect();
            let calibration = Calibration::new(&usual).unwrap();
            for _ in 0..50 {
                let score = draw(&mut random);
                alarms += usize::from(calibration.smoothed_p_value(score, random.unit()).unwrap() <= 0.05);
            }
        }
        assert!((0.044..0.056).contains(&(alarms as f64 / 20_000.0)), "{alarms}");
        assert_eq!(Calibration::new(&[1.0]).unwrap().smoothed_p_value(2.0, 0.0), None);
    }

    proptest! {
        #[test]
        fn the_threshold_is_where_the_p_value_says(
            usual in proptest::collection::vec(0..30_i32, 1..80), score in 0..30_i32, alpha in 0.01..0.5_f64
        ) {
            let usual: Vec<f64> = usual.into_iter().map(f64::from).collect();
            let score = f64::from(score);
            let calibration = Calibration::new(&usual).unwrap();
            let p = calibration.p_value(score).unwrap();
            let alarms = calibration.threshold(alpha).is_some_and(|threshold| score > threshold);
            prop_assert_eq!(p <= alpha * (1.0 + 1e-12), alarms);
            let smoothed = calibration.smoothed_p_value(score, 0.5).unwrap();
            prop_assert!(0.0 < smoothed && smoothed <= p);
        }

        #[test]
        fn the_window_is_that_of_the_last_scores(scores in proptest::collection::vec(-9..9_i32, 1..60), size in 1_usize..20) {
            let scores: Vec<f64> = scores.into_iter().map(f64::from).collect();
            let mut window = SlidingCalibration::new(size).unwrap();
            scores.iter().for_each(|score| assert!(window.insert(*score)));
            let last = Calibration::new(&scores[scores.len().saturating_sub(size)..]).unwrap();
            prop_assert_eq!(window.now(), Some(&last));
            for score in -10..10 {
                prop_assert_eq!(window.p_value(f64::from(score)), last.p_value(f64::from(score)));
            }
            let read: SlidingCalibration = postcard::from_bytes(&postcard::to_allocvec(&window).unwrap()).unwrap();
            prop_assert_eq!(read, window);
        }
    }
}
