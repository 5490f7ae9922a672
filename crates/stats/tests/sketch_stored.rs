//! What is written down comes back the same, and what was damaged is refused or harmless.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test that cannot go on has failed")]

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use wardline_stats::robust::RollingMedian;
use wardline_stats::season::{CountModel, HourOfWeek, HourlyProfile};
use wardline_stats::sketch::{
    CategoryCounts, Covariance, Decayed, Distinct, FixedBins, HeavyHitters, Kll, LogHistogram, Merge, Moments,
    SlidingWindow, Weighted, WeightedBins, WeightedCounts, WeightedMoments,
};

/// A sketch under test: what is done to whatever could be read, which must not panic.
trait Exercised: Clone + std::fmt::Debug + PartialEq + Serialize + DeserializeOwned {
    /// Takes in values, merges and answers; whether all answers are numbers.
    fn sound_after_use(self) -> bool;
}

fn finite(answers: impl IntoIterator<Item = Option<f64>>) -> bool {
    answers.into_iter().flatten().all(f64::is_finite)
}

/// Doubles a sketch; too much to be counted is an answer too.
fn doubled<S: Merge + Clone>(sketch: &mut S) {
    let copy = sketch.clone();
    let _ = sketch.merge_from(&copy);
}

impl Exercised for LogHistogram {
    fn sound_after_use(mut self) -> bool {
        self.insert(3.0);
        doubled(&mut self);
        let answers = [self.quantile(0.5), self.mean(), self.cdf(1.0), self.min(), self.max()];
        finite(answers) && self.quantile_edges(10).is_sorted()
    }
}

impl Exercised for Kll {
    fn sound_after_use(mut self) -> bool {
        (0..1_000).for_each(|i| assert!(self.insert(f64::from(i))));
        doubled(&mut self);
        finite([self.quantile(0.5), self.cdf(1.0), self.min()]) && self.cumulated().is_sorted()
    }
}

impl Exercised for FixedBins {
    fn sound_after_use(mut self) -> bool {
        self.insert(3.0);
        doubled(&mut self);
        self.total() > 0
    }
}

impl Exercised for Distinct {
    fn sound_after_use(mut self) -> bool {
        (0..600_u32).for_each(|i| self.insert_bytes(&i.to_le_bytes()));
        doubled(&mut self);
        self.estimate().is_finite() && self.estimate() > 500.0
    }
}

impl Exercised for CategoryCounts<String> {
    fn sound_after_use(mut self) -> bool {
        self.insert("a");
        doubled(&mut self);
        let kept: u64 = self.iter().fold(self.other(), |sum, (_, count)| sum.saturating_add(count));
        kept == self.total()
    }
}

impl Exercised for HeavyHitters<String> {
    fn sound_after_use(mut self) -> bool {
        (0..100).for_each(|i| self.insert(format!("{i}").as_str()));
        doubled(&mut self);
        self.error() <= self.total() / (self.capacity() as u64 + 1) && self.top(3).len() <= 3
    }
}

impl Exercised for Moments {
    fn sound_after_use(mut self) -> bool {
        self.insert(3.0);
        doubled(&mut self);
        finite([self.mean(), self.variance(), self.min()])
    }
}

impl Exercised for Covariance {
    fn sound_after_use(mut self) -> bool {
        self.insert(&vec![1.0; self.columns()]);
        doubled(&mut self);
        finite([self.mean(0), self.covariance(0, 0), self.correlation(0, 1)])
    }
}

impl Exercised for Decayed<WeightedMoments> {
    fn sound_after_use(mut self) -> bool {
        self.insert(&3.0, 1e3);
        doubled(&mut self);
        finite([self.sketch().mean(), self.sketch().variance(), Some(self.effective_count())])
    }
}

impl Exercised for Decayed<WeightedBins> {
    fn sound_after_use(mut self) -> bool {
        self.insert(&3.0, 1e3);
        doubled(&mut self);
        self.sketch().shares().is_none_or(|shares| shares.iter().all(|share| share.is_finite()))
    }
}

impl Exercised for Decayed<WeightedCounts<u32>> {
    fn sound_after_use(mut self) -> bool {
        self.insert(&3, 1e3);
        doubled(&mut self);
        finite([self.sketch().share_of(&3), Some(self.sketch().weight())])
    }
}

impl Exercised for SlidingWindow<Moments> {
    fn sound_after_use(mut self) -> bool {
        if let Some(pane) = self.pane(17) {
            pane.insert(3.0);
        }
        doubled(&mut self);
        self.covered().is_some_and(|(start, end)| start < end) && self.merged().is_ok_and(|sum| finite([sum.mean()]))
    }
}

impl Exercised for RollingMedian {
    fn sound_after_use(mut self) -> bool {
        self.insert(3.0);
        finite([self.median(), self.median_absolute_deviation(), self.robust_z(1.0)])
    }
}

impl Exercised for HourlyProfile {
    fn sound_after_use(mut self) -> bool {
        let monday = HourOfWeek::from_unix_seconds(4 * 86_400);
        self.observe(monday, 3.0);
        doubled(&mut self);
        finite([self.expectation(monday).map(|expected| expected.mean)])
    }
}

impl Exercised for HourOfWeek {
    fn sound_after_use(self) -> bool {
        self.hour() < 168
    }
}

impl Exercised for CountModel {
    fn sound_after_use(self) -> bool {
        self.dispersion() >= 0.0 && !self.standard_deviation(5.0).is_nan()
    }
}

/// Comes back the same; and however one byte was changed, or many, or the end lost, what can still be
/// read is sound.
fn check<S: Exercised>(sketch: S, damage: &[(usize, u8)]) -> Result<(), TestCaseError> {
    let bytes = postcard::to_stdvec(&sketch).unwrap();
    prop_assert_eq!(&postcard::from_bytes::<S>(&bytes).unwrap(), &sketch);
    // As text, numbers may come back with another last digit: only damage is looked at.
    let text = serde_json::to_vec(&sketch).unwrap();

    for written in [&bytes, &text] {
        let read = |damaged: &[u8]| {
            if std::ptr::eq(written, &bytes) {
                postcard::from_bytes::<S>(damaged).ok()
            } else {
                serde_json::from_slice::<S>(damaged).ok()
            }
        };
        let mut all = written.clone();
        for (place, byte) in damage {
            let mut one = written.clone();
            let at = place % written.len().max(1);
            one[at] = *byte;
            all[at] = *byte;
            prop_assert!(read(&one).is_none_or(S::sound_after_use), "byte {at} set to {byte} in {sketch:?}");
            prop_assert!(read(&written[..at]).is_none_or(S::sound_after_use));
        }
        prop_assert!(read(&all).is_none_or(S::sound_after_use));
    }
    prop_assert!(sketch.sound_after_use());
    Ok(())
}

fn values() -> impl Strategy<Value = Vec<f64>> {
    let value = prop_oneof![3 => -1e3..1e3_f64, 1 => proptest::num::f64::NORMAL, 1 => Just(0.0)];
    proptest::collection::vec(value, 0..60)
}

fn damage() -> impl Strategy<Value = Vec<(usize, u8)>> {
    proptest::collection::vec((any::<usize>(), any::<u8>()), 1..24)
}

/// Feeds values to a sketch.
fn fed<S>(mut sketch: S, values: &[f64], mut insert: impl FnMut(&mut S, f64)) -> S {
    values.iter().for_each(|value| insert(&mut sketch, *value));
    sketch
}

proptest! {
    #[test]
    fn sketches_of_numbers(values in values(), damage in damage()) {
        check(fed(LogHistogram::new(), &values, |s, x| { s.insert(x); }), &damage)?;
        check(fed(Kll::new(8, 3).unwrap(), &values, |s, x| { s.insert(x); }), &damage)?;
        check(fed(Moments::new(), &values, |s, x| { s.insert(x); }), &damage)?;
        check(fed(RollingMedian::new(20).unwrap(), &values, |s, x| { s.insert(x); }), &damage)?;
        check(fed(Covariance::new(2).unwrap(), &values, |s, x| { s.insert(&[x, x * 0.5 + 1.0]); }), &damage)?;
        if let Some(bins) = FixedBins::from_values(&values, 10) {
            check(bins, &damage)?;
        }
    }

    #[test]
    fn sketches_of_values(values in values(), damage in damage()) {
        let text = |x: f64| format!("{}", (x as i64).rem_euclid(30));
        check(fed(Distinct::new(), &values, |s, x| s.insert_bytes(&x.to_le_bytes())), &damage)?;
        let counts = CategoryCounts::<String>::with_cap(8);
        check(fed(counts, &values, |s, x| s.insert(text(x).as_str())), &damage)?;
        let hitters = HeavyHitters::<String>::new(8).unwrap();
        check(fed(hitters, &values, |s, x| s.insert(text(x).as_str())), &damage)?;
    }

    #[test]
    fn windows_and_seasons(values in values(), damage in damage()) {
        let mut at = 0_u32;
        let mut step = move || { at += 7; f64::from(at) };
        let moments = Decayed::new(WeightedMoments::new(), 30.0).unwrap();
        check(fed(moments, &values, |s, x| { s.insert(&x, step()); }), &damage)?;
        let bins = Decayed::new(WeightedBins::new(vec![0.0, 10.0]).unwrap(), 30.0).unwrap();
        check(fed(bins, &values, |s, x| { s.insert(&x, step()); }), &damage)?;
        let counts = Decayed::new(WeightedCounts::<u32>::with_cap(8), 30.0).unwrap();
        check(fed(counts, &values, |s, x| { s.insert(&(x as u32 % 10), step()); }), &damage)?;
        let window = SlidingWindow::new(Moments::new(), 4, 10).unwrap();
        check(fed(window, &values, |s, x| { s.pane(step() as i64).map(|pane| pane.insert(x)); }), &damage)?;
        let hour = |x: f64| HourOfWeek::from_unix_seconds((x as i64).wrapping_mul(3_600));
        check(fed(HourlyProfile::new(), &values, |s, x| { s.observe(hour(x), x); }), &damage)?;
        check(hour(values.len() as f64), &damage)?;
        check(CountModel::new(values.len() as f64 / 7.0).unwrap(), &damage)?;
    }
}

/// A sketch with many values is damaged byte by byte: registers, levels and octaves.
#[test]
fn full_sketches_are_refused_or_sound_whatever_byte_is_wrong() {
    let mut distinct = Distinct::new();
    (0..5_000_u32).for_each(|i| distinct.insert_bytes(&i.to_le_bytes()));
    let mut ranks = Kll::default();
    let mut histogram = LogHistogram::new();
    (0..5_000_u32).for_each(|i| {
        ranks.insert(f64::from(i).sqrt());
        histogram.insert(f64::from(i).sqrt() - 20.0);
    });
    let damage: Vec<(usize, u8)> = (0..400_usize).map(|i| (i * 37, (i * 101 % 256) as u8)).collect();
    check(distinct, &damage).unwrap();
    check(ranks, &damage).unwrap();
    check(histogram, &damage).unwrap();
}
