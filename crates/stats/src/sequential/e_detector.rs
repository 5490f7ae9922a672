//! Watches a share for ever: alarms on a rise or a fall, with a stated run to a false alarm.

use serde::{Deserialize, Serialize};

use super::RATIOS;
use super::mixture::{Direction, Steps};
use super::monitor::{Monitor, Promise, bit};

/// Far above every threshold; keeps products finite.
const CEILING: f64 = 1e200;

/// The Shiryaev-Roberts e-detector of a share against a limit `p0`.
///
/// For each alternative `S <- (S + 1) L` with `L` the likelihood ratio of the step, and the value
/// is the mean over the grid. While the share keeps to `p0`, `value - steps` is a supermartingale,
/// so an alarm at `value >= A` has an **average run length of at least `A` steps**. A step is what
/// the caller makes it: one event, or one cell of time with all its events; choose cells of a
/// second, and `A` is in seconds that had events.
///
/// After a change it forgets the quiet past by itself. Cost: 7 multiply-adds an event, 7
/// exponentials a cell; no allocation. Not to be trusted when bad events come in clumps or when
/// `p0` is a point estimate: use its upper bound.
/// Source: Shin, Ramdas, Rinaldo, "E-detectors", NEJSDS 2 (2024), section 3.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EDetector {
    steps: Steps,
    /// Likelihood ratios of one good and of one bad event.
    single: [[f64; RATIOS.len()]; 2],
    values: [f64; RATIOS.len()],
    observed: u64,
}

impl EDetector {
    /// Watches for a move of the share away from `p0`; `None` unless `0 < p0 < 1`.
    #[must_use]
    pub fn new(p0: f64, direction: Direction) -> Option<Self> {
        (0.0 < p0 && p0 < 1.0).then(|| {
            let steps = Steps::of_rate(p0, direction);
            let values = [0.0; RATIOS.len()];
            Self { steps, single: single(&steps), values, observed: 0 }
        })
    }

    /// Takes in one event as one step.
    #[inline]
    pub fn observe(&mut self, bad: bool) {
        self.observed += 1;
        let ratios = &self.single[usize::from(bad)];
        for (value, ratio) in self.values.iter_mut().zip(ratios) {
            *value = ((*value + 1.0) * ratio).min(CEILING);
        }
    }

    /// Takes in all events of a cell as one step; a cell without events is no step.
    #[inline]
    pub fn observe_cell(&mut self, bad: u64, good: u64) {
        if bad + good == 0 {
            return;
        }
        self.observed += 1;
        let (bad, good) = (bad as f64, good as f64);
        for (value, (yes, no)) in self.values.iter_mut().zip(self.steps.yes.iter().zip(&self.steps.no)) {
            *value = ((*value + 1.0) * (bad * yes + good * no).exp()).min(CEILING);
        }
    }

    /// The value to compare with the wished average run length.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.values.iter().sum::<f64>() / RATIOS.len() as f64
    }

    /// Steps since the start or the last reset.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.observed
    }

    /// Starts anew, as after an alarm.
    pub fn reset(&mut self) {
        self.values = [0.0; RATIOS.len()];
        self.observed = 0;
    }

    /// Goes on against another limit and keeps the evidence; `false` unless `0 < p0 < 1`.
    ///
    /// The limit of a step must be fixed before the step, as for a seasonal baseline; the average
    /// run length holds all the same.
    pub fn set_limit(&mut self, p0: f64, direction: Direction) -> bool {
        let valid = 0.0 < p0 && p0 < 1.0;
        if valid {
            self.steps = Steps::of_rate(p0, direction);
            self.single = single(&self.steps);
        }
        valid
    }
}

/// An [`EDetector`] with its threshold: alarms at `run_length`, then starts anew.
///
/// While the share keeps to the limit, the average run to a false alarm is at least `run_length`
/// events. Cost and source: as [`EDetector`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct EAlarm {
    detector: EDetector,
    run_length: f64,
}

impl EAlarm {
    /// Alarms when the value of `detector` reaches `run_length`; `None` unless that is at least 1
    /// and at most 1e100.
    #[must_use]
    pub fn new(detector: EDetector, run_length: f64) -> Option<Self> {
        (1.0 <= run_length && run_length <= 1e100).then_some(Self { detector, run_length })
    }

    /// Takes in one event; whether it alarms.
    #[inline]
    pub fn observe(&mut self, bad: bool) -> bool {
        self.detector.observe(bad);
        let alarm = self.detector.value() >= self.run_length;
        if alarm {
            self.detector.reset();
        }
        alarm
    }
}

impl Monitor for EAlarm {
    fn watch(&mut self, value: f64) -> bool {
        bit(value).is_some_and(|bad| self.observe(bad))
    }

    fn promise(&self) -> Promise {
        Promise::RunLength(self.run_length)
    }
}

fn single(steps: &Steps) -> [[f64; RATIOS.len()]; 2] {
    [steps.no.map(f64::exp), steps.yes.map(f64::exp)]
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::sequential::tests_stream::Lcg;

    fn first_alarm(rate: f64, steps: usize, seed: u64) -> Option<usize> {
        let mut detector = EDetector::new(0.05, Direction::Increase).unwrap();
        let mut stream = Lcg::new(seed);
        (0..steps).find(|_| {
            detector.observe(stream.next() < rate);
            detector.value() >= 1e4
        })
    }

    /// Goal: a false alarm comes later than A steps on average. Method: 200 runs of 20,000 steps
    /// without change; at a mean run of at least 10,000 at most 1 - e^-2 of them may alarm.
    #[test]
    fn keeps_the_average_run_length() {
        let alarms = (0..200).filter(|seed| first_alarm(0.05, 20_000, *seed).is_some()).count();
        assert!(alarms < 173, "{alarms} of 200 runs alarmed");
    }

    /// Goal: finds 5 % to 20 % within 200 events in nine runs of ten.
    #[test]
    fn finds_a_rise() {
        let found = (0..100).filter(|seed| first_alarm(0.2, 200, *seed).is_some()).count();
        assert!(found >= 90, "{found}");
    }

    #[test]
    fn survives_an_endless_flood() {
        let mut detector = EDetector::new(1e-4, Direction::Increase).unwrap();
        detector.observe_cell(u64::MAX / 2, 0);
        assert!(detector.value().is_finite());
        detector.observe_cell(0, u64::MAX / 2);
        assert_eq!(detector.value(), 0.0);
        detector.reset();
        assert_eq!(detector.steps(), 0);
    }

    proptest! {
        #[test]
        fn an_event_is_a_cell_of_one(bits in proptest::collection::vec(any::<bool>(), 1..100)) {
            let mut events = EDetector::new(0.1, Direction::Decrease).unwrap();
            let mut cells = events;
            for bad in bits {
                events.observe(bad);
                cells.observe_cell(u64::from(bad), u64::from(!bad));
                prop_assert!((events.value() / cells.value() - 1.0).abs() < 1e-9);
            }
            prop_assert_eq!(events.steps(), cells.steps());
        }

        #[test]
        fn stays_a_number_whatever_comes(
            cells in proptest::collection::vec((0..5_u64, 0..50_u64), 1..50)
        ) {
            let mut detector = EDetector::new(0.02, Direction::Increase).unwrap();
            for (bad, good) in cells {
                detector.observe_cell(bad, good);
                prop_assert!(detector.value().is_finite() && detector.value() >= 0.0);
            }
        }
    }
}
